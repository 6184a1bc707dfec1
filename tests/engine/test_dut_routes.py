"""The operator reads and writes what is known of a DUT over the API, and the next run sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from bench.config import BenchConfig, BenchSettings
from bench.dut import load_dut
from bench.engine import Engine
from tests.engine.service import Service, served, service

DUT = """\
# The sample of the spring.
[dut]
kind = "charging-station"
identity = "CP1"
vendor = "V"
model = "M"

[pics] # as the vendor stated
"C-07" = true # at the reader
"FP.Core" = true

[pixit]
connectors = 2 # left and right

[pixit.timing]
response = 30 # by the PICS
boot = 60

[pixit.cards.valid] # green
id_tag = "GREEN"
"""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Service]:
    """Serve an engine without devices for one DUT."""
    path, out = tmp_path / "dut.toml", tmp_path / "runs"
    await asyncio.to_thread(path.write_text, DUT)
    out.mkdir()
    config = BenchConfig(tmp_path / "bench.toml", BenchSettings("desk"))
    async with served(Engine(config, [load_dut(path)], out), out) as one:
        yield one


async def put(bench: Service, status: int = 200, **body: Any) -> Any:
    answer = await bench.http.put("/api/v1/duts/CP1", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_what_is_written_is_in_the_file_with_its_comments_and_in_the_engine(
    bench: Service, tmp_path: Path
) -> None:
    (listed,) = await bench.get("/duts")
    assert (listed["identity"], listed["model"]) == ("CP1", "M")
    told = await bench.get("/duts/CP1")
    assert told["file"] == str(tmp_path / "dut.toml")
    assert told["pixit"]["timing"] == {"response": 30, "boot": 60}
    assert told["in_force"]["timing"]["settling"] == 30.0
    assert told["under_test"] is False

    pixit = told["pixit"]
    pixit["timing"] = {"response": 12.5, "settling": 5}
    pixit["cards"]["invalid"] = {"id_tag": "RED", "status": "Invalid"}
    told = await put(bench, pics={"C-07": False, "C-08": True}, pixit=pixit)
    assert told["pics"] == {"C-07": False, "C-08": True}
    assert told["in_force"]["timing"]["boot"] == 600.0
    text = (tmp_path / "dut.toml").read_text()
    for kept in (
        "# The sample of the spring.\n[dut]",
        "[pics] # as the vendor stated\n",
        '"C-07" = false # at the reader\n',
        "connectors = 2 # left and right\n",
        "response = 12.5 # by the PICS\n",
        "[pixit.cards.valid] # green\n",
    ):
        assert kept in text
    assert "boot" not in text
    assert '"FP.Core"' not in text
    assert load_dut(tmp_path / "dut.toml").pixit.card("invalid").status == "Invalid"
    assert bench.engine.duts.one(None) == load_dut(tmp_path / "dut.toml")
    outcomes = {one["id"]: one["reason"] for one in await bench.get("/procedures")}
    assert outcomes["TC_003_CS"] == "needs C-07"
    problem = await bench.http.get("/api/v1/duts/CP2")
    assert (problem.status_code, problem.json()["detail"]) == (404, "there is no DUT 'CP2'")
    assert "unknown key 'conectors'" in (await put(bench, 422, pixit={"conectors": 2}))["detail"]
    assert "body.picks: Extra" in (await put(bench, 422, picks={}))["detail"]


async def test_a_file_that_is_edited_by_hand_counts_as_well(bench: Service, tmp_path: Path) -> None:
    path = tmp_path / "dut.toml"
    path.write_text(DUT.replace("boot = 60", "boot = 61"))
    assert (await bench.get("/duts/CP1"))["in_force"]["timing"]["boot"] == 61.0
    path.write_text(DUT.replace('"CP1"', '"CP2"'))
    detail = (await put(bench, 422, pics={}))["detail"]
    assert "key 'identity': 'CP2', but the engine was started with 'CP1'" in detail
    path.write_text("[dut")
    assert f"{path}: not TOML" in (await put(bench, 422, pics={}))["detail"]
    assert (await bench.http.get("/api/v1/duts/CP1")).status_code == 422


async def test_the_questionnaire_says_what_each_answer_switches(bench: Service) -> None:
    questions = {one["id"]: one for one in await bench.get("/duts/CP1/questionnaire")}
    asked = questions["C-07"]
    assert (asked["kind"], asked["answer"], asked["section"]) == (
        "yes-no",
        True,
        "Optional features",
    )
    assert "TC_003_CS" in asked["decides_on"]
    yes, no = asked["effects"]
    assert (yes["answer"], yes["applicable"], yes["not_applicable"]) == (True, [], [])
    assert no["answer"] is False
    assert "TC_003_CS" in no["not_applicable"]
    assert "TC_003_CS" in questions["C-08"]["holds_up"]
    assert questions["SC-1"]["options"] == ["A", "W", "Both"]
    assert questions["CFG.SupportedFileTransferProtocols"]["kind"] == "some-of"
    assert questions["CFG.GetConfigurationMaxKeys"]["effects"] == []


async def test_a_vendors_form_is_taken_over(bench: Service, tmp_path: Path) -> None:
    async def send(content: bytes, status: int = 200) -> Any:
        answer = await bench.http.post("/api/v1/duts/CP1/import", content=content)
        assert answer.status_code == status, answer.text
        return answer.json()

    changed = await send(b"item,answer\nC-07,no\nFP.Core,yes\nC-08,yes\n")
    assert changed == [
        {"id": "C-07", "before": True, "after": False},
        {"id": "C-08", "before": None, "after": True},
    ]
    book, file = Workbook(), BytesIO()
    assert book.active is not None
    for row in (["item", "answer"], ["C-07", "yes"]):
        book.active.append(row)
    book.save(file)
    (one,) = await send(file.getvalue())
    assert (one["id"], one["after"]) == ("C-07", True)
    assert '"C-07" = true # at the reader' in (tmp_path / "dut.toml").read_text()
    for content, text in (
        (b"item,answer\nC-07,often", "the form: row 2, item 'C-07': 'often', expected true"),
        (b"\xff\xfe", "the form: 'utf-8' codec can't decode"),
        (b"PK but no more", "the form: not a spreadsheet"),
        (b"", "the form: no row with the column heads 'item' and 'answer'"),
    ):
        assert text in (await send(content, 422))["detail"]
    assert "more than" in (await send(b"," * 4_000_001, 413))["detail"]


async def test_the_next_run_is_made_with_what_was_written(tmp_path: Path) -> None:
    async with service(tmp_path) as bench, bench.stream() as viewer:
        (listed,) = await bench.get("/duts")
        address = f"/duts/{listed['identity']}"
        keys = await bench.get(f"{address}/configuration")
        assert keys["run"] is None
        assert not any(row["told"] for row in keys["keys"])
        told = await bench.get(address)
        pixit = told["pixit"]
        pixit["timing"] = {**pixit.get("timing", {}), "triggered": 42, "quiet": 0.2}
        pics = {**told["pics"], "CFG.GetConfigurationMaxKeys": 1}
        answer = await bench.http.put(f"/api/v1{address}", json={"pics": pics, "pixit": pixit})
        assert answer.status_code == 200
        run = await bench.start("TC_019_CS")
        answer = await bench.http.put(f"/api/v1{address}", json={"pics": {}})
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            f"{listed['identity']} is under test",
        )
        assert (await bench.get(address))["under_test"] is True
        detail = (await bench.post(f"/runs/{run}/verify", 409))["detail"]
        assert detail == f"run {run} is going on"
        started = await viewer.event("RunStarted")
        assert started["data"]["pixit"]["timing"]["triggered"] == 42
        await viewer.event("RunEnded")

        keys = await bench.get(f"{address}/configuration")
        assert keys["run"] == run
        rows = {row["key"]: row for row in keys["keys"]}
        most = rows["GetConfigurationMaxKeys"]
        assert most["told"]
        (claim,) = most["claims"]
        assert (claim["item"], claim["holds"]) == ("CFG.GetConfigurationMaxKeys", False)
        assert rows["HeartbeatInterval"]["readonly"] is False

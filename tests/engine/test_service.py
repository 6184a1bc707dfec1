"""Runs over the API: started, followed, paused, aborted, read again; one after the other."""

from __future__ import annotations

import asyncio
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bench.journal import JOURNAL, JournalReader
from bench.verify import verify
from tests.engine.service import DEADLINE, TOKEN, Service, idle_engine, served, service

GOLDEN = Path(__file__).parents[1] / "golden"


async def test_a_run_is_started_followed_and_read_like_one_of_the_command_line(
    tmp_path: Path,
) -> None:
    async with service(tmp_path) as bench, bench.stream() as viewer:
        assert viewer.snapshot["run"] is None
        assert viewer.snapshot["next"] == {"run": None, "n": 1}
        run = await bench.start("TC_019_CS")
        assert (await bench.get("/session"))["run"] == run
        ended = await viewer.event("RunEnded")
        assert (ended["run"], ended["data"]["counts"]) == (run, {"pass": 1})
        assert viewer.numbers(run) == list(range(1, ended["n"] + 1))
        assert viewer.frames[0]["event"] == "RunStarted"
        assert "hash" not in ended

        (one,) = await bench.get("/runs")
        assert one == await bench.get(f"/runs/{run}")
        assert (one["state"], one["complete"], one["counts"]) == ("ended", True, {"pass": 1})
        assert one["dut"]["vendor"] == next(iter(bench.engine.duts.values())).dut.vendor
        results = await bench.get(f"/runs/{run}/results")
        assert [case["verdict"] for case in results["cases"]] == ["pass"]
        page = await bench.http.get(f"/api/v1/runs/{run}/report.html")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert b"TC_019_CS" in page.content
        vendors = await bench.http.get(f"/api/v1/runs/{run}/report.html", params={"view": "vendor"})
        assert b"What happened outside the cases" in page.content
        assert b"What happened outside the cases" not in vendors.content
        paper = await bench.http.get(f"/api/v1/runs/{run}/report.pdf")
        assert paper.headers["content-type"] == "application/pdf"
        assert paper.content.startswith(b"%PDF-1.7")
        sheet = await bench.http.get(f"/api/v1/runs/{run}/results.csv")
        assert sheet.text.splitlines()[1].startswith("TC_019_CS,")
        junit = await bench.http.get(f"/api/v1/runs/{run}/junit.xml")
        assert ET.fromstring(junit.content).tag == "testsuites"
        assert (await bench.get("/session"))["run"] is None
    folder = tmp_path / "runs" / run
    assert verify(folder).faults == ()
    assert (folder / "report.html").exists()


async def test_runs_follow_each_other_and_only_one_goes_on(tmp_path: Path) -> None:
    async with service(tmp_path) as bench, bench.stream() as viewer:
        first = await bench.start("TC_019_CS")
        problem = await bench.post("/runs", 409, cases=["TC_019_CS"])
        assert problem == {"detail": f"run {first} is going on"}
        await bench.post(f"/runs/{first}/abort", by="Ada")
        await bench.post(f"/runs/{first}/abort", by="Ada")
        ended = await viewer.event("RunEnded")
        assert ended["data"]["reason"].startswith("aborted by Ada")
        problem = await bench.post(f"/runs/{first}/abort", 409)
        assert problem == {"detail": f"run {first} is not going on"}

        second = await bench.start("TC_019_CS")
        assert second != first
        ended = await viewer.event("RunEnded")
        assert (ended["run"], ended["data"]["complete"]) == (second, True)
        for run in (first, second):
            assert viewer.numbers(run) == list(range(1, max(viewer.numbers(run)) + 1))
        assert [one["run"] for one in await bench.get("/runs")] == [first, second]
    assert verify(tmp_path / "runs" / second).faults == ()


async def test_a_paused_run_waits_until_it_is_resumed(tmp_path: Path) -> None:
    async with service(tmp_path) as bench, bench.stream() as viewer:
        run = await bench.start("TC_019_CS")
        await bench.post(f"/runs/{run}/pause", by="Ada")
        assert (await viewer.event("RunPaused"))["data"] == {"by": "Ada"}
        assert (await bench.get("/session"))["paused"] is True
        await bench.post(f"/runs/{run}/resume")
        assert (await viewer.event("RunResumed"))["data"] == {"by": "the operator"}
        assert (await viewer.event("RunEnded"))["data"]["complete"] is True


async def test_a_viewer_goes_on_where_it_was_without_gap_or_repeat(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        run = await bench.start("TC_019_CS")
        got: list[int] = []
        last = 0
        while True:
            async with bench.stream(run=run, from_=last + 1) as viewer:
                assert viewer.snapshot["next"] == {"run": run, "n": last + 1}
                for _ in range(7):
                    frame = await viewer.until(lambda _: True)
                    if frame["event"] == "RunEnded":
                        break
                got += viewer.numbers(run)
                last = got[-1]
                if viewer.frames[-1]["event"] == "RunEnded":
                    break
        assert got == list(range(1, last + 1))


async def test_an_ended_run_is_streamed_from_its_journal(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        async with bench.stream() as live:
            run = await bench.start("TC_019_CS")
            last = (await live.event("RunEnded"))["n"]
    async with service(tmp_path) as later:
        async with later.stream(run=run, follow="false") as viewer:
            async with asyncio.timeout(DEADLINE):
                async for frame in viewer.socket:
                    assert isinstance(frame, str)  # there are no samples of an ended run
                    viewer.frames.append(json.loads(frame))
        assert viewer.socket.close_code == 1000
        assert viewer.frames == live.frames[-last:]
        async with later.stream(from_=last) as tail:
            assert await tail.event("RunEnded") == live.frames[-1]
            again = await later.start("TC_019_CS")
            assert (await tail.event("RunStarted"))["n"] == 1
            assert tail.numbers(again) == [1]
            await tail.event("RunEnded")


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({}, 400, "no case to run: name cases, groups or a plan"),
        ({"cases": ["TC_0"]}, 400, "unknown case 'TC_0'"),
        ({"plan": {"groups": ["x"]}}, 400, "unknown group 'x'"),
        ({"cases": ["TC_019_CS"], "dut": "CP9"}, 400, "no DUT 'CP9', known are "),
        ({"cases": "TC_019_CS"}, 422, "body.cases: Input should be a valid list"),
        ({"case": []}, 422, "body.case: Extra inputs are not permitted"),
    ],
)
async def test_what_can_not_run_is_said(
    tmp_path: Path, body: dict[str, object], status: int, detail: str
) -> None:
    async with service(tmp_path) as bench:
        assert detail in (await bench.post("/runs", status, **body))["detail"]
        assert await bench.get("/runs") == []


async def test_the_files_of_a_run_that_is_none_are_not_found(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        for run in ("x", "..", "%2e%2e", "..%2fruns", "engine"):
            for rest in ("", "/results", "/report.html", "/junit.xml"):
                answer = await bench.http.get(f"/api/v1/runs/{run}{rest}")
                assert answer.status_code == 404, (run, rest)


async def test_a_folder_that_is_no_run_is_skipped_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with service(tmp_path) as bench:
        async with bench.stream() as viewer:
            run = await bench.start("TC_019_CS")
            await viewer.event("RunEnded")
        runs = tmp_path / "runs"
        for name, text in (("broken", "nonsense\n"), ("empty", ""), ("cut", '{"n":1')):
            draft = tmp_path / name  # the engine may look at its runs at any time
            draft.mkdir()
            (draft / "journal.jsonl").write_text(text)
            draft.rename(runs / name)
        (runs / "notes").mkdir()
        for _ in range(2):
            assert [one["run"] for one in await bench.get("/runs")] == [run]
        warned = sorted(one.message for one in caplog.records)
        assert [text.split(": ")[0] for text in warned] == [
            str(runs / name / "journal.jsonl") for name in ("broken", "cut", "empty")
        ]


async def test_the_procedures_are_those_of_the_list_command(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        rows = {row["id"]: row for row in await bench.get("/procedures")}
        assert rows["TC_019_CS"]["outcome"] == "runnable"
        assert rows["TC_019_CS"]["needs"] == []


async def _bad_stream(bench: Service, query: str) -> int:
    address = bench.url.replace("http", "ws", 1)
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"{address}/api/v1/stream?{query}", proxy=None):
            pass
    return caught.value.response.status_code


async def test_a_stream_that_can_not_be_is_refused_before_it_opens(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        good = f"token={TOKEN}"
        assert await _bad_stream(bench, "") == 401
        assert await _bad_stream(bench, "token=x") == 401
        assert await _bad_stream(bench, f"{good}&run=none") == 404
        for query in ("from=-1", "from=x", "from=", "from=1e3", f"from={'9' * 30}", "follow=1"):
            assert await _bad_stream(bench, f"{good}&{query}") == 422


async def test_the_stream_takes_the_token_as_a_header_too(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        place = f"{bench.url.replace('http', 'ws', 1)}/api/v1/stream"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with connect(place, proxy=None, additional_headers=headers) as socket:
            assert "snapshot" in json.loads(await socket.recv())


async def test_a_page_of_another_place_gets_no_stream(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        place = f"{bench.url.replace('http', 'ws', 1)}/api/v1/stream?token={TOKEN}"
        for origin in ("http://evil.example", "null", f"{bench.url}0"):
            with pytest.raises(InvalidStatus) as caught:
                async with connect(place, proxy=None, additional_headers={"Origin": origin}):
                    pass
            assert caught.value.response.status_code == 403
        async with connect(place, proxy=None, additional_headers={"Origin": bench.url}) as socket:
            assert "snapshot" in json.loads(await socket.recv())


async def test_who_talks_on_the_stream_is_shown_out(tmp_path: Path) -> None:
    async with service(tmp_path) as bench, bench.stream() as viewer:
        await viewer.socket.send("hello")
        async with asyncio.timeout(DEADLINE):
            await viewer.socket.wait_closed()
        assert viewer.socket.close_code == 1008


async def test_a_run_of_an_older_version_reaches_viewers_as_this_version_writes_it(
    tmp_path: Path,
) -> None:
    await asyncio.to_thread(shutil.copytree, GOLDEN / "version-1-first", tmp_path / "old")
    async with served(idle_engine(tmp_path), tmp_path) as bench:
        async with bench.stream(run="old", follow="false") as viewer:
            first = await viewer.event("RunStarted")
            assert "framing" in first["data"]["monitors"]
            await viewer.event("RunEnded")
        whole = [one.n for one in JournalReader(tmp_path / "old" / JOURNAL)]
        assert viewer.numbers("old") == whole
        async with bench.stream(run="old", from_=whole[-1], follow="false") as viewer:
            await viewer.event("RunEnded")
        assert viewer.numbers("old") == whole[-1:]

"""The operator makes, lists and revokes links over the API, verifies runs and compares them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.archive import dut_key
from tests.engine.service import idle_engine, served, service


async def test_links_are_made_listed_and_revoked(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        (dut,) = bench.engine.duts.values()
        made = await bench.post(
            "/shares", 201, name="Ada, Example Ltd", expires="12h", dut=dut.dut.identity
        )
        assert made["dut"] == list(dut_key(asdict(dut.dut)))
        assert made["link"].startswith(f"{bench.url}/view/#token=pbs.")
        token = urlsplit(made["link"]).fragment.removeprefix("token=")
        run = await bench.start("TC_019_CS")
        async with bench.stream() as viewer:
            await viewer.event("RunEnded")
        one = await bench.post(
            "/shares", 201, name="Bob", expires="7d", run=run, url="https://bench.example.org/"
        )
        assert (one["run"], one["dut"]) == (run, None)
        assert one["link"].startswith("https://bench.example.org/view/#token=pbs.")
        listed = await bench.get("/shares")
        assert [(each["name"], each["state"]) for each in listed] == [
            ("Bob", "good"),
            ("Ada, Example Ltd", "good"),
        ]
        assert "link" not in listed[0]

        # Whoever has the link reads the run, until it is good for nothing.
        observer = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=bench.url, headers=observer, trust_env=False) as http:
            assert [each["run"] for each in (await http.get("/api/v1/runs")).json()] == [run]
            gone = await bench.http.delete(f"/api/v1/shares/{made['id']}")
            assert (gone.status_code, gone.json()["state"]) == (200, "revoked")
            assert (await http.get("/api/v1/runs")).status_code == 401

        verified = await bench.post(f"/runs/{run}/verify")
        assert (verified["sound"], verified["faults"]) == (True, [])
        compared = await bench.get("/compare", first=run, second=run)
        assert compared["same_verdicts"] is True
        assert "TC_019_CS" in [case["case"] for case in compared["cases"]]
        (alone,) = (await bench.get("/compare", first=run, second=run, case="TC_019_CS"))["cases"]
        assert alone["messages"]
        results = tmp_path / "runs" / run / "results.json"
        results.write_bytes(results.read_bytes().replace(b'"pass"', b'"fail"'))
        verified = await bench.post(f"/runs/{run}/verify")
        assert not verified["sound"]
        assert "results.json" in verified["faults"][0]


async def test_a_link_that_can_not_be_is_refused(tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, str], int, str]] = [
        ({"name": "Ada", "expires": "7d"}, 422, "expected either 'run' or 'dut'"),
        ({"name": "Ada", "expires": "soon", "run": "x"}, 404, "there is no run 'x'"),
        ({"name": "Ada", "expires": "7d", "dut": "x"}, 404, "there is no DUT 'x'"),
        ({"name": "\t", "expires": "7d", "dut": "x"}, 422, "body.name"),
        ({"name": "Ada", "expires": "7d", "dut": "x", "url": "javascript:"}, 422, "body.url"),
    ]
    async with served(idle_engine(tmp_path), tmp_path) as bench:
        for body, status, text in wrong:
            assert text in (await bench.post("/shares", status, **body))["detail"]
        assert (await bench.http.delete("/api/v1/shares/000000000000")).status_code == 404

"""The lab in one process, a run in another, as in two terminals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.verify import verify
from tests.engine.programs import DEADLINE, Ended, pilotbench, results, running, with_timing

CASES = ("TC_003_CS", "TC_019_CS")


@asynccontextmanager
async def lab(folder: Path, *options: str) -> AsyncIterator[list[str]]:
    """Run `pilotbench lab`; give the options of a run on its bench."""
    async with running("lab", "--dir", folder, *options) as program:
        assert program.process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            files = json.loads(await program.process.stdout.readline())
        with_timing(Path(files["dut"]), triggered=2)
        yield ["--bench", files["bench"], "--dut", files["dut"], "--operator", "refuse"]
        program.process.terminate()
        assert await program.ended() == Ended(0, "", "")


async def test_a_run_on_the_lab_passes_and_the_next_one_too(tmp_path: Path) -> None:
    async with lab(tmp_path) as options:
        for name, cases in (("first", CASES), ("second", CASES[:1])):
            out = tmp_path / name
            ended = await pilotbench("run", *cases, *options, "--out", out)
            assert (ended.code, ended.errors) == (0, "")
            assert f"Verdicts: {len(cases)} pass\n" in ended.out
            assert results(out)["complete"] is True
            assert verify(out).faults == ()


async def test_a_run_on_a_defective_station_fails_and_says_what_came(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with lab(tmp_path, "--defect", "start-without-authorize") as options:
        ended = await pilotbench("run", *CASES, *options, "--out", out)
    assert (ended.code, ended.errors) == (1, "")
    cases = {case["id"]: case for case in results(out)["cases"]}
    assert cases["TC_019_CS"]["verdict"] == "pass"
    assert cases["TC_003_CS"]["verdict"] == "fail"
    for word in ("Authorize(idTag=", "StartTransaction("):
        assert word in cases["TC_003_CS"]["reason"]
    assert verify(out).faults == ()

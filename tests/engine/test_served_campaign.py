"""An engine that serves a campaign keeps the campaign's record of its runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bench import cli
from bench.campaign.acts import grant, untaken
from bench.campaign.check import verify_campaign
from bench.campaign.events import RunBegun
from bench.campaign.folder import changing, read
from bench.campaign.results import histories
from bench.campaign.running import CampaignKeeper
from bench.campaign.view import CampaignView
from bench.config import load_bench
from bench.dut import load_dut
from bench.engine import Engine
from bench.events import CaseStarted
from drivers.sim.lab import open_lab
from tests.engine.programs import DEADLINE, pilotbench, recorded, running
from tests.engine.service import impatient, served


async def known(folder: Path, holds: Callable[[CampaignView], bool]) -> CampaignView:
    """Wait until the record of a campaign says so, which another process writes."""
    async with asyncio.timeout(DEADLINE):
        while not holds(view := read(folder)):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    return view


async def test_the_runs_of_an_engine_are_those_of_the_campaign(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    async with open_lab(tmp_path) as lab:
        files = ("--bench", str(lab.bench_file), "--dut", str(lab.dut_file))
        assert cli.main(["campaign", "new", str(folder), *files, "--by", "ada"]) == 0
        with changing(folder) as campaign:
            grant(campaign, "status", "ada", "as the group decided")
        engine = Engine(
            load_bench(lab.bench_file), [impatient(load_dut(lab.dut_file))], folder / "runs"
        )
        engine.keeper = CampaignKeeper(folder, "bob")
        async with served(engine, folder / "runs") as bench, bench.stream() as viewer:
            run = await bench.start("TC_019_CS")
            begun = read(folder).runs[run].begun
            assert begun == RunBegun(run, "bob", ["TC_019_CS"], None)
            ended = await viewer.event("RunEnded")
            assert ended["data"]["counts"] == {"pass": 1}
            await known(folder, lambda view: bool(view.added))
            problem = await bench.post("/runs", 400, cases=["TC_019_CS"])
            assert problem["detail"].startswith(f"TC_019_CS has a result, pass in run {run}: ")
            assert len(read(folder).runs) == 1
            again = await bench.start("TC_019_CS", reason="asked by the vendor")
            await bench.post(f"/runs/{again}/abort", by="bob")
            await bench.post(f"/runs/{again}/abort", by="bob")
    # The engine has ended: what was left to do is done.
    first, second = read(folder).added
    assert (first.run, first.by, first.complete) == (run, "bob", True)
    assert first.waivers == {"status": "as the group decided"}
    assert (second.run, second.complete) == (again, False)
    assert read(folder).runs[again].reasons == ["asked by the vendor"]
    assert verify_campaign(folder).faults == ()


async def test_a_campaign_s_run_that_is_killed_is_taken_up_and_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    plan = tmp_path / "plan.toml"
    plan.write_text('[plan]\ncases = ["TC_019_CS", "TC_021_CS", "TC_062_CS"]\n')
    async with open_lab(tmp_path) as lab:
        files = ("--bench", str(lab.bench_file), "--dut", str(lab.dut_file), "--plan", str(plan))
        assert cli.main(["campaign", "new", str(folder), *files, "--by", "ada"]) == 0
        command = ("campaign", "run", folder, "--operator", "refuse", "--by", "ada")
        async with running(*command) as program:
            (run,) = (await known(folder, lambda view: bool(view.runs))).runs
            await recorded(folder / "runs" / run, CaseStarted, lambda one: one.case == "TC_021_CS")
            program.process.kill()
            await program.ended()
        assert read(folder).added == []
        assert list(untaken(folder, read(folder))) == [folder / "runs" / run]
        ended = await pilotbench(*command)
        assert ended.code == 0, ended.errors
        assert ended.lines[0] == f"pilotbench: run {run} is part of the campaign now"
    killed, rest = read(folder).added
    assert [case["verdict"] for case in killed.cases] == ["pass", "none"]
    assert [case["id"] for case in rest.cases] == ["TC_021_CS", "TC_062_CS"]
    assert {one.state for one in histories(read(folder)) if one.attempts} == {"pass"}
    assert verify_campaign(folder).faults == ()

"""An engine that serves a campaign keeps the campaign's record of its runs."""

from __future__ import annotations

from pathlib import Path

from bench import cli
from bench.campaign.acts import grant
from bench.campaign.check import verify_campaign
from bench.campaign.events import RunBegun
from bench.campaign.folder import changing, read
from bench.campaign.running import CampaignKeeper
from bench.config import load_bench
from bench.dut import load_dut
from bench.engine import Engine
from drivers.sim.lab import open_lab
from tests.engine.service import impatient, served


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
        # The engine has ended: what was left to do is done.
        (added,) = read(folder).added
        assert (added.run, added.by, added.complete) == (run, "bob", True)
        assert added.waivers == {"status": "as the group decided"}
        engine = Engine(load_bench(lab.bench_file), [load_dut(lab.dut_file)], folder / "runs")
        engine.keeper = CampaignKeeper(folder, "bob")
        async with served(engine, folder / "runs") as bench:
            problem = await bench.post("/runs", 400, cases=["TC_019_CS"])
            assert problem["detail"].startswith(f"TC_019_CS has a result, pass in run {run}: ")
            assert len(read(folder).runs) == 1
            again = await bench.start("TC_019_CS", reason="asked by the vendor")
            await bench.post(f"/runs/{again}/abort", by="bob")
            await bench.post(f"/runs/{again}/abort", by="bob")
    entry = read(folder).runs[again]
    assert entry.reasons == ["asked by the vendor"]
    assert entry.added is not None
    assert not entry.added.complete
    assert verify_campaign(folder).faults == ()

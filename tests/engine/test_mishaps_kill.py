"""`kill -9` of the engine while energy flows: the record is good to its last whole line."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bench.cli import main
from bench.events import CaseEnded, DeviceOpened, RunEnded, StepStarted
from bench.report import FILES
from drivers.sim.lab import open_lab
from tests.engine.programs import (
    becomes_live,
    becomes_safe,
    events,
    recorded,
    records,
    results,
    run_on,
    running,
    with_timing,
)
from tests.procedures.simulated import simulated


async def test_a_killed_run_is_readable_and_the_next_start_makes_the_lab_safe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed, after = tmp_path / "killed", tmp_path / "after"
    async with open_lab(tmp_path, defects=["charging-reported-as-suspended"]) as lab:
        with_timing(lab.dut_file, triggered=60.0)
        connector = lab.world.connectors[1]
        async with running(*run_on(lab, killed, "TC_003_CS")) as engine:
            await becomes_live(lab)
            engine.process.kill()
            assert (await engine.ended()).code == -signal.SIGKILL
        # Relays keep their position when nobody commands them.
        assert connector.pilot_state() == "C"
        assert connector.contactor_closed
        check_the_killed_run(killed, capsys)

        with_timing(lab.dut_file, triggered=5.0)
        async with running(*run_on(lab, after, "TC_019_CS")) as engine:
            await recorded(after, DeviceOpened, lambda opened: opened.device == "pilot-box")
            await becomes_safe(lab)
            ended = await engine.ended()
        assert (ended.code, ended.errors) == (0, "")
        assert events(after, CaseEnded)[-1].verdict == "pass"


def check_the_killed_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = records(folder)
    step = events(folder, StepStarted)[-1]
    assert step.title.startswith("Present a valid card")
    assert events(folder, RunEnded) == []

    assert main(["verify", str(folder)]) == 1
    end = f"the journal ends at record {whole[-1].n}, during TC_003_CS step '{step.title}'"
    assert f"NOT SOUND: {end}; it is whole up to there\n" in capsys.readouterr().out

    for form, name in FILES.items():
        assert main(["report", str(folder), "--format", form]) == 0
        said = capsys.readouterr()
        assert (said.out, said.err) == (f"{folder / name}\n", "")
    document = results(folder)
    assert (document["complete"], document["ended"]) == (False, None)
    (case,) = document["cases"]
    assert case["reason"] == "not ended: the run goes on, or was killed"


async def test_half_a_line_at_the_end_costs_only_that_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A power cut may leave what the kernel had not yet written of the last record."""
    async with simulated(tmp_path) as bench:
        out = (await bench.run("TC_019_CS")).folder
    journal = out / "journal.jsonl"
    whole = len(records(out))
    journal.write_bytes(journal.read_bytes()[:-40])
    assert len(records(out)) == whole - 1
    assert main(["verify", str(out)]) == 1
    said = capsys.readouterr().out
    assert f"the journal ends at record {whole - 1}; it is whole up to there" in said
    assert f"(line {whole} is cut short)" in said
    assert main(["report", str(out)]) == 0

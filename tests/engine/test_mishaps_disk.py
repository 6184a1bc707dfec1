"""A full disk: the run stops, the lab is safe, and what was recorded can be read."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

from bench.events import CaseEnded
from bench.verify import verify
from drivers.sim.lab import open_lab
from tests.engine.programs import (
    becomes_live,
    becomes_safe,
    events,
    pilotbench,
    records,
    results,
    run_on,
    running,
    with_timing,
)

FULL = os.strerror(errno.EFBIG)
"""What the system says of a file that may not grow; like ENOSPC in all else."""


async def test_a_journal_that_can_not_grow_stops_the_run_while_charging(tmp_path: Path) -> None:
    out = tmp_path / "run"
    journal = out / "journal.jsonl"
    async with open_lab(tmp_path, defects=["charging-reported-as-suspended"]) as lab:
        with_timing(lab.dut_file, triggered=60.0, heartbeat_interval=1)
        async with running(*run_on(lab, out, "TC_003_CS", "TC_023_CS")) as engine:
            await becomes_live(lab)
            # The case waits; the next record is a Heartbeat's, of which a part finds room.
            room = journal.stat().st_size + 20
            resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (room, room))
            ended = await engine.ended()
        await becomes_safe(lab)
    assert ended.code == 2
    assert ended.lines == [f"pilotbench: {journal}: {FULL}"]
    whole = records(out)
    assert journal.read_bytes().count(b"\n") == len(whole)
    assert journal.stat().st_size <= room
    assert journal.read_bytes().endswith(b"\n")
    assert events(out, CaseEnded) == []
    (end, *_) = verify(out).faults
    assert end.startswith(f"the journal ends at record {whole[-1].n}, during TC_003_CS step")
    # There was room for it, as this limit is one for each file.
    assert results(out)["complete"] is False


async def test_a_run_that_can_not_be_recorded_does_not_begin(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        largest = max(lab.bench_file.stat().st_size, lab.dut_file.stat().st_size)
        async with running(*run_on(lab, out, "TC_019_CS"), largest_file=largest) as engine:
            ended = await engine.ended()
    assert ended.code == 2
    assert ended.lines == [f"pilotbench: {out / 'journal.jsonl'}: {FULL}"]
    assert records(out) == []


async def test_a_run_whose_files_can_not_be_copied_does_not_begin(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        largest = lab.bench_file.stat().st_size - 1
        async with running(*run_on(lab, out, "TC_019_CS"), largest_file=largest) as engine:
            ended = await engine.ended()
    assert ended.code == 2
    assert ended.lines == [f"pilotbench: {out / 'bench.toml'}: {FULL}"]
    assert not (out / "journal.jsonl").exists()


async def test_a_report_that_can_not_be_written_leaves_the_run_whole(tmp_path: Path) -> None:
    out = tmp_path / "run"
    (out / "report.html").mkdir(parents=True)
    async with open_lab(tmp_path) as lab:
        ended = await pilotbench(*run_on(lab, out, "TC_019_CS"))
    assert ended.code == 2
    (line,) = ended.lines
    assert line.startswith(f"pilotbench: {out / 'report.html'}: ")
    assert line.endswith(", but the run's journal is whole")
    assert verify(out).faults == ()
    assert list(out.glob(".*")) == []

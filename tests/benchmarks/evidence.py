"""Evidence: how fast it is written down, what a kill costs, how fast it is checked and listed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.archive import Archive
from bench.events import CaseEnded, Event, FrameReceived, FrameSent
from bench.journal import JournalReader, JournalWriter, Record
from bench.verify import verify
from tests.benchmarks.table import Line
from tests.unit.repeated import write_repeated

RUN = Path(__file__).parents[1] / "golden" / "version-1-last"
KILLS = 200
RUNS = 1000
TIMES = 300
"""How often the cases of the stored run happen in the run that is verified."""


def journal(seconds: float = 3.0) -> list[Line]:
    """Write what a run writes: handed to the system, and waited for until on the disk."""
    events = [r.event for r in JournalReader(RUN / "journal.jsonl")]
    frames = [event for event in events if isinstance(event, FrameReceived | FrameSent)]
    verdict = CaseEnded("TC_1", "pass", "completed", None, None, "body", 1.0, [])
    plain, size = _written(frames, seconds, durable=False)
    durable, _ = _written([verdict], seconds, durable=True)
    disk = _synced(seconds)
    return [
        Line("journal records a second, to the system", f"{plain:,.0f}, {size:.0f} B each"),
        Line(
            "journal records a second, to the disk (verdicts, answers)",
            f"{durable:,.0f}",
            f"{disk:,.0f} (bare write and fdatasync)",
            f"{durable / disk:.2f}x",
        ),
    ]


def _written(events: Sequence[Event], seconds: float, *, durable: bool) -> tuple[float, float]:
    """Return records a second and bytes a record."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path, n = Path(folder) / "journal.jsonl", 0
        with JournalWriter(path) as writer:
            began = time.perf_counter()
            while (took := time.perf_counter() - began) < seconds:
                for event in events:
                    n += 1
                    writer.append(Record(n, datetime.now(UTC), took, event), durable=durable)
        return n / took, path.stat().st_size / n


def _synced(seconds: float) -> float:
    """Write lines of a verdict's size with nothing but the system's calls."""
    line, n = b"x" * 400 + b"\n", 0
    with tempfile.TemporaryDirectory(dir=".") as folder:
        file = os.open(Path(folder) / "file", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        began = time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            os.write(file, line)
            os.fdatasync(file)
            n += 1
        os.close(file)
    return n / took


def killed() -> Line:
    """Kill writers of a journal at any moment."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.engine.killed_writer", folder, str(KILLS)]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert found["sound"]
    return Line(
        f"acknowledged records lost in {KILLS} kills with -9",
        f"{found['lost']} of {found['acknowledged']:,}",
        "aim: 0",
    )


def verified() -> Line:
    """Verify a long run."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        records = write_repeated(RUN, run, TIMES)
        began = time.perf_counter()
        found = verify(run)
        took = time.perf_counter() - began
    frames = int(next(line.split()[1] for line in found.summary if line.startswith("derived")))
    return Line(
        f"frames a second verified, run of {records:,} records",
        f"{frames / took:,.0f}",
        f"{records / took:,.0f} records a second",
    )


def listed() -> list[Line]:
    """List very many runs: for the first time, by another program, and again."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(RUNS):
            (root / f"r{number}").mkdir()
            shutil.copy(RUN / "journal.jsonl", root / f"r{number}")
        first = _seconds(Archive(root))
        another = Archive(root)
        index = min(_seconds(Archive(root)) for _ in range(5))
        another.runs()
        again = min(_seconds(another) for _ in range(5))
    return [
        Line(f"{RUNS} runs listed by another program", f"{index * 1e3:.0f} ms", "aim: 50 ms"),
        Line(
            f"{RUNS} runs listed again",
            f"{again * 1e3:.0f} ms",
            f"{first * 1e3:.0f} ms (for the first time)",
            f"{first / again:.0f}x",
        ),
    ]


def _seconds(archive: Archive) -> float:
    began = time.perf_counter()
    found = archive.runs()
    took = time.perf_counter() - began
    assert len(found) == RUNS
    return took

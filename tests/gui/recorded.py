"""A recorded run, to look at without an engine."""

from __future__ import annotations

from pathlib import Path

from bench.events import RunStarted
from bench.journal import JournalReader, Record
from gui.link import Link
from gui.live import LiveRun

JOURNAL = Path(__file__).parents[1] / "golden" / "refused-card" / "journal.jsonl"
"""A failing case, a case with operator's answers, an aborted one."""


def records(path: Path = JOURNAL) -> list[Record]:
    """Read it."""
    return list(JournalReader(path))


def number_of(kind: type, found: list[Record]) -> int:
    """Return the place of the first record of a kind."""
    return next(index for index, record in enumerate(found) if isinstance(record.event, kind))


def shown(run: LiveRun, found: list[Record]) -> None:
    """Let a run be looked at, from its first record on."""
    started = found[0].event
    assert isinstance(started, RunStarted)
    run.restart(started.run)
    run.take(found)
    run.flush()


def unconnected() -> Link:
    """A link that is never opened."""
    return Link("http://127.0.0.1:1", "t" * 43)

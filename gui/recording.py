"""A recorded run to be shown again: its records, the places to jump to, and what is missing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError
from bench.events import (
    CaseEnded,
    CaseStarted,
    Retried,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
)
from bench.journal import JOURNAL, JournalReader, Record

BAD = ("fail", "inconclusive", "error")


@dataclass(slots=True)
class Place:
    """Where a case or a step begins."""

    index: int
    """Place of its first record in the recording."""
    mono: float
    title: str
    verdict: str = "none"
    end: float | None = None
    """When it ended, None: the records end before."""


class Recording:
    """Takes a run's records one by one, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.records: list[Record] = []
        self.cases: list[Place] = []
        self.steps: list[Place] = []
        self.fault: str | None = None
        """Why the journal could not be read further."""
        self.started: RunStarted | None = None
        self._times: list[float] = []
        self._ended = False
        self._done = 0

    def add(self, record: Record) -> None:
        """Take the next record."""
        here = len(self.records)
        match record.event:
            case RunStarted() as event:
                self.started = event
            case RunEnded():
                self._ended = True
            case CaseStarted(case=case, title=title):
                self.cases.append(Place(here, record.mono, f"{case} {title}"))
            case CaseEnded(verdict=verdict):
                self._done += 1
                if self.cases:
                    self.cases[-1].verdict, self.cases[-1].end = verdict, record.mono
            case Retried():
                # What was tried before does not count: it is no fail to look for.
                for step in self.steps:
                    if self.cases and step.index > self.cases[-1].index:
                        step.verdict = "none"
            case StepStarted(title=title):
                self.steps.append(Place(here, record.mono, title))
            case StepEnded(verdict=verdict):
                if self.steps:
                    self.steps[-1].verdict, self.steps[-1].end = verdict, record.mono
        self.records.append(record)
        # A clock that went back in a damaged record must not break the search.
        self._times.append(max(record.mono, self._times[-1] if self._times else record.mono))

    @property
    def begin(self) -> float:
        """When it begins, in s of the journal's clock."""
        return self._times[0] if self._times else 0.0

    @property
    def length(self) -> float:
        """How long it is, in s."""
        return self._times[-1] - self._times[0] if self._times else 0.0

    def until(self, seconds: float) -> int:
        """Count the records of its first so many seconds."""
        return bisect_right(self._times, self.begin + seconds)

    def time_of(self, index: int) -> float:
        """Tell when a record came, in s from the begin."""
        return self._times[index] - self.begin

    @property
    def fails(self) -> list[Place]:
        """The steps that did not pass, and cases that did not although all their steps did."""
        bad = [step for step in self.steps if step.verdict in BAD]
        for case in self.cases:
            end = case.end if case.end is not None else float("inf")
            if case.verdict in BAD and not any(case.mono <= step.mono <= end for step in bad):
                bad.append(case)
        return sorted(bad, key=lambda place: place.index)

    @property
    def missing(self) -> str:
        """Say what is not there because the journal ends too soon; empty when it is whole."""
        if self._ended:
            return ""
        if not self.records:
            return f"{self.name} holds no record{f': {self.fault}' if self.fault else ''}."
        planned = len(self.started.cases) if self.started is not None else len(self.cases)
        where = f"record {self.records[-1].n}"
        if self.cases and self.cases[-1].end is None:
            where += f", during {self.cases[-1].title}"
        why = f" ({self.fault})" if self.fault else ""
        absent = planned - self._done
        cases = "the end of the run" if absent <= 0 else f"{absent} of {planned} planned cases"
        verb = "is" if absent <= 1 else "are"
        return f"The journal ends at {where}{why}: {cases} {verb} missing. All before it is shown."


def journal_of(folder: Path) -> Path:
    """Return the journal of a run's folder; raises `ConfigError` when it holds none."""
    path = folder if folder.name == JOURNAL else folder / JOURNAL
    if not path.is_file():
        raise ConfigError(f"{folder}: no {JOURNAL} here, so this is no run's folder")
    return path


def reading(folder: Path) -> Iterator[Recording]:
    """Read a run's folder; the recording grows from one yield to the next, record by record.

    Raises `ConfigError` when the folder holds no journal.
    """
    path = journal_of(folder)
    reader = JournalReader(path)
    recording = Recording(path.parent.resolve().name)
    for record in reader:
        recording.add(record)
        yield recording
    if reader.fault is not None:
        recording.fault = f"{JOURNAL}, {reader.fault}"
    yield recording


def read_recording(folder: Path) -> Recording:
    """Read a run's folder at once."""
    *_, recording = reading(folder)
    return recording

"""A run in short, gathered from its journal without folding it; a journal that grows is read on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from bench.events import CaseEnded, CaseStarted, EarlierResultsVoid, RunEnded, RunStarted, from_data
from bench.journal import JOURNAL
from bench.migration import Migration
from bench.ocpp.frame import Call, parse

_KINDS = {
    kind.__name__: kind
    for kind in (RunStarted, CaseStarted, CaseEnded, EarlierResultsVoid, RunEnded)
}
_WITHIN = 200
"""Bytes at a line's begin in which its kind of event stands."""
_TAIL = 66
"""Bytes of a line's end by which a part that was read before is known again: its hash."""


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """What became of a case that ran."""

    case: str
    verdict: str | None
    """None while it runs, or when the run ended before it did."""
    reason: str | None
    duration: float | None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in short."""

    folder: Path
    begun: str
    """UTC moment of its first record."""
    bench: str
    dut: dict[str, Any]
    """Kind, identity, vendor, model and software, as `dut.toml` stated them."""
    planned: int
    """How many cases were."""
    signer: str | None
    """Fingerprint of the key that it is signed with when it ends."""
    ended: str | None = None
    """UTC moment of its last record."""
    complete: bool | None = None
    """None, like `ended`, while it goes on, or when it was killed."""
    reason: str | None = None
    """Why it is not complete."""
    software: str | None = None
    """The firmwareVersion that the DUT reported last."""
    void: tuple[EarlierResultsVoid, ...] = ()
    """What it said of earlier results."""
    counts: tuple[tuple[str, int], ...] = ()
    """How many cases came to which verdict, in the order in which these came up first."""

    @property
    def run(self) -> str:
        """The run's id, which is its folder's name."""
        return self.folder.name


def voided(runs: Iterable[Summary]) -> dict[str, str]:
    """Say of which runs a later one found that their results do not count any more, and why."""
    return {
        earlier: void.why
        for one in runs
        for void in one.void
        for earlier in void.runs
        if earlier != one.run
    }


@dataclass(frozen=True, slots=True)
class Gathered:
    """A summary with its cases, and how far the journal was read for it."""

    summary: Summary
    cases: tuple[CaseSummary, ...] | None
    """None when they are in the index alone."""
    size: int
    """Bytes."""
    tail: str
    """End of the last line that was read."""
    schema: int
    """Version of the journal."""


def gather(folder: Path, before: Gathered | None = None) -> Gathered:
    """Gather a run's summary.

    Of a journal that has grown since it was gathered `before`, with its cases, only the rest is
    read.

    Raises `OSError`, ValueError when the first record is no RunStarted, and `JournalError` for a
    run of a newer version.
    """
    with (folder / JOURNAL).open("rb") as file:
        if before is not None:
            file.seek(max(0, before.size - _TAIL))
            end = file.read(min(_TAIL, before.size))
            grown = os.fstat(file.fileno()).st_size > before.size
            if before.cases is None or not grown or end != before.tail.encode():
                before = None
                file.seek(0)
        if before is None:
            line = file.readline()
            before = _begun(folder, line)
        reading = _Reading(before)
        for line in file:
            if not line.endswith(b"\n"):
                break  # half written, or cut
            reading.take(line)
    return reading.gathered()


def _begun(folder: Path, line: bytes) -> Gathered:
    if not line.endswith(b"\n"):
        raise ValueError("it has no whole record")
    try:
        migrated = Migration()
        parts = migrated(orjson.loads(line))
        if parts["event"] != RunStarted.__name__:
            raise ValueError("its first record is no RunStarted")
        started: Any = from_data(parts["event"], parts["data"])
        summary = Summary(
            folder=folder,
            begun=str(parts["utc"]),
            bench=str(started.bench.get("name", "")),
            dut=dict(started.dut),
            planned=len(started.cases),
            signer=None if started.signer is None else str(started.signer["fingerprint"]),
        )
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
        raise ValueError(f"not a record of a journal: {error}") from error
    return Gathered(summary, (), len(line), _tail(line), migrated.schema)


class _Reading:
    """Takes the lines of a journal after those that were gathered."""

    def __init__(self, before: Gathered) -> None:
        self._summary = before.summary
        self._cases = list(before.cases or ())
        self._size, self._end = before.size, before.tail
        self._migrated = Migration(before.schema)

    def take(self, line: bytes) -> None:
        """Take a line; one that can't be read says nothing, `verify` is for that."""
        self._size += len(line)
        self._end = _tail(line)
        _, mark, rest = line[:_WITHIN].partition(b'"event":"')
        kind = rest.partition(b'"')[0].decode("ascii", "replace") if mark else ""
        try:
            if kind == "FrameReceived":
                if b"BootNotification" in line:
                    self._heard(orjson.loads(line)["data"].get("text"))
            elif kind in _KINDS:
                parts = self._migrated(orjson.loads(line))
                self._happened(parts["utc"], from_data(kind, parts["data"]))
        except (ValueError, KeyError, TypeError):
            pass

    def _heard(self, text: Any) -> None:
        call = parse(text) if isinstance(text, str) else None
        if isinstance(call, Call) and call.action == "BootNotification":
            told = call.payload.get("firmwareVersion")
            software = told if isinstance(told, str) else None
            self._summary = replace(self._summary, software=software)

    def _happened(self, utc: str, event: Any) -> None:
        match event:
            case CaseStarted(case=case):
                self._cases.append(CaseSummary(case, None, None, None))
            case CaseEnded() if self._cases and self._cases[-1].case == event.case:
                self._cases[-1] = CaseSummary(
                    event.case, event.verdict, event.reason, event.duration
                )
            case EarlierResultsVoid():
                self._summary = replace(self._summary, void=(*self._summary.void, event))
            case RunEnded(complete, reason):
                self._summary = replace(self._summary, ended=utc, complete=complete, reason=reason)

    def gathered(self) -> Gathered:
        """Return what was taken so far."""
        counts = Counter(case.verdict for case in self._cases if case.verdict is not None)
        summary = replace(self._summary, counts=tuple(counts.items()))
        schema = self._migrated.schema
        return Gathered(summary, tuple(self._cases), self._size, self._end, schema)


def _tail(line: bytes) -> str:
    return line[-_TAIL:].decode("ascii", "replace")

"""Long runs for tests and benchmarks: the cases of a recorded one, again and again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.events import (
    CaseEnded,
    CaseStarted,
    Checked,
    Claimed,
    Event,
    FileAttached,
    FrameReceived,
    FrameSent,
    LeftUnanswered,
    RunEnded,
    RunStarted,
)
from bench.journal import JOURNAL, JournalReader, JournalWriter, Record

_ID = re.compile(r'(?<=")[^"]{5}')
"""The begin of a message's id."""
_RECORDS = ("after", "before", "frame", "from", "to")
"""Keys of rules that name records."""


def write_repeated(source: Path, folder: Path, times: int) -> int:
    """Write a journal in which a run's cases happen so many times; return its records.

    The files beside it, such as samples, are left out.
    """
    folder.mkdir(parents=True)
    count = 0
    with JournalWriter(folder / JOURNAL) as journal:
        for record in repeated(list(JournalReader(source / JOURNAL)), times):
            journal.append(record)
            count = record.n
    return count


def repeated(records: Sequence[Record], times: int) -> Iterator[Record]:
    """Yield the records of a longer run, numbered anew and later each time."""
    kept = [r for r in records if not isinstance(r.event, FileAttached)]
    first = next(i for i, r in enumerate(kept) if isinstance(r.event, CaseStarted))
    last = max(i for i, r in enumerate(kept) if isinstance(r.event, CaseEnded))
    took = kept[last].mono - kept[first].mono + 0.01
    begin, end = kept[0].event, kept[-1].event
    assert isinstance(begin, RunStarted)
    assert isinstance(end, RunEnded)
    n = 0
    numbers: dict[int, int] = {}

    def at(record: Record, event: Event, turn: int) -> Record:
        nonlocal n
        n += 1
        numbers[record.n] = n
        later = timedelta(seconds=turn * took)
        return Record(n, record.utc + later, round(record.mono + turn * took, 6), event)

    yield at(kept[0], replace(begin, cases=begin.cases * times, files={}), 0)
    for record in kept[1:first]:
        yield at(record, record.event, 0)
    for turn in range(times):
        for record in kept[first : last + 1]:
            yield at(record, _again(record.event, turn, turn * took, numbers), turn)
    for record in kept[last + 1 : -1]:
        yield at(record, record.event, times - 1)
    counts = {verdict: count * times for verdict, count in end.counts.items()}
    yield at(kept[-1], replace(end, counts=counts), times - 1)


def _again(event: Event, turn: int, later: float, numbers: dict[int, int]) -> Event:
    """Return an event with message ids of its own, and the records that it names as they are."""
    match event:
        case FrameReceived(text=str(text)) | FrameSent(text=str(text)):
            return replace(event, text=_ID.sub(f"{turn:05d}", text, count=1))
        case Checked():
            frame = None if event.frame is None else numbers[event.frame]
            actual = re.sub(r"\(record (\d+)\)", lambda m: _renamed(m, numbers), event.actual)
            rule = _rule(event.rule, later, numbers)
            return replace(event, frame=frame, actual=actual, rule=rule)
        case CaseEnded():
            return replace(event, unclaimed=[numbers[one] for one in event.unclaimed])
        case Claimed():
            frames = [numbers[one] for one in event.frames]
            return replace(event, frames=frames, after=numbers[event.after])
        case LeftUnanswered():
            message_id = f"{turn:05d}{event.message_id[5:]}"
            return replace(event, frame=numbers[event.frame], message_id=message_id)
        case _:
            return event


def _renamed(found: re.Match[str], numbers: dict[int, int]) -> str:
    return f"(record {numbers[int(found[1])]})"


def _rule(value: Any, later: float, numbers: dict[int, int]) -> Any:
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, part in value.items():
        if key in ("pattern", "expected"):
            found[key] = part
        elif key in ("deadline", "until"):
            found[key] = round(part + later, 6)
        elif key in _RECORDS and isinstance(part, int):
            found[key] = numbers.get(part, part)
        else:
            found[key] = _rule(part, later, numbers)
    return found

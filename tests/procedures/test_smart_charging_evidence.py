"""What a composite schedule was judged by is in the journal, and is judged again."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

from bench.derivation import Derivation
from bench.events import Checked, FrameReceived
from bench.journal import JournalReader, Record
from tests.procedures.simulated import simulated


async def test_a_limit_that_is_changed_in_the_record_is_found(tmp_path: Path) -> None:
    async with simulated(tmp_path) as bench:
        result = await bench.run("TC_072_CS")
        assert bench.ended()["TC_072_CS"].verdict == "pass"
    records = list(JournalReader(result.folder / "journal.jsonl"))
    assert Derivation(records).first_difference() is None
    changed = [with_limit(record, before='"limit":8.0', after='"limit":8.2') for record in records]
    difference = str(Derivation(changed).first_difference())
    assert "GetCompositeSchedule answer, limit in A from 1" in difference
    assert "8.2" in difference


def with_limit(record: Record, *, before: str, after: str) -> Record:
    event = record.event
    if isinstance(event, FrameReceived) and event.text is not None and before in event.text:
        return replace(record, event=replace(event, text=event.text.replace(before, after)))
    return record


async def test_each_piece_of_time_is_a_check_of_its_own(tmp_path: Path) -> None:
    async with simulated(tmp_path) as bench:
        await bench.run("TC_072_CS")
        events = (record.event for record in bench.records)
        checks = [event for event in events if isinstance(event, Checked)]
    rules = [
        check.rule for check in checks if check.text.startswith("GetCompositeSchedule answer,")
    ]
    pieces = [rule["of"] for rule in rules if rule["of"]["kind"] == "limits"]
    assert next(piece["from"] for piece in pieces) == 0
    assert [piece["to"] for piece in pieces][-1] == 350
    assert all(a["to"] == b["from"] for a, b in itertools.pairwise(pieces))
    assert {rule["rule"] for rule in rules} == {"value"}

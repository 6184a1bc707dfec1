"""The journal: nothing is lost, and nothing changes unseen."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.errors import JournalError
from bench.events import Event, FrameReceived, Noted, Prompted, RunPaused
from bench.journal import (
    FIRST,
    End,
    JournalReader,
    JournalWriter,
    Record,
    Unsound,
    chained,
    encode,
    record_of,
)

UTC_NOW = datetime(2031, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def records(*events: Event) -> list[Record]:
    return [Record(n, UTC_NOW, n / 8, event) for n, event in enumerate(events, start=1)]


SMALL = records(Noted("begin ä"), FrameReceived(1, '[2,"1","Heartbeat",{}]'), RunPaused("Ada"))


def write(path: Path, some: list[Record]) -> Path:
    with JournalWriter(path) as journal:
        for record in some:
            journal.append(record)
    return path


def read(path: Path) -> tuple[list[Record], JournalReader]:
    reader = JournalReader(path)
    return list(reader), reader


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalWriter(path) as journal:
        for record in SMALL:
            journal.append(record, durable=True)
        # Not closed yet: what was appended is there for everybody.
        found, reader = read(path)
        assert (found, reader.fault, reader.head) == (SMALL, None, journal.head)
    assert read(path)[0] == SMALL


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "journal.jsonl", SMALL)
    with pytest.raises(JournalError, match=r"journal\.jsonl: File exists"):
        JournalWriter(path)
    assert read(path)[0] == SMALL


def test_a_journal_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"nowhere\.jsonl: No such file"):
        list(JournalReader(tmp_path / "nowhere.jsonl"))


def test_every_changed_byte_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "journal.jsonl", SMALL)
    whole = path.read_bytes()
    starts = [0]
    for text in whole.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    for position, byte in enumerate(whole):
        line = sum(start <= position for start in starts)
        for other in {byte ^ 1, byte ^ 0x80, 0x20, 0x0A} - {byte}:
            changed = bytearray(whole)
            changed[position] = other
            path.write_bytes(changed)
            found, reader = read(path)
            assert reader.fault is not None, (position, other)
            assert reader.fault.line == line
            assert found == SMALL[: line - 1]


def test_every_removed_and_every_inserted_byte_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "journal.jsonl", SMALL)
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + whole[position + 1 :])
        assert read(path)[1].fault is not None, position
        path.write_bytes(whole[:position] + b" " + whole[position:])
        assert read(path)[1].fault is not None, position


def test_a_journal_cut_anywhere_is_whole_up_to_the_last_line(tmp_path: Path) -> None:
    path = write(tmp_path / "journal.jsonl", SMALL)
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        found, reader = read(path)
        lines = whole[:length].count(b"\n")
        assert found == SMALL[:lines]
        if whole[:length].endswith(b"\n") or length == 0:
            assert reader.fault is None
        else:
            assert reader.fault is not None
            assert reader.fault.line == lines + 1
            assert "cut here" in reader.fault.reason


def test_a_journal_cut_anywhere_can_be_continued(tmp_path: Path) -> None:
    path = write(tmp_path / "journal.jsonl", SMALL)
    whole = path.read_bytes()
    for length in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:length])
        kept, end = 0, End(0, FIRST)
        with suppress(Unsound):
            for record, place in chained(path, record_of):
                kept, end = record.n, place
        with JournalWriter(path, end) as journal:
            for record in SMALL[kept:]:
                journal.append(record)
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("order", "line"),
    [
        ((0, 2), 2),  # removed
        ((1, 2), 1),  # removed at the beginning
        ((1, 0, 2), 1),  # in another order
        ((0, 2, 1), 2),
        ((0, 0, 1, 2), 2),  # repeated
        ((0, 1, 2, 2), 4),
    ],
)
def test_lines_removed_moved_or_repeated_are_found(
    tmp_path: Path, order: tuple[int, ...], line: int
) -> None:
    path = write(tmp_path / "journal.jsonl", SMALL)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[index] for index in order))
    found, reader = read(path)
    assert reader.fault is not None
    assert (reader.fault.line, len(found)) == (line, line - 1)
    assert "removed, inserted or changed" in str(reader.fault)


def test_a_line_that_somebody_else_made_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "journal.jsonl", SMALL)
    lines = path.read_bytes().splitlines(keepends=True)
    forged, _ = encode(Record(2, UTC_NOW, 0.2, Noted("forged")), FIRST)
    path.write_bytes(lines[0] + forged + b"".join(lines[1:]))
    _, reader = read(path)
    assert str(reader.fault).startswith("line 2: a record before this one was removed")


def test_a_gap_in_the_numbers_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "journal.jsonl", [SMALL[0], SMALL[2]])
    _, reader = read(path)
    assert str(reader.fault) == "line 2: record 3 follows record 1"


def test_a_sound_line_of_another_program_is_refused(tmp_path: Path) -> None:
    import hashlib

    body = b'{"n":1,"utc":"2031-01-02T03:04:05Z","prev":"' + FIRST.encode() + b'"'
    line = body + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'
    path = tmp_path / "journal.jsonl"
    path.write_bytes(line)
    found, reader = read(path)
    assert not found
    assert "not a record of a journal" in str(reader.fault)


def test_what_json_cannot_hold_is_recorded_all_the_same(tmp_path: Path) -> None:
    odd = records(
        Noted("half a surrogate \ud800 pair"),
        Prompted("p1", "enter", "", [], "", {"huge": 10**30, 7: [-(10**30), "\udfff"]}),  # type: ignore[dict-item]
        Prompted("p1", "enter", "", [], "", {"what": Path("x"), "not": float("nan")}),
    )
    found, reader = read(write(tmp_path / "journal.jsonl", odd))
    assert reader.fault is None
    assert [record.event for record in found] == [
        Noted("half a surrogate ? pair"),
        Prompted("p1", "enter", "", [], "", {"huge": str(10**30), "7": [str(-(10**30)), "?"]}),
        Prompted("p1", "enter", "", [], "", {"what": "x", "not": None}),
    ]


FILLING = """
import resource, sys
from pathlib import Path
from bench.errors import JournalError
from bench.events import Noted
from bench.journal import JournalWriter, Record
from datetime import UTC, datetime

resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
journal = JournalWriter(Path(sys.argv[1]))
n = 0
try:
    while True:
        journal.append(Record(n + 1, datetime.now(UTC), 0.0, Noted("x" * 100)))
        n += 1
except JournalError as error:
    full = error
try:  # the disk stays full: nothing half-written may come behind the last whole record
    journal.append(Record(n + 1, datetime.now(UTC), 0.0, Noted("x" * 100)))
except JournalError:
    print(n, journal.head, full)
"""


def test_a_full_disk_stops_the_journal_and_leaves_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FILLING, path], capture_output=True, text=True, check=True
    )
    count, head, *error = done.stdout.split()
    found, reader = read(path)
    assert int(count) == len(found) > 5
    assert (reader.fault, reader.head) == (None, head)
    assert " ".join(error).startswith(str(path))


def test_a_record_can_follow_once_the_disk_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    real = os.write

    def nearly_full(file: int, line: bytes) -> int:
        if len(line) < len(whole):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, line[:7])

    with JournalWriter(path) as journal:
        journal.append(SMALL[0])
        whole, _ = encode(SMALL[1], journal.head)
        monkeypatch.setattr(os, "write", nearly_full)
        with pytest.raises(JournalError, match=r"journal\.jsonl: No space left on device"):
            journal.append(SMALL[1])
        monkeypatch.undo()
        journal.append(SMALL[1])
    found, reader = read(path)
    assert (found, reader.fault) == (SMALL[:2], None)

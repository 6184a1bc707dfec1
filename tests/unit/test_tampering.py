"""Whatever is changed in a run's folder is found, and named; what is no evidence may change."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcap.opcode import Opcode

from bench.clock import Stamp
from bench.derivation import Derivation
from bench.errors import JournalError
from bench.events import KINDS, SCHEMA, Checked, Event, FileTransferred, RunEnded, RunStarted
from bench.evidence import Evidence
from bench.history import SampleReader
from bench.journal import (
    JOURNAL,
    JournalReader,
    JournalWriter,
    Record,
    decode,
    encode,
    seal,
    to_json,
)
from bench.ocpp.frame import Call
from bench.ocpp.message import Received
from bench.report import write_all
from bench.sample_file import SAMPLES
from bench.seal import Closed
from bench.verify import verify
from tests.unit.repeated import write_repeated

GOLDEN = Path(__file__).parents[1] / "golden"
ROOT = GOLDEN.parents[1]
MOMENT = datetime(2031, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A stored run with samples, to be spoilt."""
    return shutil.copytree(GOLDEN / "version-1-last", tmp_path / "run")


# The journal: every kind of record, every region of a line


def value(hint: Any) -> Any:
    """Make a value for a field's annotation."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return [value(arguments[0])]
    if origin is dict:
        return {"key": value(arguments[1])}
    if arguments:
        return value(arguments[0])
    return {str: "text", int: 7, float: 1.5, bool: True, Any: "any"}[hint]


def one_of_each() -> list[Event]:
    """Make an event of every kind, the first and the last where they belong."""
    found: dict[type, Event] = {}
    for kind in KINDS.values():
        hints = typing.get_type_hints(kind)
        found[kind] = kind(**{f.name: value(hints[f.name]) for f in dataclasses.fields(kind)})
    first = dataclasses.replace(typing.cast(RunStarted, found.pop(RunStarted)), schema=SCHEMA)
    last = found.pop(RunEnded)
    return [first, *found.values(), last]


REGIONS = re.compile(
    rb'\{"n":(?P<number>\d+),"utc":"(?P<utc>[^"]*)","mono":(?P<mono>[^,]*),"event":"(?P<kind>\w+)"'
    rb',"data":(?P<data>.*),"prev":"(?P<prev>\w{64})","hash":"(?P<hash>\w{64})"(?P<end>\}\n)'
)


def positions(line: bytes) -> Iterator[tuple[str, int]]:
    """Sample the bytes of a line: of each region some, and of what stands between them."""
    found = REGIONS.fullmatch(line)
    assert found is not None, line
    covered = set()
    for name in found.groupdict():
        begin, end = found.span(name)
        covered |= set(range(begin, end))
        step = max(1, (end - begin) // 3)
        yield from ((name, place) for place in {*range(begin, end, step), end - 1})
    between = [place for place in range(len(line)) if place not in covered]
    yield from (("between", place) for place in between[::5])


def test_a_flipped_bit_is_found_in_every_kind_of_record_and_region_of_a_line() -> None:
    tried: set[tuple[str, str]] = set()
    before = "0" * 64
    for n, event in enumerate(one_of_each(), start=1):
        line, head = encode(Record(n, MOMENT, n / 3, event), before)
        assert decode(line, before)[1] == head
        for region, place in positions(line):
            for bit in range(8):
                spoilt = line[:place] + bytes([line[place] ^ 1 << bit]) + line[place + 1 :]
                with pytest.raises(ValueError, match="record"):
                    decode(spoilt, before)
            tried.add((type(event).__name__, region))
        before = head
    everywhere = (*REGIONS.groupindex, "between")
    assert tried == {(kind, region) for kind in KINDS for region in everywhere}


def test_verify_names_the_line_of_a_flipped_bit(run: Path) -> None:
    path = run / JOURNAL
    whole = path.read_bytes()
    for place in range(50, len(whole), 2111):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        line = whole[:place].count(b"\n") + 1
        assert verify(run).faults[0].startswith(f"{JOURNAL} line {line}: "), place


def reordered(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]


def removed(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], *lines[at + 1 :]]


def doubled(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[: at + 1], lines[at], *lines[at + 1 :]]


def inserted(lines: list[bytes], at: int) -> list[bytes]:
    """Put a record of one's own in, which follows the one before."""
    document = b'{"n":%d,"utc":"2031-01-01T00:00:00.000000Z","mono":1.0,"event":"Noted",' % (at + 1)
    line, _ = seal(document + b'"data":{"text":"x","by":""}}', lines[at - 1][-67:-3].decode())
    return [*lines[:at], line, *lines[at:]]


def swapped(lines: list[bytes], at: int) -> list[bytes]:
    """Put a line of another, sound run in."""
    other = (GOLDEN / "version-1-first" / JOURNAL).read_bytes().splitlines(keepends=True)
    return [*lines[:at], other[at], *lines[at + 1 :]]


@pytest.mark.parametrize(
    ("change", "off"),
    [(reordered, 0), (removed, 0), (doubled, 1), (inserted, 1), (swapped, 0)],
)
def test_verify_names_the_line_of_another_order(
    run: Path, change: Callable[[list[bytes], int], list[bytes]], off: int
) -> None:
    path = run / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    for at in range(1, 75, 6):
        path.write_bytes(b"".join(change(lines, at)))
        first, *_ = verify(run).faults
        assert first.startswith(f"{JOURNAL} line {at + 1 + off}: "), (at, first)
        assert f"; it is sound up to record {at + off}" in first


def test_a_journal_cut_at_any_byte_is_no_whole_run(run: Path) -> None:
    path = run / JOURNAL
    whole = path.read_bytes()
    ends = [0, *(i + 1 for i, byte in enumerate(whole) if byte == 0x0A)]
    for length in sorted({*range(0, len(whole), 4093), *ends[1:-1:17], len(whole) - 1}):
        path.write_bytes(whole[:length])
        first, *_ = verify(run).faults
        assert first.startswith("the journal ends at "), length
        assert ("is cut short" in first) is (length not in ends)


# Chained anew: who knows how can change what nothing follows from; a seal tells


def test_no_record_of_a_sealed_run_can_be_taken_out(tmp_path: Path) -> None:
    records = list(JournalReader(GOLDEN / "version-1-last" / JOURNAL))
    heads = set()
    for without in range(1, len(records)):
        head = "0" * 64
        for n, record in enumerate([*records[:without], *records[without + 1 :]], start=1):
            _, head = encode(dataclasses.replace(record, n=n), head)
        heads.add(Closed("run", len(records) - 1, head).statement)
    assert len(heads) == len(records) - 1
    assert not any(f"records {len(records)}\n" in one for one in heads)


def test_what_a_verdict_stands_on_can_not_be_taken_out_of_a_new_chain(run: Path) -> None:
    records = list(JournalReader(run / JOURNAL))
    checks = [record.event for record in records if isinstance(record.event, Checked)]
    judged = {check.frame for check in checks if check.frame is not None}
    frame = ("CaseStarted", "CaseEnded", "StepStarted", "StepEnded")
    tried = 0
    for without, record in enumerate(records):
        if record.n in judged or type(record.event).__name__ in frame:
            # The numbers stay, so that all else fits: this is the best that a forger can do.
            rest = Derivation([*records[:without], *records[without + 1 :]])
            assert rest.first_difference() is not None, record
            tried += 1
    assert tried > 20


WRONG: tuple[Any, ...] = (None, 7, "x", [], {}, [[1]], True)


def keys(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the places in JSON data, of a list the first one."""
    items = value.items() if isinstance(value, dict) else list(enumerate(value))[:1]
    for key, part in items:
        yield (*place, key)
        if isinstance(part, dict | list):
            yield from keys(part, (*place, key))


def test_a_journal_made_by_hand_is_refused_and_ends_no_program(run: Path) -> None:
    path = run / JOURNAL
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        del line["prev"], line["hash"]
    written = [to_json(line) for line in lines]
    places = {
        (line["event"], place): at for at, line in enumerate(lines) for place in keys(line["data"])
    }
    refused = 0
    for turn, ((_, place), at) in enumerate(sorted(places.items(), key=str)):
        if turn % 2:
            continue
        line = json.loads(written[at])
        inside = line["data"]
        for key in place[:-1]:
            inside = inside[key]
        inside[place[-1]] = WRONG[turn % len(WRONG)]
        path.unlink()
        with JournalWriter(path) as journal:
            for document in (*written[:at], to_json(line), *written[at + 1 :]):
                journal.write(document)
        try:
            faults = verify(run).faults
        except JournalError as error:
            faults = (str(error),)  # a newer version
        assert all("\n" not in fault for fault in faults)
        refused += bool(faults)
    # The rest says what nothing is judged by, in a type that it may have, such as PICS answers.
    assert refused > 50, refused


def test_a_field_that_can_not_have_been_written_is_named(run: Path) -> None:
    records = list(JournalReader(run / JOURNAL))
    at = next(i for i, one in enumerate(records) if isinstance(one.event, Checked))
    wrong: Any = dataclasses.asdict(records[at].event) | {"clause": 7}
    records[at] = dataclasses.replace(records[at], event=Checked(**wrong))
    (run / JOURNAL).unlink()
    with JournalWriter(run / JOURNAL) as journal:
        for one in records:
            journal.append(one)
    (fault,) = verify(run).faults
    assert fault == f"record {at + 1}: Checked: 'clause' is a int, expected str | None"


# Samples


def regions(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield the records of an MCAP file, with where they begin and end."""
    yield "magic", 0, 8
    place = 8
    while place < len(data) - 8:
        opcode, length = data[place], int.from_bytes(data[place + 1 : place + 9], "little")
        yield Opcode(opcode).name, place, place + 9 + length
        place += 9 + length
    yield "end", place, len(data)


def test_a_flipped_bit_is_found_in_every_region_of_the_samples(run: Path) -> None:
    path = run / SAMPLES
    whole = path.read_bytes()
    tried: dict[str, int] = {}
    for name, begin, end in regions(whole):
        if tried.get(name, 0) >= 3:
            continue
        tried[name] = tried.get(name, 0) + 1
        for place in {begin, begin + 1, begin + (end - begin) // 2, end - 1}:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
            (fault,) = verify(run).faults
            assert fault.startswith(f"{SAMPLES} was changed: its SHA-256 is ")
    assert {"magic", "HEADER", "METADATA", "CHUNK", "DATA_END", "FOOTER", "end"} <= tried.keys()
    for length in range(0, len(whole), 977):
        path.write_bytes(whole[:length])
        (fault,) = verify(run).faults
        assert fault.startswith(f"{SAMPLES} was changed"), length


def test_samples_of_a_killed_run_are_checked_by_their_own_sums(run: Path) -> None:
    # The journal has no hash of them yet, but every chunk has a sum.
    journal = run / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b'"event":"FileAttached"' in line)
    journal.write_bytes(b"".join(lines[:at]))
    assert f"{SAMPLES}, closed and without a hash in the journal: " in "\n".join(
        verify(run).summary
    )
    path = run / SAMPLES
    whole = path.read_bytes()
    for name, begin, end in regions(whole):
        if name == "CHUNK":
            for place in range(begin + 9 + 60, end, (end - begin) // 4):
                path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
                with pytest.raises(ValueError, match="a chunk can't be read"):
                    SampleReader(path).counts()
                assert "a chunk can't be read" in "\n".join(verify(run).summary)
            break


# Other files


def test_a_removed_or_changed_attachment_is_found(run: Path) -> None:
    text = b"what the station brought"
    (run / "attachments").mkdir()
    name = "attachments/001-diagnostics.log"
    (run / name).write_bytes(text)
    digest = hashlib.sha256(text).hexdigest()
    brought = FileTransferred("upload", "ftp", "d.log", 24, digest, True, "x", 0.1, name)
    *before, last = JournalReader(run / JOURNAL)
    (run / JOURNAL).unlink()
    with JournalWriter(run / JOURNAL) as journal:
        for record in before:
            journal.append(record)
        journal.append(Record(last.n, last.utc, last.mono, brought))
        journal.append(dataclasses.replace(last, n=last.n + 1))
    assert verify(run).faults == ()
    assert name in "\n".join(verify(run).summary)
    (run / name).write_bytes(text[:-1])
    (fault,) = verify(run).faults
    assert fault.startswith(f"{name} was changed: its SHA-256 is ")
    (run / name).unlink()
    assert verify(run).faults == (f"{name}: No such file or directory",)


def test_results_of_another_run_are_no_results_of_this_one(run: Path) -> None:
    shutil.copy(GOLDEN / "version-1-first" / "results.json", run)
    (fault,) = verify(run).faults
    run_id = '"version-1-first", the journal yields "version-1-last"'
    assert fault == f"results.json: run is {run_id}"


def test_reports_are_made_of_the_record_and_are_no_evidence(run: Path) -> None:
    write_all(run)
    for path in (run / "report.html", run / "junit.xml"):
        assert path.is_file()
        path.write_text("all passed")
        assert verify(run).faults == ()
        path.unlink()
    assert verify(run).faults == ()


# Elsewhere

ALONE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"drivers", "procedures", "stations", "gui", "PyQt6", "tests"}:
            raise ModuleNotFoundError(f"{name} is not on this machine")
sys.meta_path.insert(0, Nothing())
from argparse import Namespace
from pathlib import Path
from bench.commands.verify import COMMAND
codes = [COMMAND.run(Namespace(run=Path(one), key=None, tsa=None)) for one in sys.argv[1:]]
assert not {"bench.bench", "bench.session", "bench.engine"} & sys.modules.keys()
assert codes == [0] * (len(codes) - 1) + [1], codes
"""


def test_runs_are_verified_on_a_machine_without_the_bench(tmp_path: Path) -> None:
    names = ("refused-card", "version-1-first", "version-1-last", "version-1-last")
    moved = [
        shutil.copytree(GOLDEN / name, tmp_path / "renamed" / f"an old run {place}")
        for place, name in enumerate(names)
    ]
    journal = moved[-1] / JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b"Accepted", b"Accepded", 1))
    command = [sys.executable, "-c", ALONE, *map(str, moved)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\nsound\n") == 3
    assert "NOT SOUND: journal.jsonl line " in done.stdout


# Long runs


def test_a_long_run_is_verified_record_by_record(tmp_path: Path) -> None:
    folder = tmp_path / "long"
    count = write_repeated(GOLDEN / "version-1-last", folder, 20)
    write_all(folder)
    found = verify(folder)
    assert found.faults == ()
    assert f"{count} records" in found.summary[0]
    records = list(JournalReader(folder / JOURNAL))
    derivation = Derivation(records)
    assert derivation.first_difference() is None
    assert derivation.tally["cases"] == 20


def test_a_message_that_was_read_late_counts_by_its_moment_at_the_socket() -> None:
    from bench.events import Checked

    # By a second connection a message can be recorded after a later one.
    moments = {1: 0.5, 2: 9.0, 3: 1.0, 4: 20.0}
    messages = [
        Received(n, Stamp(mono, MOMENT + timedelta(seconds=mono)), 1, Call(f"m{n}", action, {}))
        for (n, mono), action in zip(moments.items(), ("A", "B", "Heartbeat", "A"), strict=True)
    ]
    evidence = Evidence(messages, begun=0, connection=1, same_words=False)
    rule: dict[str, Any] = {"rule": "expect", "pattern": {"call": "Heartbeat", "fields": {}}}
    rule |= {"after": 0, "deadline": 5.0}
    check = Checked("it comes", "pass", "", "", 3, rule)
    judged = evidence.judge(Record(5, MOMENT, 21.0, check), check)
    assert (judged.holds, judged.by) == (True, (3,))
    late = dataclasses.replace(check, rule=rule | {"pattern": {"call": "B", "fields": {}}})
    assert not evidence.judge(Record(6, MOMENT, 21.0, late), late).holds

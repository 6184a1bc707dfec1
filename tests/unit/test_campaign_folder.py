"""A campaign's folder outlives every crash, and shows every change that nobody recorded."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.campaign.acts import add_run, attach, close, settle, untaken, write_note
from bench.campaign.check import verify_campaign
from bench.campaign.events import (
    KINDS,
    SCHEMA,
    CampaignEvent,
    CampaignOpened,
    ConnectionMeasured,
    DutChanged,
    FileAdded,
    IntakeDone,
    NoteAdded,
    ReRunReasoned,
    RunBegun,
    TailCut,
    WaiverGranted,
    WaiverWithdrawn,
)
from bench.campaign.folder import RECORD, begun, changing, read
from bench.campaign.results import histories
from bench.errors import BenchError, ConfigError, JournalError
from bench.journal import JOURNAL, JournalWriter
from tests.unit.campaigns import CASES, Book, new_book, write_run

FIRST, SECOND, THIRD = CASES
GOLDEN = Path(__file__).parents[1] / "golden" / "refused-card"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return new_book(tmp_path / "c")


def everything(book: Book) -> None:
    """Let each kind of record be in the campaign."""
    book.add(
        IntakeDone("ada", works=True, milliseconds=False, remark=""),
        ConnectionMeasured("ada", "ethernet", 900.0, 3.0, None, "by a speed test"),
    )
    book.run({FIRST: "fail", SECOND: "pass"})
    book.add(
        RunBegun("r9", "bob", [THIRD], "the bench lost its mains"),
        ReRunReasoned("r1", "bob", "the vendor was there"),
        DutChanged("bob", "ocpp", "a key", resets=False),
        WaiverGranted("bob", FIRST, "as the group said"),
        WaiverWithdrawn("bob", FIRST, "it said otherwise"),
        TailCut(17),
    )
    photo = book.folder.parent / "photo of it.jpg"
    photo.write_bytes(b"\xff\xd8 a picture")
    with book.changing() as campaign:
        attach(campaign, photo, "the type plate", "bob", FIRST)
        write_note(campaign, "a note", "bob", "")
        close(campaign, "bob", "over")


def test_a_campaign_cut_anywhere_is_resumed(book: Book) -> None:
    everything(book)
    path = book.folder / RECORD
    whole = path.read_bytes()
    records = read(book.folder).records
    assert {type(one.event) for one in records} == set(KINDS.values())
    lines = whole.splitlines(keepends=True)
    starts = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]
    # Behind each record, in front of its end, in its middle, and at its first byte.
    cuts = {place for n in range(1, len(lines)) for place in (starts[n], starts[n] + 1)}
    cuts |= {starts[n + 1] - 1 for n in range(1, len(lines))}
    cuts |= {(starts[n] + starts[n + 1]) // 2 for n in range(1, len(lines))}
    for cut in sorted(cuts):
        path.write_bytes(whole[:cut])
        kept = whole[:cut].count(b"\n")
        assert read(book.folder).records == records[:kept]
        histories(read(book.folder))
        with book.changing() as campaign:
            campaign.add(NoteAdded("cy", "resumed"))
        view = read(book.folder)
        torn = cut - starts[kept]
        assert view.records[:kept] == records[:kept]
        more: list[CampaignEvent] = [TailCut(torn)] if torn else []
        assert [one.event for one in view.records[kept:]] == [*more, NoteAdded("cy", "resumed")]


def test_a_campaign_whose_beginning_was_cut_is_refused(book: Book) -> None:
    path = book.folder / RECORD
    whole = path.read_bytes()
    for cut in (0, 1, whole.index(b"\n")):
        path.write_bytes(whole[:cut])
        with pytest.raises(JournalError, match="it does not begin with CampaignOpened"):
            read(book.folder)


def test_the_campaign_of_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    with begun(tmp_path / "c") as campaign:
        campaign.add(CampaignOpened("c", "9.1", SCHEMA + 1, "ada"))
    text = "of Pilotbench 9.1, whose records this version can't read"
    with pytest.raises(JournalError, match=text):
        read(tmp_path / "c")


def test_a_changed_record_is_named_and_nothing_is_added(book: Book) -> None:
    book.add(NoteAdded("ada", "one"), NoteAdded("ada", "two"), NoteAdded("ada", "three"))
    path = book.folder / RECORD
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"two"', b'"2wo"'))
    for act in (read, lambda folder: changing(folder).__enter__()):
        with pytest.raises(JournalError, match=r"campaign.jsonl line 4: the record was changed"):
            act(book.folder)
    assert verify_campaign(book.folder).faults == (
        f"{path} line 4: the record was changed: its hash does not fit",
    )
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    assert "line 4: a record before this one was removed" in verify_campaign(book.folder).faults[0]


def test_a_closed_campaign_takes_nothing_more(book: Book) -> None:
    with book.changing() as campaign:
        points = close(campaign, "bob", "the vendor withdrew")
    assert points[0] == "the intake is not done"
    with pytest.raises(ConfigError, match="closed by bob on 2031-05-05, nothing is added"):
        book.add(NoteAdded("ada", "late"))
    assert read(book.folder).closed is not None


def test_no_campaign_is_made_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    new_book(tmp_path / "c")  # an empty folder will do
    with pytest.raises(ConfigError, match="there is something already"):
        new_book(tmp_path / "c")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="there is something already"):
        new_book(tmp_path / "file")
    with pytest.raises(ConfigError, match=r"no campaign\.jsonl here"):
        read(tmp_path)


def test_a_beginning_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError), begun(tmp_path / "c") as campaign:
        write_note(campaign, "", "ada", "")
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_masked(book: Book) -> None:
    book.add(NoteAdded("ada", "see http://lab:geheim@10.0.0.1/"))
    assert read(book.folder).notes[0].text == "see http://lab:***@10.0.0.1/"
    assert b"geheim" not in (book.folder / RECORD).read_bytes()


ADDING = """
import sys
from pathlib import Path
from bench.campaign.events import NoteAdded
from bench.campaign.folder import changing

print("ready", flush=True)
sys.stdin.readline()
for n in range(15):
    with changing(Path(sys.argv[1])) as campaign:
        campaign.add(NoteAdded(sys.argv[2], str(n)))
"""


def test_programs_that_add_at_once_lose_nothing(book: Book) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", ADDING, book.folder, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("ada", "bob")
    ]
    for one in programs:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in programs:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in programs:
        one.communicate(timeout=60)
        assert one.returncode == 0
    notes = read(book.folder).notes
    for name in ("ada", "bob"):
        assert [note.text for note in notes if note.by == name] == [str(n) for n in range(15)]


def test_a_campaign_held_by_another_program_is_not_waited_for_for_ever(book: Book) -> None:
    book.add(NoteAdded("ada", "x"))
    with (book.folder / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(BenchError, match=r"another program has been adding to it for 0\.01 s"),
            changing(book.folder, within=0.01),
        ):
            pass


# Runs


def test_a_killed_run_is_taken_up_once_nobody_writes_it(book: Book) -> None:
    path = write_run(book.folder / "runs" / "r1", {FIRST: "pass", SECOND: "cut"}, ends=False)
    with (path / JOURNAL).open("ab") as file:
        file.write(b'{"n":9,"utc"')
    (book.folder / "runs" / "r2").mkdir()  # begun, and dead before its journal was there
    with (path / JOURNAL).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as its writer does
        assert book.settle() == []
        with (
            book.changing() as campaign,
            pytest.raises(ConfigError, match="run r1 is not taken up"),
        ):
            close(campaign, "ada", "")
    assert [one.name for one in untaken(book.folder, read(book.folder))] == ["r1"]
    assert book.settle() == ["r1"]
    (run,) = read(book.folder).added
    assert (run.complete, run.ended, run.records) == (False, None, 4)
    assert [(one["id"], one["verdict"], one["ended"]) for one in run.cases] == [
        (FIRST, "pass", "completed"),
        (SECOND, "none", "cut off"),
    ]
    assert book.settle() == []


def test_a_run_that_is_not_sound_is_left_out_and_stops_nothing_else(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    bad = write_run(book.folder / "runs" / "bad", {FIRST: "fail"}) / JOURNAL
    bad.write_bytes(bad.read_bytes().replace(b'"fail"', b'"pass"'))
    write_run(book.folder / "runs" / "good", {SECOND: "pass"})
    assert book.settle() == ["good"]
    assert "run bad is not taken up: " in caplog.text
    assert "line 3: the record was changed" in caplog.text
    assert read(book.folder).runs.keys() == {"good"}
    with book.changing() as campaign, pytest.raises(ConfigError, match="its journal is not sound"):
        close(campaign, "ada", "")


def test_a_journal_in_the_works_is_seen(tmp_path: Path) -> None:
    from bench.journal import is_being_written

    path = tmp_path / "j"
    assert not is_being_written(path)
    with JournalWriter(path):
        assert is_being_written(path)
    assert not is_being_written(path)


def test_a_run_made_elsewhere_is_copied_whole_and_once(book: Book, tmp_path: Path) -> None:
    run = tmp_path / "golden"
    shutil.copytree(GOLDEN, run)
    book.settle()
    with book.changing() as campaign:
        event = add_run(campaign, run, "bob", None)
        with pytest.raises(ConfigError, match="is in the campaign already, as run golden"):
            add_run(campaign, run, "bob", None)
    assert (event.run, event.source, event.by) == ("golden", str(run), "bob")
    copy = book.folder / "runs" / "golden"
    assert sorted(one.name for one in copy.iterdir()) == sorted(one.name for one in run.iterdir())
    other = write_run(tmp_path / "x" / "golden", {THIRD: "pass"})
    with book.changing() as campaign, pytest.raises(ConfigError, match="another run of this name"):
        add_run(campaign, other, "bob", None)
    with (other / JOURNAL).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with book.changing() as campaign, pytest.raises(ConfigError, match="the run goes on"):
            add_run(campaign, other, "bob", None)
    assert verify_campaign(book.folder).faults == ()


def test_half_a_copy_is_no_run(book: Book) -> None:
    shutil.copytree(GOLDEN, book.folder / "runs" / ".golden.new")
    assert book.settle() == []
    with book.changing() as campaign:
        add_run(campaign, GOLDEN, "bob", None)
    assert [one.run for one in read(book.folder).added] == ["refused-card"]


@pytest.mark.parametrize("file", ["journal.jsonl", "results.json", "dut.toml"])
def test_a_run_changed_afterwards_is_named(book: Book, file: str) -> None:
    with book.changing() as campaign:
        add_run(campaign, GOLDEN, "bob", None)
    assert verify_campaign(book.folder).is_sound
    path = book.folder / "runs" / "refused-card" / file
    changed = path.read_bytes().replace(b"TC_902", b"TC_912")
    path.write_bytes(changed + b"# more" if file == "dut.toml" else changed)
    (fault, *_) = verify_campaign(book.folder).faults
    assert fault.startswith("run refused-card: ")
    assert file in fault


def test_a_run_that_was_exchanged_or_removed_is_named(book: Book) -> None:
    name = book.run({FIRST: "fail"})
    path = book.folder / "runs" / name
    shutil.rmtree(path)
    (fault,) = verify_campaign(book.folder).faults
    assert fault.startswith("run r1: ")
    assert "no journal.jsonl here" in fault
    write_run(path, {FIRST: "pass"})
    (fault,) = verify_campaign(book.folder).faults
    assert "run r1: journal.jsonl ends with the hash" in fault


def test_what_the_record_says_of_a_run_is_compared_with_its_journal(book: Book) -> None:
    """A record that was made anew, with sound hashes, says otherwise than the run's journal."""
    from dataclasses import replace

    from bench.campaign.runs import added

    shutil.copytree(GOLDEN, book.folder / "runs" / "g")
    event = added(book.folder / "runs" / "g", "bob")
    cases = [{**event.cases[0], "verdict": "pass"}, *event.cases[1:]]
    book.add(replace(event, cases=cases))
    assert verify_campaign(book.folder).faults == (
        "run g: cases[0].verdict is 'pass' in the campaign's record, 'fail' here",
    )


def test_a_killed_run_is_sound_where_it_was_cut_and_no_further(book: Book) -> None:
    run = book.folder / "runs" / "k"
    shutil.copytree(GOLDEN, run)
    lines = (run / JOURNAL).read_bytes().splitlines(keepends=True)
    (run / JOURNAL).write_bytes(b"".join(lines[:60]))
    (run / "results.json").unlink()
    assert book.settle() == ["k"]
    verification = verify_campaign(book.folder)
    assert verification.faults == ()
    assert "run      k: 2 cases, sound up to where it was cut" in verification.summary
    (run / JOURNAL).write_bytes(b"".join(lines[:61]))
    assert "journal.jsonl ends with the hash" in verify_campaign(book.folder).faults[0]


# Files


def test_a_file_is_kept_with_its_hash(book: Book, tmp_path: Path) -> None:
    photo = tmp_path / "Plug, left ü.jpg"
    photo.write_bytes(b"picture")
    with book.changing() as campaign:
        event = attach(campaign, photo, "the plug", "ada", FIRST)
        again = attach(campaign, photo, "once more", "ada", "")
        with pytest.raises(ConfigError, match=r"nowhere\.jpg: No such file"):
            attach(campaign, tmp_path / "nowhere.jpg", "", "ada", "")
        with pytest.raises(ConfigError, match="--about: no such case or run: 'TC_9'"):
            attach(campaign, photo, "", "ada", "TC_9")
    assert (event.name, event.size, event.about) == (photo.name, 7, FIRST)
    assert event.file == "files/0003-Plug--left-ü.jpg"
    assert event.file != again.file
    assert read(book.folder).files == [event, again]
    (book.folder / "files" / "stray").write_text("x")
    verification = verify_campaign(book.folder)
    assert verification.is_sound
    assert "         files/stray is not in the record" in verification.summary
    (book.folder / event.file).write_bytes(b"Picture")
    (book.folder / again.file).unlink()
    changed, gone = verify_campaign(book.folder).faults
    assert changed.startswith(f"{event.file} was changed: its SHA-256 is ")
    assert gone == f"{again.file}: No such file or directory"


def test_every_record_is_plain_json_with_its_kind(book: Book) -> None:
    everything(book)
    for line in (book.folder / RECORD).read_text("utf-8").splitlines():
        record = json.loads(line)
        assert list(record) == ["n", "utc", "event", "data", "prev", "hash"]
    assert isinstance(read(book.folder).files[0], FileAdded)


def test_settling_names_the_one_who_settles(book: Book) -> None:
    write_run(book.folder / "runs" / "r1", {FIRST: "pass"})
    with book.changing() as campaign:
        settle(campaign, "zoe")
    assert read(book.folder).added[0].by == "zoe"

"""The runs of a folder: listed from the journals, and from an index that nothing depends on."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench import archive, summary
from bench.archive import Archive, NoSuchRun
from bench.clock import from_iso
from bench.events import (
    SCHEMA,
    CaseEnded,
    CaseStarted,
    EarlierResultsVoid,
    Event,
    FrameReceived,
    Noted,
    RunEnded,
    RunStarted,
)
from bench.index import INDEX, LAYOUT, Index
from bench.journal import JOURNAL, JournalWriter, Record
from bench.lab_key import new_key
from bench.report import read_run
from bench.summary import CaseSummary, gather, voided
from tests.unit.recorded import record

GOLDEN = Path(__file__).parents[1] / "golden"
DUT = {"kind": "charging-station", "identity": "CP1", "vendor": "V", "model": "M", "software": "1"}
BEGUN = "2031-01-01T{0:02d}:00:00Z"


def started(run: str, **more: Any) -> RunStarted:
    cases = [{"id": "TC_1"}, {"id": "TC_2"}]
    return RunStarted(run, "1", SCHEMA, {"name": "B"}, DUT, cases, [], {}, {}, {}, **more)


def boot(software: str) -> FrameReceived:
    return FrameReceived(1, f'[2,"m","BootNotification",{{"firmwareVersion":"{software}"}}]')


def ended(case: str, verdict: str, reason: str | None = None) -> CaseEnded:
    return CaseEnded(case, verdict, "completed", reason, None, "body", 1.5, [])


WHOLE: list[Event] = [
    EarlierResultsVoid("another software", ["r0"]),
    CaseStarted("TC_1", "One", "M", "g", "", []),
    boot("1.0"),
    FrameReceived(1, '[2,"m","DataTransfer",{"data":"BootNotification"}]'),
    ended("TC_1", "pass"),
    CaseStarted("TC_2", "Two", "M", "g", "", []),
    boot("1.1"),
    ended("TC_2", "fail", "too late"),
    RunEnded(True, None, {"pass": 1, "fail": 1}),
]


def write(root: Path, run: str, events: list[Event], hour: int = 0, **more: Any) -> Path:
    """Write a run's journal."""
    (root / run).mkdir(parents=True)
    utc = from_iso(BEGUN.format(hour))
    with JournalWriter(root / run / JOURNAL) as journal:
        for n, event in enumerate([started(run, **more), *events], start=1):
            journal.append(Record(n, utc, float(n), event))
    return root / run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose runs are given an index, however few they are."""
    monkeypatch.setattr(archive, "FEW", 1)
    return tmp_path / "runs"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The journals that are read."""
    found: list[str] = []

    def noting(folder: Path, before: summary.Gathered | None = None) -> summary.Gathered:
        found.append(folder.name)
        return gather(folder, before)

    monkeypatch.setattr(archive, "gather", noting)
    return found


# What a summary says


def test_a_summary_is_what_the_journal_says(root: Path, tmp_path: Path) -> None:
    key = new_key(tmp_path / "key").public
    write(root, "r1", WHOLE, signer=key.to_json())
    (one,) = Archive(root).runs()
    assert (one.run, one.folder, one.bench, one.planned) == ("r1", root / "r1", "B", 2)
    assert one.begun == "2031-01-01T00:00:00.000000Z" == one.ended
    assert (one.dut, one.software, one.signer) == (DUT, "1.1", key.fingerprint)
    assert (one.complete, one.reason) == (True, None)
    assert one.counts == (("pass", 1), ("fail", 1))
    assert one.void == (EarlierResultsVoid("another software", ["r0"]),)
    assert Archive(root).cases("r1") == (
        CaseSummary("TC_1", "pass", None, 1.5),
        CaseSummary("TC_2", "fail", "too late", 1.5),
    )


@pytest.mark.parametrize("run", ["refused-card", "version-1-first", "version-1-last"])
def test_a_stored_run_is_summed_up_as_its_view_says(run: str) -> None:
    view = read_run(GOLDEN / run).view
    assert view.started is not None
    found = gather(GOLDEN / run)
    assert found.summary.dut == view.started.dut
    assert dict(found.summary.counts) == {k: v for k, v in view.counts.items() if v}
    assert found.summary.complete is view.complete
    assert found.cases == tuple(
        CaseSummary(case.id, case.verdict, case.reason, case.duration) for case in view.cases
    )


async def test_a_real_run_is_summed_up_likewise(tmp_path: Path) -> None:
    folder = (await record(tmp_path, "starts-anyway")).folder
    view, found = read_run(folder).view, gather(folder)
    assert [(c.id, c.verdict, c.reason) for c in view.cases] == [
        (c.case, c.verdict, c.reason) for c in found.cases or ()
    ]


def test_a_run_is_read_on_from_where_it_was(
    root: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(root, "r1", WHOLE)
    whole = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(b"")
    everything = gather_of(whole, folder)
    runs, lines = Archive(root), whole.splitlines(keepends=True)
    assert runs.runs() == []  # begun, but nothing stands there yet
    taken: list[bytes] = []
    original = summary._Reading.take

    def taking(self: summary._Reading, line: bytes) -> None:
        taken.append(line)
        original(self, line)

    monkeypatch.setattr(summary._Reading, "take", taking)
    for line in lines:
        with (folder / JOURNAL).open("ab") as file:
            file.write(line[:20])
        runs.runs()
        with (folder / JOURNAL).open("ab") as file:
            file.write(line[20:])
        (one,) = runs.runs()
    assert one == everything.summary
    assert runs.cases("r1") == everything.cases
    assert taken == lines[1:], "a line was read twice, or not at all"


def gather_of(whole: bytes, folder: Path) -> summary.Gathered:
    (folder / JOURNAL).write_bytes(whole)
    try:
        return gather(folder)
    finally:
        (folder / JOURNAL).write_bytes(b"")


def test_a_journal_that_is_another_is_read_from_its_begin(root: Path) -> None:
    folder = write(root, "r1", WHOLE[:-2])
    runs = Archive(root)
    (before,) = runs.runs()
    assert before.software == "1.1"
    shutil.rmtree(folder)
    write(root, "r1", [boot("2.0"), *WHOLE[:-1], Noted("x" * 500)])
    (after,) = runs.runs()
    assert (after.software, len(after.void)) == ("1.1", 1)
    assert after == Archive(root).runs()[0]


# The index


def test_the_index_spares_reading_the_journals(root: Path, read: list[str]) -> None:
    for number in range(3):
        write(root, f"r{number}", WHOLE, hour=number)
    first = Archive(root).runs()
    assert sorted(read) == ["r0", "r1", "r2"]
    read.clear()
    later = Archive(root)
    assert later.runs() == first
    assert later.cases("r1") == gather(root / "r1").cases
    assert later.get("r2") == first[2]
    assert read == []


def test_the_index_follows_the_folders(root: Path, read: list[str]) -> None:
    for number in range(3):
        write(root, f"r{number}", WHOLE, hour=number)
    runs = Archive(root)
    runs.runs()
    read.clear()
    shutil.rmtree(root / "r1")
    write(root, "r9", WHOLE[:3])
    assert [one.run for one in runs.runs()] == ["r0", "r9", "r2"]
    assert read == ["r9"]
    # One that goes on, or was killed, is kept when it was the same twice.
    assert set(Index(root).load()) == {"r0", "r2"}
    runs.runs()
    assert set(Index(root).load()) == {"r0", "r2", "r9"}
    with pytest.raises(NoSuchRun):
        runs.cases("r1")


def test_a_lab_can_ask_the_index_with_sql(root: Path) -> None:
    write(root, "r1", WHOLE)
    Archive(root).runs()
    query = "SELECT vendor, model, id, verdict, cases.reason FROM runs JOIN cases USING (run)"
    with closing(sqlite3.connect(root / INDEX)) as database:
        rows = database.execute(f"{query} WHERE verdict = 'fail'").fetchall()
    assert rows == [("V", "M", "TC_2", "fail", "too late")]


def other_layout(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {LAYOUT + 1}")


def other_tables(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE runs (colour TEXT)")
        database.execute(f"PRAGMA user_version = {LAYOUT}")


def nonsense_in_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE runs SET mark = 'x', counts = '{'")


SPOILT: list[Callable[[Path], object]] = [
    Path.unlink,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"no database at all" * 300),
    lambda path: path.write_bytes(path.read_bytes()[:5000]),
    lambda path: path.write_bytes(path.read_bytes()[:100] + b"\xff" * 4000),
    other_layout,
    nonsense_in_it,
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_index_is_made_again_without_a_word(
    root: Path, spoil: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        write(root, f"r{number}", WHOLE, hour=number)
    running = Archive(root)
    expected, cases = running.runs(), running.cases("r1")
    spoil(root / INDEX)
    fresh = Archive(root)
    assert fresh.runs() == expected
    assert fresh.cases("r1") == cases
    assert running.runs() == expected
    assert running.cases("r1") == cases
    assert set(Index(root).load()) == {"r0", "r1", "r2"}
    assert caplog.text == ""


def test_an_index_of_other_tables_does_no_harm(root: Path) -> None:
    write(root, "r1", WHOLE)
    expected = Archive(root).runs()
    other_tables(root / INDEX)
    assert Archive(root).runs() == expected


def test_every_byte_of_the_index_can_be_wrong(root: Path) -> None:
    write(root, "r1", WHOLE)
    Archive(root).runs()
    whole = (root / INDEX).read_bytes()
    for position in range(0, len(whole), 211):
        spoilt = bytearray(whole)
        spoilt[position] ^= 0x41
        (root / INDEX).write_bytes(spoilt)
        (one,) = Archive(root).runs()
        assert one.run == "r1"


def test_a_folder_that_can_not_be_written_is_listed_all_the_same(root: Path) -> None:
    # A folder where the index should be can't be written by root either.
    write(root, "r1", WHOLE)
    (root / INDEX / "x").mkdir(parents=True)
    runs = Archive(root)
    assert [one.run for one in runs.runs()] == ["r1"]
    assert [one.run for one in runs.runs()] == ["r1"]
    assert len(runs.cases("r1")) == 2


def test_an_index_that_somebody_else_writes_is_not_waited_for_long(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.index.PATIENCE", 0.01)
    write(root, "r1", WHOLE)
    runs = Archive(root)
    runs.runs()
    with closing(sqlite3.connect(root / INDEX, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        write(root, "r2", WHOLE, hour=1)
        assert [one.run for one in runs.runs()] == ["r1", "r2"]
        assert [one.run for one in Archive(root).runs()] == ["r1", "r2"]
    runs.runs()
    assert set(Index(root).load()) == {"r1", "r2"}


LISTING = """
import sys
from pathlib import Path
from bench import archive
archive.FEW = 1
for _ in range(30):
    archive.Archive(Path(sys.argv[1])).runs()
print(len(archive.Archive(Path(sys.argv[1])).runs()))
"""


def test_two_processes_keep_one_index(root: Path) -> None:
    write(root, "r0", WHOLE)
    command = [sys.executable, "-c", LISTING, str(root)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for number in range(1, 12):
        write(root, f"r{number}", WHOLE, hour=number)
    for process in both:
        process.communicate()
        assert process.returncode == 0
    expected = {f"r{number}" for number in range(12)}
    assert {one.run for one in Archive(root).runs()} == expected
    assert set(Index(root).load()) == expected


def test_a_clock_that_is_set_back_hides_no_change(root: Path) -> None:
    folder = write(root, "r1", WHOLE)
    runs = Archive(root)
    runs.runs()
    path = folder / JOURNAL
    path.write_bytes(path.read_bytes().replace(b'"1.1', b'"2.2').replace(b"1.1\\", b"2.2\\"))
    os.utime(path, (0, 0))
    for one in (runs, Archive(root)):
        assert [found.software for found in one.runs()] == ["2.2"]


def test_few_runs_and_one_that_is_alone_are_given_no_index(tmp_path: Path) -> None:
    write(tmp_path, "r1", WHOLE)
    assert Archive(tmp_path).runs()
    assert Archive(tmp_path, only="r1").runs()
    assert not (tmp_path / INDEX).exists()
    for number in range(archive.FEW + 1):
        write(tmp_path, f"more{number}", WHOLE)
    assert len(Archive(tmp_path, only="r1").runs()) == 1
    assert not (tmp_path / INDEX).exists()
    Archive(tmp_path).runs()
    assert len(Index(tmp_path).load()) == archive.FEW + 2


def test_folders_that_hold_no_run_are_told_once(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(root, "good", WHOLE)
    for name, text in {
        "cut": '{"n":1',
        "nonsense": "nonsense\n",
        "other": json.dumps({"event": "Noted", "data": {"text": "x"}, "utc": "", "n": 1}) + "\n",
        "list": "[]\n",
        "nothing": '{"event":"RunStarted","data":{"schema":2}}\n',
    }.items():
        (root / name).mkdir()
        (root / name / JOURNAL).write_text(text)
    (root / "folder" / JOURNAL).mkdir(parents=True)
    (root / "file").write_text("x")
    runs = Archive(root)
    for _ in range(2):
        assert [one.run for one in runs.runs()] == ["good"]
    told = [one.getMessage() for one in caplog.records]
    assert len(told) == 5
    assert all("no run is listed of this journal" in text for text in told)
    for name in ("cut", "..", "a/b", "", "folder", "file"):
        with pytest.raises(NoSuchRun):
            runs.get(name)


def test_a_thousand_runs_are_listed_in_no_time(root: Path) -> None:
    write(root, "r0", WHOLE)
    for number in range(1, 1000):
        shutil.copytree(root / "r0", root / f"r{number}")
    Archive(root).runs()

    def best(list_runs: Callable[[], list[Any]]) -> float:
        took = []
        for _ in range(3):
            begin = time.perf_counter()
            assert len(list_runs()) == 1000
            took.append(time.perf_counter() - begin)
        return min(took)

    again = Archive(root)
    again.runs()
    # `make bench` measures it; here an order of magnitude is left for a busy machine.
    assert best(again.runs) < 0.5
    assert best(lambda: Archive(root).runs()) < 0.5


def test_a_later_run_says_which_results_do_not_count_any_more(root: Path) -> None:
    write(root, "r0", [RunEnded(True, None, {})])
    write(root, "r1", [EarlierResultsVoid("another software", ["r1", "r0"])], hour=1)
    # Its own earlier cases are void, not the run.
    assert voided(Archive(root).runs()) == {"r0": "another software"}

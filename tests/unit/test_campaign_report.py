"""The certification report of a campaign: the results that count, and the history behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.campaign.acts import attach, change, give_reason, grant, write_note
from bench.campaign.certificate import certificate
from bench.campaign.events import ConnectionMeasured, IntakeDone
from bench.campaign.folder import read
from bench.campaign.report import document
from bench.errors import ConfigError
from bench.report import lay_out
from bench.report.document import Document
from bench.report.parts import Table
from tests.unit.campaigns import CASES, PICS, Book, new_book

FIRST, SECOND, THIRD = CASES


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return new_book(tmp_path / "c", pics={**PICS, "FP.Core": True, "FP.RT": False})


def run(book: Book, **verdicts: str) -> str:
    pics = {**PICS, "FP.Core": True, "FP.RT": False}
    paper = {"certificate": f"K-{book.runs}", "date": "2031-01-15", "issuer": "L"}
    return book.run(
        {f"TC_90{key[1]}_CS": verdict for key, verdict in verdicts.items()},
        pics=pics,
        bench={"calibrations": {"meter": paper}},
    )


def table(made: Document, title: str) -> Table:
    tables = (one for section in made.more for one in section.tables)
    return next(one for one in tables if one.title == title)


def test_the_result_that_counts_stands_with_the_history_of_its_runs(book: Book) -> None:
    run(book, c1="fail", c2="pass", c3="pass")
    assert certificate(read(book.folder))[1].kind == "none"
    again = run(book, c1="pass")
    with book.changing() as campaign:
        give_reason(campaign, again, "ada", "the cable was broken")
    made = document(book.folder)
    assert (made.run, made.statement.kind, made.complete) == ("c", "subset", True)
    assert made.statement.paragraphs[1] == (
        f"Passed when run again, after another verdict: {FIRST} (Cases run more than once)."
    )
    assert [(one.id, one.verdict, one.run) for one in made.cases] == [
        (FIRST, "pass", "r2"),
        (SECOND, "pass", "r1"),
        (THIRD, "pass", "r1"),
    ]
    assert table(made, "All executions").rows == (
        (FIRST, "2031-05-05 10:00:04", "r1", "fail", "no: a later one does", "–"),
        (FIRST, "2031-05-05 11:30:05", "r2", "pass", "yes", "the cable was broken"),
    )
    assert table(made, "Certificates of the instruments at each run").rows == (
        ("r1", "meter", "K-0", "2031-01-15", "–"),
        ("r2", "meter", "K-1", "2031-01-15", "–"),
    )
    (one,) = made.not_run
    assert (one.id, one.outcome, one.reason) == ("TC_999_CS", "not-applicable", "needs C-08")


def test_results_that_a_change_made_void_are_no_results(book: Book) -> None:
    run(book, c1="pass", c2="pass", c3="pass")
    with book.changing() as campaign:
        change(campaign, "software", "2.5 was installed", "ada")
    run(book, c1="pass")
    made = document(book.folder)
    assert [one.id for one in made.cases] == [FIRST]
    assert (made.statement.kind, made.remark) == ("none", "2 cases are to be run")
    assert made.not_run[0].outcome == "to run"
    assert made.not_run[0].reason == "pass in run r1, which is void: software: 2.5 was installed"
    assert {row[4] for row in table(made, "All executions").rows} == {
        "yes",
        "void: software: 2.5 was installed",
    }
    assert table(made, "Changes of the DUT").rows[0][1:4] == (
        "software",
        "2.5 was installed",
        "yes",
    )


def test_a_waived_case_is_no_bar_and_is_named(book: Book) -> None:
    run(book, c1="fail", c2="pass", c3="pass")
    with book.changing() as campaign:
        grant(campaign, FIRST, "ada", "as the working group decided")
    made = document(book.folder)
    assert made.statement.kind == "subset"
    assert "passed but for what was waived" in made.statement.headline
    assert f"But for what was waived: {FIRST}." in made.statement.paragraphs[0]
    assert made.counts["fail"] == 1
    assert table(made, "Waivers").rows[0][:2] == (FIRST, "as the working group decided")


def test_all_that_the_session_knows_is_in_the_lab_s_report_only(book: Book) -> None:
    photo = book.folder.parent / "photo.jpg"
    photo.write_bytes(b"x")
    book.add(
        IntakeDone("ada", works=True, milliseconds=False, remark="all well"),
        ConnectionMeasured("ada", "mobile", 30.0, 80.0, -70.0, "E3372h"),
    )
    with book.changing() as campaign:
        write_note(campaign, "the vendor left early", "bob", "")
        attach(campaign, photo, "the plate", "bob", FIRST)
    run(book, c1="pass", c2="pass", c3="pass")
    made = document(book.folder)
    titles = [section.title for section in made.more]
    assert titles == [
        "Certification session",
        "Runs of the session",
        "Changes, waivers, connection",
        "Notes and files",
        "Who did what",
    ]
    assert made.more[0].paragraphs == ("Nothing is open.",)
    assert table(made, "Notes").rows[0][2:] == ("the vendor left early", "bob")
    assert [(row[2], row[3]) for row in table(made, "All records of the session").rows] == [
        ("ada", "opened the campaign c"),
        ("ada", "files taken: "),
        ("ada", "did the intake"),
        ("ada", "measured the connection: mobile"),
        ("bob", "wrote a note"),
        ("bob", f"put in {read(book.folder).files[0].file}"),
        ("ada", f"added run r1, whose journal ends with {read(book.folder).added[0].head[:16]}…"),
    ]
    page = lay_out(made, "html").decode()
    for text in ("the vendor left early", "E3372h", "Who did what", "good enough"):
        assert text in page
    vendor = lay_out(document(book.folder, view="vendor"), "html").decode()
    for text in ("the vendor left early", "Who did what", "ada", "photo.jpg"):
        assert text not in vendor
    assert "by the operator" in vendor


def test_without_a_run_there_is_nothing_to_report(book: Book) -> None:
    with pytest.raises(ConfigError, match="no run is in the campaign yet"):
        document(book.folder)

"""What of a campaign counts: results, runs again, what a change of the DUT resets, waivers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bench.campaign.acts import (
    add_run,
    change,
    give_reason,
    grant,
    left,
    refuse_without_reason,
    withdraw,
)
from bench.campaign.events import ConnectionMeasured, IntakeDone, RunBegun
from bench.campaign.findings import identification, open_points
from bench.campaign.folder import read
from bench.errors import ConfigError
from tests.unit.campaigns import BEGIN, CASES, PICS, Book, inputs, new_book, write_run

FIRST, SECOND, THIRD = CASES


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return new_book(tmp_path / "c")


def points(book: Book) -> str:
    return "\n".join(open_points(read(book.folder)))


def undecided(book: Book) -> list[str]:
    return left(read(book.folder), undecided=True)


def test_a_new_campaign_has_all_runnable_cases_to_run(book: Book) -> None:
    assert left(read(book.folder), undecided=False) == list(CASES)
    assert book.case("TC_999_CS").state == "not-applicable"
    assert "3 cases to be run: TC_901_CS, TC_902_CS, TC_903_CS" in points(book)


def test_a_verdict_counts_until_a_run_with_a_reason_follows(book: Book) -> None:
    book.run({FIRST: "fail", SECOND: "pass"})
    again = book.run({FIRST: "pass"})
    case = book.case()
    assert (case.state, len(case.attempts), len(case.unreasoned)) == ("fail", 2, 1)
    assert "1 case run again without a reason, which does not count: TC_901_CS" in points(book)
    with book.changing() as campaign:
        give_reason(campaign, again, "ada", "the card was held upside down")
    case = book.case()
    assert (case.state, case.unreasoned) == ("pass", ())
    # The fail is not hidden by that.
    assert [(one.run, one.verdict, one.rerun) for one in case.attempts] == [
        ("r1", "fail", ()),
        ("r2", "pass", ("the card was held upside down",)),
    ]
    assert case.counts is case.attempts[1]
    assert "failed" not in points(book)


def test_the_record_tells_the_order_and_not_a_clock_that_was_set_back(book: Book) -> None:
    book.run({FIRST: "fail"})
    with book.changing() as campaign:
        change(campaign, "hardware", "another contactor", "ada")
    book.run({FIRST: "inconclusive", SECOND: "pass"}, later=-48)
    again = book.run({FIRST: "pass"}, later=-48)
    with book.changing() as campaign:
        give_reason(campaign, again, "ada", "the lab's mains failed")
    case = book.case()
    assert [(one.verdict, one.void is None) for one in case.attempts] == [
        ("fail", False),
        ("inconclusive", True),
        ("pass", True),
    ]
    assert (case.state, book.case(SECOND).state) == ("pass", "pass")


def test_a_run_again_counts_if_it_is_worse(book: Book) -> None:
    book.run({FIRST: "pass"})
    again = book.run({FIRST: "fail"})
    with book.changing() as campaign:
        give_reason(campaign, again, "ada", "to see it with the vendor")
    assert book.case().state == "fail"


@pytest.mark.parametrize("verdict", ["aborted", "cut"])
def test_what_was_not_decided_can_be_run_again_without_a_reason(book: Book, verdict: str) -> None:
    book.run({FIRST: verdict}, ends=verdict != "cut")
    assert book.case().state == "to run"
    assert left(read(book.folder), undecided=False) == list(CASES)
    refuse_without_reason(read(book.folder), CASES)
    book.run({FIRST: "pass"})
    assert (book.case().state, len(book.case().attempts)) == ("pass", 2)


@pytest.mark.parametrize("verdict", ["inconclusive", "error"])
def test_what_said_nothing_waits_for_a_run_with_a_reason(book: Book, verdict: str) -> None:
    book.run({FIRST: verdict})
    assert left(read(book.folder), undecided=False) == [SECOND, THIRD]
    assert undecided(book) == list(CASES)


def test_a_run_again_without_a_reason_is_refused(book: Book) -> None:
    book.run({FIRST: "fail", SECOND: "pass"})
    text = r"^TC_901_CS \(and 1 more\) has a result, fail in run r1: .* \(--reason TEXT\)$"
    with pytest.raises(ConfigError, match=text):
        refuse_without_reason(read(book.folder), CASES)
    refuse_without_reason(read(book.folder), [THIRD])


@pytest.mark.parametrize("kind", ["software", "hardware", "claims", "configuration", "crash"])
def test_a_change_of_the_dut_starts_all_cases_over(book: Book, kind: str) -> None:
    book.run({FIRST: "pass", SECOND: "fail"})
    with book.changing() as campaign:
        assert change(campaign, kind, "the vendor did it", "ada")
    case = book.case()
    assert (case.state, case.counts) == ("to run", None)
    assert case.attempts[0].void == f"{kind}: the vendor did it"
    # Nothing counts any more, so that running it is no running again.
    refuse_without_reason(read(book.folder), CASES)
    book.run({FIRST: "fail"})
    case = book.case()
    assert (case.state, [one.verdict for one in case.attempts]) == ("fail", ["pass", "fail"])


def test_what_ocpp_can_change_resets_nothing(book: Book) -> None:
    book.run({FIRST: "pass"})
    with book.changing() as campaign:
        assert not change(campaign, "ocpp", "HeartbeatInterval is 60 now", "ada")
    assert book.case().state == "pass"


def test_a_run_from_before_a_change_is_void_when_added_later(book: Book, tmp_path: Path) -> None:
    old = write_run(tmp_path / "old", {FIRST: "pass"}, begun=BEGIN + timedelta(minutes=1))
    book.now = BEGIN + timedelta(hours=5)
    with book.changing() as campaign:
        change(campaign, "hardware", "another contactor", "ada")
        add_run(campaign, old, "ada", None)
    assert book.case().state == "to run"
    assert book.case().attempts[0].void == "hardware: another contactor"


def test_what_a_run_found_void_does_not_count(book: Book) -> None:
    book.run({FIRST: "pass", SECOND: "pass"})
    book.run({SECOND: "pass", THIRD: "pass"}, void=(1, "it reported 2.0"))
    assert book.case(FIRST).attempts[0].void == "it reported 2.0"
    assert [one.void for one in book.case(SECOND).attempts] == ["it reported 2.0"] * 2
    assert book.case(THIRD).state == "pass"
    assert undecided(book) == [FIRST, SECOND]


def test_another_software_reported_in_a_later_run_is_noticed(book: Book) -> None:
    book.run({FIRST: "pass"}, reported="1.0")
    book.run({SECOND: "pass"})
    book.run({THIRD: "pass"}, reported="1.1")
    why = "the DUT reported the software '1.0' before, '1.1' in run r3"
    assert [book.case(one).attempts[0].void for one in CASES] == [why, why, None]
    assert "the DUT reports the software '1.1', stated is '1.0'" in points(book)
    (vendor, model, software) = identification(read(book.folder))
    assert (vendor.reported, model.reported, software.reported) == ("Lab", "Sample", "1.1")


def test_the_software_that_a_case_installed_is_no_other_product(book: Book) -> None:
    book.run({FIRST: "pass"}, reported="1.0", installed="2.0")
    book.run({SECOND: "pass"}, reported="2.0")
    assert "the DUT reports" not in points(book)
    assert identification(read(book.folder))[2].reported == "1.0"
    assert book.case().state == "pass"


def test_a_run_with_other_claims_in_the_folder_does_not_count(book: Book) -> None:
    book.run({FIRST: "pass"}, pics={**PICS, "C-07": False})
    book.run({SECOND: "pass"}, software="0.9")
    assert book.case(FIRST).attempts[0].void == "PICS C-07 was false, now true"
    assert book.case(SECOND).attempts[0].void == "the run was made with software '0.9', not '1.0'"


def test_a_waived_case_need_not_pass_and_is_not_passed(book: Book) -> None:
    book.run({FIRST: "fail", SECOND: "pass"})
    reason = "OCA's working group, 2031-05-06: defect of the test"
    with book.changing() as campaign:
        grant(campaign, FIRST, "ada", reason)
    case = book.case()
    assert (case.state, case.waiver) == ("waived", reason)
    assert case.counts is not None
    assert case.counts.verdict == "fail"
    with book.changing() as campaign:
        with pytest.raises(ConfigError, match="TC_901_CS is waived already"):
            grant(campaign, FIRST, "ada", reason)
        withdraw(campaign, FIRST, "ada", "it was for another version")
        with pytest.raises(ConfigError, match="'TC_901_CS' is not waived"):
            withdraw(campaign, FIRST, "ada", "again")
    assert book.case().state == "fail"
    (waiver,) = read(book.folder).waivers
    assert waiver.withdrawn is not None


@pytest.mark.parametrize(
    ("what", "reason", "text"),
    [
        ("TC_901", "as the working group said", "no such case or monitor: 'TC_901', did you mean"),
        (FIRST, "because", "--reason: 'because', expected the reason in words"),
    ],
)
def test_a_waiver_needs_a_case_and_words(book: Book, what: str, reason: str, text: str) -> None:
    with book.changing() as campaign, pytest.raises(ConfigError, match=text):
        grant(campaign, what, "ada", reason)


def test_of_two_runs_the_one_added_later_must_say_why(book: Book, tmp_path: Path) -> None:
    old = write_run(tmp_path / "old", {FIRST: "fail"}, begun=BEGIN + timedelta(minutes=1))
    book.run({FIRST: "pass"})
    with book.changing() as campaign:
        with pytest.raises(ConfigError, match="has a result, pass in run r1"):
            add_run(campaign, old, "ada", None)
        add_run(campaign, old, "ada", "made on the day before the campaign")
    case = book.case()
    assert [one.run for one in case.attempts] == ["old", "r1"]
    assert (case.state, case.unreasoned) == ("pass", ())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"software": "0.9"}, "the software of its DUT is '0.9', the campaign's '1.0'"),
        ({"pics": {**PICS, "C-07": False}}, "made with other claims .*: PICS C-07 was false"),
    ],
)
def test_a_run_of_another_dut_is_not_added(
    book: Book, tmp_path: Path, change: dict[str, str], text: str
) -> None:
    other = write_run(tmp_path / "other", {FIRST: "pass"}, **change)  # type: ignore[arg-type]
    with book.changing() as campaign, pytest.raises(ConfigError, match=text):
        add_run(campaign, other, "ada", None)
    assert read(book.folder).runs == {}
    assert list((book.folder / "runs").iterdir()) == []


def test_the_preparations_are_asked_for(book: Book) -> None:
    assert points(book).startswith("the intake is not done\nthe network connection is not measured")
    book.add(IntakeDone("ada", works=False, milliseconds=True, remark="a dent"))
    book.add(ConnectionMeasured("ada", "mobile", 4.0, 1200.0, -90.0, ""))
    book.run({FIRST: "pass"}, time_stamp="2031-01-01T00:00:00.123Z")
    assert points(book).splitlines()[:6] == [
        "the short function check failed: a dent",
        "milliseconds: the PICS says no, the intake the opposite",
        "milliseconds: the PICS says no, the time stamps say yes",
        "the network connection is not good enough: 4 kB/s is less than 5 kB/s",
        "the network connection is not good enough: 1200 ms is more than 1000 ms",
        "the network connection is not good enough: -90 dBm is less than -81 dBm",
    ]
    book.add(IntakeDone("ada", works=True, milliseconds=False, remark=""))
    book.add(ConnectionMeasured("ada", "ethernet", 5.0, 1000.0, None, ""))
    book.run({SECOND: "pass", THIRD: "pass"}, time_stamp="2031-01-01T00:00:00Z")
    assert points(book) == "milliseconds: the PICS says no, the time stamps say yes"


def test_an_instrument_whose_certificate_was_out_of_date_is_named(book: Book) -> None:
    certificate = {"certificate": "K-17", "due": "2031-05-01"}
    book.run({FIRST: "pass"}, bench={"calibrations": {"meter": certificate}})
    assert "the certificate K-17 of meter was due on 2031-05-01, before run r1" in points(book)


def test_a_run_that_never_came_to_a_journal_is_named(book: Book) -> None:
    book.add(RunBegun("r9", "ada", [FIRST], None))
    assert "run r9 was begun and is not over, or left no journal" in points(book)


def test_cases_that_the_plan_leaves_out_have_a_history_as_well(book: Book) -> None:
    book.run({"TC_800_CS": "pass"})
    case = book.case("TC_800_CS")
    assert (case.state, case.outcome) == ("pass", "deselected")


def test_what_is_claimed_later_can_add_cases(book: Book) -> None:
    book.run(dict.fromkeys(CASES, "pass"))
    assert undecided(book) == []
    cases = [*inputs().cases[:3], {**inputs().cases[3], "outcome": "runnable", "reason": None}]
    book.add(inputs(cases=cases, pics={**PICS, "C-08": True}))
    assert undecided(book) == ["TC_999_CS"]
    assert book.case().state == "pass"

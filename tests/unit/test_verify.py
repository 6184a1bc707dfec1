"""Verifying a run: an honest one is sound, and whatever is changed in it is found."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.capability import CardPresenter, PowerSwitch
from bench.case import Case
from bench.derivation import Derivation
from bench.errors import CheckFailed, ConfigError, Unverifiable
from bench.events import (
    Answered,
    CaseEnded,
    CaseStarted,
    Checked,
    Claimed,
    Event,
    FrameReceived,
    LeftUnanswered,
    Measured,
    Noted,
    PhaseEntered,
    Retried,
    RunEnded,
    RunStarted,
    StationConnected,
    StepEnded,
    StepStarted,
)
from bench.journal import JournalReader, JournalWriter, Record
from bench.metrology import Limit, Quantity
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.predicate import between
from bench.ocpp.station import Station
from bench.procedure import Body, Procedure
from bench.report import write_all
from bench.verify import verify
from drivers.sim.simulated_bench import run_virtually
from tests.procedures.simulated import simulated
from tests.unit.recorded import SUITE, one_case, record


def made(folder: Path, *defects: str, **more: Any) -> Path:
    """Record a run and write its reports."""
    outcome = asyncio.run(record(folder, *defects, **more))
    write_all(outcome.folder)
    return outcome.folder


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    return made(folder, "starts-anyway", "odd-status", "odd-value", answers=["fail"])


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    """A copy of the good run, to be spoilt."""
    return shutil.copytree(good, tmp_path / "run")


def records_of(folder: Path) -> list[Record]:
    return list(JournalReader(folder / "journal.jsonl"))


def difference(records: list[Record]) -> str:
    return str(Derivation(records).first_difference())


# Honest runs


@pytest.mark.parametrize("defects", [[], ["restless"], ["meter-gone"], ["odd-status"]])
def test_an_honest_run_is_sound(tmp_path: Path, defects: list[str]) -> None:
    assert verify(made(tmp_path, *defects)).faults == ()


def test_a_run_with_a_mute_station_is_sound(tmp_path: Path) -> None:
    assert verify(made(tmp_path, "mute", cases=SUITE.procedures[:1])).faults == ()


async def tried_again(folder: Path) -> Path:
    async with simulated(folder, defects=["available-while-plugged-in"]) as bench:
        return (await bench.run("TC_068_CS")).folder


def test_a_call_before_another_try_is_no_concern_of_that_try(tmp_path: Path) -> None:
    folder = run_virtually(tried_again(tmp_path))
    write_all(folder)
    assert any(isinstance(record.event, Retried) for record in records_of(folder))
    assert verify(folder).faults == ()


def test_the_summary_counts_what_was_derived_again(bad: Path) -> None:
    verification = verify(bad)
    assert verification.is_sound
    kinds = [type(record.event) for record in records_of(bad)]
    text = "\n".join(verification.summary)
    assert f"{len(kinds)} records" in text
    findings = 3  # the odd status, twice, and a second transaction beside the first
    assert f"{kinds.count(Checked) - findings} checks" in text
    assert f"{findings} findings" in text
    assert f"{kinds.count(StepEnded)} steps and 4 cases" in text
    assert "bench.toml, dut.toml, plan.toml, samples.mcap, results.json" in text


BODIES: list[Body] = []


def body(function: Body) -> Body:
    BODIES.append(function)
    return function


@body
async def nothing_is_checked(case: Case) -> None:
    """Check nothing."""


@body
async def a_soft_check_fails(case: Case) -> None:
    """Go on after a check that fails."""
    case.check("outside a step", 1, 1)
    async with case.step("Soft"):
        case.check("soft", 1, between(2, 3), fatal=False)
        case.measure("too much", Quantity(9.0, "A"), limit=Limit(None, 6))


@body
async def the_preamble_fails(case: Case) -> None:
    """Fail before the purpose begins."""
    async with case.preamble(), case.step("Prepare"):
        case.check("ready", None, 1)


@body
async def it_cannot_be_judged(case: Case) -> None:
    """Raise inside a step."""
    case.check("begin", True)
    async with case.step("Look"):
        raise Unverifiable("too dark")


@body
async def a_field_is_not_there(case: Case, station: Station) -> None:
    """Raise what no check recorded."""
    async with case.step("Ask"):
        answer = await station.call(v16.ClearCache(), result())
        answer["colour"]


@body
async def an_answer_is_another(case: Case, station: Station) -> None:
    """Get another answer than expected."""
    await station.call(v16.ClearCache(), result(status="Rejected"))


@body
async def an_answer_is_an_error(case: Case, station: Station) -> None:
    """Get a CALLERROR in place of a CALLRESULT."""
    await station.call(v16.Reset(type="Hard"))


@body
async def the_station_is_gone(case: Case, station: Station, mains: PowerSwitch) -> None:
    """Call a station that is switched off."""
    await mains.switch_off()
    await station.disconnects(within=1)
    await station.call(v16.ClearCache())


@body
async def the_station_does_not_go(case: Case, station: Station) -> None:
    """Wait in vain for the end of the connection."""
    await station.disconnects(within=0.01)


@body
async def something_forbidden_comes(case: Case, station: Station, cards: CardPresenter) -> None:
    """Forbid what then comes."""
    with station.forbid(v16.StartTransaction()):
        await cards.present(case.pixit.card("valid"))
        async with case.step("Wait"):
            await station.expect(v16.StopTransaction(), within=0.1)


@body
async def messages_are_taken_together(case: Case, station: Station, cards: CardPresenter) -> None:
    """Take all messages of a kind, so that no expectation sees them."""
    await cards.present(case.pixit.card("invalid"))
    async with case.step("Take"):
        await station.expect(v16.Authorize(idTag="BAD"))
        await cards.present(case.pixit.card("valid"))
        await station.expect(v16.StartTransaction())
        case.check("two came", len(station.messages(v16.Authorize())), 2)
        await station.expect(v16.Authorize(), within=0.01)


@body
async def a_call_is_left_alone(
    case: Case, station: Station, csms: Csms, cards: CardPresenter
) -> None:
    """Leave a CALL unanswered; the next CALL is then no violation."""
    csms.ignores(v16.Authorize, times=1)
    await cards.present(case.pixit.card("invalid"))
    await station.expect(v16.Authorize())
    await cards.present(case.pixit.card("invalid"))
    await station.expect(v16.Authorize())


@body
async def a_call_waits_for_its_answer(
    case: Case, station: Station, csms: Csms, cards: CardPresenter
) -> None:
    """Answer late; the next CALL is then a violation."""
    csms.answers(v16.Authorize, after=0.05)
    for _ in range(2):
        await cards.present(case.pixit.card("invalid"))
        await station.expect(v16.Authorize())
    await station.expect_none(v16.StartTransaction(), during=0.08)


@body
async def the_clean_up_finds_something(
    case: Case, station: Station, csms: Csms, cards: CardPresenter, mains: PowerSwitch
) -> None:
    """Boot with an odd status while the case is cleaned up."""

    async def restart() -> None:
        await mains.cycle(off_for=0)
        await station.expect(v16.StatusNotification())

    case.afterwards(restart)
    case.check("fine", True)


@body
async def the_engine_has_a_defect(case: Case) -> None:
    """Raise what nobody expects."""
    async with case.step("Divide"):
        case.check("one", 1, 1)
        raise ZeroDivisionError


@pytest.mark.parametrize("chosen", BODIES, ids=lambda body: body.__name__)
@pytest.mark.parametrize("defects", [[], ["odd-status"]], ids=["good", "odd"])
def test_every_way_to_end_is_derived_again(
    tmp_path: Path, chosen: Body, defects: list[str]
) -> None:
    folder = made(tmp_path, *defects, cases=[one_case(chosen)])
    assert verify(folder).faults == ()
    (ended,) = [r.event for r in records_of(folder) if isinstance(r.event, CaseEnded)]
    assert ended.verdict != "none"


def test_an_aborted_run_is_sound_as_far_as_it_came(tmp_path: Path) -> None:
    from bench.plan import Plan
    from tests.unit.recorded import Dut, session

    async def waits(case: Case) -> None:
        """Wait until the operator has enough."""
        async with case.step("Wait"):
            case.check("begun", True)
            sessions[0].abort("Ada")
            await asyncio.Event().wait()

    sessions: list[Any] = []

    async def run() -> None:
        cases: tuple[Procedure, ...] = (one_case(waits), *SUITE.procedures)
        async with session(tmp_path, Dut()) as one:
            sessions.append(one)
            await one.run(Plan(SUITE, cases, ()), tmp_path / "run")

    asyncio.run(run())
    write_all(tmp_path / "run")
    assert verify(tmp_path / "run").faults == ()
    events = [record.event for record in records_of(tmp_path / "run")]
    (step,) = [e for e in events if isinstance(e, StepEnded) and e.cause]
    assert (step.verdict, step.reason, step.cause) == ("inconclusive", "aborted", "CancelledError")


# Spoilt files


def test_a_changed_byte_of_the_journal_is_found(copy: Path) -> None:
    path = copy / "journal.jsonl"
    whole = path.read_bytes()
    for position in range(0, len(whole), 997):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        first, *_ = verify(copy).faults
        line = whole[:position].count(b"\n") + 1
        assert first.startswith(f"journal.jsonl line {line}: "), first
        if line > 1:
            assert f"; it is sound up to record {line - 1}" in first


def test_a_killed_run_says_where_it_ends(copy: Path) -> None:
    path = copy / "journal.jsonl"
    records = records_of(copy)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for count in range(len(lines)):
        path.write_bytes(b"".join(lines[:count]))
        (fault,) = verify(copy).faults
        assert fault.startswith("the journal ends at ")
        assert f"record {count}" in fault or count == 0
        path.write_bytes(b"".join(lines[:count]) + lines[count][:30])
        (fault,) = verify(copy).faults
        assert fault.endswith(f"it is whole up to there (line {count + 1} is cut short)")
    at = next(i for i, r in enumerate(records) if isinstance(r.event, StepStarted))
    path.write_bytes(b"".join(lines[: at + 1]))
    step = records[at].event
    assert isinstance(step, StepStarted)
    where = f"record {at + 1}, during TC_901_CS step {step.title!r}"
    assert verify(copy).faults == (f"the journal ends at {where}; it is whole up to there",)


@pytest.mark.parametrize("name", ["bench.toml", "dut.toml", "plan.toml"])
def test_a_changed_or_missing_copy_is_found(copy: Path, name: str) -> None:
    (copy / name).write_text("x")
    (fault,) = verify(copy).faults
    assert fault.startswith(f"{name} was changed: its SHA-256 is 2d7116")
    (copy / name).unlink()
    assert verify(copy).faults == (f"{name}: No such file or directory",)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda r: r["cases"][1].update(verdict="fail"), 'cases[1].verdict is "fail", the jou'),
        (lambda r: r["cases"][0]["steps"][0]["checks"][0].update(frame=1), "cases[0].steps[0].c"),
        (lambda r: r["cases"].pop(), "cases is [{"),
        (lambda r: r["counts"].update(more=1), "counts.more is not in the journal"),
        (lambda r: r.pop("complete"), "complete is missing"),
        (lambda r: r.update(complete=1), "complete is 1, the journal yields true"),
    ],
)
def test_results_that_say_something_else_are_found(
    copy: Path, change: Callable[[Any], Any], fault: str
) -> None:
    path = copy / "results.json"
    results = json.loads(path.read_bytes())
    change(results)
    path.write_text(json.dumps(results))
    (found,) = verify(copy).faults
    assert found.startswith(f"results.json: {fault}")


def test_results_that_cannot_be_read_are_found(copy: Path) -> None:
    (copy / "results.json").write_text("{")
    assert verify(copy).faults[0].startswith("results.json is not JSON")
    (copy / "results.json").unlink()
    assert verify(copy).faults == ("results.json: No such file or directory",)


# Forged records: the chain is whole, but the records do not lead to the verdicts

VERDICTS = ("none", "pass", "inconclusive", "fail", "error")


@pytest.mark.parametrize("run", ["good", "bad"])
def test_no_verdict_can_be_another(run: str, request: pytest.FixtureRequest) -> None:
    records = records_of(request.getfixturevalue(run))
    tried = 0
    for index, one in enumerate(records):
        event = one.event
        if isinstance(event, Checked | Measured | StepEnded | CaseEnded):
            for verdict in VERDICTS:
                if verdict != event.verdict:
                    forged = replace(one, event=replace(event, verdict=verdict))
                    records[index] = forged
                    found = Derivation(records).first_difference()
                    assert found is not None, forged
                    assert found.record == one.n
                    tried += 1
            records[index] = one
    assert tried > 100


def forge(records: list[Record], kind: type[Event], change: Callable[[Any], Event | None]) -> None:
    """Change the first record of a kind for which `change` returns another event."""
    for index, one in enumerate(records):
        if isinstance(one.event, kind):
            event = change(one.event)
            if event is not None:
                records[index] = replace(one, event=event)
                return
    raise AssertionError(f"no {kind.__name__} to forge")


def rule(kind: str, holds: bool, **more: Any) -> Callable[[Checked], Checked | None]:
    """Change the rule, or with other names the event, of the first check of a kind."""

    def change(event: Checked) -> Checked | None:
        if event.rule["rule"] != kind or (event.verdict == "pass") is not holds:
            return None
        fields = ("frame", "actual", *(() if kind == "value" else ("expected",)))
        own = {name: value for name, value in more.items() if name in fields}
        others = {name: value for name, value in more.items() if name not in own}
        return replace(event, rule={**event.rule, **others}, **own)

    return change


def text(old: str, new: str) -> Callable[[FrameReceived], FrameReceived | None]:
    """Change the text of the first message that holds `old`."""

    def change(event: FrameReceived) -> FrameReceived | None:
        if event.text is None or old not in event.text:
            return None
        return replace(event, text=event.text.replace(old, new))

    return change


FORGED = [
    ("good", FrameReceived, text("Sample", "Other"), "what 'BootNotification comes' was judged"),
    ("good", Checked, rule("expect", True, actual="a cow"), "is recorded as a cow, the records"),
    ("good", Checked, rule("expect", True, expected="a cow"), "expects is recorded as a cow, the"),
    (
        "good",
        Checked,
        rule("none", True, expected="a cow"),
        "recorded as a cow, the records say",
    ),
    ("good", FrameReceived, text('"60"', '"61"'), '"value":"61"}], unknownKey=[])'),
    ("good", FrameReceived, text("GOOD", "G00D"), "was judged by is recorded as Authorize"),
    ("bad", FrameReceived, text("BAD", "B4D"), "recorded as pass, the records say fail"),
    ("bad", FrameReceived, text("Charging", "Available"), "the monitors find none"),
    ("good", FrameReceived, text('"connectorId": 0', '"connectorId": 9'), "not recorded: A mess"),
    ("good", FrameReceived, text("StatusNotification", "Status"), 'came "Status" (record'),
    ("good", Checked, rule("expect", True, frame=2), "was judged by record 2, record"),
    ("good", Checked, rule("expect", True, deadline=0.0), "no unclaimed message fits"),
    ("good", Checked, rule("expect", True, after=10_000), "no unclaimed message fits"),
    ("good", Checked, rule("none", True, until=9e9), "before its deadline"),
    ("bad", Checked, rule("none", False, frame=3), "was judged by record 3"),
    ("good", Checked, rule("connection", True, open=False), "the connection is open"),
    ("good", Checked, rule("answer", True, within=-9.0), "no answer came in time"),
    ("good", Checked, rule("answer", True, call="Reset"), "no Reset is recorded as sent"),
    ("good", Checked, rule("value", True, expected="61"), 'the value is "60"'),
    ("good", Checked, rule("value", True, actual='"61"'), "the value of"),
    ("good", Checked, rule("value", True, of={"kind": "guess"}), "'guess' that is not known"),
    ("good", Checked, rule("value", True, of={"kind": "field", "frame": 1, "path": ""}), "recor"),
    ("good", Checked, rule("value", True, of={}), "can't be read"),
    ("good", Checked, rule("forbid", True, pattern={"call": "Authorize"}), "came"),
    ("good", Checked, rule("operator", True, rule="oracle"), "a rule 'oracle' that is not known"),
    ("bad", Checked, rule("monitor", False, actual="nothing"), "a violation is recorded as"),
    ("good", Answered, lambda e: replace(e, answer="fail"), "the operator answered fail"),
    ("good", Answered, lambda e: Noted(""), "the operator answered None"),
    ("good", Measured, lambda e: replace(e, value=1.0), "'boot to answer' is recorded as 1.0"),
    ("good", Measured, lambda e: replace(e, limit=[7, 8]), "the verdict on"),
    ("good", PhaseEntered, lambda e: replace(e, phase="body"), "recorded as preamble"),
    ("good", PhaseEntered, lambda e: replace(e, phase="lunch"), "can't be read"),
    ("good", StepStarted, lambda e: Noted(""), "step 1 ends, which does not run"),
    ("good", StepEnded, lambda e: Noted(""), "begins inside another step"),
    ("good", StepEnded, lambda e: replace(e, cause="LinkError"), "the step's verdict is recor"),
    ("good", CaseStarted, lambda e: Noted(""), "no case is running"),
    ("good", CaseStarted, lambda e: replace(e, case="TC_1_CS"), "TC_901_CS ends, but TC_1_CS s"),
    ("good", CaseEnded, lambda e: Noted(""), "begins before TC_901_CS has ended"),
    ("good", CaseEnded, lambda e: replace(e, cause="CheckFailed"), "the records say fail"),
    ("good", CaseEnded, lambda e: replace(e, cause="Bug"), "the records say error"),
    ("good", CaseEnded, lambda e: replace(e, ended="aborted"), "the records say completed"),
    ("good", CaseEnded, lambda e: replace(e, phase="preamble"), "the records say body"),
    ("good", CaseEnded, lambda e: replace(e, unclaimed=[7]), "CALLs that no step expected"),
    ("good", RunEnded, lambda e: replace(e, counts={"pass": 5}), "the count of verdicts"),
    ("good", RunStarted, lambda e: replace(e, cases=e.cases[1:]), "the cases of a complete run"),
    ("good", RunStarted, lambda e: Noted(""), "does not begin with RunStarted"),
    ("good", StationConnected, lambda e: Noted(""), "the connection is closed"),
]


@pytest.mark.parametrize(("run", "kind", "change", "fault"), FORGED)
def test_a_forged_record_is_found(
    run: str,
    kind: type[Event],
    change: Callable[[Any], Event | None],
    fault: str,
    request: pytest.FixtureRequest,
) -> None:
    records = records_of(request.getfixturevalue(run))
    forge(records, kind, change)
    assert fault in difference(records)


def test_a_removed_finding_is_found(bad: Path) -> None:
    records = records_of(bad)
    forge(records, Checked, lambda e: Noted("") if e.rule["rule"] == "monitor" else None)
    assert "the monitors find a violation that is not recorded: Connector 0" in difference(records)


def test_a_claim_that_is_left_out_is_found(tmp_path: Path) -> None:
    folder = made(tmp_path, cases=[one_case(messages_are_taken_together)])
    records = records_of(folder)
    forge(records, Claimed, lambda e: Noted(""))
    assert "the records say pass" in difference(records)


def test_a_violation_that_waits_for_its_answer_is_needed(tmp_path: Path) -> None:
    folder = made(tmp_path, cases=[one_case(a_call_is_left_alone)])
    records = records_of(folder)
    forge(records, LeftUnanswered, lambda e: Noted(""))
    assert "A CALL waits for the answer to the CALL before" in difference(records)


def test_a_later_time_is_found(good: Path) -> None:
    records = records_of(good)
    index = next(i for i, r in enumerate(records) if isinstance(r.event, FrameReceived))
    records[index] = dataclasses.replace(records[index], mono=records[index].mono + 1000)
    assert "'BootNotification comes' was judged by record" in difference(records)


def test_a_difference_names_case_step_and_record(good: Path) -> None:
    records = records_of(good)
    forge(records, FrameReceived, text('"60"', '"61"'))
    assert difference(records).startswith("record ")
    assert ", TC_901_CS, step 'The station obeys': " in difference(records)


def test_a_check_of_an_older_engine_that_raised_too_early_is_found(good: Path) -> None:
    records = records_of(good)
    index = next(
        i
        for i, r in enumerate(records)
        if isinstance(r.event, Checked) and r.event.rule["rule"] == "none"
    )
    early = records[index - 1].mono  # when the wait began, however late it was decided
    records[index] = dataclasses.replace(records[index], mono=early)
    assert "s before its deadline" in difference(records)


# pilotbench verify


def rechained(folder: Path, records: list[Record]) -> None:
    """Write a journal anew, with a whole chain."""
    (folder / "journal.jsonl").unlink()
    with JournalWriter(folder / "journal.jsonl") as journal:
        for one in records:
            journal.append(one)


def test_the_command_confirms_a_sound_run(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(good)]) == 0
    out = capsys.readouterr().out
    assert out.endswith("\nsound\n")
    assert "NOT" not in out


def test_the_command_refuses_a_forged_run_and_says_why(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = records_of(copy)
    forge(records, CaseEnded, lambda e: replace(e, verdict="fail"))
    rechained(copy, records)
    assert cli.main(["verify", str(copy)]) == 1
    *_, results, derived = capsys.readouterr().out.splitlines()
    assert results.startswith("NOT SOUND: results.json: counts.pass is 4, the journal yields 3")
    assert derived.startswith("NOT SOUND: record ")
    assert derived.endswith("the case's verdict is recorded as fail, the records say pass")


def test_the_command_names_a_folder_without_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", str(tmp_path)]) == 3
    assert "no journal.jsonl here" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        verify(tmp_path)


def test_every_error_that_decides_a_verdict_is_known_by_name() -> None:
    from bench import errors
    from bench.verdict import Phase, raised_of, verdict_of

    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, Exception):
            for phase in Phase:
                assert verdict_of(raised_of(name), phase) == verdict_of(kind("x"), phase), name
    assert raised_of(None) is None
    assert isinstance(raised_of("CheckFailed"), CheckFailed)

"""The document: profiles, performance, fails and several runs, from records alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.errors import ConfigError
from bench.events import (
    Acted,
    CaseEnded,
    CaseStarted,
    ChannelDeclared,
    Checked,
    DeviceOpened,
    EarlierResultsVoid,
    Event,
    FrameReceived,
    FrameSent,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
)
from bench.journal import JournalWriter, Record
from bench.redaction import event_for_observer
from bench.report import RecordedRun, composition, read_run, results
from bench.report.composition import Counting, document_of
from bench.report.document import Document, NotRunPart
from bench.report.plot import Envelope, Wanted, plots
from bench.sample_file import SAMPLES, Block, SampleFile
from tests.unit.test_runview import BEGIN

PROFILES = ("FP.Core", "FP.FW", "FP.SC", "FP.RES", "FP.LAL", "FP.RT")
CASES = {
    "TC_1_CS": "core-start-session",
    "TC_2_CS": "firmware-management",
    "TC_3_CS": "smart-charging",
    "TC_4_CS": "reservation",
    "TC_5_CS": "local-authorization-list",
    "TC_6_CS": "remote-trigger",
}
GROUPS = {**CASES, "TC_7_CS": "core-unlock-non-happy"}
DUT = {"kind": "charging-station", "identity": "CP", "vendor": "V", "model": "M", "software": "1"}


def begun(
    name: str = "r1",
    cases: Iterable[str] = CASES,
    pics: dict[str, Any] | None = None,
    not_run: Sequence[dict[str, Any]] = (),
    marks: dict[str, str] | None = None,
    **more: Any,
) -> RunStarted:
    planned = [
        {"id": one, "title": one, "mark": (marks or {}).get(one, "M"), "group": GROUPS[one]}
        for one in cases
    ]
    claims = dict.fromkeys(PROFILES, True) if pics is None else pics
    started = RunStarted(name, "0", 1, {"name": "b"}, DUT, planned, list(not_run), claims, {}, {})
    return replace(started, **more)


def executed(case: str, verdict: str = "pass", *inside: Event) -> list[Event]:
    reason = None if verdict == "pass" else f"{case} went wrong"
    return [
        CaseStarted(case, case, "M", GROUPS[case], "p", ["clause 1"]),
        StepStarted(1, "body", "Do it"),
        *inside,
        StepEnded(1, verdict, reason),
        CaseEnded(case, verdict, "completed", reason, None, "body", 1.0, []),
    ]


def recorded(folder: Path, *events: Event, after: float = 0.0) -> RecordedRun:
    """Write a run whose events happen a second apart."""
    folder.mkdir(parents=True, exist_ok=True)
    with JournalWriter(folder / "journal.jsonl") as writer:
        for n, event in enumerate(events, start=1):
            utc = BEGIN + timedelta(seconds=n + after)
            writer.append(Record(n, utc, float(n), event))
    return read_run(folder)


def document(folder: Path, verdicts: dict[str, str], **more: Any) -> Document:
    inside = [event for case, verdict in verdicts.items() for event in executed(case, verdict)]
    started = begun(cases=verdicts, **more)
    return document_of([recorded(folder, started, *inside, RunEnded(True, None, {}))])


# What the results mean for a certificate


def test_all_six_profiles_make_a_full_certificate(tmp_path: Path) -> None:
    made = document(tmp_path, dict.fromkeys(CASES, "pass"))
    assert made.statement.kind == "full"
    assert [one.status for one in made.profiles] == ["fulfilled"] * 6


def test_profiles_that_are_not_claimed_make_it_a_subset(tmp_path: Path) -> None:
    pics = {**dict.fromkeys(PROFILES, False), "FP.Core": True, "FP.RT": True}
    left = {"id": "TC_2_CS", "outcome": "not-applicable", "mark": "M", "group": CASES["TC_2_CS"]}
    passed = {"TC_1_CS": "pass", "TC_6_CS": "pass"}
    made = document(tmp_path, passed, pics=pics, not_run=[left])
    assert made.statement.kind == "subset"
    assert "Core, Remote Trigger" in made.statement.paragraphs[0]
    assert {one.name: one.status for one in made.profiles}["Firmware Management"] == "not claimed"


@pytest.mark.parametrize(
    ("verdict", "status", "reason"),
    [
        ("fail", "not fulfilled", "failed: TC_3_CS"),
        ("inconclusive", "not shown", "without a passed result: TC_3_CS"),
        ("error", "not shown", "without a passed result: TC_3_CS"),
    ],
)
def test_a_case_that_has_not_passed_bars_the_certificate(
    tmp_path: Path, verdict: str, status: str, reason: str
) -> None:
    made = document(tmp_path, {**dict.fromkeys(CASES, "pass"), "TC_3_CS": verdict})
    smart = next(one for one in made.profiles if one.name == "Smart Charging")
    assert (smart.status, smart.reason) == (status, reason)
    assert made.statement.kind == "none"
    assert reason in made.statement.paragraphs[0]


def test_an_optional_case_does_not_decide(tmp_path: Path) -> None:
    verdicts = {**dict.fromkeys(CASES, "pass"), "TC_7_CS": "fail"}
    made = document(tmp_path, verdicts, marks={"TC_7_CS": "O"})
    assert made.statement.kind == "full"


@pytest.mark.parametrize("outcome", ["deselected", "not-runnable", "undetermined"])
def test_what_was_left_out_and_might_apply_bars_it_too(tmp_path: Path, outcome: str) -> None:
    left = {"id": "TC_9_CS", "outcome": outcome, "mark": "C", "group": "core-reset"}
    made = document(tmp_path, dict.fromkeys(CASES, "pass"), not_run=[left])
    assert made.statement.kind == "none"
    assert "TC_9_CS" in made.profiles[0].reason


def test_an_incomplete_run_bars_it_too(tmp_path: Path) -> None:
    events = [event for case in CASES for event in executed(case)]
    run = recorded(tmp_path, begun(), *events, RunEnded(False, "aborted", {}))
    made = document_of([run])
    assert (made.statement.kind, made.verdict, made.remark) == ("none", "none", "aborted")


def test_results_from_before_a_change_of_the_dut_do_not_count(tmp_path: Path) -> None:
    events = [event for case in CASES for event in executed(case)]
    events.insert(5, EarlierResultsVoid("another software", ["r0"]))
    made = document_of([recorded(tmp_path, begun(), *events, RunEnded(True, None, {}))])
    assert made.cases[0].is_void
    assert made.profiles[0].missing == ("TC_1_CS",)
    assert made.statement.kind == "none"
    assert made.void == ("another software (earlier runs: r0)",)


# Several runs


def test_of_several_runs_the_newest_result_counts_or_the_named_one(tmp_path: Path) -> None:
    one = [*executed("TC_1_CS", "fail"), *executed("TC_2_CS")]
    first = recorded(tmp_path / "r1", begun("r1"), *one, RunEnded(False, "aborted", {}))
    again = [begun("r2", ["TC_1_CS"]), *executed("TC_1_CS"), RunEnded(True, None, {})]
    second = recorded(tmp_path / "r2", *again, after=100)
    made = document_of([first, second], name="campaign 1")
    assert (made.run, [run.run for run in made.runs]) == ("campaign 1", ["r1", "r2"])
    by_id = {case.id: (case.run, case.verdict) for case in made.cases}
    assert by_id["TC_1_CS"] == ("r2", "pass")
    assert by_id["TC_2_CS"] == ("r1", "pass")
    assert by_id["TC_3_CS"] == ("r1", "none")
    assert made.counts == {"pass": 2, "fail": 0, "inconclusive": 0, "error": 0}
    open_one = NotRunPart("TC_2_CS", "Two", "M", "Core", "to run", "")
    counting = Counting({"TC_1_CS": "r1"}, (open_one,), {}, "one case is to be run")
    chosen = document_of([first, second], counting=counting)
    assert [(case.id, case.verdict) for case in chosen.cases] == [("TC_1_CS", "fail")]
    assert (chosen.not_run, chosen.remark) == ((open_one,), "one case is to be run")
    assert chosen.profiles[0].missing == ("TC_1_CS", "TC_2_CS")
    let_off = replace(counting, waived={"TC_1_CS": "as decided", "TC_2_CS": "too"}, remark="")
    (core, *_) = document_of([first, second], counting=let_off).profiles
    assert (core.missing, core.waived) == ((), ("TC_1_CS", "TC_2_CS"))


def test_runs_that_a_later_one_made_void_do_not_count(tmp_path: Path) -> None:
    old = recorded(tmp_path / "r1", begun("r1", ["TC_1_CS"]), *executed("TC_1_CS"))
    void = EarlierResultsVoid("another software", ["r1"])
    new = recorded(tmp_path / "r2", begun("r2", ["TC_1_CS"]), void, after=100)
    (case,) = document_of([old, new]).cases
    assert (case.run, case.verdict) == ("r2", "none")


# Identity, performance, instruments


def call(message_id: str, action: str, **payload: Any) -> FrameSent:
    return FrameSent(1, json.dumps([2, message_id, action, payload]))


def came(*frame: Any) -> FrameReceived:
    return FrameReceived(1, json.dumps(frame))


def accepted(message_id: str) -> FrameReceived:
    return came(3, message_id, {"status": "Accepted"})


def test_the_dut_is_identified_by_what_it_reports(tmp_path: Path) -> None:
    boot = {"chargePointVendor": "V", "chargePointModel": "X", "chargePointSerialNumber": "7"}
    later = {**boot, "firmwareVersion": "2"}
    frames = [came(2, str(i), "BootNotification", one) for i, one in enumerate((boot, boot, later))]
    run = recorded(tmp_path, begun(cases=["TC_1_CS"]), *executed("TC_1_CS", "pass", *frames))
    found = {one.name: one for one in document_of([run]).identification}
    assert found["Vendor"].agrees is True
    assert found["Model"].agrees is False
    assert found["OCPP software version"].agrees is None
    assert found["Serial number of the station"].reported == "7"
    assert found["Software reported later"].reported == "2"


def test_performance_is_counted_over_all_messages(tmp_path: Path) -> None:
    acted = Acted("box", "VehicleCoupler", "plug_in", {}, None, None, 0.1)
    start = {"connectorId": 1, "idTag": "AB", "meterStart": 0, "timestamp": "t"}
    frames: list[Event] = [
        *(call("1", "ChangeAvailability", connectorId=1, type="Inoperative"), accepted("1")),
        came(2, "a", "StatusNotification", {"connectorId": 2, "status": "Unavailable"}),
        came(2, "b", "StatusNotification", {"connectorId": 1, "status": "Unavailable"}),
        *(call("2", "RemoteStartTransaction", idTag="ab"), accepted("2")),
        came(2, "c", "StartTransaction", start),
        # The cable comes in between, so that this one says nothing of the DUT.
        *(call("3", "RemoteStartTransaction", idTag="AB"), accepted("3"), acted),
        came(2, "d", "StartTransaction", start),
        *(call("4", "RemoteStopTransaction", transactionId=5), accepted("4")),
        came(2, "e", "StopTransaction", {"transactionId": 5, "meterStop": 1, "timestamp": "t"}),
        *(call("5", "TriggerMessage", requestedMessage="Heartbeat"), came(2, "f", "Heartbeat", {})),
        *(accepted("5"), call("6", "Reset", type="Hard"), came(4, "6", "InternalError", "", {})),
    ]
    pics = {"FP.Core": True, "PERF.response": 30}
    started = begun(cases=["TC_1_CS"], pics=pics)
    made = document_of([recorded(tmp_path, started, *executed("TC_1_CS", "pass", *frames))])
    measured = {one.item: (one.count, one.median) for one in made.performance}
    assert measured == {
        "PERF.response": (6, 1.0),
        "PERF.triggered": (1, 2.0),
        "PERF.start": (1, 2.0),
        "PERF.stop": (1, 2.0),
    }
    assert made.performance[0].stated == 30
    rows = {row[0]: row[1:] for row in made.answers.rows}
    assert rows["RemoteStartTransaction"] == ("2", "1000.0", "1000.0", "1000.0", "0")
    assert rows["Reset"][-1] == "1"


def test_the_signal_of_a_modem_is_told_from_both_ends_of_the_run(tmp_path: Path) -> None:
    rssi = ChannelDeclared(1, "rssi", "dBm", "modem")
    file = SampleFile(tmp_path / SAMPLES, run="r", offset=0.0)
    for at, value in ((2.0, -61.0), (3.0, -63.0), (250.0, -99.0), (499.0, -70.0)):
        file.write([Block(rssi, [at], [value])])
    file.close()
    late = [RunEnded(True, None, {})] * 496
    run = recorded(tmp_path, begun(cases=["TC_1_CS"], pixit={}), rssi, *executed("TC_1_CS"), *late)
    made = document_of([run])
    (one,) = made.connection
    assert (one.name, one.value) == ("modem rssi", "-70 to -61 dBm, 3 readings")
    assert "-81 dBm" in one.note
    assert made.pixit == ()


def test_instruments_have_their_certificates(tmp_path: Path) -> None:
    paper = {"certificate": "K-7", "issuer": "Lab", "date": "2030-01-01", "due": "2030-06-01"}
    started = begun(cases=["TC_1_CS"], bench={"name": "b", "calibrations": {"meter": paper}})
    opened = DeviceOpened("meter", "register-meter", ["PowerMeter"], {"maker": "E", "serial": "9"})
    (one,) = document_of([recorded(tmp_path, started, opened)]).instruments
    assert (one.identity, one.serial, one.certificate) == ("E", "9", "K-7, Lab")
    assert one.due == "2030-06-01 (overdue)"


# Fails


def failing(frame: int, value: str) -> list[Event]:
    """Have a case fail by the answer of a DUT."""
    check = Checked("The value is kept", "fail", '"1"', f'"{value}" (record {frame})', frame, {})
    return [call("1", "GetConfiguration", key=["K"]), key(value), check]


def key(value: str) -> FrameReceived:
    entry = {"key": "K", "readonly": False, "value": value}
    return came(3, "1", {"configurationKey": [entry]})


def test_a_fail_is_explained_by_check_messages_and_what_changed(tmp_path: Path) -> None:
    passed = executed("TC_1_CS", "pass", call("1", "GetConfiguration", key=["K"]), key("1"))
    recorded(tmp_path / "r1", begun("r1", ["TC_1_CS"]), *passed, RunEnded(True, None, {}))
    other = [begun("x", ["TC_1_CS"], dut={**DUT, "model": "Z"}), *executed("TC_1_CS")]
    recorded(tmp_path / "other-dut", *other, after=50)
    pics = {"FP.Core": True, "C-07": True}
    now = [begun("r2", ["TC_1_CS"], pics=pics), *executed("TC_1_CS", "fail", *failing(5, "2"))]
    run = recorded(tmp_path / "r2", *now, RunEnded(True, None, {}), after=100)
    (case,) = document_of([run]).cases
    failure = case.failure
    assert failure is not None
    assert failure.check is not None
    assert (failure.check.expected, failure.check.actual, failure.check.frame) == ('"1"', '"2"', 5)
    assert failure.clauses == ("clause 1",)
    assert [row.n for row in failure.around] == [4, 5, 6]
    assert failure.passed_in.startswith("r1, ")
    changed = {one.name: one.value for one in failure.changed}
    assert changed["pics.C-07"] == "nothing → true"
    other_message = changed["first other message"]
    assert other_message.startswith("DUT: GetConfiguration CALLRESULT at +3.000 s (record 5): ")
    assert other_message.endswith('value "1" → "2"')
    # Whoever may read this run alone is told of no other.
    seen = read_run(tmp_path / "r2", event_for_observer, alone=True)
    assert "r1" not in str(document_of([seen], view="vendor"))


def test_a_case_that_never_passed_says_nothing_of_changes(tmp_path: Path) -> None:
    now = [begun("r2", ["TC_1_CS"]), *executed("TC_1_CS", "fail", *failing(5, "2"))]
    (case,) = document_of([recorded(tmp_path / "r2", *now)]).cases
    assert case.failure is not None
    assert (case.failure.passed_in, case.failure.changed) == ("", ())


def test_a_run_beside_it_that_cannot_be_read_keeps_no_report_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    passed = [begun("r1", ["TC_1_CS"]), *executed("TC_1_CS"), RunEnded(True, None, {})]
    recorded(tmp_path / "r1", *passed)
    now = [begun("r2", ["TC_1_CS"]), *executed("TC_1_CS", "fail", *failing(5, "2"))]
    run = recorded(tmp_path / "r2", *now, after=100)

    def gone(folder: Path, most: int) -> RecordedRun:
        raise ConfigError(f"{folder}: it was moved meanwhile")

    monkeypatch.setattr(composition, "read_run", gone)
    (case,) = document_of([run]).cases
    assert case.failure is not None
    assert case.failure.passed_in == ""
    assert "can't be compared" in caplog.text


# Plots


def test_a_plot_shows_least_and_greatest_values_and_marks(tmp_path: Path) -> None:
    pilot = ChannelDeclared(1, "pilot-duty", "%", "box", 1)
    other = ChannelDeclared(2, "rssi", "dBm", "modem")
    file = SampleFile(tmp_path / SAMPLES, run="r", offset=0.0)
    times = [t / 10 for t in range(1000)]
    values = [53.3 if t % 2 else 100.0 for t in range(1000)]
    for at in range(0, 1000, 10):
        part = times[at : at + 10], values[at : at + 10]
        file.write([Block(pilot, *part), Block(other, *part)])
    file.close()
    wanted = [
        Wanted("around <here>", 10.0, 30.0, 10.0, ((20.0, "fail & end"),)),
        Wanted("nothing", 200.0, 300.0, 200.0),
    ]
    (plot, nothing), fault = plots(tmp_path, {1: pilot, 2: other}, wanted)
    assert (nothing, fault) == (None, "")
    assert plot is not None
    assert plot.alt == (
        "around <here>, 0.0 s to 20.0 s. Duty cycle, %: box pilot-duty 1 53.3 to 100; "
        "fail & end at 10.000 s."
    )
    assert "around &lt;here&gt;" in plot.svg
    assert "fail &amp; end" in plot.svg
    assert "rssi" not in plot.svg


def test_a_spike_of_one_sample_is_seen() -> None:
    envelope = Envelope(0.0, 1000.0)
    envelope.add([t / 100 for t in range(100_000)], [0.0] * 50_000 + [9.0] + [0.0] * 49_999)
    assert max(point[2] for point in envelope.points()) == 9.0


def test_a_file_of_samples_that_is_none_leaves_the_report_without_plots(tmp_path: Path) -> None:
    (tmp_path / SAMPLES).write_bytes(b"hello, this is no MCAP file")
    pilot = ChannelDeclared(1, "pilot-duty", "%", "box", 1)
    found, fault = plots(tmp_path, {1: pilot}, [Wanted("t", 0.0, 1.0, 0.0)])
    assert found == [None]
    assert fault == "samples.mcap: not an MCAP file"


def test_a_report_says_why_it_has_no_plots(tmp_path: Path) -> None:
    pilot = ChannelDeclared(1, "pilot-duty", "%", "box", 1)
    events = [begun(cases=["TC_1_CS"]), pilot, *executed("TC_1_CS", "fail", *failing(6, "2"))]
    run = recorded(tmp_path, *events)
    (tmp_path / SAMPLES).write_bytes(b"hello, this is no MCAP file")
    remark = document_of([run]).channels.remark
    assert remark == "There are no plots, or not all: samples.mcap: not an MCAP file"


# The same numbers


def test_the_document_has_the_numbers_of_the_results(tmp_path: Path) -> None:
    verdicts = {**dict.fromkeys(CASES, "pass"), "TC_3_CS": "fail", "TC_4_CS": "inconclusive"}
    made = document(tmp_path, verdicts)
    plain = results.results(read_run(tmp_path).view)
    assert made.counts == plain["counts"]
    for part, case in zip(made.cases, plain["cases"], strict=True):
        keys = ("id", "title", "mark", "verdict", "ended", "reason", "duration_s")
        assert [getattr(part, name) for name in keys] == [case[name] for name in keys]

"""The tree of a run, folded from its records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.events import (
    AbortRequested,
    Answered,
    CaseEnded,
    CaseStarted,
    Checked,
    DeviceClosed,
    DeviceLost,
    DeviceOpened,
    Event,
    FrameLost,
    FrameReceived,
    FrameSent,
    LeftUnanswered,
    Measured,
    Noted,
    PhaseEntered,
    Prompted,
    PromptWithdrawn,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    StationConnected,
    StationDisconnected,
    StepEnded,
    StepStarted,
)
from bench.journal import JournalReader, Record
from bench.runview import RunView, fold
from bench.verdict import Verdict
from bench.views import FrameView, State
from tests.unit.recorded import record

BEGIN = datetime(2031, 1, 1, tzinfo=UTC)


def view_of(*events: Event) -> RunView:
    """Fold events that happen a second apart."""
    return fold(
        Record(n, BEGIN + timedelta(seconds=n), float(n), event)
        for n, event in enumerate(events, start=1)
    )


def planned(*cases: tuple[str, float]) -> RunStarted:
    plan: list[dict[str, Any]] = [
        {"id": name, "title": name.lower(), "mark": "M", "group": "core", "waits": waits}
        for name, waits in cases
    ]
    return RunStarted("r1", "0", 1, {}, {}, plan, [], {}, {}, {})


def started(case: str) -> CaseStarted:
    return CaseStarted(case, "t", "M", "core", "Purpose.", ["clause 1"])


def ended(case: str, verdict: str = "pass", duration: float = 1.0, **more: Any) -> CaseEnded:
    reason = None if verdict == "pass" else "because"
    values = {"cause": None, "phase": "body", "unclaimed": [], **more}
    return CaseEnded(case, verdict, "completed", reason, duration=duration, **values)


def checked(verdict: str, frame: int | None = None) -> Checked:
    return Checked("text", verdict, "expected", "actual", frame, {"rule": "value"})


def test_nothing_is_a_run_without_cases() -> None:
    view = RunView()
    assert (view.cases, view.duration, view.complete) == ([], 0.0, False)
    assert view.counts == {"pass": 0, "fail": 0, "inconclusive": 0, "error": 0}
    assert view.verdict is Verdict.NONE


def test_cases_wait_run_and_end_in_the_order_of_the_plan() -> None:
    view = view_of(planned(("A", 0), ("B", 0), ("C", 0)), started("A"), ended("A"), started("B"))
    assert [(case.id, case.state) for case in view.cases] == [
        ("A", State.ENDED),
        ("B", State.RUNNING),
        ("C", State.WAITING),
    ]
    assert view.case is view.cases[1]
    assert view.cases[1].purpose == "Purpose."
    assert view.counts["pass"] == 1


def test_a_run_without_any_case_has_no_verdict() -> None:
    for complete in (True, False):
        view = view_of(planned(), RunEnded(complete, None, {}))
        assert view.verdict is Verdict.NONE
        assert sum(view.counts.values()) == 0


@pytest.mark.parametrize(
    ("code", "reason", "how"),
    [
        (None, "", "without a close frame"),
        (None, "the TCP connection was lost", "the TCP connection was lost"),
        (1000, "", "code 1000"),
        (1001, "going away", "code 1001 going away"),
    ],
)
def test_the_end_of_a_connection_is_told_in_words(code: int | None, reason: str, how: str) -> None:
    assert StationDisconnected(1, code, reason).how == how


def test_a_case_that_is_repeated_takes_the_next_of_the_plan_or_a_new_place() -> None:
    view = view_of(planned(("A", 0)), started("A"), ended("A", "fail"), started("A"), ended("A"))
    assert [case.verdict for case in view.cases] == ["fail", "pass"]


def test_checks_and_values_belong_to_the_step_in_which_they_were_made() -> None:
    view = view_of(
        planned(("A", 0)),
        started("A"),
        PhaseEntered("preamble"),
        checked("pass"),
        StepStarted(1, "preamble", "One"),
        checked("pass"),
        Measured("v", 1.0, "V", None, None, "none"),
        StepEnded(1, "pass", None),
        checked("inconclusive"),
        PhaseEntered("postamble"),
        Noted("cleaning"),
        ended("A"),
    )
    steps = view.cases[0].steps
    assert [(step.number, step.title, step.phase) for step in steps] == [
        (None, "outside the steps", "preamble"),
        (1, "One", "preamble"),
        (None, "outside the steps", "preamble"),
        (None, "clean-up", "postamble"),
    ]
    assert [len(step.checks) for step in steps] == [1, 1, 1, 0]
    assert [value.name for value in steps[1].measured] == ["v"]
    assert [step.verdict_now for step in steps] == ["pass", "pass", "inconclusive", "none"]
    assert steps[1].duration == 3.0
    assert len(list(view.cases[0].checks)) == 3


def test_an_answer_knows_the_action_of_its_call() -> None:
    view = view_of(
        StationConnected(1, "CP", "/", "", ["ocpp1.6"]),
        FrameReceived(1, '[2,"1","Heartbeat",{}]'),
        FrameSent(1, '[3,"1",{}]'),
        FrameSent(1, '[2,"1","Reset",{"type":"Hard"}]'),
        FrameReceived(1, '[4,"1","NotImplemented","",{}]'),
        FrameReceived(1, '[3,"1",{}]'),
        FrameReceived(1, None, "AAE="),
        FrameReceived(1, "{}"),
    )
    frames = [item for item in view.outside if isinstance(item, FrameView)]
    actions = [frame.action for frame in frames]
    assert actions == ["Heartbeat", "Heartbeat", "Reset", "Reset", "", "", ""]
    assert [frame.from_station for frame in frames[:4]] == [True, False, False, True]
    assert frames[5].text == "2 bytes: 0001"


def test_a_check_is_found_by_its_frame() -> None:
    view = view_of(
        planned(("A", 0)),
        started("A"),
        FrameReceived(1, '[2,"1","Heartbeat",{}]'),
        checked("fail", frame=3),
        LeftUnanswered(3, "1"),
        FrameSent(1, '[3,"1",{}]'),
        FrameLost(6, "gone"),
    )
    frame = view.frame(3)
    assert frame is not None
    assert [check.failed for check in frame.checks] == [True]
    assert frame.left_unanswered
    assert view.frame(6) is not None and view.frame(6).lost == "gone"  # type: ignore[union-attr]  # noqa: PT018
    assert view.frame(99) is None


def test_prompts_are_open_until_answered_or_withdrawn() -> None:
    ask = [Prompted(name, "confirm", name, [], "", None) for name in ("p1", "p2", "p3")]
    view = view_of(*ask, Answered("p1", True, "Ada", ""), PromptWithdrawn("p2", "late"))
    assert [prompt.is_open for prompt in view.prompts.values()] == [False, False, True]
    assert view.prompts["p1"].answer == Answered("p1", True, "Ada", "")
    assert view.prompts["p1"].answered is not None
    assert view.prompts["p2"].withdrawn == "late"


def test_devices_and_the_connection_are_followed() -> None:
    opened = [DeviceOpened(name, "d", ["PowerSwitch"], {}) for name in ("a", "b", "c")]
    view = view_of(*opened, DeviceLost("a", "cable"), DeviceClosed("b"))
    assert [device.state for device in view.devices.values()] == ["lost", "closed", "ready"]
    assert view.devices["a"].message == "cable"
    first, second = (StationConnected(n, "CP", "/", "", []) for n in (1, 2))
    assert view_of(first).connected == first
    assert view_of(first, second, StationDisconnected(1, 1000, "")).connected == second
    assert view_of(first, StationDisconnected(1, None, "")).connected is None


def test_pause_abort_and_end_are_seen() -> None:
    assert view_of(RunPaused("Ada")).paused
    assert not view_of(RunPaused("Ada"), RunResumed("Ada")).paused
    assert view_of(AbortRequested("Ada")).aborted_by == "Ada"
    assert view_of(planned(), RunEnded(True, None, {})).complete
    assert not view_of(planned(), RunEnded(False, "aborted", {})).complete


@pytest.mark.parametrize(
    ("events", "mono", "seconds"),
    [
        ([], 1.0, None),  # nothing ended yet: nothing to estimate by
        ([started("A"), ended("A", duration=12.0)], 3.0, 22.0 + 2.0),
        ([started("A"), ended("A", duration=12.0), started("B")], 4.0, 24.0),
        ([started("A"), ended("A", duration=12.0), started("B")], 14.0, 14.0),
        ([started("A"), ended("A", duration=12.0), started("B")], 99.0, 2.0),
        ([started("A"), ended("A", duration=4.0)], 3.0, 20.0),
    ],
)
def test_the_time_to_go_is_the_waits_and_what_cases_took_beyond_them(
    events: list[Event], mono: float, seconds: float | None
) -> None:
    view = view_of(planned(("A", 10.0), ("B", 20.0), ("C", 0.0)), *events)
    assert view.remaining(mono) == seconds


async def test_a_recorded_run_folds_to_what_the_engine_says(tmp_path: Path) -> None:
    outcome = await record(tmp_path, "starts-anyway", "odd-status", answers=["inconclusive"])
    view = fold(JournalReader(outcome.folder / "journal.jsonl"))
    assert view.complete
    assert {name: n for name, n in view.counts.items() if n} == outcome.counts
    assert [case.verdict for case in view.cases] == ["fail", "fail", "inconclusive", "pass"]
    first = view.cases[0]
    assert [step.title for step in first.steps if step.number][:2] == [
        "Power up and wait for the boot",
        "Switch off and on",
    ]
    assert (view.case, view.step, view.connected) == (None, None, None)
    assert {device.state for device in view.devices.values()} == {"closed"}
    assert all(case.duration > 0 for case in view.cases)
    asked = [prompt.event.text for case in view.cases for prompt in case.prompts]
    assert asked == ["The indicator shows that a transaction runs"]

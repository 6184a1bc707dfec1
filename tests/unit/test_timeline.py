"""A bounded view: what it keeps of a long run, and that it grows no more than it should."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench.events import (
    CaseEnded,
    CaseStarted,
    Checked,
    Event,
    FrameReceived,
    Prompted,
    RunEnded,
    StepEnded,
    StepStarted,
)
from bench.journal import Record
from bench.report import sequence
from bench.runview import RunView, fold
from bench.views import CheckView, FrameView, Gap, PromptView
from tests.unit.test_runview import BEGIN, planned

MOST = 20


def heartbeat(number: int) -> FrameReceived:
    return FrameReceived(1, json.dumps([2, f"m{number}", "Heartbeat", {}]))


def checked(verdict: str, frame: int) -> Checked:
    return Checked("It is so", verdict, "1", "2", frame, {})


def long_run(messages: int, failing: tuple[int, ...] = (), *, all_fail: bool = False) -> RunView:
    """Fold a case with one long step; a check fails at the messages that are named."""

    def events() -> Iterator[Event]:
        yield planned(("TC_1_CS", 0))
        yield CaseStarted("TC_1_CS", "t", "M", "core", "p", [])
        yield StepStarted(1, "body", "Wait long")
        n = 3
        for number in range(messages):
            yield heartbeat(number)
            n += 1
            if all_fail or number in failing:
                yield checked("fail", n)
                n += 1
        yield StepEnded(1, "pass", None)
        yield CaseEnded("TC_1_CS", "pass", "completed", None, None, "body", 1.0, [])
        yield RunEnded(True, None, {})

    records = (Record(n, BEGIN, n / 10, event) for n, event in enumerate(events(), start=1))
    return fold(records, MOST)


def test_a_short_step_is_kept_whole() -> None:
    items = long_run(MOST).cases[0].steps[0].items
    assert len(items) == MOST
    assert all(isinstance(item, FrameView) for item in items)


def test_of_a_long_step_both_ends_are_kept_and_the_rest_is_counted() -> None:
    view = long_run(10_000)
    items = view.cases[0].steps[0].items
    assert len(items) == MOST + 1
    assert items[0].n == 4
    assert items[-1].n == 10_003
    (gap,) = (item for item in items if isinstance(item, Gap))
    kept = sum(isinstance(item, FrameView) for item in items)
    assert gap.count + kept == 10_000
    assert gap.last - gap.n + 1 == gap.count
    assert len(list(view.frames)) == kept
    assert view.frame(5000) is None


def test_what_stands_around_a_failed_check_is_kept() -> None:
    items = long_run(10_000, (5000,)).cases[0].steps[0].items
    place = next(i for i, item in enumerate(items) if isinstance(item, CheckView))
    around = [item.n for item in items[place - 12 : place + 5]]
    assert around == list(range(around[0], around[0] + 17))
    assert isinstance(items[place - 13], Gap)
    assert isinstance(items[place + 5], Gap)


def test_where_everything_fails_the_time_line_is_bounded_all_the_same() -> None:
    step = long_run(5000, all_fail=True).cases[0].steps[0]
    assert len(step.checks) == 5000
    assert len(step.items) <= 3 * MOST


def test_prompts_are_kept() -> None:
    view = RunView(MOST)
    events: list[Event] = [planned(("TC_1_CS", 0)), CaseStarted("TC_1_CS", "t", "M", "g", "p", [])]
    events += map(heartbeat, range(100))
    events += [Prompted("p1", "confirm", "Done?", [], "2031-01-01T00:00:00Z", None)]
    events += map(heartbeat, range(1000))
    for n, event in enumerate(events, start=1):
        view.apply(Record(n, BEGIN, n / 10, event))
    assert any(isinstance(item, PromptView) for item in view.cases[0].steps[0].items)


def test_the_sequence_names_the_records_that_are_left_out() -> None:
    case = long_run(1000).cases[0]
    (gap,) = (row for row in sequence.of_case(case) if row.kind == "gap")
    assert gap.label.endswith("entries left out")
    assert gap.detail.startswith("records ")


def test_a_long_sequence_is_printed_with_both_ends_its_steps_and_its_fails() -> None:
    rows = [sequence.Row("frame", n, "", "Heartbeat") for n in range(1, 501)]
    rows[250] = sequence.Row("check", 251, "", "It is so", verdict="fail")
    rows[400] = sequence.Row("step", 0, "", "2. Go on")
    printed = list(sequence.bounded(rows, 60))
    assert printed[:20] == rows[:20]
    assert printed[-20:] == rows[-20:]
    assert rows[250] in printed
    assert rows[400] in printed
    gaps = [row for row in printed if row.kind == "gap"]
    assert gaps[0].detail == "records 21 to 244 of the journal"
    shown = sum(row.kind != "gap" for row in printed)
    assert sum(int(row.label.split()[0]) for row in gaps) + shown == 500
    assert list(sequence.bounded(rows, 500)) == rows


def test_what_was_left_out_before_is_counted_when_more_is() -> None:
    rows = [sequence.Row("frame", n, "", "Heartbeat") for n in range(1, 501)]
    once = list(sequence.bounded(rows, 300))
    twice = list(sequence.bounded(once, 60))
    (gap,) = (row for row in twice if row.kind == "gap")
    assert (gap.label, gap.detail) == ("440 entries left out", "records 31 to 470 of the journal")

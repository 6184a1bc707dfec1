"""The current case: lines that grow, and a list that scrolls along until the operator scrolls."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractSlider
from pytestqt.qtbot import QtBot

from bench.events import (
    CaseEnded,
    CaseStarted,
    Checked,
    Noted,
    Prompted,
    RunStarted,
    StepEnded,
    StepStarted,
)
from bench.runview import fold
from gui.live import LiveRun
from gui.run.case import CasePanel
from gui.run.case_lines import CaseLines, Kind
from tests.gui.asked import record
from tests.gui.recorded import number_of, records, shown


def test_lines_grow_to_what_they_are_when_read_at_once() -> None:
    found = records()
    whole = fold(found)
    # Record by record, as they come while the run goes on.
    run = LiveRun()
    grown: dict[str, CaseLines] = {}
    for one in found:
        run.take([one])
        case = run.view.cases[-1] if not run.view.case else run.view.case
        for known in run.view.cases:
            if known.started is not None:
                grown.setdefault(known.id, CaseLines(known)).advance()
        assert case is not None
    assert len(grown) == len([case for case in whole.cases if case.started])
    for case in whole.cases:
        if case.started is not None:
            lines = CaseLines(case)
            lines.advance()
            assert grown[case.id].lines == lines.lines
            assert [line for line in lines.lines if line.kind is Kind.STEP]


def test_a_failed_check_says_what_was_expected_and_what_came() -> None:
    view = fold(records())
    failed = next(case for case in view.cases if case.verdict == "fail")
    lines = CaseLines(failed)
    lines.advance()
    place = next(
        number
        for number, line in enumerate(lines.lines)
        if line.kind is Kind.CHECK and line.mark == "fail"
    )
    expected, got = lines.lines[place + 1 : place + 3]
    assert (expected.kind, got.kind) == (Kind.DETAIL, Kind.DETAIL)
    assert expected.text.startswith("expected  ")
    assert got.text.startswith("got  ")
    assert [line.text for line in lines.lines if line.text.startswith("The CSMS")] == [
        "The CSMS answers Authorize() with {'idTagInfo': {'status': 'Invalid'}}"
    ]


def test_a_question_is_shown_with_what_the_operator_said() -> None:
    found = records()
    view = fold(found)
    asked = next(one.event for one in found if isinstance(one.event, Prompted))
    lines = [CaseLines(case) for case in view.cases]
    for one in lines:
        one.advance()
    prompts = [line for one in lines for line in one.lines if line.kind is Kind.PROMPT]
    assert prompts[0].text == asked.text
    assert prompts[0].right not in ("", "waits for the operator")


class Case:
    """The panel on a run that the test makes up."""

    def __init__(self, qtbot: QtBot) -> None:
        self.run = LiveRun()
        self.panel = CasePanel(self.run)
        self.panel.resize(700, 400)
        qtbot.addWidget(self.panel)
        self.panel.show()
        self.n = 0
        self.run.restart("r")
        cases = [{"id": name, "title": name} for name in ("TC_1", "TC_2")]
        self.tell(RunStarted("r", "0", 1, {}, {}, cases, [], {}, {}, {}))

    def tell(self, *events: object) -> None:
        """Let something happen."""
        for event in events:
            self.n += 1
            self.run.take([record(self.n, event)])  # type: ignore[arg-type]
        self.run.flush()

    def begin(self, case: str) -> None:
        """Begin a case with a long step."""
        self.tell(CaseStarted(case, case, "M", "core", "Purpose.", []))
        self.tell(StepStarted(1, "body", "A step"), *(Noted(f"{k}") for k in range(60)))

    def is_at_end(self, qtbot: QtBot) -> bool:
        bar = self.panel.list.verticalScrollBar()
        assert bar is not None
        qtbot.waitUntil(lambda: bar.maximum() > 0)
        return bar.value() == bar.maximum()


def test_the_list_scrolls_along_until_the_operator_scrolls(qtbot: QtBot) -> None:
    case = Case(qtbot)
    case.begin("TC_1")
    qtbot.waitUntil(lambda: case.is_at_end(qtbot))
    assert case.panel.is_following
    bar = case.panel.list.verticalScrollBar()
    assert bar is not None
    bar.triggerAction(QAbstractSlider.SliderAction.SliderToMinimum)
    qtbot.waitUntil(lambda: not case.panel.is_following)
    assert case.panel.follow_button.isVisible()
    assert bar.value() == 0
    case.tell(Noted("more"))
    assert bar.value() == 0
    case.panel.follow_button.click()
    qtbot.waitUntil(lambda: case.is_at_end(qtbot))
    assert not case.panel.follow_button.isVisible()


def test_a_case_that_is_looked_at_stays_while_another_runs(qtbot: QtBot) -> None:
    case = Case(qtbot)
    case.begin("TC_1")
    case.tell(StepEnded(1, "fail", "It did not."))
    case.tell(CaseEnded("TC_1", "fail", "completed", "It did not.", None, "body", 1.0, []))
    case.begin("TC_2")
    assert case.panel.case is not None
    assert case.panel.case.id == "TC_2"
    case.panel.look_at("TC_1")
    case.tell(Noted("more"))
    assert case.panel.case.id == "TC_1"
    case.panel.follow()
    assert case.panel.case.id == "TC_2"


def test_a_case_that_was_aborted_is_not_given_a_verdict(qtbot: QtBot) -> None:
    run = LiveRun()
    panel = CasePanel(run)
    qtbot.addWidget(panel)
    found = records()
    at = number_of(CaseStarted, found)
    case = found[at].event
    assert isinstance(case, CaseStarted)
    ended = CaseEnded(case.case, "inconclusive", "aborted", "by Ada", None, "body", 1.0, [])
    shown(run, [*found[: at + 1], record(found[at].n + 1, ended)])
    assert panel._elapsed.text().startswith("Aborted")


def test_what_another_view_points_at_is_found(qtbot: QtBot) -> None:
    run = LiveRun()
    panel = CasePanel(run)
    qtbot.addWidget(panel)
    found = records()
    shown(run, found)
    record, event = next((one, one.event) for one in found if isinstance(one.event, Checked))
    number = record.n
    run.cursor.select(record.mono, number)
    index = panel.list.currentIndex()
    assert panel.model.line(index).record == number
    assert event.text in panel.model.data(index, Qt.ItemDataRole.AccessibleTextRole)

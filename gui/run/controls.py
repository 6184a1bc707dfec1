"""What starts a run, holds it and ends it; the question before an abort never blocks a prompt."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.link import Link
from gui.live import LiveRun
from gui.operator import operator_name
from gui.parts import button, text
from gui.replies import Refusal
from gui.run.answer_keys import SETTLING
from gui.run.plan import PlanPanel

IDLE, GOING_ON, ASKING = range(3)
"""Pages: what starts a run; what holds and ends it; whether it is to end."""
_WANTED = "needs a reason"
"""What a campaign says when it wants to know why a case is run again."""


class Controls(QWidget):
    """Buttons below the plan: those for an idle bench, or those for a run that goes on."""

    told = pyqtSignal(str, str)
    """A key and what the window should tell; no text: it is settled."""

    def __init__(
        self, run: LiveRun, link: Link, plan: PlanPanel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._run = run
        self._link = link
        self._plan = plan
        self._starting = False
        self._asked_at = 0.0
        """When it was asked whether to abort, in s, monotonic."""
        self.start_button = _button("run-start", "Run", self.start, "primary")
        self.again_button = _button("run-failed-again", "Failed again", self.start_failed)
        self.here_button = _button("run-from-here", "From here", self.start_here)
        self.pause_button = _button("run-pause", "Pause", self.pause)
        self.abort_button = _button("run-abort", "Abort…", self.ask_abort, "danger")
        self.sure_button = _button("run-abort-now", "Abort now", self.abort, "danger")
        self.stay_button = _button("run-abort-not", "Let it run", self._look_again)
        self.question = text(wraps=True)
        self._pages = QStackedWidget()
        starting = QWidget()
        rows = QVBoxLayout(starting)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        rows.addWidget(self.start_button)
        rows.addWidget(_row(self.again_button, self.here_button))
        self._pages.addWidget(starting)
        self._pages.addWidget(_row(self.pause_button, self.abort_button))
        asking = QWidget()
        column = QVBoxLayout(asking)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.question)
        column.addWidget(_row(self.sure_button, self.stay_button))
        self._pages.addWidget(asking)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        for signal in (
            plan.model.checks_changed,
            run.begun,
            run.advanced,
            link.session_changed,
            link.state_changed,
        ):
            signal.connect(self._look)
        selection = plan.tree.selectionModel()
        assert selection is not None
        selection.currentChanged.connect(self._look)
        plan.wanted.connect(lambda cases: self.start_cases(cases))
        self._look()

    @property
    def is_going_on(self) -> bool:
        """Tell whether a run goes on, as far as the engine told."""
        going = self._link.session.get("run")
        view = self._run.view
        return going is not None and not (self._run.run == going and view.ended is not None)

    def _look_again(self) -> None:
        self._pages.setCurrentIndex(GOING_ON)
        self._look()

    def _look(self, *_: object) -> None:
        """Show what can be done now."""
        chosen, model = self._plan.model.chosen, self._plan.model
        connected = self._link.state == "connected"
        some = f"Run {len(chosen)} case{'' if len(chosen) == 1 else 's'}"
        self.start_button.setText("The devices are opened…" if self._starting else some)
        self.start_button.setEnabled(bool(chosen) and connected and not self._starting)
        failed = model.not_passed
        self.again_button.setText(f"Failed again ({len(failed)})" if failed else "Failed again")
        self.again_button.setEnabled(bool(failed) and connected and not self._starting)
        entry = model.entry_at(self._plan.tree.currentIndex())
        can = entry is not None and entry.runnable and connected and not self._starting
        self.here_button.setEnabled(can)
        paused = self._run.view.paused
        self.pause_button.setText("Go on" if paused else "Pause")
        aborting = self._run.view.aborted_by is not None
        self.pause_button.setEnabled(connected and not aborting)
        self.abort_button.setEnabled(connected)
        self.abort_button.setText("Cut clean-ups short…" if aborting else "Abort…")
        if not self.is_going_on:
            self._pages.setCurrentIndex(IDLE)
        elif self._pages.currentIndex() == IDLE:
            self._pages.setCurrentIndex(GOING_ON)

    # Starting.

    def start(self) -> None:
        """Run what is chosen."""
        self.start_cases(self._plan.model.chosen)

    def start_failed(self) -> None:
        """Run again what did not pass."""
        self.start_cases(self._plan.model.not_passed)

    def start_alone(self) -> None:
        """Run the case at the cursor alone."""
        entry = self._plan.model.entry_at(self._plan.tree.currentIndex())
        if entry is not None and entry.runnable:
            self.start_cases([entry.id])

    def start_here(self) -> None:
        """Run what is chosen from the cursor on."""
        if self._plan.current is not None:
            self.start_cases(self._plan.model.from_on(self._plan.current))

    def start_cases(self, cases: list[str], reason: str = "") -> None:
        """Ask the engine for a run; the stream tells when it has begun.

        A campaign wants a `reason` for what is run again.
        """
        if not cases or self.is_going_on or self._starting:
            return
        self._starting = True
        self._look()
        body: dict[str, Any] = {"cases": cases}
        if self._plan.dut_wanted:
            body["dut"] = self._plan.dut_wanted
        if reason:
            body["reason"] = reason

        def not_started(refusal: Refusal) -> None:
            self._not_started(refusal)
            if _WANTED in refusal.text and not reason:
                self._ask_reason(cases, refusal.text)

        # Devices are opened before the run begins, and that may take its time.
        self._link.post("/runs", body, self._started, not_started, within=120_000)

    def _ask_reason(self, cases: list[str], why: str) -> None:
        asking = QInputDialog(self)
        asking.setObjectName("reason-dialog")
        asking.setWindowTitle("Why is it run again?")
        asking.setLabelText(f"{why}\n\nThe reason, for the report of the campaign:")
        asking.textValueSelected.connect(
            lambda words: self.start_cases(cases, words.strip()) if words.strip() else None
        )
        asking.open()

    def _started(self, answer: dict[str, Any]) -> None:
        self._starting = False
        refused = answer.get("refused") or []
        self.told.emit("start", "; ".join(f"Not run: {one}" for one in refused))
        self._link.refresh()
        self._look()

    def _not_started(self, refusal: Refusal) -> None:
        self._starting = False
        self.told.emit("start", f"The run was not started: {refusal.text}")
        self._look()

    # Holding and ending.

    def pause(self) -> None:
        """Hold the run at its next step, or let it go on."""
        self._control("resume" if self._run.view.paused else "pause")

    def ask_abort(self) -> None:
        """Ask whether to abort, beside whatever the bench asks; asked for again, abort."""
        if not self.is_going_on:
            return
        if self._pages.currentIndex() == ASKING:
            if monotonic() - self._asked_at >= SETTLING:
                self.abort()
            return
        self._asked_at = monotonic()
        aborting = self._run.view.aborted_by is not None
        self.question.setText(
            "Cut the clean-ups short? The lab is made safe all the same. Ctrl+Shift+A again does."
            if aborting
            else "Abort the run? The lab is made safe; the case that runs gets no verdict. "
            "Ctrl+Shift+A again aborts."
        )
        self.sure_button.setText("Cut short" if aborting else "Abort now")
        self._pages.setCurrentIndex(ASKING)

    def abort(self) -> None:
        """End the run with the lab safe."""
        self._pages.setCurrentIndex(GOING_ON)
        self._control("abort")

    def _control(self, word: str) -> None:
        run = self._link.session.get("run")
        if run is not None:
            self._link.post(f"/runs/{run}/{word}", {"by": operator_name()}, lambda _: None)


def _button(name: str, words: str, act: Callable[[], object], role: str = "") -> QPushButton:
    made = button(words, act, name=words.rstrip("…"), role=role)
    made.setObjectName(name)
    return made


def _row(*buttons: QPushButton) -> QWidget:
    widget = QWidget()
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for one in buttons:
        row.addWidget(one, 1)
    return widget

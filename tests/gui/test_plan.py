"""The plan: what is shown of it, what is chosen, and what is started of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PyQt6.QtCore import QModelIndex, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QInputDialog, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from bench.events import CaseEnded, CaseStarted, RunEnded, RunStarted
from gui.banner import Banner
from gui.live import LiveRun
from gui.replies import Refusal
from gui.run.case import CasePanel
from gui.run.controls import Controls
from gui.run.plan import PlanPanel
from gui.run.plan_delegate import PlanDelegate
from tests.gui.asked import AskedLink
from tests.gui.recorded import number_of, records, shown

hand: Any = QTest
"""Its stubs take what are static methods for others."""


def procedure(name: str, group: str = "core", outcome: str = "runnable") -> dict[str, Any]:
    why = None if outcome == "runnable" else "needs C-07"
    return {
        "id": name,
        "title": f"Title of {name}",
        "group": group,
        "mark": "-" if name == "000_RESET" else "M",
        "outcome": outcome,
        "reason": why,
    }


PROCEDURES = [
    procedure("000_RESET", "restore"),
    procedure("TC_903_CS"),
    procedure("TC_902_CS"),
    procedure("TC_901_CS"),
    procedure("TC_905_CS", "other", "not-applicable"),
]


class Plan:
    """The plan and its controls on a link that notes what is asked."""

    def __init__(self, qtbot: QtBot) -> None:
        self.run, self.link = LiveRun(), AskedLink()
        self.run.follow(self.link)
        self.link.answers["/procedures"] = PROCEDURES
        self.panel = PlanPanel(self.run, self.link)
        self.controls = Controls(self.run, self.link, self.panel)
        self.model = self.panel.model
        for widget in (self.panel, self.controls):
            qtbot.addWidget(widget)
            widget.show()
        self.tell(run=None)

    def tell(self, **session: Any) -> None:
        """Let the engine tell its session."""
        self.link.session = {"run": None, "duts": [], **session}
        self.link.session_changed.emit(self.link.session)

    @property
    def shown(self) -> list[str]:
        """The ids that can be seen."""
        return [one.id for group in self.model.groups for one in group.entries]

    @property
    def started(self) -> list[list[str]]:
        """What the engine was asked to run."""
        return [body["cases"] for body in self.link.posts("/runs")]


def test_what_would_run_is_chosen_and_the_rest_is_hidden_but_there(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    assert plan.shown == ["000_RESET", "TC_903_CS", "TC_902_CS", "TC_901_CS"]
    assert plan.model.chosen == ["TC_903_CS", "TC_902_CS", "TC_901_CS"]
    plan.panel.filter.setCurrentText("All cases")
    assert plan.shown[-1] == "TC_905_CS"
    index = plan.model.index_of("TC_905_CS")
    assert "needs C-07" in plan.model.data(index, Qt.ItemDataRole.ToolTipRole)
    assert not plan.model.flags(index) & Qt.ItemFlag.ItemIsUserCheckable


def test_a_search_finds_ids_and_titles(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    plan.panel.search.setText("902 title")
    assert plan.shown == ["TC_902_CS"]
    # What the search hides stays chosen.
    assert len(plan.model.chosen) == 3
    plan.panel.search.setText("no such case")
    assert plan.shown == []


def test_a_group_is_chosen_as_a_whole(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    group = plan.model.index(1, 0)
    state = Qt.ItemDataRole.CheckStateRole
    assert plan.model.data(group, state) == Qt.CheckState.Checked
    plan.model.check(["TC_902_CS"], False)
    assert plan.model.data(group, state) == Qt.CheckState.PartiallyChecked
    plan.model.setData(group, Qt.CheckState.Unchecked, state)
    assert plan.model.chosen == []
    assert not plan.controls.start_button.isEnabled()


def test_a_click_on_a_box_chooses_where_the_box_is_painted(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    tree = plan.panel.tree
    index = plan.model.index_of("TC_902_CS")
    delegate, option = tree.itemDelegate(), QStyleOptionViewItem()
    assert isinstance(delegate, PlanDelegate)
    option.rect = tree.visualRect(index)
    place = delegate.box_at(option.rect).center()
    hand.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert plan.model.chosen == ["TC_903_CS", "TC_901_CS"]
    tree.setCurrentIndex(index)
    hand.keyClick(tree, Qt.Key.Key_Space)
    assert plan.model.chosen == ["TC_903_CS", "TC_902_CS", "TC_901_CS"]


def test_a_run_is_started_of_what_is_chosen_from_here_on_or_again(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    assert plan.controls.start_button.text() == "Run 3 cases"
    plan.link.refusal = Refusal(409, "the bench is in use")
    with qtbot.waitSignal(plan.controls.told) as told:
        plan.controls.start()
    assert told.args == ["start", "The run was not started: the bench is in use"]
    plan.panel.tree.setCurrentIndex(plan.model.index_of("TC_902_CS"))
    plan.controls.start_here()
    found = records()
    shown(plan.run, found[: number_of(CaseEnded, found) + 1])
    failed = plan.model.not_passed
    plan.controls.start_failed()
    assert plan.started == [
        ["TC_903_CS", "TC_902_CS", "TC_901_CS"],
        ["TC_902_CS", "TC_901_CS"],
        failed,
    ]
    assert len(failed) == 1


def test_verdicts_come_with_the_records(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    shown(plan.run, records())
    marks = {entry.id: entry.shown for entry in plan.model.entries.values() if entry.view}
    assert marks == {case.id: case.verdict for case in plan.run.view.cases}
    plan.panel.filter.setCurrentText("Not passed")
    assert plan.shown == plan.model.not_passed
    worst = plan.model.data(plan.model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert "Fail" in worst
    # Another run starts over.
    plan.run.restart("another")
    assert plan.model.not_passed == []


def test_the_cursor_and_closed_groups_stay_when_the_list_is_made_anew(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    plan.panel.search.setText("903")
    plan.panel.search.returnPressed.emit()
    assert plan.panel.current == "TC_903_CS"
    plan.panel.search.clear()
    plan.panel.go_to("TC_902_CS")
    pointed: list[str] = []
    plan.panel.pointed.connect(pointed.append)
    plan.panel.tree.collapse(plan.model.index(0, 0))
    plan.panel.ask()
    assert plan.panel.current == "TC_902_CS"
    assert not plan.panel.tree.isExpanded(plan.model.index(0, 0))
    # A case that the filter lets go meanwhile takes the cursor with it, and no group is opened.
    plan.panel.search.setText("903")
    plan.panel.search.clear()
    assert plan.panel.tree.isExpanded(plan.model.index(1, 0))
    assert not plan.panel.tree.isExpanded(plan.model.index(0, 0))
    assert pointed == []


def test_an_engine_that_is_back_is_asked_for_its_plan_again(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    refused: list[Refusal] = []
    plan.link.refused.connect(refused.append)
    plan.link.refusal = Refusal(0, "nothing answers")
    plan.panel.ask()
    assert refused == []  # the window tells already that the connection is lost
    plan.link.refusal = Refusal(422, "dut.toml: wrong")
    plan.panel.ask()
    assert refused == [plan.link.refusal]
    plan.link.refusal = None
    plan.link.answers["/procedures"] = [*PROCEDURES, procedure("TC_906_CS")]
    for state in ("lost", "connected"):
        plan.link.state = state
        plan.link.state_changed.emit(state)
    assert "TC_906_CS" in plan.shown


def test_a_run_that_is_cut_short_is_not_shown_as_running(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    banner, case = Banner(plan.run, plan.link), CasePanel(plan.run)
    for widget in (banner, case):
        qtbot.addWidget(widget)
    found = records()
    shown(plan.run, found[: number_of(CaseStarted, found) + 1])
    name = plan.run.view.cases[0].id
    # The record came before the engine told of the run.
    assert banner.state == ("RUNNING", "running")
    plan.tell(run=plan.run.run)
    assert banner.state == ("RUNNING", "running")
    plan.tell(run=None)
    assert banner.state == ("UNFINISHED", "error")
    assert "left" not in banner.headline[1]
    assert plan.model.entries[name].shown == "cut"
    assert "cut" in [group.worst for group in plan.model.groups]
    assert case._elapsed.text().startswith("Cut short")
    assert plan.model.not_passed == [name]
    shown(plan.run, found)
    assert banner.state == ("FAIL", "fail")
    assert plan.model.entries[name].shown == "fail"


def test_a_run_without_any_case_has_no_verdict(qtbot: QtBot) -> None:
    run = LiveRun()
    banner = Banner(run, None)
    qtbot.addWidget(banner)
    begun, *_ = records()
    assert isinstance(begun.event, RunStarted)
    begun = replace(begun, event=replace(begun.event, cases=[]))
    shown(run, [begun, replace(begun, n=2, event=RunEnded(True, None, {}))])
    assert banner.state == ("NO VERDICT", "none")
    shown(run, [begun, replace(begun, n=2, event=RunEnded(False, "no device", {}))])
    assert banner.state == ("INCOMPLETE", "inconclusive")


def test_an_abort_is_asked_for_twice_and_a_run_can_be_held(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    found = records()
    shown(plan.run, found[: number_of(CaseEnded, found) + 1])
    run = plan.run.run
    plan.tell(run=run)
    assert plan.controls.pause_button.isVisible()
    assert not plan.controls.start_button.isVisible()
    plan.controls.pause()
    plan.controls.abort_button.click()
    assert plan.link.posts(f"/runs/{run}/abort") == []
    assert "made safe" in plan.controls.question.text()
    plan.controls.stay_button.click()
    assert plan.controls.pause_button.isVisible()
    plan.controls.abort_button.click()
    plan.controls.sure_button.click()
    assert len(plan.link.posts(f"/runs/{run}/abort")) == 1
    assert len(plan.link.posts(f"/runs/{run}/pause")) == 1
    # Nothing can be started while it goes on.
    plan.controls.start()
    assert plan.started == []


def test_one_of_several_duts_is_named(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    plan.tell(duts=[{"vendor": "V", "model": "M", "identity": name} for name in ("A", "B")])
    assert plan.panel.dut.isVisible()
    plan.link.answers["/procedures?dut=B"] = PROCEDURES
    plan.panel.dut.setCurrentIndex(1)
    plan.controls.start()
    assert plan.link.posts("/runs")[0]["dut"] == "B"
    assert QModelIndex() == plan.model.index_of("no such case")


def test_a_campaign_is_told_why_a_case_is_run_again(qtbot: QtBot) -> None:
    plan = Plan(qtbot)
    plan.link.refusal = Refusal(409, "TC_902_CS has a result: to run it again needs a reason")
    plan.controls.start_cases(["TC_902_CS"])
    asking = plan.controls.findChild(QInputDialog, "reason-dialog")
    assert asking is not None
    assert "TC_902_CS has a result" in asking.labelText()
    plan.link.refusal = None
    asking.setTextValue("The cable was loose")
    asking.accept()
    assert plan.link.posts("/runs")[-1] == {
        "cases": ["TC_902_CS"],
        "reason": "The cable was loose",
    }

"""The plan beside the current case: search, filter, tree, and what to start of it."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QModelIndex, QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from bench.events import CaseEnded, CaseStarted, RunStarted
from bench.journal import Record
from gui.link import Link
from gui.live import LiveRun
from gui.palette import px
from gui.replies import Refusal
from gui.run.plan_delegate import PlanDelegate
from gui.run.plan_entries import ALL, FILTERS, OF_REPLAY
from gui.run.plan_model import PlanModel

_TICKS = 30
"""Ticks between two looks at the duration of the running case."""


class PlanPanel(QWidget):
    """Shows the plan, and lets cases be chosen; without a link it is that of a recorded run."""

    pointed = pyqtSignal(str)
    """A case that the operator wants to look at."""
    wanted = pyqtSignal(list)
    """Cases that are to run."""

    def __init__(self, run: LiveRun, link: Link | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._link = link
        self._ticks = 0
        self._duts: tuple[str, ...] = ()
        self._left: tuple[str | None, set[str], int] = None, set(), 0
        """Case at the cursor, groups that are closed, and what was scrolled before a reset."""
        self._returns = False
        self.model = PlanModel(self, recorded=link is None)
        self.search = QLineEdit()
        self.search.setObjectName("plan-search")
        self.search.setAccessibleName("Search the plan")
        self.search.setPlaceholderText("Search (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._to_first)
        self.filter = QComboBox()
        self.filter.setObjectName("plan-filter")
        self.filter.setAccessibleName("Which cases are shown")
        self.filter.addItems(OF_REPLAY if link is None else FILTERS)
        self.filter.currentTextChanged.connect(self._filter)
        self.dut = QComboBox()
        self.dut.setObjectName("plan-dut")
        self.dut.setAccessibleName("DUT that runs are started on")
        self.dut.currentIndexChanged.connect(self.ask)
        self.dut.hide()
        self.tree = self._make_tree()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.addWidget(self.search, 1)
        row.addWidget(self.filter)
        column.addWidget(self.dut)
        column.addLayout(row)
        column.addWidget(self.tree, 1)
        run.begun.connect(self._begun)
        run.advanced.connect(self._advanced)
        run.cut_changed.connect(self._begun)
        run.ticked.connect(self._ticked)
        if link is not None:
            link.session_changed.connect(self._session)
            link.state_changed.connect(self._connected)

    def _make_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setObjectName("plan-tree")
        tree.setAccessibleName("Plan: groups and cases")
        tree.setModel(self.model)
        tree.setItemDelegate(PlanDelegate(tree))
        tree.setProperty("role", "plain")
        tree.setIndentation(px(18))
        tree.setHeaderHidden(True)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if self._link is not None:
            tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            tree.customContextMenuRequested.connect(self._menu)
        self.model.modelAboutToBeReset.connect(self._leave)
        self.model.modelReset.connect(self._return)
        selection = tree.selectionModel()
        assert selection is not None
        selection.currentChanged.connect(self._current_changed)
        return tree

    @property
    def dut_wanted(self) -> str | None:
        """The identity of the DUT to run on; None when there is only one."""
        return str(self.dut.currentData()) if self.dut.count() > 1 else None

    @property
    def current(self) -> str | None:
        """The case that the cursor is on."""
        entry = self.model.entry_at(self.tree.currentIndex())
        return None if entry is None else entry.id

    def ask(self) -> None:
        """Ask the engine for its procedures."""
        if self._link is None or not self._link.session:
            return
        query = f"?dut={self.dut_wanted}" if self.dut_wanted else ""
        self._link.get(f"/procedures{query}", self._take_procedures, self._not_told)

    def _not_told(self, refusal: Refusal) -> None:
        """Tell a refusal; without any answer the connection is lost, and it is asked again."""
        if refusal.status and self._link is not None:
            self._link.refused.emit(refusal)

    def _take_procedures(self, procedures: list[dict[str, Any]]) -> None:
        self.model.set_procedures(procedures)

    def show_case(self, case: str) -> None:
        """Bring a case into view, as the one that runs."""
        index = self.model.index_of(case)
        if index.isValid():
            self.tree.scrollTo(index)

    def go_to(self, case: str) -> None:
        """Put the cursor on a case, whatever hides it now."""
        if not self.model.index_of(case).isValid():
            self.search.clear()
            self.filter.setCurrentText(ALL)
        self.tree.setCurrentIndex(self.model.index_of(case))
        self.tree.setFocus()

    # What changes.

    def _connected(self, state: str) -> None:
        """Ask again when the engine is back: it may have been started with other files."""
        if state == "connected" and self.model.entries:
            self.ask()

    def _session(self, session: dict[str, Any]) -> None:
        duts = tuple(one["identity"] for one in session.get("duts", ()))
        if duts == self._duts and self.model.entries:
            return
        self._duts = duts
        self.dut.blockSignals(True)
        self.dut.clear()
        for one in session.get("duts", ()):
            self.dut.addItem(f"{one['vendor']} {one['model']} ({one['identity']})", one["identity"])
        self.dut.blockSignals(False)
        self.dut.setVisible(len(duts) > 1)
        self.ask()

    def _begun(self) -> None:
        self.model.set_cases(self._run.view.cases, is_cut=self._run.is_cut)

    def _advanced(self, records: list[Record]) -> None:
        view = self._run.view
        if any(isinstance(record.event, RunStarted) for record in records):
            self.model.set_cases(view.cases)
            return
        events = (record.event for record in records)
        names = {one.case for one in events if isinstance(one, CaseStarted | CaseEnded)}
        if names:
            self.model.refresh([case for case in view.cases if case.id in names])

    def _ticked(self) -> None:
        self._ticks += 1
        if self._ticks >= _TICKS:
            self._ticks = 0
            if self._run.view.case is not None:
                self.model.refresh([self._run.view.case])

    def _filter(self) -> None:
        self.model.show_only(self.filter.currentText(), self.search.text())

    # What stays when the list is made anew.

    def _leave(self) -> None:
        closed = {
            group.name
            for row, group in enumerate(self.model.groups)
            if not self.tree.isExpanded(self.model.index(row, 0))
        }
        bar = self.tree.verticalScrollBar()
        hidden = self._left[1] - {group.name for group in self.model.groups}
        self._left = self.current, closed | hidden, bar.value() if bar is not None else 0

    def _return(self) -> None:
        case, closed, scrolled = self._left
        self.tree.expandAll()
        for row, group in enumerate(self.model.groups):
            if group.name in closed:
                self.tree.collapse(self.model.index(row, 0))
        if case is not None:
            self._returns = True
            self.tree.setCurrentIndex(self.model.index_of(case))
            self._returns = False
        bar = self.tree.verticalScrollBar()
        if bar is not None:
            bar.setValue(scrolled)

    # What the operator does.

    def _current_changed(self, current: QModelIndex) -> None:
        entry = self.model.entry_at(current)
        if entry is not None and not self._returns:
            self.pointed.emit(entry.id)

    def _to_first(self) -> None:
        """Go to the first case that was found."""
        found = [one.id for group in self.model.groups for one in group.entries]
        if found:
            self.go_to(found[0])

    def _menu(self, place: QPoint) -> None:
        index = self.tree.indexAt(place)
        entry = self.model.entry_at(index)
        shown = [one.id for group in self.model.groups for one in group.entries]
        menu = QMenu(self)
        if entry is not None:
            only = menu.addAction(f"Run {entry.id} alone")
            later = menu.addAction("Run from here")
            for action, ids in ((only, [entry.id]), (later, self.model.from_on(entry.id))):
                assert action is not None
                action.setEnabled(entry.runnable)
                action.triggered.connect(lambda _, ids=ids: self.wanted.emit(ids))
            menu.addSeparator()
        for text, checked in (("Choose all shown", True), ("Choose none of those shown", False)):
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _, c=checked: self.model.check(shown, c))
        viewport = self.tree.viewport()
        assert viewport is not None
        menu.exec(viewport.mapToGlobal(place))

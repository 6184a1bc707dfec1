"""The plan as a tree: groups and their cases, with what a run made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PyQt6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, pyqtSignal

from bench.views import CaseView
from gui.palette import mark_of
from gui.run.plan_entries import ALL, BAD, WOULD_RUN, Entry, Group

_GROUP = 0
"""Internal id of an index that is a group; that of a case is the number of its group plus 1."""


class PlanModel(QAbstractItemModel):
    """Groups and cases; what is checked will run, unless it is the plan of a recorded run."""

    checks_changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None, *, recorded: bool = False) -> None:
        super().__init__(parent)
        self._recorded = recorded
        self.entries: dict[str, Entry] = {}
        """All cases by id, in the order of the suite."""
        self.groups: list[Group] = []
        """Those that the filter lets through."""
        self._filter, self._words = ALL if recorded else WOULD_RUN, ""

    # What it shows.

    def set_procedures(self, procedures: Iterable[dict[str, Any]]) -> None:
        """Take the engine's list of procedures; what was checked before stays so."""
        before = self.entries
        self.entries = {}
        for one in procedures:
            entry = Entry(
                id=one["id"],
                title=one["title"],
                group=one["group"],
                mark=one["mark"],
                outcome=one["outcome"],
                reason=one["reason"] or "",
            )
            old = before.get(entry.id)
            entry.checked = entry.runnable and (old.checked if old else entry.mark != "-")
            entry.view = old.view if old else None
            self.entries[entry.id] = entry
        for old in before.values():
            if old.view is not None:
                self.entries.setdefault(old.id, old)
        self._arrange()

    def set_cases(self, cases: Iterable[CaseView], *, is_cut: bool = False) -> None:
        """Take the cases of another run, which may have been cut short."""
        for entry in self.entries.values():
            entry.view = None
        for case in cases:
            entry = self._entry(case)
            entry.view, entry.is_cut = case, is_cut
        self._arrange()

    def refresh(self, cases: Iterable[CaseView]) -> None:
        """Show anew what became of some cases."""
        moved = False
        for case in cases:
            entry = self._entry(case)
            entry.view = case
            place = self._place(entry)
            moved |= entry.passes(self._filter, self._words) != (place is not None)
            if place is not None:
                group, row = place
                above = self.index(group, 0)
                index = self.index(row, 0, above)
                self.dataChanged.emit(index, index)
                self.dataChanged.emit(above, above)
        if moved:
            self._arrange()

    def _entry(self, case: CaseView) -> Entry:
        return self.entries.setdefault(case.id, Entry(case.id, case.title, case.group, case.mark))

    def show_only(self, name: str, words: str) -> None:
        """Filter by state and by words of id and title."""
        self._filter, self._words = name, words.lower().strip()
        self._arrange()

    def _arrange(self) -> None:
        self.beginResetModel()
        groups: dict[str, Group] = {}
        for entry in self.entries.values():
            if entry.passes(self._filter, self._words):
                groups.setdefault(entry.group, Group(entry.group)).entries.append(entry)
        self.groups = list(groups.values())
        self.endResetModel()
        self.checks_changed.emit()

    # What is chosen.

    @property
    def chosen(self) -> list[str]:
        """The ids that are checked, in the order of the suite, whatever the filter hides."""
        return [entry.id for entry in self.entries.values() if entry.checked]

    @property
    def not_passed(self) -> list[str]:
        """The ids whose case ended otherwise than with pass."""
        return [entry.id for entry in self.entries.values() if entry.shown in BAD]

    def from_on(self, case: str) -> list[str]:
        """Return the checked ids from a case on, which counts whether or not it is checked."""
        ids = list(self.entries)
        later = ids[ids.index(case) :] if case in self.entries else []
        return [one for one in later if one == case or self.entries[one].checked]

    def check(self, ids: Iterable[str], checked: bool) -> None:
        """Check cases or leave them out."""
        for one in ids:
            if self.entries[one].runnable:
                self.entries[one].checked = checked
        if self.groups:
            last = len(self.groups) - 1
            self.dataChanged.emit(self.index(0, 0), self.index(last, 0))
            for number, group in enumerate(self.groups):
                above = self.index(number, 0)
                inside = self.index(len(group.entries) - 1, 0, above)
                self.dataChanged.emit(self.index(0, 0, above), inside)
        self.checks_changed.emit()

    # Where a case is.

    def entry_at(self, index: QModelIndex) -> Entry | None:
        """Return the case of an index; None for a group."""
        if not index.isValid() or index.internalId() == _GROUP:
            return None
        return self.groups[index.internalId() - 1].entries[index.row()]

    def index_of(self, case: str) -> QModelIndex:
        """Return the index of a case; invalid while the filter hides it."""
        entry = self.entries.get(case)
        place = None if entry is None else self._place(entry)
        if place is None:
            return QModelIndex()
        return self.index(place[1], 0, self.index(place[0], 0))

    def _place(self, entry: Entry) -> tuple[int, int] | None:
        for number, group in enumerate(self.groups):
            if group.name == entry.group:
                for row, one in enumerate(group.entries):
                    if one is entry:
                        return number, row
        return None

    # Qt's interface.

    def index(self, row: int, column: int, parent: QModelIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        """Return the index of a row."""
        if not parent.isValid():
            inside = 0 <= row < len(self.groups)
            return self.createIndex(row, column, _GROUP) if inside else QModelIndex()
        entries = self.groups[parent.row()].entries
        inside = 0 <= row < len(entries)
        return self.createIndex(row, column, parent.row() + 1) if inside else QModelIndex()

    def parent(self, child: QModelIndex = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008
        """Return the group of a case."""
        if not child.isValid() or child.internalId() == _GROUP:
            return QModelIndex()
        return self.createIndex(child.internalId() - 1, 0, _GROUP)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Count the groups, or the cases of one."""
        if not parent.isValid():
            return len(self.groups)
        if parent.internalId() != _GROUP or parent.column():
            return 0
        return len(self.groups[parent.row()].entries)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Count the columns."""
        return 1

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Let what would run be checked."""
        found = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        entry = self.entry_at(index)
        if not self._recorded and (entry is None or entry.runnable):
            found |= Qt.ItemFlag.ItemIsUserCheckable
        return found

    def setData(  # noqa: N802
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Check a case, or all of a group."""
        if role != Qt.ItemDataRole.CheckStateRole or self._recorded:
            return False
        entry = self.entry_at(index)
        ids = [entry.id] if entry else [one.id for one in self.groups[index.row()].entries]
        self.check(ids, Qt.CheckState(value) != Qt.CheckState.Unchecked)
        return True

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Tell what an index shows; how it looks is the delegate's."""
        if role == Qt.ItemDataRole.CheckStateRole and self._recorded:
            return None
        entry = self.entry_at(index)
        if entry is None:
            return _of_group(self.groups[index.row()], role)
        return _of_entry(entry, role)


def _of_group(group: Group, role: int) -> Any:
    match role:
        case Qt.ItemDataRole.DisplayRole:
            return group.title
        case Qt.ItemDataRole.CheckStateRole:
            checked = {entry.checked for entry in group.entries if entry.runnable}
            if checked == {True, False}:
                return Qt.CheckState.PartiallyChecked
            return Qt.CheckState.Checked if True in checked else Qt.CheckState.Unchecked
        case Qt.ItemDataRole.AccessibleTextRole:
            return f"Group {group.title}, {mark_of(group.worst).word if group.worst else ''}"
        case _:
            return None


def _of_entry(entry: Entry, role: int) -> Any:
    shown = entry.shown
    match role:
        case Qt.ItemDataRole.DisplayRole:
            return f"{entry.id}  {entry.title}"
        case Qt.ItemDataRole.CheckStateRole if entry.runnable:
            return Qt.CheckState.Checked if entry.checked else Qt.CheckState.Unchecked
        case Qt.ItemDataRole.ToolTipRole:
            why = f"\n{entry.reason}" if entry.reason else ""
            ended = entry.view.reason if entry.view is not None else None
            return f"{entry.id}  {entry.title}{why}" + (f"\n{ended}" if ended else "")
        case Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.id} {entry.title}, {mark_of(shown).word if shown else 'not run yet'}"
        case _:
            return None

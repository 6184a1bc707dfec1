"""The runs of this lab as a table: newest first, filtered by words and by state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt

from bench.clock import from_iso

COLUMNS = ("Date", "DUT", "Software", "Cases", "Verdicts", "State", "Signed")
VERDICTS = ("pass", "fail", "inconclusive", "error")
ROW = Qt.ItemDataRole.UserRole
"""Role under which a row is given whole."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in short."""

    run: str
    state: str
    """running, ended or unfinished."""
    started: datetime
    complete: bool | None
    reason: str
    dut: str
    identity: str
    software: str
    bench: str
    cases: int
    counts: Mapping[str, int] | None
    signed: bool
    void: str
    """Why it does not count any more; empty: it counts."""

    @property
    def word(self) -> str:
        """How it ended, in a word or two."""
        if self.state != "ended":
            return self.state
        if self.void:
            return "void"
        return "complete" if self.complete else "incomplete"

    @property
    def verdicts(self) -> str:
        """Its counts in words; what is 0 is left out."""
        some = [f"{n} {name}" for name in VERDICTS if (n := (self.counts or {}).get(name, 0))]
        return ", ".join(some) or ("none" if self.counts is not None else "")

    @property
    def when(self) -> str:
        """When it began, in local time."""
        return f"{self.started.astimezone():%Y-%m-%d %H:%M}"

    @property
    def searched(self) -> str:
        """All that a filter looks at."""
        parts = (self.run, self.when, self.dut, self.identity, self.software, self.bench)
        return " ".join((*parts, self.word, self.verdicts)).lower()


def read_run(one: Mapping[str, Any]) -> RunRow:
    """Read a run as the engine lists it."""
    dut = one.get("dut") or {}
    return RunRow(
        run=str(one["run"]),
        state=str(one["state"]),
        started=from_iso(one["started"]),
        complete=one.get("complete"),
        reason=str(one.get("reason") or ""),
        dut=f"{dut.get('vendor', '')} {dut.get('model', '')}".strip(),
        identity=str(dut.get("identity", "")),
        software=str(dut.get("software", "")),
        bench=str(one.get("bench", "")),
        cases=int(one.get("cases") or 0),
        counts=one.get("counts"),
        signed=one["signer"] is not None,
        void=one["void"] or "",
    )


class RunsModel(QAbstractTableModel):
    """The rows that fit the filter; the model is reset when they change."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[RunRow] = []
        self.rows: list[RunRow] = []
        self._words: list[str] = []
        self._only = ""

    def take(self, runs: Sequence[RunRow]) -> None:
        """Take all runs, in whatever order."""
        self.all = sorted(runs, key=lambda one: (one.started, one.run), reverse=True)
        self._sift()

    def sift(self, words: str, only: str) -> None:
        """Show runs that have all words, and of one state if `only` names one."""
        self._words, self._only = words.lower().split(), only
        self._sift()

    def _sift(self) -> None:
        self.beginResetModel()
        self.rows = [one for one in self.all if self._fits(one)]
        self.endResetModel()

    def _fits(self, one: RunRow) -> bool:
        if self._only == "failed":
            fits = any((one.counts or {}).get(name) for name in VERDICTS[1:])
        else:
            fits = self._only in ("", one.word)
        return fits and all(word in one.searched for word in self._words)

    def row_of(self, run: str) -> int | None:
        """Find a run among the rows that are shown."""
        return next((i for i, one in enumerate(self.rows) if one.run == run), None)

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Count the rows."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Count the columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Name the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give a cell's text, its row, and what assistive tools read."""
        one = self.rows[index.row()]
        if role == ROW:
            return one
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(one, COLUMNS[index.column()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (one.run, one.reason, one.void)))
        return None

    @staticmethod
    def _text(one: RunRow, column: str) -> str:
        match column:
            case "Date":
                return one.when
            case "DUT":
                return f"{one.dut}  {one.identity}".strip()
            case "Software":
                return one.software
            case "Cases":
                return str(one.cases)
            case "Verdicts":
                return one.verdicts
            case "State":
                return one.word
            case _:
                return "✓ signed" if one.signed else ""

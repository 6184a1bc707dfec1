"""The Results screen: all runs of this lab; open, verify, compare, replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QItemSelectionModel, Qt, QTemporaryDir, QUrl
from PyQt6.QtGui import QCloseEvent, QDesktopServices, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gui.fetch import RunFetch
from gui.link import Link, Refusal
from gui.live import LiveRun
from gui.palette import px
from gui.parts import GRID, Empty, Notice, button, counted, deed, muted, sized, text
from gui.recording import Recording
from gui.results.cells import Cells
from gui.results.comparison import Comparison
from gui.results.details import Details
from gui.results.runs import COLUMNS, RunRow, RunsModel, read_run

if TYPE_CHECKING:
    from gui.replay_window import ReplayWindow

STATES = (
    ("All states", ""),
    ("Not passed", "failed"),
    ("Complete", "complete"),
    ("Incomplete", "incomplete"),
    ("Unfinished", "unfinished"),
    ("Void", "void"),
)
NARROW = 1120
"""Width in pixels below which the table spares columns."""
SPARED = ("Software", "Cases", "Signed")
LONG = 600_000
"""Milliseconds that a verification or a report of a long run may take."""


class ResultsScreen(QWidget):
    """All runs as a table, the chosen one beside it; a comparison takes the whole place."""

    title = "Results"

    def __init__(
        self,
        run: LiveRun,
        link: Link,
        *,
        view: Callable[[QUrl], object] = QDesktopServices.openUrl,
    ) -> None:
        super().__init__()
        self._run, self._link, self._view = run, link, view
        self.replays: list[ReplayWindow] = []
        self._folder = QTemporaryDir()
        self._asked = 0
        """How often it was asked for the runs."""
        self._verifying = ""
        self._fetching: RunFetch | None = None
        self.model = RunsModel()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search date, DUT, software, verdict (Ctrl+F)")
        self.search.setAccessibleName("Search the runs")
        self.search.setClearButtonEnabled(True)
        self.state = QComboBox()
        self.state.setAccessibleName("Show runs of this state")
        for words, only in STATES:
            self.state.addItem(words, only)
        self.count = muted()
        self.table = QTableView()
        self.details = Details()
        self.notice = Notice()
        self.empty = Empty(
            "No run yet",
            "Choose cases on the Run screen (Ctrl+1) and start them. Each run is kept here, "
            "whatever became of it.",
        )
        self.comparison = Comparison(link)
        self.pages = QStackedWidget()
        self._dress_table()
        self._arrange()
        self.search.textChanged.connect(self._sift)
        self.state.currentIndexChanged.connect(self._sift)
        self.details.wanted.connect(self._do)
        self.comparison.left.connect(lambda: self.pages.setCurrentIndex(0))
        self.deeds = [
            deed(self, "search-runs", "Search the runs", self.search.setFocus, "Ctrl+F"),
            deed(self, "open-report", "Open the report", lambda: self._do("html"), "Ctrl+O"),
            deed(self, "verify-run", "Verify the run", lambda: self._do("verify"), "Ctrl+E"),
            deed(self, "replay-run", "Replay the run", lambda: self._do("replay"), "Ctrl+R"),
            deed(self, "compare-runs", "Compare two runs", lambda: self._do("compare"), "Ctrl+D"),
            deed(self, "refresh-runs", "Refresh the list of runs", self.refresh, "F5"),
        ]
        run.begun.connect(self._changed)
        link.session_changed.connect(self._session_changed)

    def _dress_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setItemDelegate(Cells(table))
        table.setAccessibleName("Runs of this lab")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        side, top = table.verticalHeader(), table.horizontalHeader()
        selection = table.selectionModel()
        assert side is not None
        assert top is not None
        assert selection is not None
        side.hide()
        top.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        top.setHighlightSections(False)
        sized(table, self._fit)
        top.setSectionResizeMode(COLUMNS.index("DUT"), QHeaderView.ResizeMode.Stretch)
        selection.selectionChanged.connect(lambda *_: self._chosen_changed())
        table.doubleClicked.connect(lambda _index: self._do("html"))

    def _fit(self) -> None:
        side = self.table.verticalHeader()
        if side is not None:
            side.setDefaultSectionSize(px(36))
        for column, width in enumerate((170, 260, 100, 64, 160, 130, 96)):
            self.table.setColumnWidth(column, px(width))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(text("Results", "title"))
        head.addSpacing(2 * GRID)
        head.addWidget(self.count)
        head.addStretch(1)
        sized(self.search, lambda: self.search.setMinimumWidth(px(300)))
        head.addWidget(self.search)
        head.addWidget(self.state)
        head.addWidget(button("Refresh", self.refresh, tip="F5"))
        self.middle = QStackedWidget()
        self.middle.addWidget(self.table)
        self.middle.addWidget(self.empty)
        body = QHBoxLayout()
        body.setSpacing(2 * GRID)
        body.addWidget(self.middle, 1)
        body.addWidget(self.details)
        listing = QWidget()
        box = QVBoxLayout(listing)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2 * GRID)
        box.addLayout(head)
        box.addWidget(self.notice)
        box.addLayout(body, 1)
        self.pages.addWidget(listing)
        self.pages.addWidget(self.comparison)
        page = QVBoxLayout(self)
        page.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        page.addWidget(self.pages)

    def shown(self) -> None:
        """Bring the list up to date when the screen comes up."""
        self.refresh()
        if self.pages.currentIndex() == 0:
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Ask for the runs."""
        self._asked += 1
        number = self._asked
        self._link.get("/runs", lambda runs: self._came(number, runs), self._failed)

    @property
    def chosen(self) -> list[RunRow]:
        """The marked runs, newest first."""
        selection = self.table.selectionModel()
        rows = selection.selectedRows() if selection is not None else []
        return [self.model.rows[index.row()] for index in sorted(rows, key=lambda i: i.row())]

    def choose(self, *runs: str) -> None:
        """Mark runs."""
        selection = self.table.selectionModel()
        assert selection is not None
        selection.clearSelection()
        flags = QItemSelectionModel.SelectionFlag
        for run in runs:
            row = self.model.row_of(run)
            if row is not None:
                index = self.model.index(row, 0)
                selection.select(index, flags.Select | flags.Rows)
                selection.setCurrentIndex(index, flags.NoUpdate)

    def _session_changed(self, session: dict[str, Any]) -> None:
        self._changed()

    def _changed(self) -> None:
        if self.isVisible():
            self.refresh()

    def _came(self, number: int, runs: list[dict[str, Any]]) -> None:
        # An answer may be overtaken by one that was asked for later.
        if number == self._asked:
            self._take(runs)

    def _take(self, runs: list[dict[str, Any]]) -> None:
        rows = [read_run(one) for one in runs]
        if rows == self.model.all or sorted(rows, key=_age, reverse=True) == self.model.all:
            self._count()
            return
        chosen = [one.run for one in self.chosen]
        self.model.take(rows)
        self._keep(chosen)

    def _sift(self) -> None:
        chosen = [one.run for one in self.chosen]
        self.model.sift(self.search.text(), self.state.currentData())
        self._keep(chosen)

    def _keep(self, chosen: list[str]) -> None:
        """Mark the same runs as before, or the newest."""
        kept = [run for run in chosen if self.model.row_of(run) is not None]
        self.choose(*(kept or [one.run for one in self.model.rows[:1]]))
        self._count()
        self._chosen_changed()

    def _count(self) -> None:
        total, shown = len(self.model.all), len(self.model.rows)
        self.count.setText("" if not total else f"{shown} of {counted(total, 'run')}")
        if total and not shown:
            self.empty.say("No run fits", "Clear the search, or choose all states.")
        self.middle.setCurrentIndex(0 if shown else 1)

    def _chosen_changed(self) -> None:
        self.details.show_runs(self.chosen)

    def _failed(self, refusal: Refusal) -> None:
        self.notice.say(refusal.text, way_out="Try again", then=self.refresh)

    def _do(self, what: str) -> None:
        chosen = self.chosen
        if what == "compare" and chosen:
            self._compare(chosen)
        elif len(chosen) == 1:
            one = chosen[0]
            {
                "html": lambda: self._open(one, "html"),
                "pdf": lambda: self._open(one, "pdf"),
                "verify": lambda: self._verify(one),
                "replay": lambda: self._fetch(one),
            }[what]()

    def _compare(self, chosen: list[RunRow]) -> None:
        if len(chosen) == 1:
            before = self._before(chosen[0])
            self.notice.say(
                "Mark a second run: hold Ctrl and click it, or Ctrl+arrow keys and Ctrl+Space.",
                kind="note",
                way_out="" if before is None else f"Compare with that of {before.when}",
                then=None if before is None else lambda: self._compare([chosen[0], before]),
            )
            return
        self.notice.hide()
        self.pages.setCurrentIndex(1)
        self.comparison.compare(chosen[-1].run, chosen[0].run)

    def _before(self, one: RunRow) -> RunRow | None:
        """Find the run of the same DUT before one."""
        same = [
            each for each in self.model.all if (each.dut, each.identity) == (one.dut, one.identity)
        ]
        later = same.index(one) + 1
        return same[later] if later < len(same) else None

    def _open(self, one: RunRow, kind: str) -> None:
        self.notice.say(f"The report of {one.run} is being written …", kind="note")
        self._link.fetch(
            f"/runs/{one.run}/report.{kind}",
            lambda data: self._written(one, kind, data),
            lambda refusal: self.notice.say(
                refusal.text, way_out="Try again", then=lambda: self._open(one, kind)
            ),
        )

    def _written(self, one: RunRow, kind: str, data: bytes) -> None:
        path = Path(self._folder.path()) / f"{one.run}.{kind}"
        try:
            path.write_bytes(data)
        except OSError as error:
            self.notice.say(f"{path}: {error.strerror}")
            return
        if self._view(QUrl.fromLocalFile(str(path))) is False:
            name = {"html": "HTML", "pdf": "PDF"}[kind]
            self.notice.say(f"No program of this computer opens {name}. The report is at {path}.")
        else:
            self.notice.hide()

    def _verify(self, one: RunRow) -> None:
        if self._verifying or one.state == "running":
            return
        self._verifying = one.run
        self.details.verifying(on=True)
        self._link.post(
            f"/runs/{one.run}/verify",
            None,
            lambda found: self._verified(one, found),
            lambda refusal: self._not_verified(one, refusal),
            within=LONG,
        )

    def _verified(self, one: RunRow, found: dict[str, Any]) -> None:
        self._verifying = ""
        self.details.verifying(on=False)
        if [each.run for each in self.chosen] == [one.run]:
            self.details.show_verification(found)
        else:
            faults = found.get("faults") or []
            words = f"Run {one.run} is " + (f"not sound: {faults[0]}" if faults else "sound.")
            self.notice.say(words, kind="error" if faults else "done")

    def _not_verified(self, one: RunRow, refusal: Refusal) -> None:
        self._verifying = ""
        self.details.verifying(on=False)
        self.details.verified.setText("")
        self.notice.say(refusal.text, way_out="Try again", then=lambda: self._verify(one))

    def _fetch(self, one: RunRow) -> None:
        if one.state == "running":
            return
        self._cancel()
        fetch = self._fetching = RunFetch(self._link, one.run, self)
        self._progress(0)
        fetch.progressed.connect(self._progress)
        fetch.came.connect(self._fetched)
        fetch.failed.connect(lambda why: self._not_fetched(one, why))

    def _not_fetched(self, one: RunRow, why: str) -> None:
        self._cancel()
        self.notice.say(why, way_out="Try again", then=lambda: self._fetch(one))

    def _progress(self, records: int) -> None:
        so_far = f" {counted(records, 'record')} so far." if records else ""
        self.notice.say(
            f"The records are being fetched.{so_far}",
            kind="note",
            way_out="Cancel",
            then=self._cancel,
        )

    def _cancel(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching.deleteLater()
            self._fetching = None

    def _fetched(self, recording: Recording) -> None:
        self._cancel()
        self.notice.hide()
        # What a replay is made of is slow to import.
        from gui.replay_window import ReplayWindow

        window = ReplayWindow(self._link)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.destroyed.connect(lambda: self.replays.remove(window))
        self.replays.append(window)
        window.show_recording(recording)
        window.show()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave to the details what there is no room for."""
        super().resizeEvent(event)
        for name in SPARED:
            self.table.setColumnHidden(COLUMNS.index(name), self.width() < px(NARROW))

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Close the replays with the window that they were opened from."""
        self._cancel()
        for window in list(self.replays):
            window.close()
        super().closeEvent(event)


def _age(one: RunRow) -> tuple[Any, str]:
    return one.started, one.run

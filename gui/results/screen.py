"""The Results screen: all runs of this lab; open, verify, compare, replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt6.QtCore import Qt, QTemporaryDir, QUrl
from PyQt6.QtGui import QCloseEvent, QDesktopServices
from PyQt6.QtNetwork import QNetworkReply
from PyQt6.QtWidgets import QComboBox, QLineEdit, QWidget

from gui.link import Link
from gui.live import LiveRun
from gui.page import beside, head, rows, stacked
from gui.palette import px
from gui.parts import Empty, Notice, button, counted, deed, muted, sized
from gui.replies import Refusal
from gui.results.comparison import LONG, Comparison
from gui.results.details import Details
from gui.results.replays import Replays
from gui.results.runs import RunRow, RunsModel, read_run
from gui.results.table import RunsTable

STATES = (
    ("All states", ""),
    ("Not passed", "failed"),
    ("Complete", "complete"),
    ("Incomplete", "incomplete"),
    ("Unfinished", "unfinished"),
    ("Void", "void"),
)


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
        self.replays = Replays(link, self)
        self._folder = QTemporaryDir()
        self._asked = 0
        """How often it was asked for the runs."""
        self._verifying = ""
        self._verification: QNetworkReply | None = None
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
        self.table = RunsTable(self.model)
        self.details = Details()
        self.notice = Notice()
        self.empty = Empty(
            "No run yet",
            "Choose cases on the Run screen (Ctrl+1) and start them. Each run is kept here, "
            "whatever became of it.",
        )
        self.comparison = Comparison(link)
        self._arrange()
        self.search.textChanged.connect(self._sift)
        self.search.returnPressed.connect(self.table.setFocus)
        self.state.currentIndexChanged.connect(self._sift)
        self.table.chosen_changed.connect(self._chosen_changed)
        self.table.doubleClicked.connect(lambda _index: self._do("html"))
        self.details.wanted.connect(self._do)
        self.replays.progressed.connect(self._fetching)
        self.replays.failed.connect(self._not_fetched)
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

    def _arrange(self) -> None:
        sized(self.search, lambda: self.search.setMinimumWidth(px(300)))
        refresh = button("Refresh", self.refresh, tip="F5")
        self.middle = stacked(self.table, self.empty)
        listing = QWidget()
        box = rows(
            listing,
            head("Results", [self.count], [self.search, self.state, refresh]),
            self.notice,
            beside(self.middle, self.details),
        )
        box.setContentsMargins(0, 0, 0, 0)
        self.pages = stacked(listing, self.comparison)
        rows(self, self.pages)

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
        found = [read_run(one) for one in runs]
        if sorted(found, key=_age, reverse=True) == self.model.all:
            self._count()
            return
        chosen = [one.run for one in self.table.chosen]
        self.model.take(found)
        self._keep(chosen)

    def _sift(self) -> None:
        chosen = [one.run for one in self.table.chosen]
        self.model.sift(self.search.text(), self.state.currentData())
        self._keep(chosen)

    def _keep(self, chosen: list[str]) -> None:
        """Mark the same runs as before, or the newest."""
        kept = [run for run in chosen if self.model.row_of(run) is not None]
        self.table.choose(*(kept or [one.run for one in self.model.rows[:1]]))
        self._count()
        self._chosen_changed()

    def _count(self) -> None:
        total, shown = len(self.model.all), len(self.model.rows)
        self.count.setText("" if not total else f"{shown} of {counted(total, 'run')}")
        if total and not shown:
            self.empty.say("No run fits", "Clear the search, or choose all states.")
        self.middle.setCurrentIndex(0 if shown else 1)

    def _chosen_changed(self) -> None:
        self.details.show_runs(self.table.chosen)

    def _failed(self, refusal: Refusal) -> None:
        self.notice.say(refusal.text, way_out="Try again", then=self.refresh)

    def _do(self, what: str) -> None:
        chosen = self.table.chosen
        if what == "compare" and chosen:
            self._compare(chosen)
        elif len(chosen) == 1:
            one = chosen[0]
            {
                "html": lambda: self._open(one, "html"),
                "pdf": lambda: self._open(one, "pdf"),
                "verify": lambda: self._verify(one),
                "replay": lambda: self._replay(one),
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
        reply = self._link.fetch(
            f"/runs/{one.run}/report.{kind}",
            lambda data: self._written(one, kind, data),
            lambda refusal: self.notice.say(
                refusal.text, way_out="Try again", then=lambda: self._open(one, kind)
            ),
            within=LONG,
        )
        self.notice.say(
            f"The report of {one.run} is being written …",
            kind="note",
            way_out="Cancel",
            then=lambda: self._link.give_up(reply),
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
        """Verify a run; asked while it is at it, it gives up."""
        if self._verifying:
            self._link.give_up(self._verification)
            self._verification_over()
            return
        if one.state == "running":
            return
        self._verifying = one.run
        self.details.verifying(on=True)
        self._verification = self._link.post(
            f"/runs/{one.run}/verify",
            None,
            lambda found: self._verified(one, found),
            lambda refusal: self._not_verified(one, refusal),
            within=LONG,
        )

    def _verification_over(self) -> None:
        self._verifying, self._verification = "", None
        self.details.verifying(on=False)

    def _verified(self, one: RunRow, found: dict[str, Any]) -> None:
        self._verification_over()
        if [each.run for each in self.table.chosen] == [one.run]:
            self.details.show_verification(found)
        else:
            faults = found.get("faults") or []
            words = f"Run {one.run} is " + (f"not sound: {faults[0]}" if faults else "sound.")
            self.notice.say(words, kind="error" if faults else "done")

    def _not_verified(self, one: RunRow, refusal: Refusal) -> None:
        self._verification_over()
        self.notice.say(refusal.text, way_out="Try again", then=lambda: self._verify(one))

    def _replay(self, one: RunRow) -> None:
        if one.state != "running":
            self.replays.fetch(one.run)

    def _fetching(self, words: str) -> None:
        if words:
            self.notice.say(words, kind="note", way_out="Cancel", then=self.replays.cancel)
        else:
            self.notice.hide()

    def _not_fetched(self, run: str, why: str) -> None:
        self.notice.say(why, way_out="Try again", then=lambda: self.replays.fetch(run))

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Close the replays with the window that they were opened from."""
        self.replays.close()
        super().closeEvent(event)


def _age(one: RunRow) -> tuple[Any, str]:
    return one.started, one.run

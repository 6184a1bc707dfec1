"""The Share screen: links by which vendors watch their own DUT."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QWidget

from gui.link import Link
from gui.live import LiveRun
from gui.page import beside, head, rows, stacked
from gui.parts import Empty, Notice, ask, button, counted, deed, muted
from gui.replies import Refusal
from gui.share.links import LinkRow, read_links
from gui.share.make import MakeLink
from gui.tables import Cell, Table

HEADS = ("For", "Shares", "State", "Good for", "Watching now")
STATES = {"good": ("● good", "good"), "expired": ("○ expired", "quiet")}
REVOKED = ("✕ revoked", "bad")
AGAIN = 30_000
"""Milliseconds between two looks at what has expired."""


class ShareScreen(QWidget):
    """The links as a table, and the form for a new one beside it."""

    title = "Share"

    def __init__(self, run: LiveRun, link: Link) -> None:
        super().__init__()
        self._link = link
        self._shares: list[dict[str, Any]] = []
        self.rows: list[LinkRow] = []
        self.count = muted()
        self.notice = Notice()
        self.table = Table("Links for vendors", HEADS, stretch=1)
        self.table.itemSelectionChanged.connect(self._chosen_changed)
        self.form = MakeLink(link)
        self.revoke = button("Revoke…", self.ask_revoke, role="danger", tip="Delete")
        self.empty = Empty(
            "No link yet",
            "Make one at the right: a vendor's engineer then watches the runs of their own "
            "station in a browser, wherever they are.",
        )
        self._arrange()
        self.form.made.connect(self.refresh)
        self._timer = QTimer(self)
        self._timer.setInterval(AGAIN)
        self._timer.timeout.connect(self._show)
        link.session_changed.connect(self._session_changed)
        self.deeds = [
            deed(self, "revoke-link", "Revoke the link", self.ask_revoke, "Del"),
            deed(self, "refresh-links", "Refresh the list of links", self.refresh, "F5"),
        ]

    def _arrange(self) -> None:
        refresh = button("Refresh", self.refresh, tip="F5")
        self.middle = stacked(self.table, self.empty)
        rows(
            self,
            head("Share", [self.count], [self.revoke, refresh]),
            self.notice,
            beside(self.middle, self.form),
        )
        self._chosen_changed()

    def shown(self) -> None:
        """Bring everything up to date when the screen comes up."""
        self.refresh()
        self._timer.start()

    def refresh(self) -> None:
        """Ask for the links, and for what can be shared."""
        self._link.get("/shares", self._take, self._failed)
        self._link.get("/runs", self._offer, self._failed)

    def _take(self, shares: list[dict[str, Any]]) -> None:
        self._shares = shares
        self._show()

    def _offer(self, runs: list[dict[str, Any]]) -> None:
        self.form.offer(self._link.session.get("duts", ()), runs)

    def _session_changed(self, session: dict[str, Any]) -> None:
        """Show who watches now."""
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        links = read_links(self._shares, self._link.session.get("viewers", ()))
        moment = now_there(self._link)
        links.sort(key=lambda one: (one.state(moment) != "good", -one.expires.timestamp()))
        chosen = self.chosen
        self.rows = links
        self.table.fill((one, _cells(one, moment)) for one in links)
        good = sum(one.state(moment) == "good" for one in links)
        self.count.setText(f"{good} good of {counted(len(links), 'link')}" if links else "")
        self.middle.setCurrentIndex(0 if links else 1)
        if links:
            again = (i for i, one in enumerate(links) if chosen and one.id == chosen.id)
            self.table.selectRow(next(again, 0))
        self._chosen_changed()

    @property
    def chosen(self) -> LinkRow | None:
        """The marked link."""
        one = self.table.chosen
        return one if isinstance(one, LinkRow) else None

    def _chosen_changed(self) -> None:
        one = self.chosen
        good = one is not None and one.state(now_there(self._link)) == "good"
        self.revoke.setEnabled(good)

    def ask_revoke(self) -> None:
        """Ask before a link is made good for nothing."""
        one = self.chosen
        if one is None or not self.revoke.isEnabled():
            return
        watching = f" {one.watching} watch by it right now." if one.watching else ""
        ask(
            self,
            "Revoke the link",
            f"The link for {one.name} ({one.what}) stops working at once.{watching} It can't be "
            "made good again; a new link can be made.",
            [("Revoke", lambda: self._revoke(one))],
            no="Keep it",
        )

    def _revoke(self, one: LinkRow) -> None:
        self._link.delete(f"/shares/{one.id}", lambda _none: self._revoked(one), self._failed)

    def _revoked(self, one: LinkRow) -> None:
        self.notice.say(f"The link for {one.name} works no more.", kind="done")
        self.refresh()

    def _failed(self, refusal: Refusal) -> None:
        self.notice.say(refusal.text, way_out="Try again", then=self.refresh)


def _cells(one: LinkRow, moment: datetime) -> list[Cell]:
    state = one.state(moment)
    mark, shade = STATES.get(state, REVOKED)
    ink = "" if state == "good" else "quiet"
    watching = f"◉ {one.watching} watching" if one.watching else "nobody"
    return [
        Cell(one.name, ink),
        Cell(one.what, ink),
        Cell(mark, shade),
        Cell(one.left(moment), ink),
        Cell(watching, ink if one.watching else "quiet"),
    ]


def now_there(link: Link) -> datetime:
    """Return this moment by the engine's clock, which decides what has expired."""
    return datetime.now(UTC) + timedelta(seconds=link.clock_ahead)

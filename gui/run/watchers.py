"""Who watches the run from outside."""

from __future__ import annotations

from typing import Any

from PyQt6.QtWidgets import QLabel, QListWidget, QVBoxLayout, QWidget

from bench.clock import from_iso
from gui.link import Link
from gui.live import LiveRun


class WatchersPanel(QWidget):
    """Lists the observers that watch, with whom their link was made for and since when."""

    def __init__(self, run: LiveRun, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.nobody = QLabel("Nobody watches from outside.")
        self.nobody.setProperty("role", "muted")
        self.list = QListWidget()
        self.list.setObjectName("watchers-list")
        self.list.setAccessibleName("Who watches from outside")
        self.list.setProperty("role", "plain")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.nobody)
        column.addWidget(self.list, 1)
        link.session_changed.connect(self._session)
        self._session(link.session)

    def _session(self, session: dict[str, Any]) -> None:
        viewers = session.get("viewers") or []
        self.list.clear()
        for one in viewers:
            since = from_iso(one["since"]).astimezone()
            self.list.addItem(f"{one['name']}, since {since:%H:%M}")
        self.nobody.setVisible(not viewers)
        self.list.setVisible(bool(viewers))

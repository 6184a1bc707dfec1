"""The Bench screen: the wiring as a diagram, checks, calibration, and moving devices by hand."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QSplitter,
    QTabWidget,
    QWidget,
)

from gui.bench.certificates import Certificates
from gui.bench.checks import Checks
from gui.bench.device import DeviceCard
from gui.bench.diagram import Diagram, product_of
from gui.bench.findings import Findings
from gui.bench.wired import Wired, read_wiring
from gui.link import Link
from gui.live import LiveRun
from gui.operator import operator_name
from gui.page import head, rows, scrolling, stacked
from gui.palette import px
from gui.parts import GRID, Empty, Notice, button, deed, muted, sized
from gui.replies import Refusal
from gui.run.devices import DevicesPanel
from gui.safe import MakeSafe

WIDE = 1700
"""Width in pixels from which the details stand beside the diagram instead of below it."""


class BenchScreen(QWidget):
    """Diagram, and beside or below it the chosen device, the findings, the certificates."""

    title = "Bench"

    def __init__(self, run: LiveRun, link: Link) -> None:
        super().__init__()
        self._run, self._link = run, link
        self.devices: dict[str, Wired] = {}
        self._testing = ""
        """The device that tests itself now."""
        self._asked = 0
        """How often it was asked what is wired."""
        self._states: list[tuple[str, str, str]] = []
        """Of the devices, as the engine told them last."""
        self.checks = Checks(link, self)
        self.name = muted()
        self.notice = Notice()
        self.diagram = Diagram()
        self.card = DeviceCard(run, link)
        self.hand = DevicesPanel(run, link)
        # The diagram is the list of devices here, and the screen has its own button.
        self.hand.list.hide()
        self.hand.safe_button.hide()
        self.findings = Findings()
        self.certificates = Certificates()
        self.scan = button("Scan", self.start_scan, tip="List what is plugged in")
        self.test = button("Self-test", self.start_test, tip="Ctrl+T")
        self.cancel = button("Cancel", self.checks.cancel, name="Cancel the self-test")
        self.safe = MakeSafe(link, "Make safe")
        self.safe.setToolTip("Ctrl+Shift+S")
        self.safe.told.connect(self._safe_told)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the self-test")
        self.doing = muted()
        self.empty = Empty(
            "No device is wired",
            "Write the devices of this bench into bench.toml, as docs/reference/files.md tells, "
            "and start the engine anew. Scan lists what is plugged in.",
        )
        self._arrange()
        self._busy(on=False)
        self.deeds = [
            deed(self, "test-bench", "Self-test of all devices", self.start_test, "Ctrl+T"),
            deed(self, "scan-bench", "Scan for devices", self.start_scan, "Ctrl+Shift+F"),
            deed(self, "make-safe", "Make the bench safe", self.make_safe, "Ctrl+Shift+S"),
            deed(self, "refresh-bench", "Refresh the bench", self.refresh, "F5"),
        ]
        self.diagram.chosen.connect(self.choose)
        self.checks.began.connect(self._began)
        self.checks.found.connect(self._found)
        self.checks.ended.connect(self._ended)
        self.findings.titled.connect(lambda words: self.tabs.setTabText(2, words))
        self.certificates.titled.connect(lambda words: self.tabs.setTabText(3, words))
        link.session_changed.connect(self._session_changed)
        link.state_changed.connect(self._show)

    def _arrange(self) -> None:
        self.work = QFrame()
        self.work.setProperty("role", "card")
        row = QHBoxLayout(self.work)
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.setSpacing(2 * GRID)
        row.addWidget(self.doing)
        row.addWidget(self.progress, 1)
        row.addWidget(self.cancel)
        self.middle = stacked(scrolling(self.diagram), self.empty)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Details of the bench")
        sized(self.tabs, lambda: self.tabs.setMinimumWidth(px(380)))
        self.tabs.addTab(self.card, "Device")
        sized(self.hand, lambda: self.hand.setMaximumWidth(px(560)))
        self.tabs.addTab(scrolling(self.hand), "By hand")
        self.tabs.addTab(self.findings, "Findings")
        self.tabs.addTab(self.certificates, "Calibration")
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.middle)
        self.split.addWidget(self.tabs)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 1)
        self.tabs.currentChanged.connect(self._make_room)
        top = head("Bench", [self.name], [self.scan, self.test, self.safe])
        rows(self, top, self.notice, self.work, self.split)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Put the details where there is room."""
        super().resizeEvent(event)
        wide = self.width() >= px(WIDE)
        way = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.split.orientation() != way:
            self.split.setOrientation(way)
            self.split.setSizes([self.width() - px(560), px(560)] if wide else [460, 150])

    def _make_room(self, at: int) -> None:
        """Give tables below the diagram more room than the chosen device needs."""
        if self.split.orientation() is Qt.Orientation.Vertical:
            self.split.setSizes([460, 150] if at == 0 else [380, 230] if at == 1 else [330, 280])

    def shown(self) -> None:
        """Bring everything up to date when the screen comes up."""
        self.refresh()

    def refresh(self) -> None:
        """Ask what is wired."""
        self._asked += 1
        number = self._asked
        self._link.get("/bench", lambda bench: self._came(number, bench), self._failed)

    def choose(self, name: str) -> None:
        """Show a device."""
        device = self.devices.get(name)
        if device is not None:
            self.diagram.choose(name)
            self.card.show_device(device)
            self._choose_by_hand(name)
            if self.tabs.currentIndex() > 1:
                self.tabs.setCurrentWidget(self.card)

    def _choose_by_hand(self, name: str) -> None:
        """Let the acts by hand be those of the chosen device."""
        for found in self.hand.list.findItems(name, Qt.MatchFlag.MatchExactly):
            self.hand.list.setCurrentItem(found)

    # What is wired.

    def _came(self, number: int, bench: dict[str, Any]) -> None:
        # An answer may be overtaken by one that was asked for later.
        if number == self._asked:
            self._take(bench)

    def _take(self, bench: dict[str, Any]) -> None:
        self.devices = {one.name: one for one in read_wiring(bench)}
        self.name.setText(f"{bench.get('name', '')}   {bench.get('file', '')}".strip())
        self.middle.setCurrentIndex(0 if self.devices else 1)
        self.certificates.show_devices(self.devices.values())
        self._show()
        if self.devices:
            chosen = self.card.device.name if self.card.device is not None else ""
            name = chosen if chosen in self.devices else next(iter(self.devices))
            self.diagram.choose(name)
            self._choose_by_hand(name)
            self.card.show_device(self._as_now(self.devices[name]))

    def _session_changed(self, session: dict[str, Any]) -> None:
        """Show states and the DUT as the engine tells them."""
        told = session.get("bench", {}).get("devices", ())
        states = [(one["name"], one["state"], one["message"]) for one in told]
        if not self.isVisible():
            return
        if states != self._states:
            # The engine knows as well what the last check of a closed device came to.
            self._states = states
            self.refresh()
        self._show()

    def _as_now(self, device: Wired) -> Wired:
        if self._link.state != "connected":
            return device.now("unknown", "There is no connection to the engine.")
        return device.now("testing", "") if device.name == self._testing else device

    def _show(self, *_: object) -> None:
        devices = [self._as_now(one) for one in self.devices.values()]
        connected = self._link.state == "connected"
        self.diagram.show_wiring(devices, product_of(self._link.session, connected=connected))
        if self.card.device is not None and self.card.device.name in self.devices:
            self.card.show_device(self._as_now(self.devices[self.card.device.name]))
        running = bool(self._link.session.get("run"))
        for part in (self.scan, self.test):
            part.setEnabled(connected and not running and not self.checks.is_busy)
            part.setToolTip("Not while a run goes on" if running else "")

    # Tests and scans.

    def start_test(self) -> None:
        """Let every device test itself, one after the other."""
        if self.test.isEnabled() and self.devices:
            self.findings.begin_test()
            self._busy(on=True)
            self.tabs.setCurrentWidget(self.findings)
            self.checks.test(list(self.devices))

    def start_scan(self) -> None:
        """List what is plugged in."""
        if self.scan.isEnabled():
            self.findings.begin_scan()
            self._busy(on=True)
            self.tabs.setCurrentWidget(self.findings)
            self.checks.scan()

    def _busy(self, *, on: bool) -> None:
        self.work.setVisible(on)
        self.cancel.setEnabled(on)
        for part in (self.scan, self.test):
            part.setEnabled(not on)

    def _began(self, device: str) -> None:
        done, total = self.checks.done, self.checks.total
        self.progress.setRange(0, total if device else 0)
        self.progress.setValue(done)
        self.cancel.setVisible(bool(device))
        if device:
            self.doing.setText(f"Testing {device}, {done + 1} of {total}")
        else:
            self.doing.setText("Looking for what is plugged in")
        self._testing = device
        self._show()

    def _found(self, one: dict[str, Any]) -> None:
        device = self.devices.get(one["name"])
        if device is not None:
            self.devices[device.name] = device.now(one["state"], one["message"])
            self._testing = ""
        self.findings.take(one, self.devices)
        self._show()

    def _ended(self, why: str) -> None:
        self._testing = ""
        self._busy(on=False)
        self._show()
        faulty = self.findings.faulty
        if why:
            self.notice.say(why, kind="note" if self.checks.done else "error")
        elif self.checks.is_scan:
            self.notice.say(self.findings.plugged_in, kind="done")
        elif faulty:
            names = ", ".join(faulty)
            self.notice.say(f"Not in order: {names}. The findings say what each said.")
        else:
            self.notice.say("All devices that were looked at are in order.", kind="done")

    # Making safe.

    def make_safe(self) -> None:
        """Make the lab safe, be it that a key asks for it."""
        if self.safe.isEnabled():
            self.safe.ask()

    def _safe_told(self, is_safe: bool, words: str) -> None:
        run = self._link.session.get("run")
        if is_safe:
            self.notice.say(words, kind="done")
        elif run is not None:
            self.notice.say(words, way_out="Abort the run", then=lambda: self._abort(run))
        else:
            self.notice.say(words, way_out="Try again", then=self.safe.ask)
        self.refresh()

    def _abort(self, run: str) -> None:
        self._link.post(f"/runs/{run}/abort", {"by": operator_name()}, None, self._failed)

    def _failed(self, refusal: Refusal) -> None:
        if not self.notice.words:  # whether the lab is safe goes before
            self.notice.say(refusal.text, way_out="Try again", then=self.refresh)

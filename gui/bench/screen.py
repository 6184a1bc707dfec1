"""The Bench screen: the wiring as a diagram, checks, calibration, and moving devices by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui.bench.checks import Checks
from gui.bench.device import DeviceCard
from gui.bench.diagram import Diagram, Product
from gui.bench.wired import Wired, health, read_wiring
from gui.link import Link, Refusal
from gui.live import LiveRun
from gui.palette import px
from gui.parts import GRID, Empty, Notice, button, deed, muted, restyle, sized, text
from gui.run.devices import DevicesPanel
from gui.tables import Cell, Table

WIDE = 1700
"""Width in pixels from which the details stand beside the diagram instead of below it."""
MAKING_SAFE = 60_000
"""Milliseconds that making the lab safe may take before nobody knows."""


class BenchScreen(QWidget):
    """Diagram, and beside or below it the chosen device, the findings, the certificates."""

    title = "Bench"

    def __init__(self, run: LiveRun, link: Link) -> None:
        super().__init__()
        self._run, self._link = run, link
        self.devices: dict[str, Wired] = {}
        self._findings: dict[str, dict[str, Any]] = {}
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
        heads = ["Device", "Driver", "State", "What was seen"]
        self.findings = Table("What tests and scans found", heads)
        heads = ["Device", "Valid", "Due", "Certificate", "Issuer", "Serial", "Note"]
        self.certificates = Table("Calibration of the instruments", heads)
        self.scan = button("Scan", self.start_scan, tip="List what is plugged in")
        self.test = button("Self-test", self.start_test, tip="Ctrl+T")
        self.cancel = button("Cancel", self.checks.cancel, name="Cancel the self-test")
        self.safe = button("Make safe", self.make_safe, role="danger", tip="Ctrl+Shift+S")
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
        link.session_changed.connect(self._session_changed)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(text("Bench", "title"))
        head.addSpacing(2 * GRID)
        head.addWidget(self.name)
        head.addStretch(1)
        for part in (self.scan, self.test, self.safe):
            head.addWidget(part)
        self.work = QFrame()
        self.work.setProperty("role", "card")
        row = QHBoxLayout(self.work)
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.setSpacing(2 * GRID)
        row.addWidget(self.doing)
        row.addWidget(self.progress, 1)
        row.addWidget(self.cancel)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.diagram)
        self.middle = QStackedWidget()
        self.middle.addWidget(area)
        self.middle.addWidget(self.empty)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Details of the bench")
        sized(self.tabs, lambda: self.tabs.setMinimumWidth(px(380)))
        self.tabs.addTab(self.card, "Device")
        hand = QScrollArea()
        hand.setWidgetResizable(True)
        hand.setFrameShape(QFrame.Shape.NoFrame)
        hand.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        hand.setWidget(self.hand)
        sized(self.hand, lambda: self.hand.setMaximumWidth(px(560)))
        self.tabs.addTab(hand, "By hand")
        self.tabs.addTab(self.findings, "Findings")
        self.tabs.addTab(self.certificates, "Calibration")
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.middle)
        self.split.addWidget(self.tabs)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 1)
        self.tabs.currentChanged.connect(self._make_room)
        page = QVBoxLayout(self)
        page.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        page.setSpacing(2 * GRID)
        page.addLayout(head)
        page.addWidget(self.notice)
        page.addWidget(self.work)
        page.addWidget(self.split, 1)

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
        self.certificates.fill(
            (one, _certificate_row(one))
            for one in self.devices.values()
            if one.certificate is not None or not one.by_hand
        )
        today = date.today()  # noqa: DTZ011 - a certificate ends with the lab's day
        bad = [
            one.name
            for one in self.devices.values()
            if one.certificate is not None and one.certificate.state(today).tone == "bad"
        ]
        mark = f"  ✕ {len(bad)}" if bad else ""
        self.tabs.setTabText(3, f"Calibration{mark}")
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
        testing = self._findings.get(device.name, {}).get("state") == "testing"
        return device.now("testing", "") if testing else device

    def _show(self) -> None:
        devices = [self._as_now(one) for one in self.devices.values()]
        self.diagram.show_wiring(devices, _product(self._link.session))
        if self.card.device is not None and self.card.device.name in self.devices:
            self.card.show_device(self._as_now(self.devices[self.card.device.name]))
        running = bool(self._link.session.get("run"))
        for part in (self.scan, self.test):
            part.setEnabled(not running and not self.checks.is_busy)
            part.setToolTip("Not while a run goes on" if running else "")

    # Tests and scans.

    def start_test(self) -> None:
        """Let every device test itself, one after the other."""
        if self.test.isEnabled() and self.devices:
            self._findings.clear()
            self._busy(on=True)
            self.tabs.setCurrentWidget(self.findings)
            self.checks.test(list(self.devices))

    def start_scan(self) -> None:
        """List what is plugged in."""
        if self.scan.isEnabled():
            self._findings = {k: v for k, v in self._findings.items() if k in self.devices}
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
            self._findings[device] = {"name": device, "state": "testing", "message": ""}
        else:
            self.doing.setText("Looking for what is plugged in")
        self._show()

    def _found(self, one: dict[str, Any]) -> None:
        device = self.devices.get(one["name"])
        if device is not None:
            self.devices[device.name] = device.now(one["state"], one["message"])
        self._findings[repr(one) if device is None else device.name] = one
        self._list_findings()
        self._show()

    def _list_findings(self) -> None:
        rows = [one for one in self._findings.values() if one["state"] != "testing"]
        self.findings.fill((one, _finding_row(one)) for one in rows)
        bad = sum(health(one["state"]).tone == "bad" for one in rows)
        self.tabs.setTabText(2, f"Findings ({len(rows)})" + (f"  ✕ {bad}" if bad else ""))

    def _ended(self, why: str) -> None:
        self._findings = {k: v for k, v in self._findings.items() if v["state"] != "testing"}
        self._busy(on=False)
        self._list_findings()
        self._show()
        bad = [one for one in self._findings.values() if health(one["state"]).tone == "bad"]
        if why:
            kind = "note" if self.checks.done else "error"
            self.notice.say(why, kind=kind)
        elif bad:
            names = ", ".join(one["name"] for one in bad)
            self.notice.say(f"Not in order: {names}. The findings say what each said.")
        else:
            self.notice.say("All devices that were looked at are in order.", kind="done")

    # Making safe.

    def make_safe(self) -> None:
        """Make the lab safe: loads off, pilots to A, faults cleared."""
        self.safe.setEnabled(False)
        self.safe.setText("Making safe …")
        self._link.post("/bench/safe", None, self._made_safe, self._not_safe, within=MAKING_SAFE)

    def _made_safe(self, found: dict[str, Any]) -> None:
        self._safe_again()
        failures = found.get("failures") or {}
        if failures:
            told = "; ".join(f"{name}: {why}" for name, why in failures.items())
            self.notice.say(
                f"NOT safe: {told}. Switch these off by hand.",
                way_out="Try again",
                then=self.make_safe,
            )
        else:
            self.notice.say("The lab is safe: loads off, pilots in state A.", kind="done")
        self.refresh()

    def _not_safe(self, refusal: Refusal) -> None:
        self._safe_again()
        self.notice.say(
            f"Nobody knows whether the lab is safe: {refusal.text}.",
            way_out="Try again",
            then=self.make_safe,
        )

    def _safe_again(self) -> None:
        self.safe.setEnabled(True)
        self.safe.setText("Make safe")
        restyle(self.safe)

    def _failed(self, refusal: Refusal) -> None:
        self.notice.say(refusal.text, way_out="Try again", then=self.refresh)


def _product(session: dict[str, Any]) -> Product:
    duts: list[dict[str, Any]] = session.get("duts") or []
    dut = session.get("dut") or (duts[0] if len(duts) == 1 else None)
    ocpp = session.get("ocpp") or {}
    listens = f"listens at {ocpp['listen']}" if ocpp.get("listen") else ""
    if dut is None:
        title = "No DUT" if not duts else f"{len(duts)} DUTs"
        return Product(title, tuple(filter(None, (listens,))), bool(ocpp.get("connected")))
    lines = (dut.get("vendor", ""), dut.get("identity", ""), listens)
    return Product(dut["model"], tuple(filter(None, lines)), bool(ocpp.get("connected")))


def _finding_row(one: dict[str, Any]) -> list[Cell]:
    shown = health(one["state"])
    return [
        Cell(one["name"]),
        Cell(one["driver"], "quiet"),
        Cell(f"{shown.mark} {shown.word}", shown.tone),
        Cell(one["message"]),
    ]


def _certificate_row(one: Wired) -> list[Cell]:
    found = one.certificate
    if found is None:
        return [Cell(one.name), Cell("○ no certificate filed", "quiet"), *([Cell("")] * 5)]
    today = date.today()  # noqa: DTZ011 - a certificate ends with the lab's day
    shown = found.state(today)
    return [
        Cell(one.name),
        Cell(f"{shown.mark} {shown.word}", shown.tone),
        Cell("" if found.due is None else f"{found.due}"),
        Cell(found.number),
        Cell(found.issuer),
        Cell(one.serial),
        Cell(found.note),
    ]

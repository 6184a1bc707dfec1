"""The Bench screen: the diagram, and checks, calibration and making safe on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.application import dress
from gui.bench.diagram import Diagram, Product
from gui.bench.findings import Findings
from gui.bench.screen import BenchScreen
from gui.bench.wired import Certificate, read_wiring
from gui.live import LiveRun
from gui.replies import Refusal
from tests.gui.asked import AskedLink
from tests.gui.served import Served, nameless, waiting


@pytest.fixture
def screen(qtbot: QtBot, served: Served) -> Iterator[BenchScreen]:
    with served.looked_at(qtbot) as (run, link):
        made = BenchScreen(run, link)
        qtbot.addWidget(made)
        made.resize(1280, 650)
        made.show()
        made.shown()
        waiting(qtbot, lambda: made.devices)
        yield made


def wired(name: str, *offers: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "driver": name, "offers": list(offers), "state": "ready", **more}


def test_devices_stand_by_what_they_touch_and_no_line_crosses(qtbot: QtBot) -> None:
    devices = read_wiring(
        {
            "devices": [
                wired("box", "VehicleCoupler", "VehicleEmulator", connectors=[1, 2]),
                wired("meter", "PowerMeter", state="lost", message="no answer"),
                wired("mains", "PowerSwitch"),
                wired("reader", "CardReader"),
                wired("network", "NetworkPath"),
            ]
        }
    )
    diagram = Diagram()
    qtbot.addWidget(diagram)
    diagram.resize(1280, 500)
    diagram.show_wiring(devices, Product("Wallbox", ("Maker",), True))
    diagram.show()
    places = {name: node.geometry() for name, node in diagram.nodes.items()}
    middle = diagram.rect().center().x()
    assert {name for name, place in places.items() if place.center().x() > middle} == {
        "box",
        "meter",
    }
    for one, place in places.items():
        assert not any(place.intersects(other) for name, other in places.items() if name != one)
        assert place.top() >= diagram._dut.top()
        assert place.bottom() <= diagram._dut.bottom()
    # The state is told by a word as well, for those who do not see it.
    assert diagram.nodes["meter"].accessibleName() == "meter, meters, lost"
    assert diagram.nodes["meter"].accessibleDescription() == "no answer"
    assert devices[0].touches == "cable 1 and 2"


def test_a_lost_device_is_painted_otherwise(qtbot: QtBot) -> None:
    diagram = Diagram()
    qtbot.addWidget(diagram)
    diagram.resize(1280, 400)
    product = Product("Wallbox", (), True)
    painted = []
    for state in ("ready", "lost"):
        device = wired("meter", "PowerMeter", state=state)
        diagram.show_wiring(read_wiring({"devices": [device]}), product)
        node = diagram.nodes["meter"].geometry()
        between = QPoint((diagram._dut.right() + node.left()) // 2, node.center().y() - 30)
        image = diagram.grab().toImage()
        line = [image.pixel(between.x() + x, node.center().y()) for x in range(-20, 20)]
        painted.append(len(set(line)))
    assert painted[0] == 1  # a whole line
    assert painted[1] > 1  # a broken one


def test_a_certificate_says_how_long_it_is_good() -> None:
    today = date(2026, 11, 25)

    def said(due: date | None) -> tuple[str, str]:
        found = Certificate("D-K-1", "Lab", date(2025, 1, 1), due, "").state(today)
        return found.word, found.tone

    assert said(date(2027, 2, 25)) == ("92 days left", "good")
    assert said(date(2026, 12, 1)) == ("6 days left", "odd")
    assert said(date(2026, 11, 25)) == ("expired today", "bad")
    assert said(date(2026, 11, 24)) == ("expired 1 day ago", "bad")
    assert said(None) == ("no interval set", "quiet")


def item(screen: BenchScreen, row: int, column: int) -> str:
    found = screen.certificates.item(row, column)
    return "" if found is None else found.text()


def test_the_bench_is_tested_device_by_device(qtbot: QtBot, screen: BenchScreen) -> None:
    assert set(screen.diagram.nodes) == set(screen.devices)
    assert screen.devices["pilot-box"].group == "Vehicle"
    assert screen.certificates.rowCount() == len(screen.devices)
    rows = range(screen.certificates.rowCount())
    said = {item(screen, row, 0): item(screen, row, 1) for row in rows}
    assert said["desk-reader"].startswith("✕ expired ")
    assert said["pilot-box"] == "○ no certificate filed"
    assert screen.tabs.tabText(3) == "Calibration  ✕ 1"
    screen.diagram.nodes["meter"].click()
    assert screen.card.title.text() == "meter"
    assert screen.hand.device is not None
    assert screen.hand.device["name"] == "meter"
    assert nameless(screen) == []

    began: list[str] = []
    screen.checks.began.connect(began.append)
    screen.start_test()
    assert not screen.test.isEnabled()
    waiting(qtbot, lambda: screen.checks.done == 1)
    screen.cancel.click()
    waiting(qtbot, lambda: not screen.checks.is_busy)
    assert len(began) == 2  # the one that was being tested ended as it should
    assert screen.notice.words.startswith("It was cancelled")
    assert screen.findings.rowCount() == 2
    assert screen.devices[began[0]].name in screen.diagram.nodes
    assert screen.diagram.nodes[began[0]].device.state == "sound"
    assert screen.test.isEnabled()

    screen.make_safe()
    assert screen.safe.text() == "Making safe …"
    waiting(qtbot, lambda: screen.notice.words.startswith("The lab is safe"))
    assert screen.safe.isEnabled()


def test_a_scan_lists_what_is_plugged_in(qtbot: QtBot, screen: BenchScreen) -> None:
    screen.start_scan()
    waiting(qtbot, lambda: not screen.work.isVisible())
    assert screen.notice.words.startswith("The scan found ")
    assert screen.tabs.currentWidget() is screen.findings


def test_what_a_scan_lists_stands_above_what_tests_found(qtbot: QtBot) -> None:
    findings = Findings()
    qtbot.addWidget(findings)
    titles: list[str] = []
    findings.titled.connect(titles.append)

    def found(name: str, state: str) -> dict[str, Any]:
        return {"name": name, "driver": "", "state": state, "message": ""}

    findings.take(found("meter", "faulty"), {"meter"})
    findings.begin_scan()
    findings.take(found("/dev/ttyS0", "found"), {"meter"})
    findings.take(found("pcsc-reader", "unknown"), {"meter"})
    first = findings.item(0, 0)
    assert first is not None
    assert first.text() == "/dev/ttyS0"
    assert findings.plugged_in == "The scan found 1 thing plugged in; of 1 more nobody can tell."
    assert findings.faulty == ["meter"]
    assert titles[-1] == "Findings (3)  ✕ 1"


def test_nothing_is_known_of_the_lab_without_the_engine(qtbot: QtBot, screen: BenchScreen) -> None:
    body = {"device": "pilot-box", "method": "plug_in", "arguments": {"connector": 1}}
    screen._link.post("/bench/act", body, lambda _: screen._link.refresh(), None)
    node = screen.diagram.nodes["meter"]
    waiting(qtbot, lambda: node.device.state == "ready")
    screen._link.close()
    assert node.device.state == "unknown"
    assert "connection unknown" in screen.diagram.accessibleDescription()
    assert not screen.test.isEnabled()
    device = screen.hand.list.topLevelItem(0)
    assert device is not None
    assert device.text(1) == "unknown"
    assert not screen.hand.act_button.isEnabled()
    screen._link.open()
    waiting(qtbot, lambda: node.device.state == "ready")
    screen.make_safe()
    waiting(qtbot, lambda: node.device.state not in ("ready", "testing"))


def test_making_safe_in_a_run_offers_to_abort_it(qtbot: QtBot) -> None:
    link = AskedLink()
    link.session = {"run": "r1"}
    screen = BenchScreen(LiveRun(), link)
    qtbot.addWidget(screen)
    link.refusal = Refusal(409, "run r1 is going on")
    screen.make_safe()
    assert screen.notice.words.startswith("Not done: run r1 is going on.")
    link.refusal = None
    assert screen.notice.act()
    assert [path for verb, path, _ in link.asked if verb == "POST"][-1] == "/runs/r1/abort"
    link.refusal = Refusal(0, "no answer in time")
    screen.make_safe()
    assert screen.notice.words.startswith("Nobody knows whether the lab is safe")


def test_larger_texts_make_larger_boxes(qtbot: QtBot, qapp: QApplication) -> None:
    diagram = Diagram()
    qtbot.addWidget(diagram)
    diagram.show_wiring(
        read_wiring({"devices": [wired("meter", "PowerMeter")]}), Product("Wallbox", (), True)
    )
    diagram.show()
    before = diagram.nodes["meter"].width(), diagram.minimumSizeHint().width()
    dress(qapp, "light", 1.5)
    assert diagram.nodes["meter"].width() == round(before[0] * 1.5)
    assert diagram.minimumSizeHint().width() > before[1]


def test_a_device_that_is_let_go_is_not_shown_as_ready(qtbot: QtBot, screen: BenchScreen) -> None:
    box = screen.diagram.nodes["pilot-box"]
    body = {"device": "pilot-box", "method": "plug_in", "arguments": {"connector": 1}}
    refused: list[Refusal] = []
    screen._link.post("/bench/act", body, lambda _: screen._link.refresh(), refused.append)
    waiting(qtbot, lambda: box.device.state == "ready" or refused)
    assert refused == []
    assert screen.diagram.nodes["meter"].device.state == "ready"
    # Making safe lets the devices go, whoever does it.
    screen._link.post("/bench/safe", None, lambda _: screen._link.refresh(), refused.append)
    waiting(qtbot, lambda: box.device.state not in ("ready", "testing") or refused)
    assert refused == []

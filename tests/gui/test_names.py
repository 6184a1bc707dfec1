"""Every window can be used without seeing it: what takes the focus has a name."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication, QComboBox, QLabel
from pytestqt.qtbot import QtBot

from gui.application import dress
from gui.command_palette import CommandPalette
from gui.live import LiveRun
from gui.results.details import Details
from gui.results.runs import read_run
from gui.run.devices import DevicesPanel
from gui.screens import SCREENS
from gui.shortcuts import Shortcuts
from gui.start import StartPage
from gui.window import MainWindow
from tests.gui.asked import AskedLink, ask, prompted
from tests.gui.recorded import records, shown
from tests.gui.served import nameless
from tests.gui.test_plan import PROCEDURES
from tests.gui.test_results import TOLD

SESSION = {
    "run": None,
    "duts": [{"vendor": "V", "model": "M", "identity": name} for name in ("A", "B")],
    "viewers": [{"name": "Vendor", "since": "2026-01-01T00:00:00Z"}],
    "bench": {
        "name": "bench",
        "devices": [
            {
                "name": "box",
                "driver": "pilot-box",
                "offers": ["VehicleCoupler", "VehicleEmulator", "CardPresenter"],
                "state": "ready",
                "message": "",
            }
        ],
    },
}


def opened(qtbot: QtBot) -> tuple[MainWindow, LiveRun, AskedLink]:
    """A window with something in every part of it."""
    run, link = LiveRun(), AskedLink()
    run.follow(link)
    link.session = SESSION
    link.answers["/procedures?dut=A"] = PROCEDURES
    window = MainWindow(run, link)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(run.ticked):  # docks are filled after the first paint
        pass
    link.session_changed.emit(SESSION)
    shown(run, records())
    return window, run, link


@pytest.mark.parametrize("kind", ["confirm", "choose", "enter", "judge"])
def test_the_run_screen_has_names(qtbot: QtBot, kind: str) -> None:
    window, run, _ = opened(qtbot)
    options = ["yes", "no"] if kind == "choose" else []
    ask(run, prompted(kind, options=options))
    window.notices.tell("x", "Something is wrong.", "Mend it", lambda: None)
    assert nameless(window) == []
    screen = window.screen_named("run")
    # Each way to act on a device has its form.
    method = screen.findChild(QComboBox, "devices-method")
    assert method is not None
    for index in range(method.count()):
        method.setCurrentIndex(index)
        assert nameless(window) == []


def test_every_screen_has_names(qtbot: QtBot) -> None:
    window, _, _ = opened(qtbot)
    for place in SCREENS:
        window.show_screen(place.name)
        assert nameless(window) == []


def test_dialogs_and_the_first_page_have_names(qtbot: QtBot) -> None:
    window, _, _ = opened(qtbot)
    for made in (CommandPalette(window), Shortcuts(window, window.all_deeds), StartPage()):
        made.show()
        assert nameless(made) == []
        made.close()


def test_marks_take_the_colours_of_another_theme(qtbot: QtBot, qapp: QApplication) -> None:
    window, _, _ = opened(qtbot)
    details = Details()
    qtbot.addWidget(details)
    counts = {"pass": 1}
    details.show_runs([read_run({**TOLD, "counts": counts})])
    panel = window.findChild(DevicesPanel)
    assert panel is not None

    def painted() -> list[QImage]:
        device = panel.list.topLevelItem(0)
        mark = next(one for one in details.findChildren(QLabel) if not one.pixmap().isNull())
        assert device is not None
        return [device.icon(1).pixmap(18, 18).toImage(), mark.pixmap().toImage()]

    light = painted()
    dress(qapp, "dark")
    qtbot.waitUntil(lambda: all(a != b for a, b in zip(light, painted(), strict=True)))


def test_shortcuts_mean_one_thing_each(qtbot: QtBot) -> None:
    window, _, _ = opened(qtbot)
    for place in SCREENS:
        window.show_screen(place.name)
        keys = [key.toString() for deed in window.all_deeds for key in deed.shortcuts()]
        assert len(keys) == len(set(keys)), place.name
        assert all(deed.text() for deed in window.all_deeds)

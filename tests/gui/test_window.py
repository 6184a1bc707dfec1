"""The window: banner, screens, notices, themes."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from bench.events import CaseEnded, Prompted
from gui.link import Refusal
from gui.live import LiveRun
from gui.window import SCREENS, MainWindow
from tests.gui.recorded import number_of, records, shown, unconnected


def window_on(qtbot: QtBot, run: LiveRun) -> MainWindow:
    window = MainWindow(run, unconnected())
    qtbot.addWidget(window)
    window.show()
    return window


def test_the_banner_says_what_everybody_wants_to_know(qtbot: QtBot) -> None:
    run = LiveRun()
    window = window_on(qtbot, run)
    assert window.banner.state == ("READY", "none")
    found = records()
    shown(run, found[: number_of(CaseEnded, found) + 1])
    run.is_live = False
    assert window.banner.state == ("RUNNING", "running")
    shown(run, found[: number_of(Prompted, found) + 1])
    assert window.banner.state == ("YOUR TURN", "attention")
    shown(run, found)
    assert window.banner.state == ("FAIL", "fail")
    with qtbot.waitSignal(run.ticked):
        pass
    said = window.banner.accessibleDescription()
    assert said.startswith("FAIL. ")
    assert "1 fail" in said
    assert "Lab Sample" in said


def test_every_screen_comes_to_the_front(qtbot: QtBot) -> None:
    window = window_on(qtbot, LiveRun())
    for place in SCREENS:
        window.show_screen(place.name)
        assert window.screen_named(place.name).isVisible()


def test_a_refusal_is_told_until_it_is_dismissed(qtbot: QtBot) -> None:
    window = window_on(qtbot, LiveRun())
    window.link.refused.emit(Refusal(409, "run x is going on"))
    assert window.notices.texts == ["run x is going on"]
    window.notices.settle("refused")
    assert window.notices.texts == []
    assert not window.notices.isVisible()

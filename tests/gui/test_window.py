"""The window: banner, screens, notices, themes."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from bench.events import CaseEnded, CaseStarted, Prompted, RunEnded
from gui.application import dress, settings
from gui.banner import Banner
from gui.command_palette import CommandPalette
from gui.live import LiveRun
from gui.palette import scale, theme
from gui.parts import Notice
from gui.replies import Refusal
from gui.run.answer_keys import SETTLING, Said
from gui.run.screen import RunScreen
from gui.screens import SCREENS
from gui.window import MainWindow
from tests.gui import hands
from tests.gui.asked import AskedLink, answered, ask, prompted, record
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


def test_notices_are_worked_by_key(qtbot: QtBot) -> None:
    window = window_on(qtbot, LiveRun())
    deeds = {deed.objectName(): deed for deed in window.deeds}
    done: list[str] = []
    window.notices.tell("a", "Something is wrong.", "Mend it", lambda: done.append("a"))
    window.notices.tell("b", "By the way.")
    deeds["notice"].trigger()
    assert done == ["a"]
    deeds["dismiss"].trigger()
    assert window.notices.texts == ["Something is wrong."]
    # What the screen in front tells goes before.
    window.show_screen("share")
    notice = window.screen_named("share").findChildren(Notice)[0]
    notice.say("No answer.", way_out="Try again", then=lambda: done.append("share"))
    deeds["notice"].trigger()
    assert done == ["a", "share"]


def test_why_a_run_ended_by_itself_is_told_in_full(qtbot: QtBot) -> None:
    window = window_on(qtbot, LiveRun())
    found = records()
    begun = found[: number_of(CaseStarted, found)]
    why = "1 of 8 devices did not open: load (socket://127.0.0.1:1): can't open: refused"
    shown(window.run, [*begun, record(99, RunEnded(False, why, {}))])
    assert window.notices.texts == [f"The run ended before its cases did: {why}"]
    assert window.notices.act()
    assert window.screen_named("bench").isVisible()
    shown(window.run, found)  # another run
    assert window.notices.texts == []


def test_the_banner_claims_nothing_without_an_engine(qtbot: QtBot) -> None:
    link = AskedLink()
    link.session = {
        "run": None,
        "duts": [{"vendor": "V", "model": "M", "identity": "CP1"}],
        "ocpp": {"connected": True},
        "viewers": [],
    }
    banner = Banner(LiveRun(), link)
    qtbot.addWidget(banner)
    assert banner.about == ("V M", "CP1 · online")
    link.state = "lost"
    assert banner.about == ("V M", "CP1")


def test_the_layout_is_remembered(qtbot: QtBot) -> None:
    def opened() -> tuple[MainWindow, RunScreen]:
        run = LiveRun()
        run.is_live = True
        window = window_on(qtbot, run)
        screen = window.screen_named("run")
        assert isinstance(screen, RunScreen)
        qtbot.waitUntil(lambda: screen.docks["devices"].widget() is not None)
        return window, screen

    window, screen = opened()
    assert screen.docks["devices"].isVisible()
    screen.docks["devices"].hide()
    window.close()
    _, screen = opened()
    assert not screen.docks["devices"].isVisible()
    assert screen.docks["plan"].isVisible()


def test_themes_and_larger_texts_are_remembered(qtbot: QtBot, qapp: QApplication) -> None:
    window = window_on(qtbot, LiveRun())
    deeds = {deed.objectName(): deed for deed in window.deeds}
    deeds["theme"].trigger()
    deeds["larger"].trigger()
    assert (theme().name, scale()) == ("dark", 1.1)
    assert settings().value("theme") == "dark"
    qapp.setProperty("scale", 1.95)
    deeds["larger"].trigger()
    deeds["larger"].trigger()
    assert scale() == 2.0
    assert window.banner.sizeHint().height() == 192


def test_keys_of_the_run_work_wherever_the_focus_is(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [100.0]
    monkeypatch.setattr("gui.run.controls.monotonic", lambda: moment[0])
    run, link = LiveRun(), AskedLink()
    run.follow(link)
    window = MainWindow(run, link)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    found = records()
    shown(run, found[: number_of(CaseEnded, found)])
    link.session = {"run": run.run}
    link.session_changed.emit(link.session)
    focus = QApplication.focusWidget()
    assert focus is not None
    focus.clearFocus()  # as after the answer to a question
    hands.press(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert link.posts(f"/runs/{run.run}/pause") != []
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    for _ in range(2):  # a key that bounces confirms nothing
        hands.press(window, Qt.Key.Key_A, held)
    assert link.posts(f"/runs/{run.run}/abort") == []
    moment[0] += 2 * SETTLING
    hands.press(window, Qt.Key.Key_A, held)
    assert link.posts(f"/runs/{run.run}/abort") != []


def test_a_question_is_seen_whole_whatever_the_size_of_the_texts(
    qtbot: QtBot, qapp: QApplication
) -> None:
    run, link = LiveRun(), AskedLink()
    run.follow(link)
    dress(qapp, "light", 1.5)
    window = MainWindow(run, link)
    qtbot.addWidget(window)
    window.resize(1366, 768)
    window.show()
    screen = window.screen_named("run")
    assert isinstance(screen, RunScreen)
    qtbot.waitUntil(lambda: screen.docks["devices"].widget() is not None)
    found = records()
    shown(run, found[: number_of(Prompted, found)])
    text = screen.prompt.findChild(QLabel, "prompt-text")
    assert text is not None
    ask(run, prompted("judge", text="The indicator shows that a transaction runs now"))
    qtbot.waitUntil(lambda: text.isVisible() and text.height() >= text.heightForWidth(text.width()))
    inside = screen.prompt.contentsRect()
    assert inside.contains(screen.prompt.answers.geometry())
    assert screen.prompt.question.geometry().bottom() < screen.prompt.answers.geometry().top()
    assert text.geometry().bottom() <= screen.prompt.question.height()


def test_a_question_and_its_answer_move_no_dock(qtbot: QtBot) -> None:
    run, link = LiveRun(), AskedLink()
    run.follow(link)
    window = MainWindow(run, link)
    qtbot.addWidget(window)
    window.resize(1366, 768)
    window.show()
    screen = window.screen_named("run")
    assert isinstance(screen, RunScreen)
    qtbot.waitUntil(lambda: screen.docks["devices"].widget() is not None)
    QApplication.processEvents()
    docks = screen.docks["plan"], screen.docks["devices"]

    def widths() -> list[int]:
        QApplication.processEvents()
        return [dock.width() for dock in docks]

    before = widths()
    ask(run, prompted("judge", text="Look at the display. " * 12))
    assert widths() == before
    screen.prompt.answers.ask_note(Said.NO)
    assert widths() == before
    screen.prompt.answers.leave_note()
    assert widths() == before
    answered(run, answer="pass")
    assert screen.echo.isVisible()
    assert widths() == before


def test_a_case_is_found_by_its_id(qtbot: QtBot) -> None:
    window = window_on(qtbot, LiveRun())
    shown(window.run, records())
    palette = CommandPalette(window)
    palette.show()
    field = palette.findChild(QLineEdit, "command-words")
    assert field is not None
    case = window.run.view.cases[-1].id
    field.setText(case.lower())
    hands.press(field, Qt.Key.Key_Return)
    screen = window.screen_named("run")
    assert isinstance(screen, RunScreen)
    assert screen.plan.current == case

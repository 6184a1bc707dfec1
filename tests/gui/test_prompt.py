"""The prompt bar: answers by key, and the keys that answer nothing."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from bench.pictures import Picture
from gui.live import LiveRun
from gui.replies import Refusal
from gui.run.prompt import PromptBar
from tests.gui.asked import AskedLink, answered, ask, prompted

ENTER, ESC = Qt.Key.Key_Return, Qt.Key.Key_Escape
ANSWER = "/prompts/p1/answer"


class SentKey(QKeyEvent):
    """A key that the keyboard sent at some time in ms."""

    sent = 0

    def timestamp(self) -> int:
        return self.sent


class Desk:
    """A prompt bar in a window with a field beside it, and a clock that the test turns."""

    def __init__(self, qtbot: QtBot) -> None:
        self.moment = 100.0
        self.sent = 5000.0
        """The keyboard's own clock, in s."""
        self.run = LiveRun()
        self.run.is_live = True
        self.link = AskedLink()
        self.window = QWidget()
        self.field = QLineEdit()
        self.bar = PromptBar(self.run, self.link, clock=lambda: self.moment)
        column = QVBoxLayout(self.window)
        column.addWidget(self.field)
        column.addWidget(self.bar)
        qtbot.addWidget(self.window)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        self.field.clearFocus()

    def key(
        self, key: Qt.Key, *, after: float = 0.5, text: str = "", repeats: bool = False
    ) -> None:
        """Press a key where the focus is, so many s after the one before."""
        self.moment += after
        self.sent += after
        target = QApplication.focusWidget()
        assert target is not None
        kind = QEvent.Type.KeyPress
        event = SentKey(kind, key, Qt.KeyboardModifier.NoModifier, text, repeats)
        event.sent = round(self.sent * 1000)
        QApplication.sendEvent(target, event)

    def types(self, text: str, *, every: float = 0.1) -> None:
        """Type where the focus is."""
        for letter in text:
            self.key(Qt.Key(ord(letter.upper())), after=every, text=letter)

    @property
    def said(self) -> list[tuple[object, str]]:
        """The answers that were sent, with their comments."""
        return [(body["answer"], body["comment"]) for body in self.link.posts(ANSWER)]

    @property
    def problem(self) -> str:
        label = next(
            one for one in self.bar.findChildren(QLabel) if one.property("role") == "problem"
        )
        return label.text() if label.isVisible() else ""


def test_enter_says_that_it_is_done_once_the_engine_told_it_is_over(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    assert not desk.bar.isVisible()
    ask(desk.run, prompted())
    assert desk.bar.isVisible()
    desk.key(ENTER)
    assert desk.said == [(True, "")]
    # It is not over before the record says so, and can't be sent twice.
    assert desk.bar.isVisible()
    desk.key(ENTER)
    assert len(desk.said) == 1
    answered(desk.run)
    assert not desk.bar.isVisible()


def test_keys_right_after_a_prompt_came_and_repeated_ones_say_nothing(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted())
    desk.key(ENTER, after=0.29)
    desk.key(ENTER, repeats=True)
    assert desk.said == []
    desk.key(ENTER)
    assert len(desk.said) == 1


def test_a_barcode_says_nothing_though_it_ends_with_enter(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted("judge"))
    desk.moment += 1
    desk.types("04fa1b2c", every=0.01)
    desk.key(ENTER, after=0.01)
    assert desk.said == []
    desk.key(ESC)
    # Nor when its first letter asks for a note, and the rest is taken for one.
    desk.moment += 1
    desk.types("fa1b2c", every=0.01)
    desk.key(ENTER, after=0.01)
    assert desk.said == []


def test_keys_that_a_held_up_window_gets_at_once_were_pressed_one_by_one(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted("judge"))
    desk.moment += 1
    desk.key(Qt.Key.Key_F, after=0.0)
    desk.sent += 0.2
    desk.types("dark", every=0.0)
    desk.sent += 0.2
    desk.key(ENTER, after=0.0)
    assert desk.said == [("fail", "dark")]


def test_a_fail_needs_a_note(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted("judge"))
    desk.key(Qt.Key.Key_F)
    desk.key(ENTER)
    assert desk.said == []
    assert "note is needed" in desk.problem
    desk.types("dark")
    desk.key(ENTER)
    assert desk.said == [("fail", "dark")]


def test_inconclusive_and_could_not_be_done_need_a_note_too(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted("judge"))
    desk.key(Qt.Key.Key_I)
    desk.types("fog")
    desk.key(ENTER)
    assert desk.said == [("inconclusive", "fog")]
    answered(desk.run)
    ask(desk.run, prompted(), n=2)
    desk.key(Qt.Key.Key_F)
    desk.types("stuck")
    desk.key(ENTER)
    assert desk.said[1:] == [(False, "stuck")]


def test_escape_leaves_a_note_and_never_answers(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted("judge"))
    desk.key(ESC)
    desk.key(Qt.Key.Key_F)
    desk.types("no")
    desk.key(ESC)
    assert desk.said == []
    desk.key(ENTER)
    assert desk.said == [("pass", "")]


def test_a_comment_goes_with_the_answer(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted())
    desk.key(Qt.Key.Key_C)
    desk.types("loose")
    desk.key(ENTER)
    assert desk.said == []
    desk.key(ENTER)
    assert desk.said == [(True, "loose")]


def test_an_option_is_chosen_by_its_number(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted("choose", options=["yes", "no"]))
    desk.key(ENTER)
    assert "Choose one" in desk.problem
    desk.key(Qt.Key.Key_2, text="2")
    desk.key(ENTER)
    assert desk.said == [("no", "")]


def test_a_value_is_entered(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted("enter"))
    desk.key(ENTER)
    assert desk.said == []
    desk.types("12")
    desk.key(ENTER)
    assert desk.said == [("12", "")]


def test_who_types_elsewhere_is_not_interrupted(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.field.setFocus()
    ask(desk.run, prompted())
    assert desk.field.hasFocus()
    desk.key(ENTER)
    assert desk.said == []
    desk.bar.take_focus()
    desk.key(ENTER)
    assert len(desk.said) == 1
    answered(desk.run)
    assert desk.field.hasFocus()


def test_an_answer_that_came_too_late_is_told(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted())
    desk.link.refusal = Refusal(409, "prompt p1 was answered by Bob already")
    desk.key(ENTER)
    assert desk.problem == "Your answer came too late: prompt p1 was answered by Bob already."


def test_an_answer_that_may_be_lost_can_be_given_again(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted())
    desk.link.refusal = Refusal(0, "nothing answers at 127.0.0.1:1")
    desk.key(ENTER)
    assert "may not have arrived" in desk.problem
    desk.link.refusal = None
    desk.key(ENTER)
    assert len(desk.said) == 2


def test_nothing_is_answered_without_a_connection_or_in_a_replay(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted())
    desk.run.is_live = False
    desk.key(ENTER)
    assert desk.said == []
    desk.run.is_live = True
    desk.link.state = "lost"
    desk.link.state_changed.emit("lost")
    buttons = [one for one in desk.bar.findChildren(QPushButton) if one.isVisible()]
    assert not any(one.isEnabled() for one in buttons)


def test_the_time_that_is_left_is_that_of_the_engine(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    ask(desk.run, prompted(within=90.5))
    left = desk.bar.findChild(QLabel, "prompt-time-left")
    assert left is not None
    assert left.text() == "1:30"
    desk.link.clock_ahead = 60.0
    with qtbot.waitSignal(desk.run.ticked):
        pass
    assert left.text() in ("0:30", "0:29")
    desk.link.session = {"held": True}
    with qtbot.waitSignal(desk.run.ticked):
        pass
    assert left.text() == "held"


def test_a_drawing_shows_what_to_do_beside_the_whole_text(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.link.answers["/pictures/plug-in"] = Picture.PLUG_IN.svg()
    ask(desk.run, prompted(text="Plug the cable in at both ends. " * 5, picture="plug-in"))
    picture, text = (desk.bar.findChild(QLabel, f"prompt-{name}") for name in ("picture", "text"))
    assert picture is not None
    assert text is not None
    assert picture.isVisible()
    assert picture.pixmap().width() > 40
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()))
    answered(desk.run)
    ask(desk.run, prompted(), n=2)
    assert not picture.isVisible()


def test_the_state_of_answering_is_told_without_pressing_the_buttons(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.window.resize(560, 240)
    ask(desk.run, prompted())
    desk.link.state = "lost"
    desk.link.state_changed.emit("lost")
    QApplication.processEvents()
    for one in desk.bar.answers.buttons:
        if one.isVisible():
            assert one.width() >= one.sizeHint().width()
    assert "No connection" in desk.bar.answers.hint.toolTip()


def test_the_whole_text_is_seen_whatever_its_length(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.window.resize(640, 240)
    ask(desk.run, prompted(text="Take the cable out of the vehicle, and put it back. " * 6))
    text = desk.bar.findChild(QLabel, "prompt-text")
    assert text is not None
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()))
    desk.window.resize(1200, 240)
    qtbot.waitUntil(lambda: text.minimumHeight() == text.heightForWidth(text.width()))
    assert text.font().pixelSize() >= 22

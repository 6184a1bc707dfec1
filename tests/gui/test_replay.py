"""Replay: the clock over the records, the bar, the window, and the terminal."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bench.cli import main
from bench.errors import ConfigError
from bench.events import (
    CaseEnded,
    CaseStarted,
    Event,
    Prompted,
    Retried,
    StepEnded,
    StepStarted,
)
from bench.journal import Record
from gui.banner import Banner
from gui.playback import Playback
from gui.recording import Recording, read_recording
from gui.replay_window import ReplayWindow
from gui.terminal_replay import replay_in_terminal
from tests.gui.asked import AskedLink
from tests.gui.recorded import JOURNAL, number_of
from tests.gui.test_plan import PROCEDURES


class Screen:
    """What was shown."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.begun = 0

    def start_over(self) -> None:
        self.begun += 1
        self.records = []

    def take(self, records: Sequence[Record]) -> None:
        self.records += records

    @property
    def newest(self) -> Record:
        return self.records[-1]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def recording() -> Recording:
    return read_recording(JOURNAL.parent)


def cut(folder: Path, lines: int, more: bytes = b"") -> Path:
    """Copy the recorded run, with so many lines left of its journal."""
    made = folder / "cut"
    shutil.copytree(JOURNAL.parent, made)
    kept = JOURNAL.read_bytes().splitlines(keepends=True)[:lines]
    (made / "journal.jsonl").write_bytes(b"".join(kept) + more)
    return made


def test_time_passes_as_it_did_or_faster(qtbot: QtBot, recording: Recording) -> None:
    screen, clock = Screen(), Clock()
    playback = Playback(recording, screen, clock=clock)
    playback.play()
    clock.now += recording.length / 2
    playback._tick()
    assert playback.at == pytest.approx(recording.length / 2)
    assert len(screen.records) == recording.until(recording.length / 2)
    assert not playback.is_at_end
    playback.set_speed(100)
    clock.now += recording.length / 100
    playback._tick()
    assert playback.is_at_end
    assert not playback.is_playing
    assert screen.records == recording.records
    playback.play()
    assert playback.at == 0.0
    assert screen.begun == 2


def test_a_seek_back_shows_the_run_from_its_begin(qtbot: QtBot, recording: Recording) -> None:
    screen = Screen()
    playback = Playback(recording, screen)
    playback.seek(recording.length)
    assert screen.records == recording.records
    playback.seek(0.0)
    assert screen.records == recording.records[: recording.until(0.0)]
    playback.seek(-5.0)
    assert playback.at == 0.0


def test_jumps_lead_to_cases_steps_and_fails(qtbot: QtBot, recording: Recording) -> None:
    screen = Screen()
    playback = Playback(recording, screen)
    playback.seek(0.0)
    assert playback.jump(recording.cases, 1)
    assert isinstance(screen.newest.event, CaseStarted)
    first = screen.newest.event.case
    assert playback.jump(recording.cases, 1)
    assert isinstance(screen.newest.event, CaseStarted)
    assert screen.newest.event.case != first
    assert playback.jump(recording.cases, -1)
    assert isinstance(screen.newest.event, CaseStarted)
    assert screen.newest.event.case == first
    assert not playback.jump(recording.cases, -1)
    playback.seek(0.0)
    assert playback.jump(recording.fails, 1)
    assert [place.verdict for place in recording.fails] == ["inconclusive", "fail"]
    playback.seek(recording.length)
    assert not playback.jump(recording.fails, 1)


def test_a_far_seek_lets_the_window_live(qtbot: QtBot, recording: Recording) -> None:
    class Slow(Screen):
        def take(self, records: Sequence[Record]) -> None:
            super().take(records)
            clock.now += 1.0  # more than any budget

    clock = Clock()
    screen = Slow()
    playback = Playback(recording, screen, clock=clock)
    playback.seek(recording.length)
    assert playback.is_seeking
    assert 0 < len(screen.records) < len(recording.records)
    qtbot.waitUntil(lambda: not playback.is_seeking)
    assert screen.records == recording.records


def test_a_whole_journal_misses_nothing(recording: Recording) -> None:
    assert recording.missing == ""


def test_what_was_tried_again_is_no_fail() -> None:
    recording = Recording("r")
    events: list[Event] = [
        CaseStarted("TC_1", "t", "M", "g", "p", []),
        StepStarted(1, "preamble", "first try"),
        StepEnded(1, "inconclusive", "why"),
        Retried("why"),
        StepStarted(1, "preamble", "second try"),
        StepEnded(1, "pass", None),
        CaseEnded("TC_1", "pass", "completed", None, None, "body", 1.0, []),
    ]
    for number, event in enumerate(events, start=1):
        recording.add(Record(number, datetime(2031, 1, 1, tzinfo=UTC), float(number), event))
    assert recording.fails == []


def test_a_cut_journal_says_what_is_missing(tmp_path: Path) -> None:
    recording = read_recording(cut(tmp_path, 40, b'{"n":41,"utc"'))
    assert len(recording.records) == 40
    assert recording.missing.startswith("The journal ends at record 40, during TC_90")
    assert "line 41: not a whole record" in recording.missing
    assert recording.missing.endswith("planned cases are missing. All before it is shown.")


def test_a_journal_without_its_first_record_is_told(tmp_path: Path) -> None:
    recording = read_recording(cut(tmp_path, 0, b"rubbish\n"))
    assert recording.records == []
    assert "holds no record" in recording.missing


def test_the_window_is_worked_by_keys_alone(qtbot: QtBot, recording: Recording) -> None:
    window = ReplayWindow()
    qtbot.addWidget(window)
    window.show_recording(recording)
    window.show()
    assert window.bar is not None
    playback = window.bar.playback
    with qtbot.waitActive(window):
        window.activateWindow()
    assert window.windowTitle() == f"Replay of {recording.name}"
    press(window, Qt.Key.Key_N)
    assert window.run.view.case is not None
    assert window.findChildren(Banner)[0].state == ("REPLAY", "running")
    press(window, Qt.Key.Key_F)
    assert playback.at == recording.time_of(recording.fails[0].index)
    press(window, Qt.Key.Key_Plus)
    assert playback.speed == 2
    assert window.bar.speed.currentText() == "2 ×"
    press(window, Qt.Key.Key_K)
    assert playback.is_playing
    assert window.bar.play.text() == "Pause"
    press(window, Qt.Key.Key_K)
    press(window, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert window.run.view.ended is not None
    assert not window.run.is_live
    assert window.run.view.records == len(recording.records)
    press(window, Qt.Key.Key_F)
    assert window.bar.where.text() == "There is no fail after this place."


def test_a_replay_chooses_starts_and_asks_nothing(qtbot: QtBot, recording: Recording) -> None:
    link = AskedLink()
    link.answers["/procedures"] = PROCEDURES
    window = ReplayWindow(link)
    qtbot.addWidget(window)
    window.show_recording(recording)
    window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    # The engine that it was opened from goes on telling what it does.
    link.session = {"run": "another", "duts": []}
    link.session_changed.emit(link.session)
    screen = window.screen_shown
    assert screen is not None
    plan = screen.plan
    assert list(plan.model.entries) == [case.id for case in window.run.view.cases]
    first = plan.model.index_of(window.run.view.cases[0].id)
    assert plan.model.data(first, Qt.ItemDataRole.CheckStateRole) is None
    assert not plan.model.flags(first) & Qt.ItemFlag.ItemIsUserCheckable
    assert plan.tree.contextMenuPolicy() is Qt.ContextMenuPolicy.DefaultContextMenu
    shown = [plan.filter.itemText(at) for at in range(plan.filter.count())]
    assert shown == ["All cases", "Not passed"]
    names = {deed.objectName() for deed in screen.deeds}
    assert not names & {"start", "alone", "from-here", "failed-again", "abort", "pause"}
    press(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert [verb for verb, _, _ in link.asked if verb != "GET"] == []
    press(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert plan.search.hasFocus()


def test_who_goes_back_before_a_question_does_not_see_it(
    qtbot: QtBot, recording: Recording
) -> None:
    window = ReplayWindow()
    qtbot.addWidget(window)
    window.show_recording(recording)
    window.show()
    assert window.bar is not None
    screen = window.screen_shown
    assert screen is not None
    asked = number_of(Prompted, recording.records)
    window.bar.playback.seek(recording.time_of(asked))
    qtbot.waitUntil(lambda: screen.prompt.isVisible())
    window.bar.playback.seek(0.0)
    qtbot.waitUntil(lambda: not screen.prompt.isVisible())
    window.bar.playback.seek(recording.length)
    qtbot.waitUntil(lambda: screen.echo.isVisible())
    window.bar.playback.seek(0.0)
    qtbot.waitUntil(lambda: not screen.echo.isVisible())


def test_the_window_reads_a_folder_bit_by_bit(qtbot: QtBot, tmp_path: Path) -> None:
    window = ReplayWindow(speed=10)
    qtbot.addWidget(window)
    window.open_folder(cut(tmp_path, 40))
    window.show()
    qtbot.waitUntil(lambda: window.bar is not None)
    assert window.bar is not None
    assert window.bar.playback.speed == 10
    assert "planned cases are missing" in window.bar.notice.words
    with pytest.raises(ConfigError, match="so this is no run's folder"):
        ReplayWindow().open_folder(tmp_path)


def test_the_terminal_shows_a_run_and_what_is_missing(tmp_path: Path) -> None:
    out, errors = io.StringIO(), io.StringIO()
    assert replay_in_terminal(cut(tmp_path, 40), out, errors, speed=1.0) == 0
    assert "TC_902_CS fail in 88 ms" in out.getvalue()
    assert errors.getvalue().startswith("pilotbench: The journal ends at record 40")


def test_the_command_shows_a_run_or_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(JOURNAL.parent), "--terminal"]) == 0
    assert "Run ended: 3 of 3 cases, 2 pass, 1 fail" in capsys.readouterr().out
    assert main(["replay", str(tmp_path), "--terminal"]) == 3
    assert "so this is no run's folder" in capsys.readouterr().err
    assert main(["replay", str(JOURNAL.parent), "--speed", "500"]) == 3
    assert "--speed: 500, expected 1 to 100" in capsys.readouterr().err


def test_without_a_display_a_run_is_shown_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["replay", str(JOURNAL.parent)]) == 0
    assert "TC_904_CS pass" in capsys.readouterr().out


def press(
    window: ReplayWindow,
    key: Qt.Key,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    from PyQt6.QtTest import QTest

    QTest.keyClick(window, key, modifier)  # type: ignore[call-overload]
    QApplication.processEvents()

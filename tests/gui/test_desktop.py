"""The desktop app with engines of its own: programs that start, end, are killed and found again."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from bench.served import where_served
from gui.desktop import Desktop
from gui.engine import Order, OwnEngine
from gui.run.answer_keys import SETTLING
from gui.run.screen import RunScreen

DEADLINE = 40_000
"""Longest wait in ms; only a defect makes a test wait so long."""
BY_HAND = "TC_030_CS"
"""A case with a step by hand in the simulated lab that has one."""


class Day:
    """A desktop, and what a test does with it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.desktop = Desktop()

    def until(self, holds: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(holds, timeout=DEADLINE)

    def opened(self, order: Order, plan: dict[str, Any] | None = None) -> Day:
        """Open the window on an engine of its own."""
        self.desktop.start(order, plan)
        self.connected()
        return self

    def connected(self) -> None:
        """Wait for the connection."""
        self.until(lambda: self.desktop.link is not None)
        link = self.desktop.link
        assert link is not None
        self.until(lambda: link.state == "connected")

    @property
    def screen(self) -> RunScreen:
        assert self.desktop.window is not None
        screen = self.desktop.window.screen_named("run")
        assert isinstance(screen, RunScreen)
        return screen

    @property
    def notices(self) -> str:
        assert self.desktop.window is not None
        return " ".join(self.desktop.window.notices.texts)

    def asked(self) -> None:
        """Wait for a question of the bench that can be answered."""
        self.until(lambda: bool(self.desktop.run.prompts))
        self.qtbot.wait(int(SETTLING * 1000) + 50)

    def enter(self) -> None:
        """Press Enter at the prompt."""
        key, none = Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(self.screen.prompt, QKeyEvent(QEvent.Type.KeyPress, key, none))

    def close(self) -> None:
        """Close the window and wait until it is gone."""
        window = self.desktop.window
        assert window is not None
        window.close()
        self.until(lambda: not window.isVisible())

    def answers(self, words: str) -> None:
        """Press a button of the question that is asked in a box."""
        boxes = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox)]
        boxes = [box for box in boxes if box.isVisible()]
        assert len(boxes) == 1
        button = next(b for b in boxes[0].findChildren(QPushButton) if words in b.text())
        button.click()


@contextmanager
def engine_ended(runs: Path) -> Iterator[None]:
    """Kill the engine that a failed test leaves behind."""
    try:
        yield
    finally:
        served = where_served(runs)
        if served is not None:
            with suppress(ProcessLookupError):
                os.kill(served.process, signal.SIGTERM)


def test_a_newcomer_starts_the_lab_answers_by_key_and_closes_the_window(
    qtbot: QtBot, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    with engine_ended(runs):
        day = Day(qtbot).opened(Order(runs), plan={"cases": [BY_HAND]})
        run = day.desktop.run
        day.asked()
        # Answered once, and shown as such only after the engine told it.
        day.enter()
        first = next(iter(run.view.prompts.values()))
        assert first.answer is None
        day.enter()
        day.until(lambda: first.answer is not None)
        assert "Recorded: done by" in day.screen.echo.text()
        day.asked()
        day.enter()
        day.until(lambda: run.view.ended is not None)
        assert run.view.counts["pass"] == 1, [case.reason for case in run.view.cases]
        assert [prompt.answer.answer for prompt in run.view.prompts.values() if prompt.answer] == [
            True,
            True,
        ]
        assert day.desktop.exit_code == 0
        # The engine is this window's own: it ends with it.
        day.until(lambda: not day.desktop.is_going_on)
        day.close()
        assert where_served(runs) is None


def test_a_killed_window_loses_nothing_and_two_windows_see_the_same(
    qtbot: QtBot, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    with engine_ended(runs):
        first = Day(qtbot).opened(Order(runs), plan={"cases": [BY_HAND]})
        first.asked()
        # Another window finds the engine that runs, with its run and its question.
        second = Day(qtbot).opened(Order(runs))
        engine = second.desktop.engine
        assert engine is not None
        assert engine.was_found
        second.asked()
        first.enter()
        second.until(lambda: second.desktop.run.answered is not None)
        # Whose window is closed while another sits at the engine, ends nothing.
        assert not engine.is_last_window
        second.asked()
        assert second.desktop.window is not None
        second.desktop.window.close()
        second.answers("Let the engine go on")
        second.until(lambda: not second.desktop.window.isVisible())  # type: ignore[union-attr]
        first.asked()
        # A window that is killed leaves the engine alone: it is a session of its own.
        served = where_served(runs)
        assert served is not None
        assert os.getsid(served.process) != os.getsid(0)
        first.enter()
        first.until(lambda: first.desktop.run.view.ended is not None)
        first.until(lambda: not first.desktop.is_going_on)
        first.close()
        assert where_served(runs) is None


def test_an_engine_that_was_killed_is_started_anew_and_the_window_goes_on(
    qtbot: QtBot, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    with engine_ended(runs):
        day = Day(qtbot).opened(Order(runs), plan={"cases": [BY_HAND]})
        day.asked()
        other = Day(qtbot).opened(Order(runs))
        served = where_served(runs)
        assert served is not None
        os.kill(served.process, signal.SIGKILL)
        day.until(lambda: "The engine has ended: it was ended by SIGKILL" in day.notices)
        other.until(lambda: "The engine has ended" in other.notices)
        # One notice for one mishap.
        assert "The connection to the engine is lost" not in day.notices
        assert day.desktop.window is not None
        day.until(lambda: day.desktop.window.banner.state[0] == "NO ENGINE")  # type: ignore[union-attr]
        seen = day.desktop.run.view.records
        again = day.desktop.window.findChild(QPushButton, "notice-engine-act")
        assert again is not None
        again.click()
        day.connected()
        day.until(lambda: day.desktop.window.banner.state[0] == "UNFINISHED")  # type: ignore[union-attr]
        # What was seen of the run is there, and its question can't be answered any more.
        assert day.desktop.run.view.records >= seen
        day.until(lambda: day.desktop.run.prompts == {})
        # The other window joins by itself.
        other.connected()
        other.until(lambda: other.notices == "")
        other.close()
        day.close()
        assert where_served(runs) is None


def test_aborting_on_closing_leaves_the_lab_safe(qtbot: QtBot, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with engine_ended(runs):
        day = Day(qtbot).opened(Order(runs), plan={"cases": [BY_HAND]})
        day.asked()
        prompts = day.desktop.run.prompts
        assert day.desktop.window is not None
        day.desktop.window.close()
        day.answers("Stay")
        assert day.desktop.window.isVisible()
        day.desktop.window.close()
        day.answers("Abort it")
        # The clean-up needs a hand, too, and the window is still there for it.
        day.until(lambda: any("Free the" in one.event.text for one in prompts.values()))
        day.asked()
        day.enter()
        day.until(lambda: not day.desktop.window.isVisible())  # type: ignore[union-attr]
        assert where_served(runs) is None
        (journal,) = runs.glob("*/journal.jsonl")
        text = journal.read_text("utf-8")
        assert '"event":"MadeSafe"' in text
        assert '"event":"RunEnded"' in text


def test_closing_asks_for_the_run_though_the_connection_is_lost(qtbot: QtBot) -> None:
    class Running(OwnEngine):
        stopped = False
        is_running = True
        is_last_window = True

        def stop(self) -> None:
            self.stopped = True

    day = Day(qtbot)
    day.desktop.connect_to("http://127.0.0.1:1", "t" * 43)
    engine = day.desktop.engine = Running(Order(Path("runs")))
    link, window = day.desktop.link, day.desktop.window
    assert link is not None
    assert window is not None
    link.session = {"run": "r1"}
    day.until(lambda: link.state == "lost")
    window.close()
    day.answers("Stay")
    assert window.isVisible()
    assert not engine.stopped
    window.close()
    day.answers("Let the engine go on")
    assert not window.isVisible()
    assert not engine.stopped


def test_a_first_page_that_is_closed_leaves_no_engine_behind(qtbot: QtBot, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with engine_ended(runs):
        day = Day(qtbot)
        page = day.desktop.ask()
        day.desktop.start(Order(runs))
        engine = day.desktop.engine
        assert engine is not None
        with qtbot.waitSignal(engine.ended, timeout=DEADLINE):
            page.close()
        assert where_served(runs) is None
        assert day.desktop.window is None


def test_an_order_that_can_not_be_met_is_told_in_words(qtbot: QtBot, tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text("[bench]\nnam = 'x'\n", "utf-8")
    desktop = Desktop()
    page = desktop.ask()
    page.bench.setText(str(tmp_path / "none.toml"))
    page.bench_button.click()
    assert "no such file" in page.problem.words
    page.bench.setText(str(bench))
    page.bench_button.click()
    qtbot.waitUntil(lambda: page.problem.words != "", timeout=DEADLINE)
    assert "table [bench]" in page.problem.words
    assert "nam" in page.problem.words
    assert page.bench_button.isEnabled()


def test_what_is_no_engine_is_told_in_words(qtbot: QtBot, tmp_path: Path) -> None:
    page = Desktop().ask()
    page.url.setText("bench-3")
    page.engine_button.click()
    assert "no URL" in page.problem.words
    page.url.setText("http://127.0.0.1:1")
    page.engine_button.click()
    assert "operator's token" in page.problem.words
    page.token.setText(str(tmp_path / "none"))
    page.engine_button.click()
    assert "No such file" in page.problem.words
    token = tmp_path / "operator.token"
    token.write_text("t" * 43, "ascii")
    page.token.setText(str(token))
    page.engine_button.click()
    qtbot.waitUntil(lambda: page.engine_button.isEnabled(), timeout=DEADLINE)
    assert "nothing answers at 127.0.0.1:1" in page.problem.words


def test_a_display_that_does_not_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from gui.command import hindrance

    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for display in (":32100", "127.0.0.1:59000.0", "nonsense"):
        monkeypatch.setenv("DISPLAY", display)
        assert f"none answers at DISPLAY={display}" in (hindrance() or "")
    path = "/tmp/.X11-unix/X32101"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(f"\0{path}")
        server.listen()
        monkeypatch.setenv("DISPLAY", ":32101.0")
        assert hindrance() is None


@pytest.mark.parametrize("missing", ["display", "qt"])
def test_without_a_display_or_qt_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    from bench.cli import main

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    if missing == "qt":
        monkeypatch.setattr("gui.command.find_spec", lambda _: None)
    assert main(["gui"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("pilotbench: the desktop app needs ")
    assert ("PyQt6" if missing == "qt" else "DISPLAY") in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--api", "http://127.0.0.1:1"], "--api and --token-file: expected both or none"),
        (["--bench", "none.toml"], "none.toml: no such file"),
        (["--dut", "dut.toml"], "--dut: expected with --bench"),
        (["TC_003_CS"], "CASE: expected with --demo"),
        (["--api", "u", "--token-file", "f", "--demo"], "--api: the engine is there already"),
    ],
)
def test_a_command_line_that_means_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    from bench.cli import main

    assert main(["gui", *arguments]) == 3
    assert capsys.readouterr().err.startswith(f"pilotbench: {expected}")

"""An engine on a simulated lab, served from a thread, for screens that ask it."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QComboBox, QMessageBox, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from bench.config import load_bench
from bench.dut import load_dut
from bench.engine import Engine
from bench.events import EarlierResultsVoid, Event, RunEnded
from bench.journal import JournalWriter, Record
from bench.report import read_run
from drivers.sim.lab import open_lab
from gui.link import Link
from gui.live import LiveRun
from tests.engine.service import TOKEN, Service, impatient, served
from tests.gui.recorded import JOURNAL

RUN, CUT = "20310101T000000Z-sample", "20310101T000001Z-cut"
READER = """
[[device]]
name = "desk-reader"
driver = "manual-card-reader"

[device.calibration]
certificate = "D-K-1 2026-03"
issuer = "Example Metrology"
date = 2026-03-02
due = 2026-03-03
"""
DEADLINE = 30.0
"""Longest wait in s; only a defect makes a test wait so long."""


@dataclass
class Served:
    """The engine, seen from the test's thread."""

    folder: Path
    service: Service

    @property
    def runs(self) -> Path:
        """The folder of its runs."""
        return self.folder / "runs"

    def link(self, qtbot: QtBot) -> Link:
        """Make a link to it that is connected."""
        link = Link(self.service.url, TOKEN)
        link.open()
        qtbot.waitUntil(lambda: link.state == "connected", timeout=int(DEADLINE * 1000))
        return link

    @contextmanager
    def looked_at(self, qtbot: QtBot) -> Iterator[tuple[LiveRun, Link]]:
        """Make what a screen is made of, and take it away after the screen."""
        run, link = LiveRun(), self.link(qtbot)
        run.follow(link)
        yield run, link
        link.close()
        for one in (run, link):
            one.deleteLater()


@contextmanager
def serving_apart(folder: Path) -> Iterator[Served]:
    """Serve an engine while the context lasts, with a recorded run and the same cut short."""
    loop, began, ends = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Served] = []
    problems: list[BaseException] = []

    async def serve() -> None:
        async with open_lab(folder) as lab:
            with lab.bench_file.open("a") as bench:
                bench.write(READER)
            out = folder / "runs"
            engine = Engine(load_bench(lab.bench_file), [impatient(load_dut(lab.dut_file))], out)
            async with served(engine, out) as one:
                found.append(Served(folder, one))
                began.set()
                await ends.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:  # noqa: BLE001 - told in the test's thread
            problems.append(error)
        finally:
            began.set()
            loop.close()

    keep_runs(folder / "runs")
    thread = threading.Thread(target=work, name="engine")
    thread.start()
    began.wait(DEADLINE)
    try:
        if problems:
            raise problems[0]
        yield found[0]
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ends.set)
        thread.join(DEADLINE)


def keep_runs(runs: Path) -> None:
    """Put a recorded run into a folder, the same cut by a kill, and one that makes it void."""
    runs.mkdir(parents=True)
    shutil.copytree(JOURNAL.parent, runs / RUN)
    cut = runs / CUT
    shutil.copytree(JOURNAL.parent, cut)
    lines = (cut / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (cut / "journal.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]) + lines[-1][:40])
    (cut / "results.json").unlink()
    found = read_run(runs / RUN).view.started
    assert found is not None
    later = runs / "20310101T000002Z-later"
    later.mkdir()
    events: list[Event] = [
        dataclasses.replace(found, run=later.name, cases=[]),
        EarlierResultsVoid("the DUT reports other software", [RUN]),
        RunEnded(True, None, {}),
    ]
    with JournalWriter(later / "journal.jsonl") as journal:
        for n, event in enumerate(events, start=1):
            journal.append(Record(n, datetime(2031, 1, 2, tzinfo=UTC), float(n), event))


def waiting(qtbot: QtBot, what: Callable[[], object]) -> None:
    """Let Qt's loop run until something is so."""
    qtbot.waitUntil(lambda: bool(what()), timeout=int(DEADLINE * 1000))


def nameless(screen: QWidget) -> list[QWidget]:
    """List what takes the focus and has no name for assistive tools."""
    return [
        part
        for part in screen.findChildren(QWidget)
        if part.isVisibleTo(screen)
        and part.focusPolicy() & Qt.FocusPolicy.TabFocus
        and part.focusProxy() is None
        and not isinstance(part.parentWidget(), QComboBox)
        and not isinstance(part, QTabBar)
        and not part.accessibleName()
    ]


def asked_about() -> QMessageBox:
    """Return the question that stands open."""
    return next(one for one in QApplication.topLevelWidgets() if isinstance(one, QMessageBox))


def press(box: QMessageBox, words: str) -> None:
    """Press a button of a question."""
    next(one for one in box.buttons() if one.text() == words).click()

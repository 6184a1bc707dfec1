"""The desktop app's window: what plots cost a second, and how long the message list filters."""

from __future__ import annotations

import gc
import os
import time
from datetime import UTC, datetime, timedelta

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QEventLoop, Qt, QTimer
from PyQt6.QtWidgets import QApplication

from bench.events import CaseStarted, ChannelDeclared, FrameReceived, FrameSent, StepStarted
from bench.journal import Record
from bench.runview import RunView
from gui.application import make_application
from gui.cursor import TimeCursor
from gui.messages.panel import MessageList
from gui.messages.timeline import Timeline
from gui.plots.channel import Channel, groups_of
from gui.plots.stack import PlotStack
from gui.plots.summary import Trace
from gui.plots.view import TimeView
from tests.benchmarks.table import Line

FRAMES = 30
"""Frames a second."""
MESSAGES = 100_000
_KINDS = (("pilot-high", "V"), ("current-l1", "A"), ("power", "W"), ("voltage-l1", "V"))
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def plots() -> list[Line]:
    """Measure both loads that the plots have to carry."""
    return [plotted(20, 1000, 60.0), plotted(6, 100_000, 10.0)]


def plotted(count: int, rate: int, span: float, seconds: float = 8.0) -> Line:
    """Feed and paint so many channels at a rate in Hz, and count the CPU time of this process."""
    app = _application()
    size = round(rate * span)
    channels = [_channel(number, size) for number in range(count)]
    view = TimeView(span)
    view.reach(0.0)
    stack = PlotStack(Timeline(), TimeCursor(), view)
    stack.show_groups(groups_of(channels))
    stack.resize(1600, 900)
    stack.show()
    noise = np.random.default_rng(1)
    stock = noise.normal(0, 1, rate).astype(np.float32) + np.float32(10)
    _feed(channels, view, stock, 0, size, rate)
    fed, frames = size, 0
    loop = QEventLoop()
    began, used = time.perf_counter(), time.process_time()

    def frame() -> None:
        nonlocal fed, frames
        passed = time.perf_counter() - began
        due = size + round(passed * rate)
        _feed(channels, view, stock, fed, due, rate)
        fed = due
        stack.viewport().repaint()
        frames += 1
        if passed >= seconds:
            loop.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(frame)
    timer.start(1000 // FRAMES)
    loop.exec()
    timer.stop()
    took, cpu = time.perf_counter() - began, time.process_time() - used
    stack.deleteLater()
    app.processEvents()
    return Line(
        f"plots of {count} channels at {rate / 1000:g} kHz over {span:g} s, 1600×900",
        f"{cpu / took:.0%} of a core at {frames / took:.0f} frames/s",
        f"aim: below 35% at {FRAMES} frames/s",
    )


def messages() -> list[Line]:
    """Measure how long the list takes to fill, to filter and to paint once it is filtered."""
    app = _application()
    records = list(_conversation(MESSAGES))
    view = RunView()
    for record in records:
        view.apply(record)
    timeline = Timeline()
    shown = MessageList(timeline, TimeCursor())
    shown.resize(1200, 700)
    shown.show()
    timeline.begin_anew(records, view)
    app.processEvents()
    slowest, words_of_it = 0.0, ""
    for words in (
        *("meter", "action:status", "verdict:fail", "transactionId=4711", "unit=Wh"),
        *("from:station kind:call", "-meter", "is:unanswered", "status=Available | unit=Wh", ""),
    ):
        times = []
        for _ in range(3):
            shown.filter.blockSignals(True)
            shown.filter.setText(words + " ")
            shown.filter.blockSignals(False)
            began = time.thread_time()
            shown.filter.setText(words)
            shown.table.viewport().repaint()  # type: ignore[union-attr]
            times.append(time.thread_time() - began)
        if min(times) > slowest:
            slowest, words_of_it = min(times), words
    batches = []
    for at in range(20):
        batch = list(_conversation(166, first=len(records) + 166 * at))[2:]
        for record in batch:
            view.apply(record)
        began = time.thread_time()
        timeline.take(batch, view)
        shown.table.viewport().repaint()  # type: ignore[union-attr]
        batches.append(time.thread_time() - began)
    shown.deleteLater()
    app.processEvents()
    return [
        Line(
            f"filtering {MESSAGES:,} messages and painting the list, slowest of 10",
            f"{slowest * 1000:.0f} ms of a core ({words_of_it or 'no filter'})",
            "aim: below 50 ms",
        ),
        Line(
            f"166 messages more in a list of {MESSAGES:,}, with painting",
            f"{sorted(batches)[len(batches) // 2] * 1000:.1f} ms of a core",
            "33 ms at 5000 messages/s",
        ),
    ]


def _application() -> QApplication:
    """Return the application; what was measured before is not walked over by its collections."""
    gc.collect()
    gc.freeze()
    app = QApplication.instance()
    return app if isinstance(app, QApplication) else make_application()


def _channel(number: int, size: int) -> Channel:
    name, unit = _KINDS[number % len(_KINDS)]
    channel = Channel(ChannelDeclared(number + 1, name, unit, f"adc{number}"))
    channel.trace = Trace(size)
    return channel


def _feed(
    channels: list[Channel], view: TimeView, stock: np.ndarray, begin: int, end: int, rate: int
) -> None:
    """Push the samples from one number to another."""
    time_of = np.arange(begin, end) / rate
    values = np.take(stock, np.arange(begin, end) % len(stock))
    for channel in channels:
        channel.trace.push(time_of, values)
        channel.last = float(values[-1]) if len(values) else channel.last
    view.reach(end / rate)


def _conversation(count: int, first: int = 0) -> list[Record]:
    """Write a talk of CALLs and their answers, one in three a StatusNotification."""
    found = [
        Record(1, _BEGAN, 0.0, CaseStarted("TC_003_CS", "Talk", "C", "core", "", [])),
        Record(2, _BEGAN, 0.0, StepStarted(1, "body", "Talk")),
    ]
    for at in range(first // 2, (first + count) // 2):
        if at % 3:
            sample = f'{{"value":"{at}","measurand":"Energy.Active.Import.Register","unit":"Wh"}}'
            payload = (
                f'{{"connectorId":1,"transactionId":{at},"meterValue":'
                f'[{{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{sample}]}}]}}'
            )
            call = f'[2,"m{at}","MeterValues",{payload}]'
        else:
            payload = '{"connectorId":1,"status":"Available","errorCode":"NoError"}'
            call = f'[2,"m{at}","StatusNotification",{payload}]'
        mono = at * 0.01
        for event in (FrameReceived(1, call), FrameSent(1, f'[3,"m{at}",{{}}]')):
            utc = _BEGAN + timedelta(seconds=mono)
            found.append(Record(3 + 2 * at + (len(found) + 1) % 2, utc, mono, event))
            mono += 0.003
    return found

"""The scope: edges, period and duty cycle of a pilot, and the panel that offers it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from bench.events import ChannelDeclared
from bench.samples import Entry, Window
from gui.live import LiveRun
from gui.plots.channel import Tile
from gui.plots.history import Got
from gui.plots.panel import PlotPanel
from gui.plots.scope import crossings, middle_of, pulses
from gui.plots.summary import Values
from tests.gui.hands import click
from tests.gui.recorded import unconnected

PILOT = ChannelDeclared(1, "pilot", "V", "adc", 1)


def pwm(begin: float, end: float, duty: float, rate: float = 100_000.0) -> tuple[Values, Values]:
    """A pilot of 1 kHz between -12 V and 9 V."""
    number = np.arange(math.ceil(begin * rate), math.ceil(end * rate))
    each = rate / 1000
    return number / rate, np.where(number % each < duty * each, 9.0, -12.0)


@given(duty=st.floats(0.05, 0.95), begin=st.floats(0, 1))
@settings(max_examples=40)
def test_period_and_duty_cycle_are_measured(duty: float, begin: float) -> None:
    time, values = pwm(begin, begin + 0.02, duty)
    found = pulses(time, values, middle_of(values))
    assert found.period == pytest.approx(1e-3, rel=0.01)
    assert found.duty == pytest.approx(100 * duty, abs=1.2)


def test_an_edge_lies_between_two_samples_in_proportion() -> None:
    time, values = np.array([0.0, 1, 2, 3]), np.array([0.0, 4, 4, 0])
    assert crossings(time, values, 1.0, rising=True).tolist() == [0.25]
    assert crossings(time, values, 1.0, rising=False).tolist() == [2.75]
    assert math.isnan(pulses(time, values, 1.0).period)
    assert math.isnan(middle_of(np.array([])))


class Fast:
    """History of a pilot with 53 % duty cycle."""

    def __init__(self) -> None:
        self.asked: list[Tile] = []

    def ask(self, tile: Tile, got: Got, failed: Callable[[], None]) -> None:
        """Answer with every sample."""
        self.asked.append(tile)
        time, values = pwm(tile.begin, tile.end, 0.53)
        got(time.tolist(), values.tolist(), values.tolist())


def test_the_scope_is_offered_for_fast_channels_and_stands_on_an_edge(qtbot: QtBot) -> None:
    run, source = LiveRun(), Fast()
    panel = PlotPanel(run, unconnected())
    qtbot.addWidget(panel)
    panel.resize(900, 700)
    panel.show()
    run.restart("run")
    panel.read_history(source)

    def feed(samples: int, begin: float) -> None:
        entry = Entry(PILOT, samples, -12.0, 9.0, 0.0, 9.0)
        run.sample([Window(1, begin, begin + 0.1, (entry,))])
        run.flush()

    feed(1, 100.0)
    qtbot.waitUntil(lambda: panel.stack.plots[0].range is not None)
    assert not panel.bar.scoping.isVisible()
    feed(10_000, 100.1)
    qtbot.waitUntil(panel.bar.scoping.isVisible)
    run.cursor.select(100.05)
    click(panel.bar.scoping)
    assert panel.scope.said.text() == "waiting for data"
    qtbot.waitUntil(lambda: panel.scope.said.text() != "waiting for data")
    assert panel.scope.said.text() == "level −1.500 V  ·  1 kHz  ·  duty 53.0 %"
    tile = next(tile for tile in source.asked if tile.length == 0.01)
    assert tile.end - 1e-9 <= 100.05 < tile.end + tile.length
    time, volts = panel.scope.trace.line.getData()
    assert (volts.min(), volts.max(), len(time)) == (-12.0, 9.0, 2002)
    assert float(volts[time < 0][-1]) < 0 < float(volts[time > 0][0])  # it stands on the edge
    assert not panel.scope.grab().isNull()
    panel.scope.edge.setCurrentIndex(1)
    panel.scope.edge.activated.emit(1)
    assert "duty 53.0 %" in panel.scope.said.text()

"""The plots: which channels share one, what is fetched, what mouse and keys do."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PyQt6.QtGui import QColor, QKeySequence, QShortcut, QWheelEvent
from PyQt6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from bench.events import ChannelDeclared, StepStarted
from bench.sample_file import Block, SampleFile
from bench.samples import Entry, Window
from gui.application import dress
from gui.live import LiveRun
from gui.palette import THEMES
from gui.plots import curves, legend
from gui.plots.channel import Channel, Tile, groups_of, labels
from gui.plots.drawing import columns, strokes
from gui.plots.history import FromFile, Got, History
from gui.plots.panel import PlotPanel
from gui.plots.picture import Picture, Stretch
from gui.plots.scale import distance_text, limits, plain, prefix, spelled, time_text
from gui.plots.stack import APART, AXIS, LEAST, LOW
from gui.plots.summary import Course
from gui.plots.view import TimeView
from tests.gui.hands import click, double_click, drag, hover, press
from tests.gui.recorded import records, unconnected
from tests.gui.talk import came

KEY = Qt.Key
BEGAN = 5235.0


def _declared(number: int, name: str, unit: str, **more: object) -> ChannelDeclared:
    values = {"instrument": "meter", "connector": None, "zero": 0.0, **more}
    return ChannelDeclared(number, name, unit, **values)  # type: ignore[arg-type]


POWER, ENERGY = _declared(1, "power", "W"), _declared(2, "energy", "Wh", zero=1_000_000.0)
HIGH = _declared(3, "pilot-high", "V", instrument="pilot-box", connector=1)


def _windows(begin: float, count: int) -> list[Window]:
    """Windows of 0.1 s: power rises by 1 W each, with a swing of 0.5 W."""
    found = []
    for at in range(count):
        time = begin + at / 10
        entries = (
            Entry(POWER, 5, at - 0.5, at + 0.5, at, at + 0.25),
            Entry(
                ENERGY, 1, 1_000_000.0 + at, 1_000_000.0 + at, 1_000_000.0 + at, 1_000_000.0 + at
            ),
        )
        found.append(Window(at + 1, time, time + 0.1, entries))
    return found


class Bench:
    """A panel with the run that it shows."""

    def __init__(self, qtbot: QtBot) -> None:
        self.run = LiveRun()
        self.timeline, self.cursor = self.run.timeline, self.run.cursor
        self.panel = PlotPanel(self.run, unconnected())
        qtbot.addWidget(self.panel)
        self.panel.resize(1000, 600)
        self.panel.show()
        self.stack = self.panel.stack
        self.run.restart("run")
        self.run.take(records()[:40])
        self.run.flush()
        self.asked: list[Tile] = []
        self.panel.read_history(self)

    def ask(self, tile: Tile, got: Got, failed: Callable[[], None]) -> None:
        """Answer with a saw that begins in each tile."""
        self.asked.append(tile)
        time = np.linspace(tile.begin, tile.end, 100, endpoint=False).tolist()
        got(time, [1_000_000.0] * 100, [1_000_007.0] * 100)

    def feed(self, windows: list[Window]) -> None:
        """Measure something, and paint it."""
        self.run.sample(windows)
        self.run.flush()
        self.paint()

    def paint(self) -> None:
        """Paint the plots as they are now."""
        self.stack.viewport().repaint()

    def at(self, moment: float) -> QPoint:
        """The place of a moment in the middle of the first plot."""
        begin, end = self.panel.view.range()
        area = self.stack.plots[0].area
        x = area.left() + area.width() * (moment - begin) / (end - begin)
        return QPoint(round(x), round(area.center().y()))


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(qtbot)


def test_channels_of_one_kind_share_a_plot_in_the_order_of_an_operator() -> None:
    declared = [
        _declared(1, "response-time", "s", instrument="OCPP"),
        _declared(2, "power", "W"),
        _declared(3, "voltage-l1", "V"),
        _declared(4, "voltage-l2", "V"),
        _declared(5, "pilot-low", "V", connector=1, instrument="pilot"),
        _declared(6, "pilot-high", "V", connector=2, instrument="pilot"),
        _declared(7, "power", "W", instrument="load"),
        _declared(8, "humidity", "%"),
    ]
    groups = groups_of(map(Channel, declared))
    assert [(group.title, group.unit, len(group.channels)) for group in groups] == [
        ("Control pilot", "V", 2),
        ("Power", "W", 2),
        ("Voltage", "V", 2),
        ("Response time", "s", 1),
        ("%", "%", 1),
    ]
    assert labels(groups[0].channels) == ["pilot low · connector 1", "pilot high · connector 2"]
    assert labels(groups[1].channels) == ["power · meter", "power · load"]
    assert labels(groups[2].channels) == ["voltage l1", "voltage l2"]


def test_a_view_follows_the_run_or_stands_still() -> None:
    view = TimeView(60)
    assert view.is_empty
    view.reach(100)
    view.reach(102)
    assert view.range() == (97, 102)  # never closer than 5 s while live
    view.reach(300)
    assert view.range() == (240, 300)
    view.pause()
    view.reach(400)
    assert view.range() == (240, 300)
    view.zoom(0.5, at=240)
    assert view.range() == (240, 270)
    view.pan(0.5)
    assert view.range() == (255, 285)
    view.show(260)
    assert view.range() == (255, 285)
    view.show(120)
    assert view.range() == (105, 135)
    view.zoom(1e9)
    assert view.range()[1] - view.range()[0] == 600
    view.zoom(1e-12)
    assert view.range()[1] - view.range()[0] == pytest.approx(0.002)
    view.live(math.inf)
    assert view.range() == (100, 400)
    view.clear()
    assert view.is_empty
    assert view.is_live


def test_values_and_times_are_round_and_readable() -> None:
    assert limits(-12.1, 12.2) == (-20, 20)
    assert limits(229.7, 230.4) == (226, 234)  # noise does not fill a plot
    assert limits(3, 9.7) == (2, 12)
    assert limits(math.inf, -math.inf) == (0, 1)
    assert prefix(11_040, "W") == (1000, "kW")
    assert prefix(0.08, "s") == (0.001, "ms")
    assert prefix(5000, "%") == (1, "%")
    assert plain(-0.0004, 0.01) == "0.00"
    assert plain(-12.345, 0.01) == "−12.35"
    assert spelled(11_040, "W") == "11.04 kW"
    assert spelled(math.nan, "W") == "–"
    assert [time_text(one, 10) for one in (0, 70, -5, 3671)] == ["0:00", "1:10", "−0:05", "1:01:11"]
    assert time_text(12.25, 0.05) == "12.25 s"
    assert distance_text(0.02) == "20 ms  (50 Hz)"
    assert distance_text(-90) == "1 min 30 s"


def test_every_column_shows_all_that_lies_in_it_and_touches_the_next() -> None:
    random = np.random.default_rng(3)
    x = np.sort(random.uniform(0, 50, 400))
    top = random.uniform(0, 100, 400)
    bottom = top + random.uniform(0, 5, 400)
    lines = columns(x, top, bottom)
    for column in range(50):
        inside = np.floor(x) == column
        line = lines[lines[:, 0] == column + 0.5]
        if inside.any():
            assert line[0, 1] <= top[inside].min()
            assert line[0, 3] >= bottom[inside].max()
            assert (line[:, 0] == line[:, 2]).all()
    upright = lines[: len(np.unique(np.floor(x)))]
    for before, after in pairwise(upright):
        assert after[1] <= before[3]
        assert after[3] >= before[1]


def test_gaps_between_columns_are_filled_or_crossed() -> None:
    lines = columns(np.array([0.0, 2.0, 9.0]), np.array([5.0, 5, 7]), np.array([6.0, 6, 8]))
    assert lines.tolist() == [
        [0.5, 5, 0.5, 6],
        [2.5, 5, 2.5, 6],
        [9.5, 6, 9.5, 8],
        [1.5, 5, 1.5, 6],
        [2.5, 5.5, 9.5, 7.5],
    ]


def test_steps_hold_their_value_and_lines_lead_to_the_next() -> None:
    x, y = np.array([0.0, 10.0]), np.array([5.0, 8.0])
    assert strokes(x, y, y, steps=False, until=50).tolist() == [[0, 5, 10, 8]]
    held = strokes(x, y, y, steps=True, until=50).tolist()
    assert held == [[0, 5, 10, 5], [10, 8, 50, 8], [10, 5, 10, 8]]


def test_windows_of_a_live_run_become_plots(bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 50))
    assert [group.title for group in bench.stack.groups] == ["Power", "Energy"]
    power, energy = bench.panel.channels[1], bench.panel.channels[2]
    assert power.value(BEGAN + 2.05) == 20
    assert energy.value(BEGAN + 2.05) == 20  # less its zero
    assert energy.last == 49
    assert bench.stack.summary() == "Power, power: 49.25 W; Energy, energy: 1000 kWh"
    bench.feed(_windows(BEGAN, 50))  # a second time: nothing is older than the newest
    assert power.statistics(BEGAN, BEGAN + 10).count == 50
    assert not bench.panel.grab().isNull()


def test_channels_are_there_from_their_declaration_on(bench: Bench) -> None:
    first = records()[0]
    bench.run.take([type(first)(41, first.utc, 5235.2, HIGH)])
    bench.run.flush()
    assert [group.title for group in bench.stack.groups] == ["Control pilot"]
    bench.run.restart("another")
    assert bench.stack.groups == []
    assert bench.panel.view.is_empty
    assert not bench.panel.grab().isNull()


def test_keys_freeze_zoom_and_pan_while_capture_goes_on(qtbot: QtBot, bench: Bench) -> None:
    view = bench.panel.view
    bench.feed(_windows(BEGAN, 700))
    assert view.range() == pytest.approx((BEGAN + 10, BEGAN + 70))
    press(bench.stack, KEY.Key_Space)
    assert bench.panel.bar.pause.isChecked()
    bench.feed(_windows(BEGAN + 70, 100))
    assert view.range() == pytest.approx((BEGAN + 10, BEGAN + 70))
    press(bench.stack, KEY.Key_W)
    assert view.range() == pytest.approx((BEGAN + 19, BEGAN + 61))
    press(bench.stack, KEY.Key_S)
    press(bench.stack, KEY.Key_A)
    assert view.range() == pytest.approx((BEGAN - 2, BEGAN + 58))
    press(bench.stack, KEY.Key_D)
    assert view.range() == pytest.approx((BEGAN + 10, BEGAN + 70))
    press(bench.stack, KEY.Key_Home)
    assert view.range() == pytest.approx((BEGAN, BEGAN + 80))
    press(bench.stack, KEY.Key_End)
    assert view.is_live
    assert view.range()[1] == pytest.approx(BEGAN + 80)
    assert not bench.panel.bar.pause.isChecked()


def test_a_click_moves_the_cursor_and_a_message_jumps_the_plots(qtbot: QtBot, bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 700))
    click(bench.stack.viewport(), bench.at(BEGAN + 30))
    assert bench.cursor.moment == pytest.approx(BEGAN + 30, abs=0.1)
    assert bench.cursor.record is None
    message = bench.timeline.messages[0]
    bench.cursor.select(message.moment, message.n)
    begin, end = bench.panel.view.range()
    assert begin <= message.moment <= end
    assert bench.panel.bar.pause.isChecked()
    bench.paint()
    mark = QPointF(bench.at(message.moment).x() + 1, 36)
    hit = bench.stack.message_at(mark)
    assert hit is not None
    assert bench.stack.message_at(QPointF(mark.x() + 40, 36)) is None
    bench.cursor.clear()
    click(bench.stack.viewport(), mark.toPoint())
    assert bench.cursor.record == hit.n


def test_shift_and_drag_measures_what_lies_between(qtbot: QtBot, bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    stack = bench.stack
    drag(
        stack.viewport(),
        bench.at(BEGAN + 20),
        bench.at(BEGAN + 40),
        Qt.KeyboardModifier.ShiftModifier,
    )
    first, second = bench.cursor.moment, stack.second
    assert first == pytest.approx(BEGAN + 20, abs=0.1)
    assert second == pytest.approx(BEGAN + 40, abs=0.1)
    assert bench.panel.view.is_live  # it measures, it does not move
    table = bench.panel.readout.table
    rows = [
        [table.item(row, column).text() for column in range(8)]  # type: ignore[union-attr]
        for row in range(2)
    ]
    assert rows[0][0] == "Power"
    assert rows[1][0] == "Energy"
    assert rows[1][1].endswith("kWh")
    stack.second = BEGAN + 40
    bench.cursor.select(BEGAN + 20)
    values = [table.item(0, column).text() for column in range(1, 8)]  # type: ignore[union-attr]
    rms = math.sqrt(sum(at * at for at in range(200, 401)) / 201)
    assert values == [
        "200.0 W",
        "400.0 W",
        "200.0 W",
        "199.5 W",
        "400.5 W",
        "300.0 W",
        f"{rms:.1f} W",
    ]
    press(stack, KEY.Key_Escape)
    assert stack.second is None
    assert bench.cursor.moment is None


def test_cursors_are_dragged_by_their_lines(bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    bench.cursor.select(BEGAN + 20)
    bench.stack.second = BEGAN + 40
    bench.paint()
    drag(bench.stack.viewport(), bench.at(BEGAN + 20), bench.at(BEGAN + 10))
    assert bench.cursor.moment == pytest.approx(BEGAN + 10, abs=0.1)
    bench.paint()
    drag(bench.stack.viewport(), bench.at(BEGAN + 40), bench.at(BEGAN + 50))
    assert bench.stack.second == pytest.approx(BEGAN + 50, abs=0.1)
    assert bench.panel.view.is_live  # the cursor moved, not the view
    assert "A to B" in bench.panel.readout.between.text()


def test_dragging_moves_the_view_and_a_double_click_follows_the_run(bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    drag(bench.stack.viewport(), bench.at(BEGAN + 30), bench.at(BEGAN + 40))
    assert bench.panel.view.range() == pytest.approx((BEGAN - 10, BEGAN + 50), abs=0.1)
    assert bench.panel.bar.pause.isChecked()
    assert bench.cursor.moment is None  # a drag is no click
    double_click(bench.stack.viewport(), bench.at(BEGAN + 30))
    assert bench.panel.view.is_live
    assert not bench.panel.bar.pause.isChecked()


def test_the_legend_tells_the_values_under_the_mouse_until_it_leaves(bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    power = bench.stack.plots[0].legend
    newest = power._pixmap.toImage()
    hover(bench.stack.viewport(), bench.at(BEGAN + 30))
    bench.paint()
    under = power._pixmap.toImage()
    assert under != newest
    QApplication.sendEvent(bench.stack, QEvent(QEvent.Type.Leave))
    bench.paint()
    assert power._pixmap.toImage() == newest


def test_strip_and_axis_stay_at_the_edges_of_what_is_seen(qtbot: QtBot, bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    bench.panel.resize(700, 240)
    area = bench.stack.parentWidget()
    assert area is not None
    qtbot.waitUntil(lambda: bench.stack.height() > area.height())
    for down in (0, 20):
        bench.panel.findChild(QScrollArea).verticalScrollBar().setValue(down)  # type: ignore[union-attr]
        bench.paint()
        assert bench.stack._strip.geometry().top() == down
        assert bench.stack._axis.geometry().bottom() == down + area.height()


def test_one_plot_at_least_is_seen_whole_where_there_is_little_room(
    qtbot: QtBot, bench: Bench
) -> None:
    bench.feed(_windows(BEGAN, 600))
    first = bench.stack.plots[0]
    for height in (180, 600):
        bench.panel.resize(700, height)
        above = bench.stack.parentWidget()
        assert above is not None
        qtbot.waitUntil(lambda above=above: first.area.bottom() <= above.height() - AXIS)  # type: ignore[misc]
        assert first.area.height() >= LOW
    assert first.area.height() >= LEAST


def test_the_plots_follow_the_theme(qapp: QApplication, bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    place = bench.stack.plots[0].area.center().toPoint() + QPoint(0, 20)
    for name in ("dark", "light"):
        dress(qapp, name)
        bench.paint()
        plain_ground = bench.stack.grab().toImage().pixelColor(place)
        assert plain_ground == QColor(THEMES[name].surface)
        axis = bench.stack.plots[0].axis
        assert axis.textPen().color() == QColor(THEMES[name].muted)


def test_the_second_cursor_is_set_by_key(qtbot: QtBot, bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    press(bench.stack, KEY.Key_Right)
    first = bench.cursor.moment
    assert first == pytest.approx(BEGAN + 30, abs=0.2)
    press(bench.stack, KEY.Key_B)
    assert bench.stack.second == first
    press(bench.stack, KEY.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert first is not None
    assert bench.cursor.moment is not None
    assert bench.cursor.moment < first
    assert "A to B" in bench.panel.readout.between.text()


def test_the_wheel_zooms_around_the_mouse_and_with_shift_pans(bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))

    def turn(modifiers: Qt.KeyboardModifier) -> None:
        place = bench.at(BEGAN + 15)
        event = QWheelEvent(
            QPointF(place),
            QPointF(bench.stack.viewport().mapToGlobal(place)),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(bench.stack.viewport(), event)

    turn(Qt.KeyboardModifier.NoModifier)
    assert bench.panel.view.range() == pytest.approx((BEGAN + 3, BEGAN + 51), abs=0.1)
    turn(Qt.KeyboardModifier.ShiftModifier)
    assert bench.panel.view.range() == pytest.approx((BEGAN - 1.8, BEGAN + 46.2), abs=0.1)


def test_history_is_asked_for_where_windows_are_missing(qtbot: QtBot, bench: Bench) -> None:
    bench.feed(_windows(BEGAN + 1000, 100))  # the window connected late
    bench.panel.view.look(BEGAN + 100, BEGAN + 300)
    bench.stack.looked.emit()
    qtbot.waitUntil(lambda: len(bench.asked) >= 4)
    power = [tile for tile in bench.asked if tile.channel == 1]
    assert {tile.length for tile in power} == {240.0}
    assert min(tile.begin for tile in power) <= BEGAN + 100
    assert max(tile.end for tile in power) >= BEGAN + 300
    course = bench.panel.channels[1].between(BEGAN + 100, BEGAN + 300, 500)
    assert course.high.max() == 1_000_007
    energy = bench.panel.channels[2].between(BEGAN + 100, BEGAN + 300, 500)
    assert energy.high.max() == 7  # less its zero
    count = len(bench.asked)
    bench.stack.looked.emit()
    qtbot.wait(80)
    assert len(bench.asked) == count  # asked once


def test_history_is_asked_for_where_windows_are_too_coarse(qtbot: QtBot, bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    bench.stack.looked.emit()
    qtbot.wait(50)
    assert bench.asked == []
    bench.panel.view.look(BEGAN + 20, BEGAN + 22)
    bench.stack.looked.emit()
    qtbot.waitUntil(lambda: len(bench.asked) >= 2)
    assert {tile.length for tile in bench.asked} == {1.0}
    assert bench.panel.channels[1].statistics(BEGAN + 20.2, BEGAN + 20.8).count > 6


def test_history_that_fails_is_not_asked_for_again_at_once(qtbot: QtBot) -> None:
    asked = []

    class Refusing:
        def ask(self, tile: Tile, got: Got, failed: Callable[[], None]) -> None:
            asked.append(tile)
            failed()

    history = History()
    history.come_from(Refusing())
    tiles = [Tile(1, 60.0, at) for at in range(3)]
    history.want(tiles)
    qtbot.waitUntil(lambda: len(asked) == 3)
    history.want(tiles)
    qtbot.wait(30)
    assert asked == tiles


def test_an_answer_for_another_run_is_left_out(qtbot: QtBot) -> None:
    answers: list[Got] = []

    class Slow:
        def ask(self, tile: Tile, got: Got, failed: Callable[[], None]) -> None:
            answers.append(got)

    history = History()
    came_in: list[Course] = []
    history.came.connect(lambda _, course: came_in.append(course))
    history.come_from(Slow())
    history.want([Tile(1, 60.0, 0)])
    qtbot.waitUntil(lambda: len(answers) == 1)
    history.come_from(Slow())
    answers[0]([1.0], [1.0], [1.0])
    assert came_in == []


def test_a_recorded_run_is_read_from_its_own_file(tmp_path: Path) -> None:
    file = SampleFile(tmp_path / "samples.mcap", run="run", offset=0.0)
    times = [10 + at / 1000 for at in range(5000)]
    file.write([Block(POWER, times, [float(at) for at in range(5000)])])
    file.close()
    found: list[tuple[list[float], ...]] = []
    failures: list[str] = []
    source = FromFile(tmp_path / "samples.mcap")
    tile = Tile(1, 4.0, 3)
    source.ask(tile, lambda *parts: found.append(parts), lambda: failures.append("failed"))
    (time, least, greatest) = found[0]
    assert (time[0], least[0], max(greatest)) == (12.0, 2000.0, 4999.0)
    assert len(time) == 1000
    gone = FromFile(tmp_path / "gone.mcap")
    gone.ask(tile, lambda *parts: found.append(parts), lambda: failures.append("failed"))
    assert failures == ["failed"]


def test_a_run_that_is_shorter_than_the_view_shows_its_history() -> None:
    channel = Channel(ChannelDeclared(1, "pilot-high", "V", "box", 1))
    # Asked for while the run was 1 s long, painted in a view of 5 s.
    (tile,) = channel.missing(100.2, 100.8, 600, 100.8)
    times, volts = np.array([100.2, 100.5]), np.array([12.0, 9.0])
    channel.remember(tile, tile.end, Course(times, volts, volts))
    assert list(channel.between(95.8, 100.8, 600).low) == [12.0, 9.0]
    assert len(channel.between(90.0, 95.0, 600)) == 0


def test_hidden_plots_paint_nothing(qtbot: QtBot, bench: Bench) -> None:
    bench.panel.hide()
    bench.feed(_windows(BEGAN, 10))
    bench.panel.show()
    qtbot.waitUntil(lambda: bench.stack.plots[0].range is not None)


def test_marks_of_many_messages_are_still_painted(bench: Bench) -> None:
    first = records()[0]
    many = [
        type(first)(100 + at, first.utc, 5236 + at / 20, came(f'[2,"{at}","Heartbeat",{{}}]'))
        for at in range(600)
    ]
    bench.run.take([type(first)(99, first.utc, 5235.9, StepStarted(3, "body", "Many")), *many])
    bench.run.flush()
    bench.feed(_windows(5236, 300))
    assert not bench.panel.grab().isNull()
    assert bench.stack.message_at(QPointF(bench.at(5250.0).x(), 36)) is not None


def test_a_plot_that_moved_along_looks_as_if_it_were_painted_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No second passes after which it would be painted anew by itself, and legends stand still.
    for part in (curves, legend):
        monkeypatch.setattr(part, "time", SimpleNamespace(monotonic=lambda: 0.0))
    random = np.random.default_rng(5)
    bench.panel.view.reach(BEGAN - 60)
    bench.feed(_windows(BEGAN, 3))
    for at in range(3, 400):
        level = 50 + 40 * math.sin(at / 30) + random.normal()
        slow = () if at % 50 else (Entry(ENERGY, 1, 1_000_000.0, 1_000_000.0, 1_000_000.0, 0),)
        entries = (Entry(POWER, 5, level - 1, level + 1, level, level), *slow)
        bench.feed([Window(at + 1, BEGAN + at / 10, BEGAN + at / 10 + 0.1, entries)])
        if at % 3 == 0:
            bench.paint()
    moved = bench.stack.grab().toImage()
    for plot in bench.stack.plots:
        plot.curves._picture = Picture()
    anew = bench.stack.grab().toImage()
    assert moved.size() == anew.size()
    different = sum(
        moved.pixel(x, y) != anew.pixel(x, y)
        for x in range(0, moved.width(), 2)
        for y in range(0, moved.height(), 2)
    )
    # A row on the border of two columns may fall into either.
    assert different < 10


def test_keys_of_the_plots_go_before_shortcuts_of_the_window(qtbot: QtBot, bench: Bench) -> None:
    bench.feed(_windows(BEGAN, 600))
    taken: list[str] = []
    shortcut = QShortcut(QKeySequence("S"), bench.panel)
    shortcut.activated.connect(lambda: taken.append("S"))
    bench.panel.activateWindow()
    bench.stack.setFocus()
    qtbot.waitUntil(bench.stack.hasFocus)
    press(bench.stack, KEY.Key_S)
    assert taken == []
    assert not bench.panel.view.is_live
    bench.panel.bar.span.setFocus()
    press(bench.panel.bar.span, KEY.Key_S)
    assert taken == ["S"]


def test_steps_that_follow_each_other_closely_leave_the_plots_readable(bench: Bench) -> None:
    first = records()[0]
    steps = [
        type(first)(100 + at, first.utc, 5236 + at / 1000, StepStarted(3 + at, "body", "Short"))
        for at in range(900)
    ]
    bench.run.take(steps)
    bench.run.flush()
    bench.feed(_windows(5236, 300))
    lines = bench.stack._shown(Stretch.of(bench.panel.view, bench.stack.points)).steps
    begin, end = bench.panel.view.range()
    columns = 0.9 * bench.stack.points / (end - begin)
    assert 1 < len(lines) <= columns / APART + 3


def test_what_a_silent_channel_tells_at_last_is_painted_from_the_left_on() -> None:
    picture = Picture()
    stretch = Stretch(0.0, 10.0, 100, 100)
    picture.paint(
        QRect(0, 0, 100, 10),
        1.0,
        stretch,
        0,
        key="k",
        newest=(5.0, -math.inf),
        ground=QColor("white"),
        write=lambda painter: None,
    )
    assert picture.start(stretch, "k", (5.0, 5.0)) == 0

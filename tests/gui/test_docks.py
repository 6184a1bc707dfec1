"""Messages, sequence and plots as docks of the Run screen: one cursor, keys, a replay's samples."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TypeVar

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QDockWidget, QWidget
from pytestqt.qtbot import QtBot

from bench.events import Checked
from bench.sample_file import Block, SampleFile
from gui.live import LiveRun
from gui.messages.chart import SequenceChart
from gui.messages.panel import MessageList
from gui.plots.channel import Tile
from gui.plots.history import FromEngine
from gui.plots.panel import PlotPanel
from gui.replay_window import ReplayWindow
from gui.run.screen import RunScreen
from tests.gui.recorded import JOURNAL, records, shown, unconnected
from tests.gui.served import RUN, Served
from tests.gui.test_plots import POWER

Widget = TypeVar("Widget", bound=QWidget)


def _screen(qtbot: QtBot) -> tuple[RunScreen, LiveRun]:
    run = LiveRun()
    screen = RunScreen(run, unconnected())
    qtbot.addWidget(screen)
    screen.resize(1400, 800)
    screen.show()
    qtbot.waitUntil(lambda: screen.docks["plots"].widget() is not None)
    shown(run, records())
    return screen, run


def _dock(dock: QDockWidget, kind: type[Widget]) -> Widget:
    inside = dock.widget()
    assert isinstance(inside, kind)
    return inside


def test_one_cursor_moves_list_chart_plots_and_the_current_case(qtbot: QtBot) -> None:
    screen, run = _screen(qtbot)
    listed = _dock(screen.docks["messages"], MessageList)
    chart = _dock(screen.docks["sequence"], SequenceChart)
    plots = _dock(screen.docks["plots"], PlotPanel)
    failed = next(
        one for one in records() if isinstance(one.event, Checked) and one.event.verdict == "fail"
    )
    run.cursor.select(failed.mono, failed.n)
    current = listed.table.current()
    assert current is not None
    assert (current.n, current.verdict) == (28, "fail")
    assert chart.current is not None
    assert run.timeline.happenings[chart.current] is current
    assert screen.case.case is not None
    assert screen.case.case.id == "TC_902_CS"
    chosen = screen.case.list.currentIndex()
    assert screen.case.model.line(chosen).record == failed.n
    begin, end = plots.view.range()
    assert begin <= failed.mono <= end
    chart.select(0)
    assert run.cursor.record == run.timeline.happenings[0].n
    run.restart("another")
    assert run.cursor.moment is None
    assert listed.model.rows == []
    assert chart.current is None


def test_keys_bring_a_dock_to_the_front_with_the_focus(qtbot: QtBot) -> None:
    screen, _ = _screen(qtbot)
    screen.activateWindow()
    for name in ("plots", "messages", "sequence"):
        go = next(deed for deed in screen.deeds if deed.objectName() == f"go-{name}")
        assert isinstance(go, QAction)
        go.trigger()
        inside = screen.docks[name].widget()
        assert inside is not None
        assert inside.isVisible()
        target = inside.focusProxy() or inside
        qtbot.waitUntil(target.hasFocus)


def test_the_detail_goes_beside_the_list_where_it_is_wide(qtbot: QtBot) -> None:
    screen, _ = _screen(qtbot)
    listed = _dock(screen.docks["messages"], MessageList)
    assert listed.detail.x() > listed.table.x()
    assert listed.detail.y() <= listed.table.y()
    apart = MessageList(listed._timeline, listed._cursor)
    qtbot.addWidget(apart)
    apart.resize(700, 700)
    apart.show()
    assert apart.detail.y() > apart.table.y()


def test_a_replay_reads_the_samples_beside_the_journal(qtbot: QtBot, tmp_path: Path) -> None:
    shutil.copytree(JOURNAL.parent, tmp_path / "run")
    file = SampleFile(tmp_path / "run" / "samples.mcap", run="run", offset=0.0)
    begin = records()[0].mono
    file.write([Block(POWER, [begin + at / 10_000 for at in range(1000)], [7.0] * 1000)])
    file.close()
    window = ReplayWindow()
    qtbot.addWidget(window)
    window.open_folder(tmp_path / "run")
    window.show()
    qtbot.waitUntil(lambda: window.bar is not None)
    assert window.bar is not None
    window.bar.playback.seek(1e9)
    qtbot.waitUntil(lambda: window.findChild(PlotPanel) is not None)
    plots = window.findChild(PlotPanel)
    assert plots is not None
    qtbot.waitUntil(lambda: window.run.timeline.happenings != [])
    plots._declare(POWER)  # the recorded run has no channels
    assert window.screen_shown is not None
    window.screen_shown.docks["plots"].raise_()
    channel = plots.channels[1]
    qtbot.waitUntil(lambda: channel.value(begin + 0.05) == 7.0)
    window.bar.playback.seek(0.0)
    qtbot.waitUntil(lambda: plots.channels == {})


def test_a_window_that_connects_late_gets_history_from_the_engine(
    qtbot: QtBot, served: Served
) -> None:
    begin = records()[0].mono
    path = served.runs / RUN / "samples.mcap"
    file = SampleFile(path, run=RUN, offset=0.0)
    times = [begin + at / 1000 for at in range(100)]
    file.write([Block(POWER, times, [float(at) for at in range(100)])])
    file.close()
    link, run = served.link(qtbot), LiveRun()
    try:
        panel = PlotPanel(run, link)
        qtbot.addWidget(panel)
        panel.show()
        run.restart(RUN)
        run.take(records())
        run.flush()
        panel._declare(POWER)
        channel = panel.channels[1]
        qtbot.waitUntil(lambda: channel.value(begin + 0.0505) == 50.0, timeout=30_000)
        found = channel.statistics(begin, begin + 0.0995)
        assert (found.count, found.least, found.greatest) == (100, 0.0, 99.0)
        refused: list[Tile] = []
        FromEngine(link, "no-such-run").ask(
            Tile(1, 1.0, 5235), lambda *_: None, lambda: refused.append(Tile(1, 1.0, 5235))
        )
        qtbot.waitUntil(lambda: bool(refused), timeout=30_000)
    finally:
        path.unlink()
        link.close()

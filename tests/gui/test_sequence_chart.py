"""The sequence chart: what is where, what a click hits, and what keys do."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from bench.events import Acted, StepEnded, StepStarted
from gui.cursor import TimeCursor
from gui.messages.chart import HEAD, SequenceChart
from gui.messages.chart_lines import CSMS, ROW, STATION
from gui.messages.happenings import Act, Message, Step
from tests.gui.hands import click, press
from tests.gui.recorded import records
from tests.gui.talk import Talk, came, checked, sent

KEY = Qt.Key


def _chart(qtbot: QtBot, talk: Talk) -> tuple[SequenceChart, TimeCursor]:
    cursor = TimeCursor()
    chart = SequenceChart(talk.timeline, cursor)
    qtbot.addWidget(chart)
    chart.resize(900, 400)
    chart.show()
    return chart, cursor


def _acted(device: str, method: str) -> Acted:
    return Acted(device, "VehicleCoupler", method, {"connector": 1}, None, None, 0.1)


def _talk() -> Talk:
    talk = Talk()
    talk.add(
        StepStarted(1, "body", "Plug in"),
        _acted("pilot-box", "plug_in"),
        came('[2,"a","StatusNotification",{"status":"Preparing"}]'),
        sent('[3,"a",{}]'),
        _acted("cards", "present"),
        StepEnded(1, "pass", None),
    )
    return talk


def test_lanes_are_the_csms_the_station_and_who_acted(qtbot: QtBot) -> None:
    chart, _ = _chart(qtbot, _talk())
    assert chart.lanes == [CSMS, STATION, "pilot-box", "cards"]
    places = [chart.lane_x(lane) for lane in chart.lanes]
    assert places == sorted(places)
    assert 0 < places[0]
    assert places[-1] < chart.viewport().width()  # type: ignore[union-attr]


def test_lines_are_steps_acts_and_messages_in_order() -> None:
    kinds = [type(one) for one in _talk().timeline.happenings]
    assert kinds == [Step, Act, Message, Message, Act]


def test_a_click_selects_the_line_under_it(qtbot: QtBot) -> None:
    talk = _talk()
    chart, cursor = _chart(qtbot, talk)
    view = chart.viewport()
    assert view is not None
    assert chart.line_at(HEAD - 1) is None
    assert chart.line_at(HEAD) == 0
    assert chart.line_at(HEAD + 5 * ROW) is None
    place = QPoint(200, HEAD + 2 * ROW + ROW // 2)
    click(view, place)
    assert (chart.current, cursor.record, cursor.moment) == (2, 3, talk.records[2].mono)
    click(view, QPoint(200, 390))
    assert chart.current == 2


def test_keys_go_through_the_lines_and_to_the_partner(qtbot: QtBot) -> None:
    chart, cursor = _chart(qtbot, _talk())
    press(chart, KEY.Key_Home)
    assert cursor.record == 1
    assert chart.accessibleDescription() == "Step 1: Plug in, pass"
    press(chart, KEY.Key_Down)
    assert chart.accessibleDescription() == "pilot-box: plug in 1"
    press(chart, KEY.Key_Down)
    assert cursor.record == 3
    said = "CALL from the station: StatusNotification  status=Preparing"
    assert chart.accessibleDescription() == said
    press(chart, KEY.Key_P)
    assert (chart.current, cursor.record) == (3, 4)
    press(chart, KEY.Key_End)
    press(chart, KEY.Key_Down)
    assert chart.current == 4


def test_only_what_is_visible_is_painted_and_the_newest_is_followed(qtbot: QtBot) -> None:
    talk = Talk()
    chart, cursor = _chart(qtbot, talk)
    talk.add(*(came(f'[2,"{n}","Heartbeat",{{}}]') for n in range(500)))
    assert chart.visible().stop == 500
    assert len(chart.visible()) <= 400 // ROW + 2
    cursor.select(talk.records[100].mono)
    assert 100 in chart.visible()
    assert chart.current == 100
    place = chart.visible()
    talk.add(came('[2,"x","Heartbeat",{}]'))
    assert chart.visible() == place
    press(chart, KEY.Key_End)
    talk.add(came('[2,"y","Heartbeat",{}]'))
    assert chart.visible().stop == 502


def test_a_miss_has_a_line_of_its_own(qtbot: QtBot) -> None:
    talk = _talk()
    chart, cursor = _chart(qtbot, talk)
    talk.add(checked(None, "fail", {"rule": "expect"}))
    line = talk.timeline.happenings[-1]
    assert isinstance(line, Act)
    assert (line.error, line.lane) == ("fail", "")
    assert line.text == "It holds: expected this, that"
    cursor.select(talk.records[-1].mono, talk.records[-1].n)
    assert chart.current == len(talk.timeline.happenings) - 1
    talk.add(checked(3, "fail", {"rule": "expect"}))
    cursor.select(talk.records[-1].mono, talk.records[-1].n)  # judged by a message
    assert chart.current == 2


def test_unanswered_calls_are_dashed_and_answered_ones_are_not(qtbot: QtBot) -> None:
    def row(chart: SequenceChart, line: int) -> list[int]:
        image = chart.viewport().grab().toImage()  # type: ignore[union-attr]
        y = HEAD + line * ROW + ROW - 7
        begin, end = round(chart.lane_x(CSMS)) + 20, round(chart.lane_x(STATION)) - 20
        return [image.pixelColor(x, y).lightness() for x in range(begin, end)]

    talk = Talk()
    chart, _ = _chart(qtbot, talk)
    talk.add(came('[2,"a","Heartbeat",{}]'))
    dashed = row(chart, 0)
    assert min(dashed) < 120 < 250 < max(dashed)
    talk.add(sent('[3,"a",{}]'))
    whole = row(chart, 0)
    assert max(whole) < 120


def test_a_recorded_run_is_painted_whole(qtbot: QtBot) -> None:
    talk = Talk()
    chart, _ = _chart(qtbot, talk)
    for record in records():
        talk.view.apply(record)
    talk.timeline.begin_anew(records(), talk.view)
    assert chart.lanes == [CSMS, STATION, "mains", "cards", "operator", "meter"]
    for line in range(0, len(talk.timeline.happenings), 5):
        chart.select(line)
        assert not chart.grab().isNull()

"""The message list and the detail below it: rows, batches, freezing, time, keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bench.events import Claimed, LeftUnanswered, StepStarted
from bench.journal import JournalReader
from bench.ocpp.match import CallPattern
from bench.runview import fold
from gui.cursor import TimeCursor
from gui.messages.detail import EXPECTED, READABLE, readable
from gui.messages.filter import read
from gui.messages.model import Column, MessageModel, Times
from gui.messages.panel import MessageList
from gui.messages.timeline import Timeline
from tests.gui.hands import click, press
from tests.gui.recorded import JOURNAL, records
from tests.gui.talk import Talk, came, checked, sent

KEY = Qt.Key
AUTHORIZE = '[2,"a1","Authorize",{"idTag":"BAD"}]'
INVALID = '[3,"a1",{"idTagInfo":{"status":"Invalid"}}]'


def _list(qtbot: QtBot, timeline: Timeline, width: int = 1300) -> tuple[MessageList, TimeCursor]:
    cursor = TimeCursor()
    shown = MessageList(timeline, cursor)
    qtbot.addWidget(shown)
    shown.resize(width, 700)
    shown.show()
    return shown, cursor


def _recorded(path: Path = JOURNAL) -> Timeline:
    reader = JournalReader(path)
    found = list(reader)
    timeline = Timeline()
    timeline.begin_anew(found, fold(found))
    return timeline


def _cells(model: MessageModel, row: int) -> list[str]:
    return [model.data(model.index(row, column)) for column in Column]


def test_a_recorded_run_fills_the_table(qtbot: QtBot) -> None:
    shown, _ = _list(qtbot, _recorded())
    assert shown.count.text() == "16"
    assert _cells(shown.model, 0) == [
        *("0.086", "← station", "▸ CALL", "BootNotification"),
        "chargePointVendor=Lab, chargePointModel=Sample",
        *("< 1 ms", "pass", "TC_902 · 1", "m1"),
    ]
    starts = shown.model.rows[6]
    assert (starts.view.action, starts.verdict) == ("StartTransaction", "fail")
    refused = shown.model.rows[-1]
    assert refused.kind == "CALLERROR"
    assert refused.partner is shown.model.rows[-2]
    assert refused.round_trip == pytest.approx(0.000474)
    left = next(message for message in shown.model.rows if message.view.left_unanswered)
    assert _cells(shown.model, shown.model.rows.index(left))[Column.ROUND_TRIP] == "left alone"


def test_a_cut_journal_shows_what_is_whole(qtbot: QtBot, tmp_path: Path) -> None:
    cut = tmp_path / "journal.jsonl"
    cut.write_bytes(JOURNAL.read_bytes()[:12_200])
    timeline = _recorded(cut)
    shown, _ = _list(qtbot, timeline)
    assert len(timeline.messages) == len(shown.model.rows) > 3
    assert timeline.steps[-1].end is None


def test_an_answer_changes_the_row_of_its_call(qtbot: QtBot) -> None:
    talk = Talk()
    shown, _ = _list(qtbot, talk.timeline)
    talk.add(came(AUTHORIZE))
    assert _cells(shown.model, 0)[Column.ROUND_TRIP] == "no answer"
    with qtbot.waitSignal(shown.model.dataChanged):
        talk.add(sent(INVALID))
    assert _cells(shown.model, 0)[Column.ROUND_TRIP] == "10 ms"
    assert _cells(shown.model, 1)[Column.ROUND_TRIP] == "10 ms"


def test_an_answer_of_another_connection_or_direction_is_no_answer() -> None:
    talk = Talk()
    talk.add(came(AUTHORIZE), sent(INVALID, connection=2), came(INVALID), sent(AUTHORIZE))
    assert [message.partner for message in talk.timeline.messages] == [None] * 4


def test_a_verdict_that_comes_later_brings_a_row_through_the_filter(qtbot: QtBot) -> None:
    talk = Talk()
    shown, _ = _list(qtbot, talk.timeline)
    talk.add(came(AUTHORIZE), sent(INVALID), came('[2,"b","Heartbeat",{}]'))
    shown.filter.setText("verdict:fail")
    assert shown.model.rows == []
    talk.add(checked(3, "fail", {"rule": "operator"}), checked(1, "fail", {"rule": "operator"}))
    assert [message.n for message in shown.model.rows] == [1, 3]
    shown.filter.setText("is:unanswered")
    assert [message.n for message in shown.model.rows] == [3]
    talk.add(sent('[3,"b",{}]'))
    assert shown.model.rows == []


def test_frozen_the_list_stands_while_capture_goes_on(qtbot: QtBot) -> None:
    talk = Talk()
    shown, _ = _list(qtbot, talk.timeline)
    talk.add(came(AUTHORIZE))
    click(shown.freeze)
    talk.add(sent(INVALID), came("noise"))
    talk.add(checked(3, "fail", {"rule": "operator"}))
    assert (len(shown.model.rows), shown.count.text()) == (1, "1 of 3 (+2 new)")
    shown.filter.setText("from:csms")
    assert shown.model.rows == []
    click(shown.freeze)
    assert [message.n for message in shown.model.rows] == [2]
    shown.filter.clear()
    assert shown.count.text() == "3"


def test_a_wrong_filter_says_so_and_the_list_stays(qtbot: QtBot) -> None:
    shown, _ = _list(qtbot, _recorded())
    shown.filter.setText("kind:call")
    count = len(shown.model.rows)
    shown.filter.setText("kind:c")
    assert "kind:c expected call, result" in shown.problem.text() or not shown.problem.isVisible()
    shown.filter.setText("kind:x")
    assert shown.problem.isVisible()
    assert shown.problem.text() == "kind:x expected call, result, error, broken"
    assert len(shown.model.rows) == count
    shown.filter.setText("")
    assert not shown.problem.isVisible()


def test_escape_takes_a_filter_away_and_goes_to_the_list(qtbot: QtBot) -> None:
    shown, _ = _list(qtbot, _recorded())
    with qtbot.waitActive(shown):
        shown.activateWindow()
    shown.filter.setText("from:x")
    shown.type_filter()
    press(shown.filter, Qt.Key.Key_Escape)
    assert shown.filter.text() == ""
    assert shown.problem.isHidden()
    assert shown.table.hasFocus()


def test_times_are_told_in_three_ways(qtbot: QtBot) -> None:
    talk = Talk()
    shown, _ = _list(qtbot, talk.timeline)
    talk.add(StepStarted(1, "body", "x"), came(AUTHORIZE), sent(INVALID), came("noise"))
    times = [[_cells(shown.model, row)[Column.TIME] for row in range(3)]]
    shown.table.setFocus()
    shown.table.go_to(1)
    press(shown.table, KEY.Key_T)
    times.append([_cells(shown.model, row)[Column.TIME] for row in range(3)])
    press(shown.table, KEY.Key_M)
    times.append([_cells(shown.model, row)[Column.TIME] for row in range(3)])
    assert times == [
        ["0.010", "0.020", "0.030"],
        ["08:00:00.020", "08:00:00.030", "08:00:00.040"],
        ["-0.010", "+0.000", "+0.010"],
    ]
    assert (shown.model.times, shown.time.text()) == (Times.DELTA, "Time: Δ mark")


def test_keys_go_to_partner_and_next_failure_and_follow_an_id(qtbot: QtBot) -> None:
    shown, cursor = _list(qtbot, _recorded())
    shown.table.setFocus()
    press(shown.table, KEY.Key_Home)
    assert cursor.record == 11
    press(shown.table, KEY.Key_N)
    assert cursor.record == 14  # judged by a monitor
    press(shown.table, KEY.Key_N)
    assert cursor.record == 28
    press(shown.table, KEY.Key_P)
    assert cursor.record == 29
    assert shown.table.partner is shown.model.rows[6]
    press(shown.table, KEY.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert cursor.record == 28
    press(shown.table, KEY.Key_G)
    assert [message.n for message in shown.model.rows] == [28, 29]
    press(shown.table, KEY.Key_Escape)
    assert len(shown.model.rows) == 16
    press(shown.table, KEY.Key_End)
    assert cursor.record == 78


def test_the_list_follows_the_newest_until_an_older_row_is_chosen(qtbot: QtBot) -> None:
    talk = Talk()
    shown, _ = _list(qtbot, talk.timeline)
    bar = shown.table.verticalScrollBar()
    assert bar is not None
    talk.add(*(came(f'[2,"{n}","Heartbeat",{{}}]') for n in range(80)))
    assert bar.value() == bar.maximum() > 0
    shown.table.go_to(3)
    place = bar.value()
    talk.add(came('[2,"x","Heartbeat",{}]'))
    assert bar.value() == place < bar.maximum()
    shown.table.go_to(80)
    talk.add(came('[2,"y","Heartbeat",{}]'))
    assert bar.value() == bar.maximum()


def test_the_cursor_of_others_moves_the_row(qtbot: QtBot) -> None:
    timeline = _recorded()
    shown, cursor = _list(qtbot, timeline)
    cursor.select(5235.1935)  # a click into the plots
    current = shown.table.current()
    assert current is not None
    assert (current.n, cursor.record) == (16, None)
    cursor.select(5235.194576, 30)  # the failed check
    current = shown.table.current()
    assert current is not None
    assert current.n == 28
    assert shown.detail.tabs.currentIndex() == EXPECTED
    cursor.select(5235.10949, 10)  # a check that no message belongs to
    assert shown.detail.title.text() == "The connection is open"


def test_the_detail_shows_expected_json_and_the_raw_text(qtbot: QtBot) -> None:
    timeline = _recorded()
    shown, cursor = _list(qtbot, timeline)
    detail = shown.detail
    message = timeline.message(28)
    assert message is not None
    cursor.select(message.moment, 28)
    assert detail.tabs.tabText(EXPECTED) == "Expected (1)"
    top = detail.checks.topLevelItem(0)
    assert top is not None
    assert top.text(0) == "Fail:  No StartTransaction comes"
    first = top.child(0)
    assert first is not None
    texts = [first.text(column) for column in range(4)]
    assert texts == ["+", "message", "no StartTransaction()", "CALL StartTransaction"]
    count = top.childCount()
    detail.equal.click()
    top = detail.checks.topLevelItem(0)
    assert top is not None
    assert top.childCount() > count
    assert '    "idTag": "BAD"' in detail.readable.toPlainText()
    assert detail.received.toPlainText() == message.view.text
    detail.partner.click()
    assert cursor.record == 29
    assert detail.tabs.currentIndex() == READABLE  # nothing was judged by the answer


def test_broken_frames_are_shown_as_such(qtbot: QtBot) -> None:
    talk = Talk()
    shown, cursor = _list(qtbot, talk.timeline)
    binary = came("")
    talk.add(came('[2,"a"'), type(binary)(1, None, "AAEC/w=="))
    not_json, in_bytes = shown.model.rows
    assert _cells(shown.model, 0)[Column.KIND] == "⚠ broken"
    assert "not JSON" in _cells(shown.model, 0)[Column.CONTENT]
    assert "binary" in _cells(shown.model, 1)[Column.CONTENT]
    assert readable(not_json).endswith('\n\n[2,"a"')
    assert "4 bytes: 000102ff" in readable(in_bytes)
    cursor.select(not_json.moment, not_json.n)
    remark = shown.detail.checks.topLevelItem(0)
    assert remark is not None
    assert remark.text(0).startswith("no legal frame: not JSON")


def test_remarks_tell_what_no_check_says(qtbot: QtBot) -> None:
    talk = Talk()
    shown, cursor = _list(qtbot, talk.timeline)
    talk.add(came(AUTHORIZE), LeftUnanswered(1, "a1"))
    talk.add(Claimed([1], CallPattern("Authorize", {"idTag": "BAD"}).to_json(), 0))
    cursor.select(talk.records[0].mono, 1)
    items = [shown.detail.checks.topLevelItem(at) for at in range(2)]
    assert [item.text(0) for item in items if item is not None] == [
        'taken by the procedure: Authorize(idTag="BAD")',
        "left alone",
    ]


def test_columns_give_way_to_the_content(qtbot: QtBot) -> None:
    shown, _ = _list(qtbot, _recorded(), width=1400)
    assert not any(shown.table.isColumnHidden(column) for column in Column)
    shown.resize(760, 700)
    assert shown.table.isColumnHidden(Column.MESSAGE_ID)
    assert not shown.table.isColumnHidden(Column.CONTENT)
    assert not shown.table.isColumnHidden(Column.CHECKS)
    shown.resize(860, 300)  # the detail is beside it
    QApplication.processEvents()
    assert shown.table.columnWidth(Column.CONTENT) >= 80
    bar = shown.table.horizontalScrollBar()
    assert bar is not None
    assert bar.maximum() == 0


def test_another_run_starts_the_list_anew(qtbot: QtBot) -> None:
    timeline = _recorded()
    shown, _ = _list(qtbot, timeline)
    shown.filter.setText("kind:call")
    found = records()[:20]
    timeline.begin_anew(found, fold(found))
    assert [message.n for message in shown.model.rows] == [11, 14]
    assert shown.model.rows[0].verdict == "pass"


def test_filtering_is_the_same_as_filtering_from_the_start() -> None:
    timeline = _recorded()
    model = MessageModel(timeline)
    model.filter_by(read("-kind:call"))
    assert model.rows == [message for message in timeline.messages if message.kind != "CALL"]

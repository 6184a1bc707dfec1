"""What an observer gets in place of a record that tells of others."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from bench.events import EarlierResultsVoid, Event, Noted, StationRefused, ViewerConnected
from bench.journal import Record, as_json
from bench.redaction import event_for_observer
from bench.server.feed import written


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (
            EarlierResultsVoid("PICS C-07 was true, now false", ["20261124T101500Z-secret", "b"]),
            {"why": "PICS C-07 was true, now false", "runs": ["***"]},
        ),
        (StationRefused("/CP9", "10.0.0.9:1", "no"), {"path": "***", "remote": "***"}),
        (ViewerConnected(1, "Ada", "3f9a"), {"viewer": 1, "name": "***", "share": "***"}),
    ],
)
def test_observers_get_the_record_without_the_others(event: Event, data: dict[str, object]) -> None:
    record = Record(7, datetime(2026, 11, 25, tzinfo=UTC), 1.5, event)
    one = written("run", 7, as_json(record))
    whole, seen = orjson.loads(one.frame), orjson.loads(one.observed)
    assert seen["data"] == {**seen["data"], **data}
    assert {**whole, "data": None} == {**seen, "data": None}
    assert orjson.loads(as_json(Record(7, record.utc, 1.5, event_for_observer(event)))) == {
        key: value for key, value in seen.items() if key != "run"
    }


def test_what_looks_like_such_a_record_in_a_remark_is_left_alone() -> None:
    text = '"event":"ViewerConnected","data":{"name":"Ada"}'
    one = written("run", 1, as_json(Record(1, datetime.now(UTC), 1.5, Noted(text))))
    assert one.observed == one.frame

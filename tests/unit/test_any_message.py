"""Whatever a DUT sends: the rules, the answers, the journal and the views cope with it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.clock import Stamp
from bench.events import FrameReceived, FrameSent
from bench.evidence import received
from bench.journal import FIRST, Record, decode, encode
from bench.ocpp import schema
from bench.ocpp.csms import Book, Csms
from bench.ocpp.explain import describe
from bench.ocpp.frame import Call, CallError, CallResult, parse
from bench.ocpp.frame import encode as encode_frame
from bench.ocpp.message import Received
from bench.ocpp.monitors import Monitors
from bench.report.sequence import of_items
from bench.runview import fold
from bench.terminal import plain_lines

NAMES = "timestamp connectorId status transactionId meterValue sampledValue value unit idTag"
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from([10**30, -1e300, "\ud800", "\x00\x1b", "2031-01-01T00:00:00Z", "yesterday"])
    | st.sampled_from(["Accepted", "Available", "Charging", "Energy.Active.Import.Register", "kWh"])
    | st.text(max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(NAMES.split()) | st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
ACTIONS = st.sampled_from(
    ["BootNotification", "StatusNotification", "StartTransaction", "StopTransaction", "MeterValues"]
) | st.sampled_from([*sorted(schema.actions()), "Nonsense", "\udfff"])


@st.composite
def payloads(draw: st.DrawFn, action: str) -> dict[str, Any]:
    known = schema.fields(action) if action in schema.actions() else {"x": {}}
    return {name: draw(VALUES) for name in known if draw(st.booleans())}


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Make a message: a CALL with a known action and nonsense in its fields, or any JSON."""
    message_id = draw(st.sampled_from(["a", "b", "\ud800"]))
    match draw(st.integers(0, 5)):
        case 0:
            return json.dumps([3, message_id, draw(payloads("RemoteStartTransaction"))])
        case 1:
            return json.dumps([4, message_id, draw(st.text(max_size=3)), "", {}])
        case 2:
            return json.dumps(draw(VALUES))
        case _:
            action = draw(ACTIONS)
            return json.dumps([2, message_id, action, draw(payloads(action))])


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.lists(texts(), min_size=1, max_size=4))
def test_any_message_is_judged_answered_recorded_and_shown(messages: list[str]) -> None:
    asyncio.run(_judged_answered_recorded_and_shown(messages))


async def _judged_answered_recorded_and_shown(messages: list[str]) -> None:
    monitors = Monitors(connectors=2, deviation=4.0)
    csms = Csms(Book({}, heartbeat_interval=60), lambda text: None)
    stamp = Stamp(0.0, datetime.now(UTC))
    records: list[Record] = []
    for text in messages:
        frame = parse(text)
        records.append(Record(len(records) + 1, stamp.utc, 0.0, FrameReceived(1, text)))
        message = Received(len(records), stamp, 1, frame)
        assert received(records[-1]) == message
        describe(message).encode("utf-8", "replace")
        list(monitors.received(message))
        if isinstance(frame, Call):
            answer = csms.reply(frame).frame
            assert isinstance(answer, CallResult | CallError)
            sent = encode_frame(answer)
            sent.encode()  # it can go on the wire
            monitors.sent(answer, 0.0)
            records.append(Record(len(records) + 1, stamp.utc, 0.0, FrameSent(1, sent)))
    head = FIRST
    for record in records:
        line, digest = encode(record, head)
        assert decode(line, head) == (record, digest)
        head = digest
    view = fold(records)
    assert len(list(of_items(view.outside, 0.0))) == len(records)
    assert plain_lines(view, records[-1]) == []

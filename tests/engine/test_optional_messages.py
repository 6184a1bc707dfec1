"""Messages that may come, that come after another one; patterns and ages; the CSMS's book."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bench.clock import Stamp, iso
from bench.errors import CheckFailed
from bench.events import Claimed
from bench.ocpp import v16
from bench.ocpp.frame import Call, CallResult
from bench.ocpp.match import call_other_than, pattern_from_json
from bench.ocpp.message import Received, age
from bench.ocpp.predicate import ABSENT
from tests.engine.support import BOOT, Peer, rig


async def test_a_message_that_may_come_is_claimed_when_it_does() -> None:
    async with rig() as csms, csms.connect() as socket:
        csms.judge.step()
        begun = csms.judge.window
        await Peer(socket).call("Authorize", idTag="CARD1")
        message = await csms.station.may_come(v16.Authorize(), within=1.0)
        assert message is not None
        assert csms.events(Claimed) == [Claimed([message.n], v16.Authorize().to_json(), begun)]
        assert await csms.station.may_come(v16.Authorize(), within=0.01) is None
        assert csms.station.unclaimed_calls() == []
        assert csms.judge.checks == []


async def test_a_breach_ends_the_wait_for_a_message_that_may_come() -> None:
    async with rig() as csms, csms.connect() as socket:
        csms.judge.step()
        peer = Peer(socket)
        csms.station.forbid(call_other_than("BootNotification"))
        await peer.call("BootNotification", **BOOT)
        await peer.call("Heartbeat")
        with pytest.raises(CheckFailed, match="no CALL other than BootNotification was allowed"):
            await csms.station.may_come(v16.Authorize(), within=1.0)


async def test_messages_before_another_one_do_not_count() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        csms.judge.step()
        await peer.call("Authorize", idTag="CARD1")
        await peer.call("BootNotification", **BOOT)
        boot = await csms.station.expect(v16.BootNotification())
        with pytest.raises(CheckFailed):
            await csms.station.expect(v16.Authorize(), within=0.01, after=boot)
        await peer.call("Authorize", idTag="BAD")
        message = await csms.station.expect(v16.Authorize(), after=boot)
        assert message["idTag"] == "BAD"


def test_a_call_other_than_some() -> None:
    pattern = call_other_than("BootNotification", "Heartbeat")
    assert pattern_from_json(pattern.to_json()) == pattern
    assert str(pattern) == "CALL other than BootNotification or Heartbeat"
    assert pattern.misses(Call("1", "Authorize", {})) == []
    (miss,) = pattern.misses(Call("1", "Heartbeat", {}))
    assert (miss.expected, miss.actual) == (str(pattern), "Heartbeat")
    assert pattern.misses(CallResult("1", {})) != []
    either = pattern | v16.Heartbeat()
    assert either.misses(Call("1", "Heartbeat", {})) == []
    assert pattern_from_json(either.to_json()) == either


def test_the_age_of_a_time_stamp() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    taken = iso(moment - timedelta(seconds=2.5))
    call = Call("1", "StartTransaction", {"timestamp": taken})
    message = Received(7, Stamp(1.0, moment), 1, call)
    observed = age(message, "timestamp")
    assert (observed.value, observed.frame) == (2.5, 7)
    assert observed.source == {"kind": "age", "frame": 7, "path": "timestamp"}
    assert age(message, "other").value is ABSENT


async def test_the_book_keeps_statuses_since_the_last_boot_and_transaction_ids() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer, book = Peer(socket), csms.csms.book
        status = {"errorCode": "NoError", "status": "Available"}
        await peer.call("StatusNotification", connectorId=1, **status)
        await peer.call("StatusNotification", connectorId=2, **status | {"status": "Faulted"})
        assert book.statuses == {1: "Available", 2: "Faulted"}
        await peer.call("BootNotification", **BOOT)
        assert book.statuses == {}
        start = {
            "connectorId": 1,
            "idTag": "CARD1",
            "meterStart": 0,
            "timestamp": "2024-05-06T07:08:09Z",
        }
        answer = await peer.call("StartTransaction", **start)
        assert book.transaction_id(start) == answer[2]["transactionId"]

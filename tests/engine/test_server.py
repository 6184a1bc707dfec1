"""The CSMS side against peers that misbehave: everything is recorded, named, and survived."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.errors import CheckFailed
from bench.events import (
    FrameReceived,
    FrameSent,
    StationConnected,
    StationDisconnected,
    StationRefused,
)
from bench.ocpp import v16
from bench.ocpp.match import error, result
from tests.engine.support import BOOT, IDENTITY, PATH, Peer, rig


async def test_boot_is_accepted_and_recorded() -> None:
    async with rig() as csms, csms.connect() as socket:
        answer = await Peer(socket).call("BootNotification", **BOOT)
        assert answer[2]["status"] == "Accepted"
        assert answer[2]["interval"] == 60
        (connected,) = csms.events(StationConnected)
        assert connected.identity == IDENTITY
        assert connected.path == PATH
        (received,) = csms.events(FrameReceived)
        assert json.loads(received.text)[2] == "BootNotification"
        assert len(csms.events(FrameSent)) == 1
        assert csms.found() == []


async def test_unknown_identity_is_refused_with_404() -> None:
    async with rig() as csms:
        with pytest.raises(InvalidStatus) as refusal:
            async with csms.connect("/ocpp/NOBODY"):
                pass
        assert refusal.value.response.status_code == 404
        (refused,) = csms.events(StationRefused)
        assert "'NOBODY'" in refused.reason
        assert repr(IDENTITY) in refused.reason


@pytest.mark.parametrize("offered", [("ocpp2.0.1",), ("OCPP1.6",), ()])
async def test_wrong_subprotocol_is_refused_without_choosing_one(offered: tuple[str, ...]) -> None:
    async with rig() as csms:
        async with csms.connect(subprotocols=offered) as socket:
            assert socket.subprotocol is None
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1002
        (refused,) = csms.events(StationRefused)
        assert "expected ocpp1.6" in refused.reason
        assert csms.events(StationConnected) == []


async def test_subprotocol_is_picked_among_several() -> None:
    async with rig() as csms, csms.connect(subprotocols=("ocpp2.0.1", "ocpp1.6")) as socket:
        assert socket.subprotocol == "ocpp1.6"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("hello", "not JSON"),
        ("{}", "a JSON object"),
        ("[]", "an empty list"),
        ('["2","a","Heartbeat",{}]', 'message type "2"'),
        ('[5,"a","Heartbeat",{}]', "message type 5"),
        ('[2,"a","Heartbeat"]', "a CALL of 3 elements"),
        ('[2,7,"Heartbeat",{}]', "message id 7"),
        (f'[2,"{"x" * 37}","Heartbeat",{{}}]', "a message id of 37 characters"),
        ('[2,"a","Heartbeat",[]]', "a payload that is a JSON list"),
        ('[2,"a","Heartbeat",null]', "a payload that is a JSON null"),
        ('[3,"a"]', "a CALLRESULT of 2 elements"),
        ('[4,"a","GenericError"]', "a CALLERROR of 3 elements"),
        (b"\x00\xff", "a binary WebSocket message"),
    ],
)
async def test_broken_frame_is_recorded_as_such_and_survived(raw: str | bytes, reason: str) -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        await peer.send(raw)
        answer = await peer.call("Heartbeat")
        assert answer[0] == 3
        finding = csms.judge.findings[0]
        assert finding.monitor == "framing"
        assert reason in finding.actual
        assert finding.warning == ("message type 5" in reason)
        first = csms.events(FrameReceived)[0]
        assert first.text == raw if isinstance(raw, str) else first.base64 == "AP8="


async def test_frame_of_one_megabyte_is_recorded_whole() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        answer = await peer.call("DataTransfer", vendorId="v", data="x" * 1_048_576)
        assert answer[2] == {"status": "UnknownVendorId"}
        assert len(csms.events(FrameReceived)[0].text) > 1_048_576


async def test_frame_over_the_limit_closes_the_connection_with_a_reason() -> None:
    async with rig(max_frame=1000) as csms, csms.connect() as socket:
        await socket.send("x" * 1001)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert await csms.dialogue.until_connected(False, within=1)
        (gone,) = csms.events(StationDisconnected)
        assert gone.code == 1009


async def test_unknown_action_gets_not_implemented() -> None:
    async with rig() as csms, csms.connect() as socket:
        answer = await Peer(socket).call("HeartBeat")
        assert answer[:3] == [4, "m1", "NotImplemented"]
        assert csms.found() == ["schema"]


async def test_reused_message_id_is_found() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        for _ in range(2):
            await peer.send([2, "same", "Heartbeat", {}])
            await peer.receive()
        assert csms.found() == ["message-id"]


async def test_answer_nobody_asked_for_is_found() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        await peer.send([3, "never", {}])
        await peer.call("Heartbeat")
        assert csms.found() == ["answer"]


async def test_overlapping_calls_are_found() -> None:
    async with rig() as csms, csms.connect() as socket:
        csms.csms.answers(v16.Heartbeat, times=1, after=0.05)
        peer = Peer(socket)
        await peer.send([2, "a", "Heartbeat", {}])
        await peer.send([2, "b", "Authorize", {"idTag": "CARD1"}])
        assert {(await peer.receive())[1] for _ in range(2)} == {"a", "b"}
        assert csms.found() == ["one-call"]


async def test_an_answer_that_is_still_due_does_not_hold_the_end_of_its_connection() -> None:
    async with rig() as csms:
        csms.csms.answers(v16.Heartbeat, after=3600.0)
        async with csms.connect() as socket:
            await Peer(socket).send([2, "a", "Heartbeat", {}])
            assert await csms.station.may_come(v16.Heartbeat(), within=20.0)
        assert await csms.dialogue.until_connected(False, within=20.0)


async def test_a_call_left_unanswered_on_purpose_blocks_no_other() -> None:
    async with rig() as csms, csms.connect() as socket:
        csms.csms.ignores(v16.Heartbeat, times=1)
        peer = Peer(socket)
        await peer.send([2, "a", "Heartbeat", {}])
        await peer.send([2, "b", "Heartbeat", {}])
        assert (await peer.receive())[1] == "b"
        assert csms.found() == []


async def test_second_connection_of_the_same_identity_takes_over() -> None:
    async with rig() as csms, csms.connect() as first:
        await Peer(first).call("Heartbeat")
        async with csms.connect() as second:
            with pytest.raises(ConnectionClosed) as closed:
                await first.recv()
            assert closed.value.rcvd is not None
            assert "newer connection" in closed.value.rcvd.reason
            assert (await Peer(second).call("Heartbeat"))[0] == 3
            assert csms.dialogue.is_connected


async def test_call_that_a_reconnection_interrupts_fails_with_the_cause() -> None:
    async with rig() as csms, csms.connect() as first:
        await Peer(first).call("Heartbeat")
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(_failure_of_reset(csms.station))
            await first.recv()
            async with csms.connect():
                assert "another connection" in await asked


async def _failure_of_reset(station: object) -> str:
    with pytest.raises(CheckFailed) as failure:
        await station.call(v16.Reset(type="Hard"))  # type: ignore[attr-defined]
    return str(failure.value)


async def test_answer_that_comes_too_late_fails_and_is_found_as_unasked() -> None:
    async with rig(response=0.05) as csms, csms.connect() as socket:
        peer = Peer(socket)
        await peer.call("Heartbeat")
        with pytest.raises(CheckFailed, match=r"Reset was not answered within 0\.05 s"):
            await csms.station.call(v16.Reset(type="Soft"))
        asked = await peer.receive()
        await peer.send([3, asked[1], {"status": "Accepted"}])
        await peer.call("Heartbeat")
        # The monitor still knows the CALL: a late answer is late, not unasked.
        assert csms.found() == []


async def test_call_is_answered_and_checked() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        await peer.call("Heartbeat")
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(
                csms.station.call(v16.Reset(type="Hard"), result(status="Accepted"))
            )
            request = await peer.receive()
            assert request[2:] == ["Reset", {"type": "Hard"}]
            await peer.send([3, request[1], {"status": "Accepted"}])
            assert (await asked)["status"] == "Accepted"


async def test_wrong_answer_is_explained() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        await peer.call("Heartbeat")
        expected = result(status="Accepted") | error("NotSupported")
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(_reason(csms.station.call(v16.Reset(type="Hard"), expected)))
            request = await peer.receive()
            await peer.send([3, request[1], {"status": "Rejected"}])
            text = await asked
        assert 'status expected "Accepted", came "Rejected"' in text
        assert "Reset" in text


async def _reason(work: object) -> str:
    with pytest.raises(CheckFailed) as failure:
        await work  # type: ignore[misc]
    return str(failure.value)


async def test_expectation_claims_a_frame_that_raced_ahead() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        csms.judge.step()
        await peer.call("Authorize", idTag="CARD1")
        message = await csms.station.expect(v16.Authorize(idTag="CARD1"))
        assert message["idTag"] == "CARD1"
        with pytest.raises(CheckFailed, match="no other message came"):
            await csms.station.expect(v16.Authorize(), within=0.01)


async def test_frames_before_the_step_do_not_count() -> None:
    async with rig() as csms, csms.connect() as socket:
        await Peer(socket).call("Authorize", idTag="CARD1")
        csms.judge.step()
        with pytest.raises(CheckFailed, match="did not come within"):
            await csms.station.expect(v16.Authorize(), within=0.01)


async def test_order_is_free_unless_asked_for() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        csms.judge.step()
        await peer.call("Authorize", idTag="CARD1")
        await peer.call("Heartbeat")
        await csms.station.expect(v16.Heartbeat())
        await csms.station.expect(v16.Authorize())
        csms.judge.step()
        await peer.call("Authorize", idTag="CARD1")
        await peer.call("Heartbeat")
        await csms.station.expect(v16.Heartbeat(), in_order=True)
        with pytest.raises(CheckFailed):
            await csms.station.expect(v16.Authorize(), in_order=True, within=0.01)


async def test_nearest_miss_is_explained() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        csms.judge.step()
        await peer.call("Heartbeat")
        await peer.call("StatusNotification", connectorId=1, errorCode="NoError", status="Faulted")
        with pytest.raises(CheckFailed) as failure:
            await csms.station.expect(
                v16.StatusNotification(connectorId=1, status="Charging"), within=0.01
            )
        text = str(failure.value)
        assert text.startswith("StatusNotification: status expected")
        assert '"Charging", came "Faulted"' in text


async def test_expect_none_fails_at_once_on_a_match() -> None:
    async with rig() as csms, csms.connect() as socket:
        csms.judge.step()
        await Peer(socket).call("Authorize", idTag="CARD1")
        with pytest.raises(CheckFailed, match="no Authorize"):
            await csms.station.expect_none(v16.Authorize(), during=30)
        await csms.station.expect_none(v16.StartTransaction(), during=0.01)


async def test_forbidden_frame_fails_the_wait_that_is_going_on() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        csms.judge.step()
        csms.station.forbid(v16.Authorize())
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(_reason(csms.station.expect(v16.Heartbeat(), within=30)))
            await peer.call("Authorize", idTag="CARD1")
            assert "no Authorize" in await waiting


async def test_forbidding_ends_with_its_context() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        csms.judge.step()
        with csms.station.forbid(v16.Authorize()):
            await peer.call("Heartbeat")
        await peer.call("Authorize", idTag="CARD1")
        await csms.station.expect(v16.Authorize())
        csms.station.forbidden.lift_all()
        assert csms.judge.checks[0] == ("No Authorize comes", True, "")


async def test_send_raw_sends_anything() -> None:
    async with rig() as csms, csms.connect() as socket:
        await Peer(socket).call("Heartbeat")
        await csms.station.send_raw('[2,"x"')
        assert await socket.recv() == '[2,"x"'


async def test_rejected_station_that_talks_is_found_and_refused() -> None:
    async with rig() as csms, csms.connect() as socket:
        peer = Peer(socket)
        csms.csms.answers(v16.BootNotification, status="Rejected", interval=9, times=1)
        answer = await peer.call("BootNotification", **BOOT)
        assert (answer[2]["status"], answer[2]["interval"]) == ("Rejected", 9)
        assert (await peer.call("Heartbeat"))[2] == "SecurityError"
        assert csms.found() == ["before-acceptance"]
        assert (await peer.call("BootNotification", **BOOT))[2]["status"] == "Accepted"
        assert (await peer.call("Heartbeat"))[0] == 3

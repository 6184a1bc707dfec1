"""What the CSMS may ask of a station."""

from __future__ import annotations

import asyncio

import pytest

from bench.ocpp.frame import Call, CallError
from tests.engine.vstation.rig import AMEX, VISA, Csms, rig

CORE_KEYS = {
    "AuthorizeRemoteTxRequests": False,
    "ClockAlignedDataInterval": False,
    "ConnectionTimeOut": False,
    "ConnectorPhaseRotation": False,
    "GetConfigurationMaxKeys": True,
    "HeartbeatInterval": False,
    "LocalAuthorizeOffline": False,
    "LocalPreAuthorize": False,
    "MeterValuesAlignedData": False,
    "MeterValuesSampledData": False,
    "MeterValueSampleInterval": False,
    "NumberOfConnectors": True,
    "ResetRetries": False,
    "StopTransactionOnInvalidId": False,
    "StopTxnAlignedData": False,
    "StopTxnSampledData": False,
    "SupportedFeatureProfiles": True,
    "TransactionMessageAttempts": False,
    "TransactionMessageRetryInterval": False,
    "UnlockConnectorOnEVSideDisconnect": False,
}
"""The required keys, and whether they are read-only."""


@pytest.mark.parametrize("asks", ["true", "false"])
@pytest.mark.parametrize("connector", [1, None])
async def test_remote_start_with_the_plug_in(asks: str, connector: int | None) -> None:
    async with rig(keys={"AuthorizeRemoteTxRequests": asks}) as r:
        await r.booted()
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        wish = {"idTag": VISA} | ({} if connector is None else {"connectorId": connector})
        assert await r.csms.status_of("RemoteStartTransaction", **wish) == "Accepted"
        await r.csms.expect("StartTransaction", connectorId=1, idTag=VISA)
        await r.csms.status(1, "Charging")
        assert len(r.csms.calls("Authorize")) == (asks == "true")


async def test_remote_start_before_the_plug() -> None:
    async with rig(keys={"ConnectionTimeOut": "15"}) as r:
        await r.booted()
        for _ in range(2):
            await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag=VISA)
            await r.csms.expect("Authorize", idTag=VISA)
            preparing = await r.csms.status(1, "Preparing")
            available = await r.csms.status(1, "Available")
            assert available.at - preparing.at == pytest.approx(15, abs=1)
        await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag=VISA)
        await r.csms.status(1, "Preparing")
        r.evse.plug_in()
        await r.csms.expect("StartTransaction", idTag=VISA)
        await r.csms.status(1, "Charging")


async def test_remote_start_chooses_the_plugged_connector() -> None:
    async with rig(connectors=2) as r:
        await r.booted()
        r.electronics.connectors[2].plug_in()
        await r.csms.status(2, "Preparing")
        assert await r.csms.status_of("RemoteStartTransaction", idTag=VISA) == "Accepted"
        await r.csms.expect("StartTransaction", connectorId=2)


async def test_remote_start_is_rejected_where_nothing_can_start() -> None:
    async with rig() as r:
        await r.booted()
        number = await r.charging()
        for connector in (0, 1, 2):
            wish = {"connectorId": connector, "idTag": VISA}
            assert await r.csms.status_of("RemoteStartTransaction", **wish) == "Rejected"
        assert await r.csms.status_of("RemoteStartTransaction", idTag=VISA) == "Rejected"
        await r.csms.nothing(during=10)
        assert await r.csms.status_of("RemoteStopTransaction", transactionId=number) == "Accepted"


async def test_remote_start_of_a_refused_card_starts_nothing() -> None:
    async with rig() as r:
        await r.booted()
        await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag="NOBODY")
        await r.csms.expect("Authorize", idTag="NOBODY")
        await r.csms.nothing(during=10)


async def test_remote_stop() -> None:
    async with rig() as r:
        await r.booted()
        number = await r.charging()
        assert await r.csms.status_of("RemoteStopTransaction", transactionId=9) == "Rejected"
        assert await r.csms.status_of("RemoteStopTransaction", transactionId=number) == "Accepted"
        stop = await r.csms.expect("StopTransaction", transactionId=number, reason="Remote")
        assert "idTag" not in stop.payload
        await r.csms.status(1, "Finishing")
        assert not r.evse.locked
        assert await r.csms.status_of("RemoteStopTransaction", transactionId=number) == "Rejected"


async def test_unlock() -> None:
    async with rig() as r:
        await r.booted()
        assert await r.csms.status_of("UnlockConnector", connectorId=1) == "Unlocked"
        assert await r.csms.status_of("UnlockConnector", connectorId=2) == "NotSupported"
        number = await r.charging()
        assert await r.csms.status_of("UnlockConnector", connectorId=1) == "Unlocked"
        await r.csms.expect("StopTransaction", transactionId=number, reason="UnlockCommand")
        await r.csms.status(1, "Finishing")
        assert not r.evse.locked
        r.evse.locked = r.evse.lock_blocked = True
        assert await r.csms.status_of("UnlockConnector", connectorId=1) == "UnlockFailed"


async def test_availability_of_one_connector() -> None:
    async with rig(connectors=2) as r:
        await r.booted()
        change = {"connectorId": 1, "type": "Inoperative"}
        assert await r.csms.status_of("ChangeAvailability", **change) == "Accepted"
        await r.csms.status(1, "Unavailable")
        assert await r.csms.status_of("ChangeAvailability", **change) == "Accepted"
        r.present(VISA)
        r.evse.plug_in()
        assert await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag=VISA) == (
            "Rejected"
        )
        await r.csms.nothing(during=10)
        change = {"connectorId": 1, "type": "Operative"}
        assert await r.csms.status_of("ChangeAvailability", **change) == "Accepted"
        await r.csms.status(1, "Preparing")
        change = {"connectorId": 3, "type": "Operative"}
        assert await r.csms.status_of("ChangeAvailability", **change) == "Rejected"


async def test_availability_of_the_station() -> None:
    async with rig(connectors=2) as r:
        await r.booted()
        for kind, status in (("Inoperative", "Unavailable"), ("Operative", "Available")):
            change = {"connectorId": 0, "type": kind}
            assert await r.csms.status_of("ChangeAvailability", **change) == "Accepted"
            for number in (0, 1, 2):
                await r.csms.status(number, status)


async def test_availability_waits_for_the_transaction() -> None:
    async with rig(connectors=2) as r:
        await r.booted()
        await r.charging()
        change = {"connectorId": 0, "type": "Inoperative"}
        assert await r.csms.status_of("ChangeAvailability", **change) == "Scheduled"
        await r.csms.status(0, "Unavailable")
        await r.csms.status(2, "Unavailable")
        await r.csms.nothing(during=5)
        r.present(VISA)
        await r.csms.status(1, "Finishing")
        r.evse.unplug()
        await r.csms.status(1, "Unavailable")


async def test_a_scheduled_change_can_be_taken_back() -> None:
    async with rig() as r:
        await r.booted()
        await r.charging()
        for kind, answer in (("Inoperative", "Scheduled"), ("Operative", "Accepted")):
            change = {"connectorId": 1, "type": kind}
            assert await r.csms.status_of("ChangeAvailability", **change) == answer
        r.present(VISA)
        await r.csms.status(1, "Finishing")
        r.evse.unplug()
        await r.csms.status(1, "Available")


async def test_going_out_of_service_ends_the_preparation() -> None:
    async with rig() as r:
        await r.booted()
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        change = {"connectorId": 1, "type": "Inoperative"}
        assert await r.csms.status_of("ChangeAvailability", **change) == "Accepted"
        await r.csms.status(1, "Available")
        await r.csms.status(1, "Unavailable")


async def test_all_required_keys_are_there_with_their_access_rights() -> None:
    async with rig() as r:
        await r.booted()
        answer = await r.csms.call("GetConfiguration")
        found = {key["key"]: key["readonly"] for key in answer["configurationKey"]}
        assert CORE_KEYS.items() <= found.items()
        assert "unknownKey" not in answer
        assert await r.csms.value("SupportedFeatureProfiles") == "Core,RemoteTrigger"
        assert await r.csms.value("NumberOfConnectors") == "1"
        most = int(await r.csms.value("GetConfigurationMaxKeys"))
        wanted = sorted(found)[:most]
        answer = await r.csms.call("GetConfiguration", key=wanted)
        assert [key["key"] for key in answer["configurationKey"]] == wanted
        answer = await r.csms.call("GetConfiguration", key=["heartbeatinterval", "Nonsense"])
        assert answer["configurationKey"][0]["key"] == "HeartbeatInterval"
        assert answer["unknownKey"] == ["Nonsense"]
        too_many = [f"key{n}" for n in range(most + 1)]
        error = await r.csms.error_of("GetConfiguration", key=too_many)
        assert error == "OccurenceConstraintViolation"


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("MeterValueSampleInterval", "15", "Accepted"),
        ("metervaluesampleinterval", "15", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("MeterValueSampleInterval", "1.5", "Rejected"),
        ("MeterValueSampleInterval", "", "Rejected"),
        ("HeartbeatInterval", "0", "Rejected"),
        ("WebSocketPingInterval", "-5", "Rejected"),
        ("LocalPreAuthorize", "TRUE", "Accepted"),
        ("LocalPreAuthorize", "yes", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("Testing", "true", "NotSupported"),
        ("MeterValuesSampledData", "Voltage.L1-N, Current.Import", "Accepted"),
        ("MeterValuesSampledData", "", "Accepted"),
        ("MeterValuesSampledData", "SoC", "Rejected"),
        ("MeterValuesSampledData", ",".join(["Voltage"] * 13), "Rejected"),
        ("ConnectorPhaseRotation", "0.RST,1.STR", "Accepted"),
        ("ConnectorPhaseRotation", "2.RST", "Rejected"),
        ("ConnectorPhaseRotation", "1.XYZ", "Rejected"),
        ("ConnectorPhaseRotation", "1.RST,1.RTS", "Rejected"),
        ("CentralSystemURL", "wss://elsewhere/ocpp", "RebootRequired"),
        ("CentralSystemURL", "http://elsewhere", "Rejected"),
    ],
)
async def test_configuration_values_are_checked(key: str, value: str, status: str) -> None:
    async with rig() as r:
        await r.booted()
        known = await r.csms.call("GetConfiguration", key=[key])
        assert await r.csms.status_of("ChangeConfiguration", key=key, value=value) == status
        if status == "NotSupported":
            return
        before = known["configurationKey"][0]["value"]
        assert await r.csms.value(key) == (before if status == "Rejected" else value)


async def test_a_new_address_is_used_after_a_reboot() -> None:
    other = Csms()
    async with rig() as r, other.listening() as url:
        await r.booted()
        changed = await r.csms.status_of("ChangeConfiguration", key="CentralSystemURL", value=url)
        assert changed == "RebootRequired"
        assert await r.csms.status_of("Reset", type="Soft") == "Accepted"
        await other.expect("BootNotification")


async def test_data_for_another_vendor_is_unknown() -> None:
    async with rig() as r:
        await r.booted()
        assert await r.csms.status_of("DataTransfer", vendorId="org.example") == "UnknownVendorId"


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("GetLocalListVersion", {}, "NotSupported"),
        ("SendLocalList", {"listVersion": 1, "updateType": "Full"}, "NotSupported"),
        ("GetCompositeSchedule", {"connectorId": 1, "duration": 10}, "NotSupported"),
        ("ExtendedTriggerMessage", {"requestedMessage": "Heartbeat"}, "NotSupported"),
        ("MakeCoffee", {}, "NotImplemented"),
        ("BootNotification", {}, "NotImplemented"),
        ("Reset", {"type": "Warm"}, "PropertyConstraintViolation"),
        ("Reset", {"type": 1}, "TypeConstraintViolation"),
        ("Reset", {}, "OccurenceConstraintViolation"),
        ("Reset", {"type": "Soft", "at": 1}, "FormationViolation"),
        ("DataTransfer", {"vendorId": "v" * 256}, "PropertyConstraintViolation"),
    ],
)
async def test_what_can_not_be_done_is_refused(
    action: str, payload: dict[str, object], code: str
) -> None:
    async with rig() as r:
        await r.booted()
        frame = await r.csms.exchange(action, payload)
        assert isinstance(frame, CallError)
        assert frame.code == code


async def test_broken_frames_do_no_harm() -> None:
    async with rig() as r:
        await r.booted()
        assert r.csms.socket is not None
        for raw in ("nonsense", "{}", "[]", '[9,"1",{}]', '[3,"unknown",{}]', b"\x00\x01", "[2,5]"):
            await r.csms.socket.send(raw)
        await r.csms.socket.send('[2,"broken","Reset"]')
        assert await r.csms.status_of("DataTransfer", vendorId="x") == "UnknownVendorId"
        errors = [h.frame for h in r.csms.heard if isinstance(h.frame, CallError)]
        assert [(e.message_id, e.code) for e in errors] == [("broken", "FormationViolation")]
        r.csms.findings.clear()


async def test_triggered_messages_follow_the_answer() -> None:
    async with rig(connectors=2) as r:
        await r.booted()
        number = await r.charging()

        async def trigger(message: str, **more: int) -> str:
            return await r.csms.status_of("TriggerMessage", requestedMessage=message, **more)

        assert await trigger("Heartbeat") == "Accepted"
        await r.csms.expect("Heartbeat")
        assert await trigger("StatusNotification", connectorId=0) == "Accepted"
        await r.csms.status(0, "Available")
        assert await trigger("StatusNotification") == "Accepted"
        for connector, status in ((0, "Available"), (1, "Charging"), (2, "Available")):
            await r.csms.status(connector, status)
        assert await trigger("MeterValues", connectorId=1) == "Accepted"
        values = await r.csms.expect("MeterValues", connectorId=1, transactionId=number)
        samples = values.payload["meterValue"][0]["sampledValue"]
        assert {sample["context"] for sample in samples} == {"Trigger"}
        assert await trigger("MeterValues", connectorId=2) == "Accepted"
        assert "transactionId" not in (await r.csms.expect("MeterValues", connectorId=2)).payload
        assert await trigger("DiagnosticsStatusNotification") == "Accepted"
        await r.csms.expect("DiagnosticsStatusNotification", status="Idle")
        assert await trigger("FirmwareStatusNotification") == "NotImplemented"
        assert await trigger("BootNotification") == "Rejected"
        assert await trigger("MeterValues", connectorId=3) == "Rejected"
        assert await trigger("MeterValues", connectorId=0) == "Rejected"


async def test_requests_are_answered_while_an_own_call_is_open() -> None:
    csms = Csms()
    csms.answers["Authorize"] = None
    async with rig(csms=csms) as r:
        await r.booted()
        r.evse.plug_in()
        await csms.status(1, "Preparing")
        r.present(VISA)
        asked = await csms.expect("Authorize")
        assert await csms.status_of("DataTransfer", vendorId="x") == "UnknownVendorId"
        await csms.status_of("TriggerMessage", requestedMessage="Heartbeat")
        # One CALL at a time: the heartbeat waits for the Authorize to time out.
        beat = await csms.expect("Heartbeat")
        assert beat.at - asked.at == pytest.approx(10, abs=1)


async def test_a_late_answer_is_ignored() -> None:
    csms = Csms()
    csms.answers["Authorize"] = None
    async with rig(csms=csms) as r:
        await r.booted()
        r.evse.plug_in()
        r.present(VISA)
        asked = await csms.expect("Authorize")
        assert isinstance(asked.frame, Call)
        await asyncio.sleep(11)
        late = f'[3,"{asked.frame.message_id}",{{"idTagInfo":{{"status":"Accepted"}}}}]'
        assert csms.socket is not None
        await csms.socket.send(late)
        await csms.nothing("StartTransaction", during=20)
        r.present(AMEX)
        await csms.expect("Authorize", idTag=AMEX)

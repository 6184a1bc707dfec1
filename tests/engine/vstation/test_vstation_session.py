"""Charging sessions that somebody at the station starts and stops."""

from __future__ import annotations

import pytest

from tests.engine.vstation.rig import AMEX, FRIEND, STRANGER, VISA, Csms, rig


async def test_plug_first_then_card() -> None:
    async with rig() as r:
        await r.booted()
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        assert r.evse.offered is None
        r.present(VISA)
        await r.csms.expect("Authorize", idTag=VISA)
        start = await r.csms.expect("StartTransaction", connectorId=1, idTag=VISA)
        await r.csms.status(1, "Charging")
        assert start.payload["meterStart"] == 1000
        assert r.evse.locked
        assert r.evse.closed
        assert r.evse.offered == 32.0


async def test_card_first_then_plug() -> None:
    async with rig() as r:
        await r.booted()
        r.present(VISA)
        await r.csms.expect("Authorize", idTag=VISA)
        await r.csms.status(1, "Preparing")
        r.evse.plug_in()
        await r.csms.expect("StartTransaction", idTag=VISA)
        await r.csms.status(1, "Charging")


async def test_nobody_plugs_in_after_the_card() -> None:
    async with rig(keys={"ConnectionTimeOut": "15"}) as r:
        await r.booted()
        r.present(VISA)
        preparing = await r.csms.status(1, "Preparing")
        available = await r.csms.status(1, "Available")
        assert available.at - preparing.at == pytest.approx(15, abs=1)
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        await r.csms.nothing("StartTransaction", during=30)


async def test_the_same_card_takes_its_wish_back() -> None:
    async with rig() as r:
        await r.booted()
        r.present(VISA)
        await r.csms.status(1, "Preparing")
        r.present(AMEX)
        r.present(VISA)
        available = await r.csms.status(1, "Available")
        assert len(r.csms.calls("Authorize")) == 1
        assert available.at - r.csms.heard[0].at < 5


async def test_a_refused_card_starts_nothing() -> None:
    async with rig() as r:
        await r.booted()
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        r.present(STRANGER)
        await r.csms.expect("Authorize", idTag=STRANGER)
        await r.csms.nothing(during=30)
        assert not r.evse.closed
        assert r.evse.offered is None


async def test_the_own_card_stops_and_a_foreign_one_does_not() -> None:
    async with rig() as r:
        await r.booted()
        number = await r.charging()
        r.present(AMEX)
        await r.csms.nothing(during=60)
        r.present(VISA.lower())
        stop = await r.csms.expect("StopTransaction", transactionId=number, reason="Local")
        await r.csms.status(1, "Finishing")
        assert stop.payload["idTag"] == VISA.lower()
        # 60 s at 3 times 16 A and 230 V
        assert stop.payload["meterStop"] == pytest.approx(1000 + 184, abs=3)
        assert not r.evse.closed
        assert not r.evse.locked
        r.evse.unplug()
        await r.csms.status(1, "Available")


async def test_a_card_of_the_same_group_stops() -> None:
    group = {"status": "Accepted", "parentIdTag": "FAMILY"}
    csms = Csms(cards={VISA: group, FRIEND: group, AMEX: {"status": "Accepted"}})
    async with rig(csms=csms) as r:
        await r.booted()
        number = await r.charging(VISA)
        r.present(AMEX)
        await csms.expect("Authorize", idTag=AMEX)
        await csms.nothing("StopTransaction", during=10)
        r.present(FRIEND)
        await csms.expect("Authorize", idTag=FRIEND)
        await csms.expect("StopTransaction", transactionId=number, idTag=FRIEND, reason="Local")


async def test_the_vehicle_pauses_and_goes_on() -> None:
    async with rig() as r:
        await r.booted()
        await r.charging()
        r.evse.want(False)
        await r.csms.status(1, "SuspendedEV")
        assert not r.evse.closed
        assert r.evse.offered == 32.0
        r.evse.want(True)
        await r.csms.status(1, "Charging")
        assert r.evse.closed


async def test_a_vehicle_that_does_not_ask_is_suspended_from_the_start() -> None:
    async with rig() as r:
        await r.booted()
        r.evse.plug_in(wants=False)
        await r.csms.status(1, "Preparing")
        r.present(VISA)
        await r.csms.expect("StartTransaction")
        await r.csms.status(1, "SuspendedEV")
        assert not r.evse.closed


@pytest.mark.parametrize("unlock", ["true", "false"])
async def test_unplugging_the_vehicle_ends_the_transaction(unlock: str) -> None:
    async with rig(keys={"UnlockConnectorOnEVSideDisconnect": unlock}) as r:
        await r.booted()
        number = await r.charging()
        r.evse.unplug_vehicle()
        await r.csms.expect("StopTransaction", transactionId=number, reason="EVDisconnected")
        await r.csms.status(1, "Finishing", info="EV side disconnected")
        assert r.evse.locked == (unlock == "false")
        if unlock == "false":
            r.present(AMEX)
            r.present(VISA)
            await r.csms.nothing(during=5)
        assert not r.evse.locked
        r.evse.unplug()
        await r.csms.status(1, "Available")


async def test_the_transaction_may_outlive_the_vehicle() -> None:
    async with rig(keys={"StopTransactionOnEVSideDisconnect": "false"}) as r:
        await r.booted()
        number = await r.charging()
        r.evse.unplug_vehicle()
        await r.csms.status(1, "SuspendedEV", info="EV side disconnected")
        assert not r.evse.closed
        assert r.evse.offered is None
        assert r.evse.locked
        r.evse.plug_in()
        await r.csms.status(1, "Charging")
        assert await r.csms.status_of("RemoteStopTransaction", transactionId=number) == "Accepted"
        await r.csms.expect("StopTransaction", transactionId=number, reason="Remote")
        await r.csms.status(1, "Finishing")


async def test_the_same_plug_may_charge_again() -> None:
    async with rig() as r:
        await r.booted()
        await r.charging()
        r.present(VISA)
        await r.csms.status(1, "Finishing")
        r.present(AMEX)
        await r.csms.status(1, "Preparing")
        await r.csms.expect("StartTransaction", idTag=AMEX)
        await r.csms.status(1, "Charging")


async def test_a_refusal_in_the_answer_to_the_start_stops_the_transaction() -> None:
    csms = Csms()
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted"}}
    async with rig(csms=csms) as r:
        await r.booted()
        await r.charging(STRANGER)
        stop = await csms.expect("StopTransaction", reason="DeAuthorized")
        await csms.status(1, "Finishing")
        assert "idTag" not in stop.payload
        # The cable waits for its owner.
        assert r.evse.locked
        r.present(STRANGER)
        await csms.nothing(during=5)
        assert not r.evse.locked


async def test_a_refusal_in_the_answer_to_the_start_may_only_suspend() -> None:
    csms = Csms()
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted"}}
    async with rig(csms=csms, keys={"StopTransactionOnInvalidId": "false"}) as r:
        await r.booted()
        await r.charging(STRANGER)
        await csms.status(1, "SuspendedEVSE")
        assert not r.evse.closed
        assert r.evse.offered is None
        await csms.nothing("StopTransaction", during=30)


async def test_a_refused_card_may_get_some_energy_to_drive_away() -> None:
    csms = Csms()
    csms.cards[STRANGER] = {"status": "Accepted"}
    keys = {"StopTransactionOnInvalidId": "false", "MaxEnergyOnInvalidId": "500"}
    async with rig(csms=csms, keys=keys) as r:
        await r.booted()
        refused = {"transactionId": 501, "idTagInfo": {"status": "Invalid"}}
        csms.answers["StartTransaction"] = refused
        r.evse.plug_in()
        await csms.status(1, "Preparing")
        r.present(STRANGER)
        start = await csms.expect("StartTransaction", idTag=STRANGER)
        suspended = await csms.status(1, "SuspendedEVSE", within=300)
        # 500 Wh at 16 A on three phases
        assert suspended.at - start.at == pytest.approx(500 / (16 * 690) * 3600, abs=2)
        assert not r.evse.closed
        await csms.nothing("StopTransaction", "StatusNotification", during=60)


async def test_a_plug_that_can_not_be_locked_does_not_charge() -> None:
    async with rig() as r:
        await r.booted()
        r.evse.lock_blocked = True
        r.present(VISA)
        await r.csms.status(1, "Preparing")
        r.evse.plug_in()
        await r.csms.status(1, "Faulted", errorCode="ConnectorLockFailure")
        await r.csms.nothing("StartTransaction", during=30)
        assert r.evse.offered is None
        r.evse.lock_blocked = False
        r.evse.unplug()
        await r.csms.status(1, "Available")


async def test_a_pilot_fault_opens_the_contactor_and_passes() -> None:
    async with rig() as r:
        await r.booted()
        await r.charging()
        r.evse.break_pilot("E")
        await r.csms.status(1, "Faulted", errorCode="OtherError")
        assert not r.evse.closed
        r.evse.break_pilot("")
        await r.csms.status(1, "Charging")
        assert r.evse.closed
        assert len(r.csms.calls("StartTransaction")) == 1


async def test_a_vehicle_that_needs_ventilation_gets_no_energy_without() -> None:
    async with rig() as r:
        await r.booted()
        await r.charging()
        r.evse.ask_for_ventilation(True)
        await r.csms.status(1, "SuspendedEVSE", info="no ventilation")
        assert (r.evse.closed, r.evse.offered) == (False, None)
        r.evse.ask_for_ventilation(False)
        await r.csms.status(1, "Charging")
        assert (r.evse.closed, r.evse.offered) == (True, 32.0)
        assert len(r.csms.calls("StartTransaction")) == 1


async def test_a_vehicle_that_needs_ventilation_charges_where_there_is_one() -> None:
    async with rig(ventilated=True) as r:
        await r.booted()
        r.evse.ask_for_ventilation(True)
        await r.charging()
        assert (r.evse.closed, r.evse.offered) == (True, 32.0)


async def test_a_faulted_connector_starts_nothing() -> None:
    async with rig() as r:
        await r.booted()
        r.evse.break_pilot("E")
        await r.csms.status(1, "Faulted")
        r.present(VISA)
        started = await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag=VISA)
        assert started == "Rejected"
        await r.csms.nothing(during=10)
        r.evse.break_pilot("")
        await r.csms.status(1, "Available")


async def test_two_connectors_with_a_reader_each() -> None:
    async with rig(connectors=2) as r:
        await r.booted()
        for number, card in ((1, VISA), (2, AMEX)):
            r.electronics.connectors[number].plug_in()
            await r.csms.status(number, "Preparing")
            r.present(card, number)
            await r.csms.expect("StartTransaction", connectorId=number, idTag=card)
            await r.csms.status(number, "Charging")
        r.present(AMEX, 1)
        await r.csms.nothing(during=10)
        r.present(AMEX, 2)
        await r.csms.expect("StopTransaction", idTag=AMEX)
        await r.csms.status(2, "Finishing")


async def test_one_reader_serves_two_connectors() -> None:
    async with rig(connectors=2, shared_reader=True) as r:
        await r.booted()
        r.present(VISA)
        await r.csms.expect("Authorize", idTag=VISA)
        r.evse.plug_in()
        await r.csms.expect("StartTransaction", connectorId=1)
        r.electronics.connectors[2].plug_in()
        await r.csms.status(2, "Preparing")
        r.present(AMEX)
        await r.csms.expect("StartTransaction", connectorId=2)
        r.present(VISA)
        await r.csms.expect("StopTransaction", idTag=VISA)
        await r.csms.status(1, "Finishing")
        r.present(AMEX)
        await r.csms.expect("StopTransaction", idTag=AMEX)
        await r.csms.status(2, "Finishing")


async def test_a_fixed_cable_needs_no_lock() -> None:
    async with rig(fixed_cable=True) as r:
        await r.booted()
        r.evse.lock_blocked = True
        number = await r.charging()
        assert await r.csms.status_of("UnlockConnector", connectorId=1) == "NotSupported"
        r.evse.unplug_vehicle()
        await r.csms.expect("StopTransaction", transactionId=number, reason="EVDisconnected")
        await r.csms.status(1, "Available")
        assert await r.csms.value("UnlockConnectorOnEVSideDisconnect") == "false"

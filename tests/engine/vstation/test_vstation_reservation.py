"""Reservations: what can be reserved, who may charge then, and when it is over."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from bench.clock import wire
from bench.ocpp.frame import CallError
from tests.engine.vstation.rig import AMEX, VISA, Csms, Rig, rig

MOMENT = 2.0
"""Virtual s in which a station has reacted to whatever happened."""


def reserving(**options: Any) -> AbstractAsyncContextManager[Rig]:
    return rig(profiles=("Core", "RemoteTrigger", "Reservation"), **options)


async def reserve(
    r: Rig, connector: int = 1, number: int = 7, *, lasting: float = 3600.0, parent: str = ""
) -> str:
    """Reserve for VISA; returns the status, or the error code."""
    expiry = wire(r.csms.clock.now() + timedelta(seconds=lasting))
    wish = {"connectorId": connector, "expiryDate": expiry, "idTag": VISA, "reservationId": number}
    if parent:
        wish["parentIdTag"] = parent
    frame = await r.csms.exchange("ReserveNow", wish)
    return frame.code if isinstance(frame, CallError) else str(frame.payload["status"])


async def starts(r: Rig, id_tag: str, connector: int = 1) -> bool:
    """Tell whether a card makes a connector ready, or starts a transaction there."""
    before = len(r.csms.calls("StatusNotification", connectorId=connector, status="Preparing"))
    r.present(id_tag, connector)
    await asyncio.sleep(MOMENT)
    ready = r.csms.calls("StatusNotification", connectorId=connector, status="Preparing")
    return len(ready) > before or bool(r.csms.calls("StartTransaction", idTag=id_tag))


async def test_without_the_profile_nothing_is_reserved() -> None:
    async with rig() as r:
        await r.booted()
        assert await reserve(r) == "NotSupported"
        assert await r.csms.error_of("CancelReservation", reservationId=7) == "NotSupported"


async def test_a_connector_that_does_not_exist_and_a_date_that_is_over_are_rejected() -> None:
    async with reserving() as r:
        await r.booted()
        assert await reserve(r, 2) == "Rejected"
        assert await reserve(r, lasting=-1.0) == "Rejected"
        await r.csms.nothing("StatusNotification", during=MOMENT)


async def test_a_faulted_connector_says_so_and_a_fault_ends_the_reservation() -> None:
    async with reserving() as r:
        await r.booted()
        assert await reserve(r) == "Accepted"
        await r.csms.status(1, "Reserved")
        r.evse.break_pilot("F")
        await r.csms.status(1, "Faulted")
        assert await reserve(r, 1, 8) == "Faulted"
        assert await reserve(r, 0, 8) == "Faulted"
        r.evse.break_pilot("")
        await r.csms.status(1, "Available")
        assert await r.csms.status_of("CancelReservation", reservationId=7) == "Rejected"


async def test_a_reserved_connector_can_not_be_reserved_again_but_its_reservation_replaced() -> (
    None
):
    async with reserving() as r:
        await r.booted()
        assert await reserve(r, lasting=3600) == "Accepted"
        reserved = await r.csms.status(1, "Reserved")
        assert await reserve(r, 1, 8) == "Occupied"
        assert await reserve(r, 0, 8) == "Occupied"
        assert await reserve(r, 1, 7, lasting=30.0) == "Accepted"
        available = await r.csms.status(1, "Available")
        assert 29 < available.at - reserved.at < 33


async def test_a_reservation_survives_a_power_loss_and_what_expired_meanwhile_is_over() -> None:
    async with reserving() as r:
        await r.booted()
        assert await reserve(r, lasting=60.0) == "Accepted"
        await r.csms.status(1, "Reserved")
        await r.power_off()
        r.power_on()
        await r.csms.status(1, "Reserved")
        assert not await starts(r, AMEX)
        await r.power_off()
        await asyncio.sleep(60.0)
        r.power_on()
        await r.csms.expect("BootNotification")
        await r.csms.status(1, "Available")


async def test_a_reset_keeps_the_reservation() -> None:
    async with reserving() as r:
        await r.booted()
        await reserve(r)
        await r.csms.status(1, "Reserved")
        await r.csms.call("Reset", type="Hard")
        await r.csms.expect("BootNotification")
        await r.csms.status(1, "Reserved")
        r.evse.plug_in()
        r.present(VISA)
        await r.csms.expect("StartTransaction", idTag=VISA, reservationId=7)


async def test_a_stranger_is_not_even_asked_about_and_a_cable_changes_nothing() -> None:
    async with reserving() as r:
        await r.booted()
        await reserve(r)
        await r.csms.status(1, "Reserved")
        r.evse.plug_in()
        assert not await starts(r, AMEX)
        assert r.csms.calls("Authorize") == []
        wish = {"connectorId": 1, "idTag": AMEX}
        assert await r.csms.status_of("RemoteStartTransaction", **wish) == "Rejected"
        assert not r.csms.calls("StatusNotification", status="Preparing")
        assert await starts(r, VISA)


async def test_who_waits_in_vain_keeps_the_reservation() -> None:
    async with reserving(keys={"ConnectionTimeOut": "10"}) as r:
        await r.booted()
        await reserve(r)
        await r.csms.status(1, "Reserved")
        assert await starts(r, VISA)
        await r.csms.status(1, "Available")
        await r.csms.status(1, "Reserved")
        assert not await starts(r, AMEX)


async def test_a_remote_start_for_the_group_asks_whatever_the_key_says() -> None:
    async with reserving(keys={"AuthorizeRemoteTxRequests": "false"}) as r:
        r.csms.cards[AMEX] = {"status": "Accepted", "parentIdTag": "FAMILY"}
        await r.booted()
        await reserve(r, parent="FAMILY")
        r.evse.plug_in()
        wish = {"connectorId": 1, "idTag": AMEX}
        assert await r.csms.status_of("RemoteStartTransaction", **wish) == "Accepted"
        await r.csms.expect("Authorize", idTag=AMEX)
        await r.csms.expect("StartTransaction", idTag=AMEX, reservationId=7)


async def test_the_whole_station_keeps_its_last_free_connector() -> None:
    async with reserving(connectors=2, csms=Csms(connectors=2)) as r:
        await r.booted()
        assert await reserve(r, 0) == "Accepted"
        await r.csms.nothing("StatusNotification", during=MOMENT)
        assert await reserve(r, 0, 8) == "Accepted"
        await r.csms.status(1, "Reserved")
        await r.csms.status(2, "Reserved")
        assert await r.csms.status_of("CancelReservation", reservationId=8) == "Accepted"
        await r.csms.status(1, "Available")
        await r.csms.status(2, "Available")
        assert await starts(r, AMEX, 1)
        await r.csms.status(2, "Reserved")
        assert await reserve(r, 2, 9) == "Occupied"
        assert not await starts(r, "04FFEEDD", 2)
        r.electronics.connectors[2].plug_in()
        r.present(VISA, 2)
        await r.csms.expect("StartTransaction", connectorId=2, idTag=VISA, reservationId=7)


async def test_a_station_out_of_service_has_no_reservation_of_any_connector() -> None:
    async with reserving() as r:
        await r.booted()
        assert await reserve(r, 0) == "Accepted"
        await r.csms.status(1, "Reserved")
        await r.csms.call("ChangeAvailability", connectorId=0, type="Inoperative")
        await r.csms.status(1, "Unavailable")
        await r.csms.call("ChangeAvailability", connectorId=0, type="Operative")
        await r.csms.status(1, "Available")
        assert await r.csms.status_of("CancelReservation", reservationId=7) == "Rejected"

"""Reusable states and acts around reservations; each verifies what it claims."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bench.capability import Card, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.clock import now, wire
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.message import Received
from bench.ocpp.predicate import absent, any_of, matching
from bench.ocpp.station import Station
from procedures.ocpp16 import states, transactions


async def reserved(
    case: Case, station: Station, csms: Csms, card: Card, *, connector: int | None = None
) -> int:
    """Reserve for a card (the connector under test if None); returns the reservationId.

    Whatever is reserved, the connector under test is the one that reports it.
    """
    async with case.step("Reserve for the card: the connector is Reserved"):
        number = csms.book.reservation_id()
        await asked(case, station, csms, number, card, "Accepted", connector=connector)
        await reported(case, station)
    return number


async def asked(
    case: Case,
    station: Station,
    csms: Csms,
    number: int,
    card: Card,
    status: str,
    *,
    connector: int | None = None,
    lasting: float | None = None,
    **fields: Any,
) -> Received:
    """Ask for a reservation and have it answered with a status; returns the answer.

    It lasts so many s (None: longer than the case), and is cancelled after the case.
    """
    where = case.pixit.connector if connector is None else connector
    span = case.pixit.timing.long_reservation if lasting is None else lasting
    case.afterwards(cancelled, station, csms, number)
    request = v16.ReserveNow(
        connectorId=where,
        expiryDate=wire(now().utc + timedelta(seconds=span)),
        idTag=card.id_tag,
        reservationId=number,
        **fields,
    )
    return await station.call(request, result(status=status))


async def reported(case: Case, station: Station) -> Received:
    """Expect the status Reserved of the connector under test."""
    status = v16.StatusNotification(connectorId=case.pixit.connector, status="Reserved")
    return await station.expect(status)


async def cancelled(station: Station, csms: Csms, number: int) -> None:
    """Cancel a reservation unless it is known to be over; the station may not have it any more."""
    if number in csms.book.reservations:
        request = v16.CancelReservation(reservationId=number)
        await station.call(request, result(status=any_of("Accepted", "Rejected")))
        csms.book.reservations.discard(number)


async def charging(
    case: Case,
    station: Station,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    card: Card,
    reservation: int,
) -> None:
    """Charge at the connector that is Reserved for a card, started remotely.

    The cable comes first, unless the station blocks it before the authorisation (AQ-2). An
    Authorize is left to the station.
    """
    connector = case.pixit.connector
    cable_first = not case.pics.get("AQ-2")
    if cable_first:
        async with case.step("Plug the cable in"):
            case.afterwards(coupler.unplug, connector)
            await coupler.plug_in(connector)
    async with case.step("Start remotely: the connector gets ready"):
        await transactions.remote_start_accepted(case, station, card, asks=False)
        await station.expect(v16.StatusNotification(connectorId=connector, status="Preparing"))
        if cable_first:
            await vehicle.draw(connector)
            await transactions.begins(case, station, card, reservationId=reservation)
    if not cable_first:
        await begun_by_plug(case, station, coupler, vehicle, card, reservation)


async def begun_by_plug(
    case: Case,
    station: Station,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    card: Card,
    reservation: int,
) -> None:
    """Plug the cable in: the transaction of a card begins, and uses up its reservation."""
    connector = case.pixit.connector
    async with case.step("Plug the cable in: the transaction names the reservation"):
        case.afterwards(coupler.unplug, connector)
        await coupler.plug_in(connector)
        await vehicle.draw(connector)
        await transactions.begins(case, station, card, reservationId=reservation)


async def others_prepared(case: Case, station: Station, card: Card) -> None:
    """Make all connectors but the one under test wait for the vehicle of a card."""
    patience = case.pixit.timing.connection_timeout
    await states.configured(case, station, "ConnectionTimeOut", patience)
    for connector in range(1, case.pixit.connectors + 1):
        if connector == case.pixit.connector:
            continue
        async with case.step(f"Start remotely at connector {connector}: it gets ready"):
            within = patience + case.pixit.timing.triggered
            case.afterwards(_free_again, station, connector, within, within=within)
            request = v16.RemoteStartTransaction(connectorId=connector, idTag=card.id_tag)
            await station.call(request, result(status="Accepted"))
            ready = v16.StatusNotification(connectorId=connector, status="Preparing")
            await station.expect(ready)


async def _free_again(station: Station, connector: int, within: float) -> None:
    free = v16.StatusNotification(connectorId=connector, status="Available")
    await station.expect(free, within=within)


async def of_any_supported(case: Case, station: Station) -> None:
    """Read that the station as a whole can be reserved."""
    key = "ReserveConnectorZeroSupported"
    async with case.step("The station can be reserved as a whole"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        value = answer.field(f"configurationKey[key={key}].value")
        case.check(f"GetConfiguration answer, value of {key}", value, matching("true"))


async def refused(
    case: Case, station: Station, csms: Csms, status: str, *, connector: int | None = None
) -> None:
    """Ask for a reservation that the station answers with a status other than Accepted."""
    what = "the station" if connector == 0 else "the connector"
    async with case.step(f"Reserve {what}: the answer is {status}"):
        number, card = csms.book.reservation_id(), case.pixit.card("valid")
        await asked(case, station, csms, number, card, status, connector=connector)
        csms.book.reservations.discard(number)


async def charging_without(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """Charge with a card that has reserved nothing; the transaction names no reservation."""
    card = case.pixit.card("second")
    await states.charging(case, station, csms, coupler, vehicle, card, reservationId=absent)

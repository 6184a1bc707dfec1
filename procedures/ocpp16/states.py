"""Reusable states of a charging station under test; each verifies what it claims."""

from __future__ import annotations

from typing import Any

from bench.capability import (
    Card,
    CardPresenter,
    Failure,
    Provocation,
    VehicleCoupler,
    VehicleEmulator,
)
from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.message import Received, interval
from bench.ocpp.predicate import ABSENT, between, present
from bench.ocpp.station import Station
from procedures.ocpp16 import transactions


async def configured(
    case: Case, station: Station, key: str, value: str | int, *, if_implemented: bool = False
) -> bool:
    """Give a configuration key a value for this case; afterwards its old one comes back.

    With `if_implemented` a station that does not have the key is left as it is. Tells whether the
    key had another value before.
    """
    async with case.step(f"Set {key} to {value}"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        old = answer.field(f"configurationKey[key={key}].value")
        if old.value is ABSENT and if_implemented:
            case.note(f"the station does not have the key {key}")
            return False
        case.check(f"GetConfiguration answer, value of {key}", old, present)
        if answer.field(f"configurationKey[key={key}].readonly").value is not True:
            case.afterwards(written, station, key, str(old.value))
        differs = str(old.value).lower() != str(value).lower()
        if differs:
            await written(station, key, value)
        return differs


async def written(station: Station, key: str, value: str | int) -> Received:
    """Write a configuration key and have it accepted."""
    request = v16.ChangeConfiguration(key=key, value=str(value))
    return await station.call(request, result(status="Accepted"))


async def plugged_in(
    case: Case, station: Station, coupler: VehicleCoupler, connector: int | None = None
) -> transactions.Plugged:
    """Plug a vehicle in (at the connector under test if None): the connector is Preparing.

    It stays so until a transaction begins, or as long as the case lasts, but for a product for
    Modes 1 and 2 only, which may return to Available (Certification Document 2, App. D).
    """
    where = case.pixit.connector if connector is None else connector
    ready = v16.StatusNotification(connectorId=where, status="Preparing")
    free = v16.StatusNotification(connectorId=where, status="Available")
    async with case.step(f"Plug the cable in at connector {where}"):
        stays = None if case.pics.get("GEN.mode12") else station.forbid(free)
        case.afterwards(coupler.unplug, where)
        await coupler.plug_in(where)
        await station.expect(ready)
        if stays is not None:
            return transactions.Plugged(stays=stays)
        fed = await station.may_come(free, within=case.pixit.timing.quiet)
        return transactions.Plugged(fed=fed is not None)


async def authorized(case: Case, station: Station, cards: CardPresenter, card: Card) -> Received:
    """Authorise a card while no vehicle is connected; returns the message Preparing."""
    connector = case.pixit.connector
    async with case.step("Present a valid card: it is authorised, and the connector gets ready"):
        await cards.present(card, connector=connector)
        await station.expect(v16.Authorize(idTag=card.id_tag))
        ready = v16.StatusNotification(connectorId=connector, status="Preparing")
        return await station.expect(ready)


async def charging(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    card: Card | None = None,
    **start: Any,
) -> int:
    """Charge with a card (`valid` if None), started remotely; returns the transactionId.

    The cable comes first, unless the station blocks it before the authorisation (AQ-2). `start`
    are more fields that the StartTransaction has to have.
    """
    who = card or case.pixit.card("valid")
    if case.pics.get("AQ-2"):
        return await charging_after_remote_start(
            case, station, csms, coupler, vehicle, who, **start
        )
    return await charging_after_plug_in(case, station, csms, coupler, vehicle, who, **start)


async def charging_after_plug_in(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    card: Card | None = None,
    **start: Any,
) -> int:
    """Plug in, then start remotely as in `charging`; returns the transactionId."""
    who = card or case.pixit.card("valid")
    asks = await transactions.asks_before_remote_start(case, station)
    plugged = await plugged_in(case, station, coupler)
    async with case.step("Start remotely: the transaction begins"):
        await transactions.remote_start_accepted(case, station, who, asks=asks)
        await vehicle.draw(case.pixit.connector)
        # What the station is to ask, it asks before it starts.
        message = await transactions.begins(
            case, station, who, plugged=plugged, in_order=asks, **start
        )
        await transactions.no_needless_authorize(station, asks=asks)
    return csms.book.transaction_id(message.payload)


async def charging_after_remote_start(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    card: Card | None = None,
    **start: Any,
) -> int:
    """Start remotely as in `charging`, then plug in; returns the transactionId."""
    who = card or case.pixit.card("valid")
    asks = await transactions.asks_before_remote_start(case, station)
    await remotely_prepared(case, station, who, asks=asks)
    async with case.step("Plug the cable in: the transaction begins"):
        await transactions.plugged_in_time(case, station, coupler)
        await vehicle.draw(case.pixit.connector)
        message = await transactions.begins(case, station, who, **start)
        await transactions.no_needless_authorize(station, asks=asks)
    return csms.book.transaction_id(message.payload)


async def remotely_prepared(
    case: Case, station: Station, card: Card | None = None, *, asks: bool | None = None
) -> Received:
    """Start remotely while no vehicle is connected; returns the message Preparing.

    `asks` says whether the station authorises remote starts, None: it is read.
    """
    who = card or case.pixit.card("valid")
    connector = case.pixit.connector
    if asks is None:
        asks = await transactions.asks_before_remote_start(case, station)
    async with case.step("Start remotely: the connector gets ready"):
        await transactions.remote_start_accepted(case, station, who, asks=asks)
        ready = v16.StatusNotification(connectorId=connector, status="Preparing")
        message = await station.expect(ready)
        await transactions.no_needless_authorize(station, asks=asks)
    return message


async def out_of_service(case: Case, station: Station, *connectors: int) -> None:
    """Take connectors out of service, 0 for the whole station; all of them report Unavailable."""
    for one in connectors:
        every = range(case.pixit.connectors + 1) if one == 0 else (one,)
        async with case.step(f"Take connector {one} out of service"):
            case.afterwards(availability_changed, station, one, "Operative")
            await availability_changed(station, one, "Inoperative")
            for each in every:
                gone = v16.StatusNotification(connectorId=each, status="Unavailable")
                await station.expect(gone)


async def others_out_of_service(case: Case, station: Station) -> None:
    """Take all connectors out of service but the one under test."""
    every = range(1, case.pixit.connectors + 1)
    await out_of_service(case, station, *(c for c in every if c != case.pixit.connector))


async def availability_changed(station: Station, connector: int, to: str) -> None:
    """Put a connector into service or out of it, and have that accepted."""
    request = v16.ChangeAvailability(connectorId=connector, type=to)
    await station.call(request, result(status="Accepted"))


async def other_connectors_occupied(case: Case, station: Station, coupler: VehicleCoupler) -> None:
    """Occupy the other connectors if all share one reader, so that no card can start there."""
    if case.pics.get("GEN.rfid") == "single":
        for free in range(1, case.pixit.connectors + 1):
            if free != case.pixit.connector:
                await plugged_in(case, station, coupler, free)


async def lock_blocked(case: Case, provocation: Provocation) -> None:
    """Block the cable lock of the connector under test; it is free again after the case."""
    connector = case.pixit.connector
    async with case.step("Block the lock of the connector"):
        case.afterwards(provocation.relieve, Failure.LOCK_BLOCKED, connector)
        await provocation.provoke(Failure.LOCK_BLOCKED, connector)


async def authorizes_remote_starts(case: Case, station: Station) -> None:
    """Have the station ask about the idTag of a remote start, unless its memory answers."""
    key = "AuthorizeRemoteTxRequests"
    answer = await station.call(v16.GetConfiguration(key=[key]))
    found = answer.field(f"configurationKey[key={key}]").value
    if isinstance(found, dict) and found.get("readonly") is True:
        if str(found.get("value")).lower() == "false":
            raise Unverifiable(f"the key {key} is read-only and false, the case needs it true")
    await configured(case, station, key, "true")


async def every_status(
    case: Case,
    station: Station,
    *,
    after: Received | None,
    under_test: Any = "Available",
    others: str = "Available",
    **fields: Any,
) -> list[Received]:
    """Expect the status of every connector, and of connector 0, after a message if one is given.

    `under_test` is what the connector under test reports, `others` what all others do. Returns
    the messages by connector.
    """
    messages = []
    for connector in range(case.pixit.connectors + 1):
        status = under_test if connector == case.pixit.connector else others
        message = v16.StatusNotification(connectorId=connector, status=status, **fields)
        messages.append(await station.expect(message, after=after))
    return messages


async def given_up(case: Case, station: Station, preparing: Received) -> None:
    """See that a connector that was `preparing` is free again when nobody plugs in in time."""
    timing = case.pixit.timing
    patience = timing.connection_timeout
    async with case.step(f"Nobody plugs in: the connector is free after {patience} s"):
        free = v16.StatusNotification(connectorId=case.pixit.connector, status="Available")
        with station.forbid(v16.StartTransaction()):
            available = await station.expect(free, within=patience + timing.triggered)
        case.check(
            "StatusNotification Available, seconds after StatusNotification Preparing",
            interval(preparing, available),
            between(patience - timing.deviation, patience + timing.triggered),
        )

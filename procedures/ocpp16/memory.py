"""What a charging station under test remembers: its local list and its authorization cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.capability import Card, CardPresenter, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.station import Station
from procedures.ocpp16 import states, transactions


async def id_tag_listed(case: Case, station: Station, card: Card) -> None:
    """Have a card as Accepted in the local authorization list (IdTagLocalAuthList)."""
    await states.configured(case, station, "LocalAuthListEnabled", "true")
    async with case.step(f"Send a local list with the card {card.name}"):
        await list_accepted(case, station, 1, [listed(card.id_tag)])


async def cache_enabled(case: Case, station: Station) -> None:
    """Have an authorization cache that is used, and empty."""
    if await states.configured(case, station, "AuthorizationCacheEnabled", "true"):
        # 000_RESET does not reach what a cache holds that is switched off.
        async with case.step("Clear the cache, which may hold what it learned before"):
            await station.call(v16.ClearCache(), result(status="Accepted"))


async def id_tag_cached(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    card: Card,
) -> None:
    """Have a card as Accepted in the authorization cache, by a transaction (IdTagCached)."""
    connector = case.pixit.connector
    await cache_enabled(case, station)
    transaction_id = await states.charging(case, station, csms, coupler, vehicle, card)
    async with case.step("Stop the transaction"):
        if case.pics.get("C-08"):
            await cards.present(card, connector=connector)
        else:
            request = v16.RemoteStopTransaction(transactionId=transaction_id)
            await station.call(request, result(status="Accepted"))
        await transactions.ends(case, station, transaction_id)
    async with case.step("Take the cable out: the connector is free"):
        await coupler.unplug(connector)
        await station.expect(v16.StatusNotification(connectorId=connector, status="Available"))


def listed(id_tag: str) -> dict[str, Any]:
    """Make an entry of a local list that lets an idTag charge."""
    return {"idTag": id_tag, "idTagInfo": {"status": "Accepted"}}


async def list_accepted(
    case: Case,
    station: Station,
    version: int,
    entries: Sequence[Mapping[str, Any]],
    *,
    update: str = "Full",
) -> None:
    """Send a local list and have it accepted; afterwards the list is empty again."""
    case.afterwards(list_emptied, station)
    request = v16.SendLocalList(
        listVersion=version, updateType=update, localAuthorizationList=list(entries)
    )
    await station.call(request, result(status="Accepted"))


async def list_emptied(station: Station) -> None:
    """Empty the local list, which must be switched on."""
    # The errata forbid the versions 0 and -1, even where none remains.
    empty = v16.SendLocalList(listVersion=1, updateType="Full", localAuthorizationList=[])
    await station.call(empty, result(status="Accepted"))

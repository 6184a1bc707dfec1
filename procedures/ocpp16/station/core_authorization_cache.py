"""Core: authorization cache (Certification Document 2, Appendix C no. 13 and 14)."""

from __future__ import annotations

from bench.capability import Card, CardPresenter, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states


@procedure(
    "TC_007_CS",
    title="Start with cached id",
    mark="C",
    refs=["Certification Document 2, App. C no. 13", "OCPP 1.6 ed. 2 clauses 3.5.1, 5.11, 9.1.13"],
    applies=pics("C-04"),
)
async def cached_card_starts_without_asking(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
) -> None:
    """A remote start for an idTag in the cache begins a transaction without asking the CSMS.

    The station is set to ask about remote starts, and to let the cache answer.
    """
    connector, card = case.pixit.connector, case.pixit.card("valid")
    card_first = bool(case.pics.get("AQ-2"))
    ready = v16.StatusNotification(connectorId=connector, status="Preparing")

    async with case.preamble():
        await states.id_tag_cached(case, station, csms, coupler, vehicle, cards, card)
        await states.configured(case, station, "AuthorizeRemoteTxRequests", "true")
        await states.configured(case, station, "LocalPreAuthorize", "true")

    with station.forbid(v16.Authorize()):
        plugged = None if card_first else await states.plugged_in(case, station, coupler)

        async with case.step("Start remotely: the transaction begins"):
            await states.remote_start_accepted(case, station, card, asks=False)
            if card_first:
                await station.expect(ready)
                case.afterwards(coupler.unplug, connector)
                await coupler.plug_in(connector)
            await vehicle.draw(connector)
            await states.transaction_begins(case, station, card, plugged=plugged)


@procedure(
    "TC_061_CS",
    title="Clear authorization cache",
    mark="C",
    refs=["Certification Document 2, App. C no. 14", "OCPP 1.6 ed. 2 clauses 3.5.1, 5.4"],
    applies=pics("C-07") & pics("C-08") & pics("C-04"),
)
async def card_is_asked_about_once_the_cache_is_cleared(
    case: Case, station: Station, cards: CardPresenter
) -> None:
    """Clearing the cache makes the station ask about a card that it had in it.

    The card itself takes back what it has authorised; where it does not, the time-out does.
    """
    card, connector = case.pixit.card("valid"), case.pixit.connector
    timing = case.pixit.timing

    async with case.preamble():
        await states.configured(case, station, "AuthorizationCacheEnabled", "true")
        await states.configured(case, station, "LocalPreAuthorize", "true")
        await states.configured(case, station, "ConnectionTimeOut", timing.connection_timeout)
        await states.authorized(case, station, cards, card)

    async with case.step("Present the card again: the connector is free"):
        await _taken_back(case, station, cards, card)
        for asked in station.messages(v16.Authorize()):
            case.note(f"the station asked about a card that it should know (record {asked.n})")

    async with case.step("Clear the cache"):
        await station.call(v16.ClearCache(), result(status="Accepted"))

    async with case.step("Present the card: it is asked about"):
        await cards.present(card, connector=connector)
        await station.expect(v16.Authorize(idTag=card.id_tag))
        ready = v16.StatusNotification(connectorId=connector, status="Preparing")
        if await station.may_come(ready, within=timing.quiet):
            case.afterwards(_taken_back, case, station, cards, card)


async def _taken_back(case: Case, station: Station, cards: CardPresenter, card: Card) -> None:
    connector, timing = case.pixit.connector, case.pixit.timing
    await cards.present(card, connector=connector)
    free = v16.StatusNotification(connectorId=connector, status="Available")
    await station.expect(free, within=timing.connection_timeout + timing.triggered)

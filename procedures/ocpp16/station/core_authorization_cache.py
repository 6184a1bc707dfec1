"""Core: authorization cache (Certification Document 2, Appendix C no. 13 and 14)."""

from __future__ import annotations

from bench.capability import Card, CardPresenter, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.predicate import compare, matching
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import memory, states, transactions


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
    """A start for an idTag in the cache begins a transaction without asking the CSMS.

    The station is set to ask about remote starts, and to let the cache answer. Where it can't be
    set to ask, only a card shows whether the cache answers.
    """
    connector, card = case.pixit.connector, case.pixit.card("valid")
    cable_last = bool(case.pics.get("AQ-2"))
    ready = v16.StatusNotification(connectorId=connector, status="Preparing")

    async with case.preamble():
        await memory.id_tag_cached(case, station, csms, coupler, vehicle, cards, card)
        by_card = case.pics.get("C-07") and await _never_asks(case, station)
        if not by_card:
            await states.configured(case, station, "AuthorizeRemoteTxRequests", "true")
        await states.configured(case, station, "LocalPreAuthorize", "true")

    with station.forbid(v16.Authorize()):
        plugged = None if cable_last else await states.plugged_in(case, station, coupler)

        how = "Present the card" if by_card else "Start remotely"
        async with case.step(f"{how}: the transaction begins"):
            if by_card:
                await cards.present(card, connector=connector)
            else:
                await transactions.remote_start_accepted(case, station, card, asks=False)
            if cable_last:
                await station.expect(ready)
                await transactions.plugged_in_time(case, station, coupler)
            await vehicle.draw(connector)
            await transactions.begins(case, station, card, plugged=plugged)


async def _never_asks(case: Case, station: Station) -> bool:
    """Read whether the station can't be made to ask about remote starts; a step of its own."""
    key = "AuthorizeRemoteTxRequests"
    async with case.step("Read whether the station can be made to authorise remote starts"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        entry = answer.field(f"configurationKey[key={key}]").value
    fixed = {"readonly": True, "value": matching("false")}
    return not compare(fixed, entry, "")


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

    The card itself takes back what it has authorised; where it does not, the time-out does. A
    station that asks even then is shown the card once more: only if it knows it now, it had it.
    """
    card, connector = case.pixit.card("valid"), case.pixit.connector
    timing = case.pixit.timing

    async with case.preamble():
        await memory.cache_enabled(case, station)
        await states.configured(case, station, "LocalPreAuthorize", "true")
        await states.configured(case, station, "ConnectionTimeOut", timing.connection_timeout)
        await states.authorized(case, station, cards, card)

    async with case.step("Present the card again: the connector is free"):
        await _taken_back(case, station, cards, card)
        asked = station.messages(v16.Authorize())

    if asked:
        case.note(f"the station asked about a card that it should know (record {asked[0].n})")
        await _seen_in_cache(case, station, cards, card)

    async with case.step("Clear the cache"):
        await station.call(v16.ClearCache(), result(status="Accepted"))

    async with case.step("Present the card: it is asked about"):
        await cards.present(card, connector=connector)
        await station.expect(v16.Authorize(idTag=card.id_tag))
        ready = v16.StatusNotification(connectorId=connector, status="Preparing")
        if await station.may_come(ready, within=timing.quiet):
            patience = timing.connection_timeout + timing.triggered
            case.afterwards(_taken_back, case, station, cards, card, within=patience)


async def _seen_in_cache(case: Case, station: Station, cards: CardPresenter, card: Card) -> None:
    """Show that the station has a card in its cache; raises `Unverifiable` when it asks again."""
    connector = case.pixit.connector
    async with case.step("Present the card once more: the station knows it"):
        await cards.present(card, connector=connector)
        await station.expect(v16.StatusNotification(connectorId=connector, status="Preparing"))
        if station.messages(v16.Authorize()):
            raise Unverifiable("the cache can't be seen to be cleared: the card is not in it")
    async with case.step("Present the card again: the connector is free once more"):
        await _taken_back(case, station, cards, card)


async def _taken_back(case: Case, station: Station, cards: CardPresenter, card: Card) -> None:
    connector, timing = case.pixit.connector, case.pixit.timing
    await cards.present(card, connector=connector)
    free = v16.StatusNotification(connectorId=connector, status="Available")
    await station.expect(free, within=timing.connection_timeout + timing.triggered)

"""Core: start charging session (Certification Document 2, Appendix C no. 4 to 6)."""

from __future__ import annotations

from bench.capability import CardPresenter, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.message import age
from bench.ocpp.predicate import between
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states, transactions
from procedures.ocpp16.charging import WHOLE


@procedure(
    "TC_003_CS",
    title="Regular session – plug in first",
    mark="C",
    refs=["Certification Document 2, App. C no. 4", "OCPP 1.6 ed. 2 clauses 4.1, 4.8, 4.9"],
    applies=pics("C-07") & pics("C-08") & ~pics("AQ-2"),
)
async def card_after_plug_in_starts_a_transaction(
    case: Case,
    station: Station,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
) -> None:
    """A card that the CSMS accepts starts a transaction for the vehicle that is plugged in."""
    card, connector = case.pixit.card("valid"), case.pixit.connector
    deviation = case.pixit.timing.deviation

    plugged = await states.plugged_in(case, station, coupler)

    async with case.step("Present a valid card: it is authorised and the transaction begins"):
        await cards.present(card, connector=connector)
        await station.expect(v16.Authorize(idTag=card.id_tag))
        await vehicle.draw(connector)
        start = await transactions.begins(case, station, card, plugged=plugged, in_order=True)
        case.check(
            "StartTransaction timestamp, seconds ago",
            age(start, "timestamp"),
            between(-deviation, deviation if case.pics.get("GEN.ms") else deviation + WHOLE),
        )


@procedure(
    "TC_004_1_CS",
    title="Regular session – identification first",
    mark="C",
    refs=["Certification Document 2, App. C no. 5", "OCPP 1.6 ed. 2 clauses 4.1, 4.8, 4.9"],
    applies=pics("C-07") & pics("C-08"),
    waits=lambda timing: timing.quiet,
)
async def plug_in_after_card_starts_a_transaction(
    case: Case,
    station: Station,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
) -> None:
    """An accepted card starts a transaction as soon as a vehicle is plugged in, not before."""
    card, connector = case.pixit.card("valid"), case.pixit.connector
    timing = case.pixit.timing

    async with case.preamble():
        key = "MeterValueSampleInterval"
        await states.configured(case, station, key, timing.meter_interval)

    await states.authorized(case, station, cards, card)

    async with case.step("Nothing is plugged in yet: no transaction begins"):
        await station.expect_none(v16.StartTransaction(), during=timing.quiet)

    async with case.step("Plug the cable in: the transaction begins"):
        await transactions.plugged_in_time(case, station, coupler)
        await vehicle.draw(connector)
        await transactions.begins(case, station, card)


@procedure(
    "TC_004_2_CS",
    title="Identification first – connection time-out",
    mark="C",
    refs=["Certification Document 2, App. C no. 6", "OCPP 1.6 ed. 2 clauses 4.9, 9.1.6"],
    applies=pics("C-07"),
    waits=lambda timing: timing.connection_timeout,
)
async def authorization_expires_without_plug_in(
    case: Case, station: Station, cards: CardPresenter
) -> None:
    """A connector that was made ready by a card is free again when nobody plugs in in time."""
    async with case.preamble():
        patience = case.pixit.timing.connection_timeout
        await states.configured(case, station, "ConnectionTimeOut", patience)

    preparing = await states.authorized(case, station, cards, case.pixit.card("valid"))
    await states.given_up(case, station, preparing)

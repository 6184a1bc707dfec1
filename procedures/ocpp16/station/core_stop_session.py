"""Core: stop charging session (Certification Document 2, Appendix C no. 7 to 11)."""

from __future__ import annotations

from bench.capability import CardPresenter, End, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.predicate import absent, any_of
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states


@procedure(
    "TC_068_CS",
    title="Stop – idTag equals the start idTag",
    mark="C",
    refs=["Certification Document 2, App. C no. 7", "OCPP 1.6 ed. 2 clauses 3.8, 4.10"],
    applies=pics("C-07") & pics("C-08"),
    waits=lambda timing: timing.settling,
)
async def only_the_card_that_started_stops_a_transaction(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
) -> None:
    """A card that does not belong to the transaction has no effect; the one that started stops it.

    No idTag is in a group here, so the station knows about the other card without asking.
    """
    card, other = case.pixit.card("valid"), case.pixit.card("second")
    connector = case.pixit.connector
    csms.answers(v16.Authorize, idTagInfo={"status": "Accepted"})
    csms.answers(v16.StartTransaction, idTagInfo={"status": "Accepted"})

    async with case.preamble():
        if case.pics.get("GEN.rfid") == "single":
            # At a shared reader, the other card might lawfully start where a connector is free.
            for free in range(1, case.pixit.connectors + 1):
                if free != connector:
                    await states.plugged_in(case, station, coupler, free)
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Present another valid card: nothing happens"):
        await cards.present(other, connector=connector)
        reaction = v16.Authorize() | v16.StopTransaction()
        await station.expect_none(reaction, during=case.pixit.settling_time)

    async with case.step("Present the card that started: the transaction ends"):
        await cards.present(card, connector=connector)
        await states.transaction_ends(
            case, station, transaction_id, idTag=card.id_tag, reason=any_of("Local", absent)
        )


@procedure(
    "TC_005_1_CS",
    title="EV side disconnected – stop=true, unlock=true",
    mark="C",
    refs=["Certification Document 2, App. C no. 9", "OCPP 1.6 ed. 2 clauses 4.9, 4.10, 9.1.23"],
    applies=~pics("GEN.fixed_cable") & pics("C-06").is_any_of("Yes", "Both") & ~pics("GEN.mode12"),
)
async def disconnecting_the_vehicle_stops_the_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """Taking the cable out at the vehicle ends the transaction, if the station is set to do so."""
    async with case.preamble():
        await states.configured(case, station, "MinimumStatusDuration", 0, if_implemented=True)
        await states.configured(case, station, "StopTransactionOnEVSideDisconnect", "true")
        await states.configured(case, station, "UnlockConnectorOnEVSideDisconnect", "true")
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Take the cable out at the vehicle: the transaction ends"):
        await coupler.unplug(case.pixit.connector, end=End.VEHICLE)
        await states.transaction_ends(case, station, transaction_id, reason="EVDisconnected")

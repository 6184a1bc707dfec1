"""Core: stop charging session (Certification Document 2, Appendix C no. 7 to 11)."""

from __future__ import annotations

from bench.capability import CardPresenter, End, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.predicate import absent, any_of, matching
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states, transactions


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
        await states.other_connectors_occupied(case, station, coupler)
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Present another valid card: nothing happens"):
        await cards.present(other, connector=connector)
        reaction = v16.Authorize() | v16.StopTransaction()
        await station.expect_none(reaction, during=case.pixit.settling_time)

    async with case.step("Present the card that started: the transaction ends"):
        await cards.present(card, connector=connector)
        await transactions.ends(
            case, station, transaction_id, idTag=card.id_tag, reason=any_of("Local", absent)
        )


@procedure(
    "TC_069_CS",
    title="Stop – parentIdTag equals the start parentIdTag",
    mark="C",
    refs=["Certification Document 2, App. C no. 8", "OCPP 1.6 ed. 2 clauses 3.8, 4.10"],
    applies=pics("C-07") & pics("C-08"),
)
async def another_card_of_the_group_stops_a_transaction(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
) -> None:
    """A card of the group that started a transaction stops it, once the CSMS has said so.

    The station asks about the card, as it does not know its group, and names it in the stop.
    """
    card, other = case.pixit.card("valid"), case.pixit.card("second")

    async with case.preamble():
        if card.parent is None or card.parent != other.parent:
            raise Unverifiable("dut.toml: the cards valid and second need one parent, they differ")
        await states.other_connectors_occupied(case, station, coupler)
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Present another card of the group: the transaction ends"):
        await cards.present(other, connector=case.pixit.connector)
        asked = await station.expect(v16.Authorize(idTag=other.id_tag))
        await transactions.ends(
            case,
            station,
            transaction_id,
            after=asked,
            idTag=other.id_tag,
            reason=any_of("Local", absent),
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
        await _set_on_disconnect(case, station, stop="true", unlock="true")
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Take the cable out at the vehicle: the transaction ends"):
        await coupler.unplug(case.pixit.connector, end=End.VEHICLE)
        await transactions.ends(case, station, transaction_id, reason="EVDisconnected")


@procedure(
    "TC_005_2_CS",
    title="EV side disconnected – stop=true, unlock=false",
    mark="C",
    refs=["Certification Document 2, App. C no. 10", "OCPP 1.6 ed. 2 clauses 4.9, 5.18, 9.1.23"],
    applies=pics("GEN.mode12") | pics("C-06").is_any_of("Yes", "Both"),
)
async def disconnected_cable_stays_locked_until_the_csms_unlocks_it(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """Taking the cable out at the vehicle ends the transaction; the CSMS can unlock what is left.

    A station with a fixed cable has nothing to unlock and says so.
    """
    connector = case.pixit.connector
    async with case.preamble():
        await _set_on_disconnect(case, station, stop="true", unlock="false")
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Take the cable out at the vehicle: the transaction ends"):
        await coupler.unplug(connector, end=End.VEHICLE)
        await transactions.ends(
            case,
            station,
            transaction_id,
            reason="EVDisconnected",
            rests_as=any_of("Finishing", "Available"),
        )

    async with case.step("Unlock the connector"):
        unlocked = result(status=any_of("Unlocked", "NotSupported"))
        answer = await station.call(v16.UnlockConnector(connectorId=connector), unlocked)
        if answer["status"] == "NotSupported" and case.pics.get("GEN.fixed_cable") is False:
            case.note("UnlockConnector is not supported, though the cable is not fixed")


@procedure(
    "TC_005_3_CS",
    title="EV side disconnected – stop=false, unlock=false",
    mark="C",
    refs=["Certification Document 2, App. C no. 11", "OCPP 1.6 ed. 2 clauses 4.9, 5.12, 9.1.23"],
    applies=(
        pics("C-06").is_any_of("Both")
        & pics("CFG.StopTransactionOnEVSideDisconnect.rw")
        & ~pics("GEN.mode12")
    ),
    waits=lambda timing: timing.settling,
)
async def disconnecting_the_vehicle_suspends_the_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """Taking the cable out at the vehicle suspends the transaction, if the station is set so.

    The station says why it is suspended, and the transaction goes on until the CSMS stops it.
    """
    connector = case.pixit.connector
    async with case.preamble():
        await _set_on_disconnect(case, station, stop="false", unlock="false")
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    with station.forbid(v16.StopTransaction()):
        async with case.step("Take the cable out at the vehicle: the transaction is suspended"):
            await coupler.unplug(connector, end=End.VEHICLE)
            suspended = v16.StatusNotification(
                connectorId=connector,
                status=any_of("SuspendedEV", "SuspendedEVSE"),
                info=matching(r"\s*EV side disconnected\s*"),
            )
            await station.expect(suspended)

        async with case.step("The transaction goes on"):
            await station.expect_none(v16.StopTransaction(), during=case.pixit.settling_time)

    async with case.step("Stop remotely: the transaction ends"):
        request = v16.RemoteStopTransaction(transactionId=transaction_id)
        await station.call(request, result(status="Accepted"))
        fixed = case.pics.get("GEN.fixed_cable")
        await transactions.ends(
            case,
            station,
            transaction_id,
            reason="Remote",
            rests_as=any_of("Finishing", "Available") if fixed else "Finishing",
        )


async def _set_on_disconnect(case: Case, station: Station, *, stop: str, unlock: str) -> None:
    """Say what becomes of a transaction and of the lock when the vehicle's side is unplugged."""
    await states.configured(case, station, "MinimumStatusDuration", 0, if_implemented=True)
    # Errata sheet 4.0 clause 3.79: a station that can do but one thing need not have the key.
    fixed = case.pics.get("C-06") != "Both"
    key = "StopTransactionOnEVSideDisconnect"
    await states.configured(case, station, key, stop, if_implemented=fixed)
    await states.configured(case, station, "UnlockConnectorOnEVSideDisconnect", unlock)

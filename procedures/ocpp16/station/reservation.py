"""Reservation (Certification Document 2, Appendix C no. 73 to 86)."""

from __future__ import annotations

from bench.capability import CardPresenter, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.message import interval
from bench.ocpp.predicate import NotEqual, between
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import reservations, states


@procedure(
    "TC_046_1_CS",
    title="Reserve connector – local start",
    mark="C",
    refs=["Certification Document 2, App. C no. 73", "OCPP 1.6 ed. 2 clauses 3.11, 4.8, 5.13"],
    applies=pics("FP.RES") & pics("C-07"),
    waits=lambda timing: timing.settling,
)
async def reserved_connector_starts_for_its_card_only(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
) -> None:
    """At a reserved connector no card can start but the one that it is reserved for.

    The transaction of that card names the reservation. The CSMS says of no card that it belongs to
    a group.
    """
    card, stranger = case.pixit.card("valid"), case.pixit.card("second")
    connector = case.pixit.connector
    csms.answers(v16.Authorize, idTagInfo={"status": "Accepted"})

    async with case.preamble():
        await states.others_out_of_service(case, station)
    number = await reservations.reserved(case, station, csms, card)

    async with case.step("Present another valid card: nothing starts"):
        leaves = v16.StatusNotification(connectorId=connector, status=NotEqual("Reserved"))
        begins = leaves | v16.StartTransaction()
        await cards.present(stranger, connector=connector)
        await station.expect_none(begins, during=case.pixit.settling_time)

    async with case.step("Present the card that reserved: the connector gets ready"):
        await cards.present(card, connector=connector)
        await station.expect(v16.StatusNotification(connectorId=connector, status="Preparing"))

    await reservations.begun_by_plug(case, station, coupler, vehicle, card, number)


@procedure(
    "TC_046_2_CS",
    title="Reserve connector – remote start",
    mark="M",
    refs=["Certification Document 2, App. C after no. 73", "OCPP 1.6 ed. 2 clauses 5.11, 5.13"],
    applies=pics("FP.RES"),
)
async def remote_start_uses_up_the_reservation(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A remote start for the idTag that reserved is accepted, and its transaction says so."""
    card = case.pixit.card("valid")
    number = await reservations.reserved(case, station, csms, card)
    await reservations.charging(case, station, coupler, vehicle, card, number)


@procedure(
    "TC_047_CS",
    title="Reservation expires",
    mark="M",
    refs=["Certification Document 2, App. C no. 74", "OCPP 1.6 ed. 2 clauses 3.11, 5.13"],
    applies=pics("FP.RES"),
    waits=lambda timing: timing.reservation,
)
async def expired_reservation_frees_the_connector(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A reservation is over at its expiry date: the connector is free, and free for everybody."""
    timing = case.pixit.timing
    lasting = timing.reservation
    number = csms.book.reservation_id()

    async with case.preamble():
        await states.others_out_of_service(case, station)

    async with case.step(f"Reserve for {lasting:g} s: the connector is Reserved"):
        answer = await reservations.asked(
            case, station, csms, number, case.pixit.card("valid"), "Accepted", lasting=lasting
        )
        await reservations.reported(case, station)

    async with case.step("Nobody uses the reservation: the connector is free when it expires"):
        free = v16.StatusNotification(connectorId=case.pixit.connector, status="Available")
        available = await station.expect(free, within=lasting + timing.triggered)
        case.check(
            "StatusNotification Available, seconds after ReserveNow",
            interval(answer, available),
            between(lasting - timing.deviation, lasting + timing.triggered),
        )

    await reservations.charging_without(case, station, csms, coupler, vehicle)


@procedure(
    "TC_048_2_CS",
    title="Reserve connector – occupied",
    mark="C",
    refs=["Certification Document 2, App. C no. 76", "OCPP 1.6 ed. 2 clause 5.13"],
    applies=pics("FP.RES") & ~pics("AQ-2"),
)
async def occupied_connector_is_not_reserved(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler
) -> None:
    """A connector that a vehicle occupies can't be reserved, and the station says why."""
    async with case.preamble():
        await states.plugged_in(case, station, coupler)
    await reservations.refused(case, station, csms, "Occupied")


@procedure(
    "TC_048_3_CS",
    title="Reserve connector – unavailable",
    mark="M",
    refs=["Certification Document 2, App. C no. 77", "OCPP 1.6 ed. 2 clause 5.13"],
    applies=pics("FP.RES"),
)
async def connector_out_of_service_is_not_reserved(
    case: Case, station: Station, csms: Csms
) -> None:
    """A connector that is out of service can't be reserved, and the station says why."""
    async with case.preamble():
        await states.out_of_service(case, station, case.pixit.connector)
    await reservations.refused(case, station, csms, "Unavailable")


@procedure(
    "TC_048_4_CS",
    title="Reserve connector – rejected",
    mark="O",
    refs=["Certification Document 2, App. C no. 78", "OCPP 1.6 ed. 2 clause 5.13"],
    applies=pics("FP.RES"),
)
async def reservations_can_be_switched_off(case: Case, station: Station, csms: Csms) -> None:
    """A station that is configured not to accept reservations rejects every one.

    That is how clause 5.13 means Rejected. The key that configures it is no standard one: it comes
    from `dut.toml`, or the operator sees to it.
    """
    off = case.pixit.reservations_off
    async with case.preamble():
        if off is not None:
            await states.configured(case, station, off.key, off.value)
        else:
            async with case.step("Switch reservations off"):
                await case.confirm("The station is configured not to accept reservations")
    await reservations.refused(case, station, csms, "Rejected")


@procedure(
    "TC_049_CS",
    title="Reserve whole charge point",
    mark="C",
    refs=["Certification Document 2, App. C no. 79", "OCPP 1.6 ed. 2 clauses 5.13, 9.3.1"],
    applies=pics("FP.RES") & pics("R-1"),
)
async def whole_station_can_be_reserved(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A reservation of any connector keeps the last free one, and its transaction names it."""
    card = case.pixit.card("valid")
    async with case.preamble():
        await reservations.of_any_supported(case, station)
        await states.others_out_of_service(case, station)
    number = await reservations.reserved(case, station, csms, card, connector=0)
    await reservations.charging(case, station, coupler, vehicle, card, number)


@procedure(
    "TC_050_2_CS",
    title="Reserve charge point – occupied",
    mark="C",
    refs=["Certification Document 2, App. C no. 81", "OCPP 1.6 ed. 2 clauses 5.13, 9.3.1"],
    applies=pics("FP.RES") & pics("R-1") & ~pics("AQ-2"),
    waits=lambda timing: timing.connection_timeout,
)
async def occupied_station_is_not_reserved(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler
) -> None:
    """When every connector is occupied, the station as a whole can't be reserved.

    The connectors that are not under test are made ready for somebody by a remote start, as the
    bench has one cable.
    """
    async with case.preamble():
        await reservations.of_any_supported(case, station)
        await states.plugged_in(case, station, coupler)
        await reservations.others_prepared(case, station, case.pixit.card("second"))
    await reservations.refused(case, station, csms, "Occupied", connector=0)


@procedure(
    "TC_050_3_CS",
    title="Reserve charge point – unavailable",
    mark="C",
    refs=["Certification Document 2, App. C no. 82", "OCPP 1.6 ed. 2 clauses 5.13, 9.3.1"],
    applies=pics("FP.RES") & pics("R-1"),
)
async def station_out_of_service_is_not_reserved(case: Case, station: Station, csms: Csms) -> None:
    """A station that is out of service as a whole can't be reserved, and it says why."""
    async with case.preamble():
        await reservations.of_any_supported(case, station)
        await states.out_of_service(case, station, 0)
    await reservations.refused(case, station, csms, "Unavailable", connector=0)


@procedure(
    "TC_051_CS",
    title="Cancel reservation",
    mark="M",
    refs=["Certification Document 2, App. C no. 84", "OCPP 1.6 ed. 2 clauses 5.1, 5.13"],
    applies=pics("FP.RES"),
)
async def cancelled_reservation_frees_the_connector(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A reservation that is cancelled leaves the connector free, and free for everybody."""
    async with case.preamble():
        number = await reservations.reserved(case, station, csms, case.pixit.card("valid"))

    async with case.step("Cancel the reservation: the connector is free"):
        request = v16.CancelReservation(reservationId=number)
        await station.call(request, result(status="Accepted"))
        connector = case.pixit.connector
        await station.expect(v16.StatusNotification(connectorId=connector, status="Available"))
        csms.book.reservations.discard(number)

    await reservations.charging_without(case, station, csms, coupler, vehicle)


@procedure(
    "TC_052_CS",
    title="Cancel reservation – rejected",
    mark="M",
    refs=["Certification Document 2, App. C no. 85", "OCPP 1.6 ed. 2 clause 5.1"],
    applies=pics("FP.RES"),
    waits=lambda timing: timing.settling,
)
async def unknown_reservation_is_not_cancelled(case: Case, station: Station, csms: Csms) -> None:
    """Cancelling a reservation that the station does not have is rejected and changes nothing."""
    async with case.preamble():
        number = await reservations.reserved(case, station, csms, case.pixit.card("valid"))

    async with case.step("Cancel another reservation: the connector stays Reserved"):
        request = v16.CancelReservation(reservationId=number + 1)
        await station.call(request, result(status="Rejected"))
        changes = v16.StatusNotification(connectorId=case.pixit.connector)
        await station.expect_none(changes, during=case.pixit.settling_time)


@procedure(
    "TC_053_CS",
    title="Use reservation with parentIdTag",
    mark="M",
    refs=["Certification Document 2, App. C no. 86", "OCPP 1.6 ed. 2 clauses 3.8, 5.13"],
    applies=pics("FP.RES"),
)
async def reservation_serves_every_card_of_the_group(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
) -> None:
    """Another card of the group that a connector is reserved for can use the reservation.

    Where no card can start (C-07 = false), it is started remotely, and the station has to ask.
    """
    remotely = case.pics.get("C-07") is False
    card, parent = case.pixit.card("second"), case.pixit.card("valid").parent or "GROUP"
    csms.answers(v16.Authorize, idTagInfo={"status": "Accepted", "parentIdTag": parent})
    number = csms.book.reservation_id()

    async with case.preamble():
        if remotely:
            await states.authorizes_remote_starts(case, station)
        await states.others_out_of_service(case, station)

    async with case.step("Reserve for a card and its group: the connector is Reserved"):
        owner = case.pixit.card("valid")
        await reservations.asked(case, station, csms, number, owner, "Accepted", parentIdTag=parent)
        await reservations.reported(case, station)

    if remotely:
        await states.remotely_prepared(case, station, card)
    else:
        await states.authorized(case, station, cards, card)
    await reservations.begun_by_plug(case, station, coupler, vehicle, card, number)

"""Core: power failure (Certification Document 2, Appendix C no. 44 to 46)."""

from __future__ import annotations

from functools import partial

from bench.capability import CardPresenter, PowerSwitch, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.message import Received
from bench.ocpp.predicate import absent, any_of
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states, transactions

PLUGGED = any_of("Finishing", "Preparing")


@procedure(
    "TC_032_1_CS",
    title="Power failure – stop before going down",
    mark="C",
    refs=["Certification Document 2, App. C no. 44", "OCPP 1.6 ed. 2 clauses 4.9, 4.10, 7.36"],
    applies=pics("AQ-7.1"),
    waits=lambda timing: timing.off,
)
async def buffered_station_reports_the_stop_before_it_goes_down(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    power: PowerSwitch,
) -> None:
    """A station with a back-up supply ends its transaction and reports it while it still lives."""
    timing = case.pixit.timing
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Switch the supply off: the transaction ends"):
        case.afterwards(power.switch_on)
        await power.switch_off()
        await transactions.ends(case, station, transaction_id, reason="PowerLoss")
        await station.expect_none(v16.StopTransaction(), during=timing.off)

    # Whether the answer still reached the station, nobody knows: the stop may be told once more.
    async with case.step("Switch the supply on: the station boots with the vehicle connected"):
        await power.switch_on()
        boot = await station.expect(v16.BootNotification(), within=timing.boot)
        await states.every_status(case, station, after=boot, under_test=PLUGGED)


@procedure(
    "TC_032_2_CS",
    title="Power failure – stop after reboot",
    mark="C",
    refs=["Certification Document 2, App. C no. 45", "OCPP 1.6 ed. 2 clauses 4.9, 4.10, 7.36"],
    applies=pics("AQ-7.2"),
    waits=lambda timing: timing.off + timing.quiet,
)
async def station_without_buffer_reports_the_stop_after_it_boots(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    power: PowerSwitch,
) -> None:
    """A power failure ends the transaction, or it goes on until its card ends it.

    A station that ended it says so after its boot; one that resumed it lets the card stop it.
    """
    connector, timing = case.pixit.connector, case.pixit.timing
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("The supply fails and returns: the station boots, the transaction ends"):
        await power.cycle(off_for=timing.off)
        boot = await station.expect(v16.BootNotification(), within=timing.boot)
        seen = any_of("Preparing", "Finishing", "Charging")
        statuses = await states.every_status(case, station, after=boot, under_test=seen)
        stop = partial(v16.StopTransaction, transactionId=transaction_id)
        resumed = statuses[connector]["status"] == "Charging"
        if not resumed:
            # A transaction that goes on may be Preparing before it is Charging.
            charges = v16.StatusNotification(connectorId=connector, status="Charging")
            told = await station.expect(stop(reason="PowerLoss") | charges, after=boot)
            resumed = "status" in told.payload
        if resumed:
            await _present_owner(case, cards)
            await station.expect(stop(reason=any_of("Local", absent)), after=boot)
            await station.expect(v16.StatusNotification(connectorId=connector, status=PLUGGED))
        await station.expect_none(v16.StopTransaction(), during=timing.quiet)


async def _present_owner(case: Case, cards: CardPresenter) -> None:
    if case.pics.get("C-08") is False:
        raise Unverifiable("the transaction goes on, and no card can stop it here (C-08 = false)")
    await cards.present(case.pixit.card("valid"), connector=case.pixit.connector)


@procedure(
    "TC_034_CS",
    title="Power failure with Unavailable status",
    mark="M",
    refs=["Certification Document 2, App. C no. 46", "OCPP 1.6 ed. 2 clause 5.2"],
    waits=lambda timing: timing.off + timing.quiet,
)
async def unavailability_survives_a_power_failure(
    case: Case, station: Station, power: PowerSwitch
) -> None:
    """A station that was taken out of service is still so when its supply comes back."""
    timing = case.pixit.timing
    request = v16.ChangeAvailability(connectorId=0, type="Inoperative")

    async with case.step("Take the whole station out of service"):
        case.afterwards(_back_in_service, station)
        await station.call(request, result(status="Accepted"))
        await _all_unavailable(case, station)

    async with case.step("The supply fails and returns: the station boots, out of service"):
        await power.cycle(off_for=timing.off)
        boot = await station.expect(v16.BootNotification(), within=timing.boot)
        await _all_unavailable(case, station, boot)

    async with case.step("No connector comes back into service"):
        in_service = v16.StatusNotification(status="Available")
        await station.expect_none(in_service, during=timing.quiet)


async def _all_unavailable(case: Case, station: Station, after: Received | None = None) -> None:
    out = "Unavailable"
    await states.every_status(case, station, after=after, under_test=out, others=out)
    for connector in range(case.pixit.connectors + 1):
        *_, last = station.messages(v16.StatusNotification(connectorId=connector))
        text = f"StatusNotification, last status of connector {connector}"
        case.check(text, last.field("status"), out)


async def _back_in_service(station: Station) -> None:
    request = v16.ChangeAvailability(connectorId=0, type="Operative")
    await station.call(request, result(status="Accepted"))

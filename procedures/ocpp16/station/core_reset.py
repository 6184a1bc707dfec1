"""Core: reset (Certification Document 2, Appendix C no. 20 to 23)."""

from __future__ import annotations

from bench.capability import VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.message import Received, interval
from bench.ocpp.predicate import any_of, between
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import states


@procedure(
    "TC_013_CS",
    title="Hard reset without transaction",
    mark="M",
    refs=["Certification Document 2, App. C no. 20", "OCPP 1.6 ed. 2 clauses 5.2, 5.14"],
)
async def unavailability_survives_a_hard_reset(case: Case, station: Station) -> None:
    """A hard reset restarts the station, and a connector out of service stays so."""
    await states.out_of_service(case, station, case.pixit.connector)

    async with case.step("Reset hard: the station restarts, the connector stays Unavailable"):
        await station.call(v16.Reset(type="Hard"), result(status="Accepted"))
        boot = await station.expect(v16.BootNotification(), within=case.pixit.timing.boot)
        await states.every_status(case, station, after=boot, under_test="Unavailable")

    await _back_in_service(case, station)


@procedure(
    "TC_014_CS",
    title="Soft reset without transaction",
    mark="M",
    refs=["Certification Document 2, App. C no. 21", "OCPP 1.6 ed. 2 clauses 5.2, 5.14"],
)
async def unavailability_survives_a_soft_reset(case: Case, station: Station) -> None:
    """A connector out of service stays so over a soft reset, whether or not the station restarts.

    A station that restarts its software with the reset announces itself and reports its status.
    """
    await states.out_of_service(case, station, case.pixit.connector)

    async with case.step("Reset softly: the connector stays Unavailable"):
        await station.call(v16.Reset(type="Soft"), result(status="Accepted"))
        boot = await _soft_boot(case, station)
        if boot is not None:
            await states.every_status(case, station, after=boot, under_test="Unavailable")

    await _back_in_service(case, station)


@procedure(
    "TC_015_CS",
    title="Hard reset with transaction",
    mark="M",
    refs=["Certification Document 2, App. C no. 22", "OCPP 1.6 errata sheet 4.0 clause 3.36"],
)
async def hard_reset_stops_the_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A hard reset ends the running transaction; its end is reported before or after the restart.

    After the restart the station knows that a vehicle is still connected.
    """
    connector = case.pixit.connector
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Reset hard: the transaction ends, the station restarts"):
        await station.call(v16.Reset(type="Hard"), result(status="Accepted"))
        boot = await station.expect(v16.BootNotification(), within=case.pixit.timing.boot)
        stop = await station.expect(
            v16.StopTransaction(transactionId=transaction_id, reason="HardReset")
        )
        if stop.n < boot.n:
            await station.expect(v16.StatusNotification(connectorId=connector, status="Finishing"))
        plugged = any_of("Finishing", "Preparing")
        await states.every_status(case, station, after=boot, under_test=plugged)


@procedure(
    "TC_016_CS",
    title="Soft reset with transaction",
    mark="M",
    refs=["Certification Document 2, App. C no. 23", "OCPP 1.6 errata sheet 4.0 clause 3.36"],
)
async def soft_reset_ends_the_transaction_before_the_restart(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A soft reset ends the running transaction properly; only then may the station restart.

    After a restart the station knows that a vehicle is still connected.
    """
    connector = case.pixit.connector
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Reset softly: the transaction ends, then the station may restart"):
        await station.call(v16.Reset(type="Soft"), result(status="Accepted"))
        stop = await station.expect(
            v16.StopTransaction(transactionId=transaction_id, reason="SoftReset")
        )
        boot = await _soft_boot(case, station)
        _check_before(case, "StopTransaction", stop, boot)
        ended = v16.StatusNotification(connectorId=connector, status="Finishing")
        _check_before(case, "StatusNotification Finishing", await station.expect(ended), boot)
        if boot is not None:
            plugged = any_of("Finishing", "Preparing")
            await states.every_status(case, station, after=boot, under_test=plugged)


def _check_before(case: Case, what: str, message: Received, boot: Received | None) -> None:
    if boot is not None:
        text = f"BootNotification, seconds after {what}"
        case.check(text, interval(message, boot), between(0, None))


async def _soft_boot(case: Case, station: Station) -> Received | None:
    """Wait for the BootNotification of a soft reset; None when the station does not restart."""
    timing = case.pixit.timing
    boot = await station.may_come(v16.BootNotification(), within=timing.soft_boot)
    if boot is None and not station.is_connected:
        boot = await station.expect(v16.BootNotification(), within=timing.boot)
    return boot


async def _back_in_service(case: Case, station: Station) -> None:
    connector = case.pixit.connector
    async with case.step("Put the connector back into service"):
        await states.availability_changed(station, connector, "Operative")
        await station.expect(v16.StatusNotification(connectorId=connector, status="Available"))

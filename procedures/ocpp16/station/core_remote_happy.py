"""Core: remote actions, happy flow (Certification Document 2, Appendix C no. 16 to 19)."""

from __future__ import annotations

from bench.capability import VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states, transactions


@procedure(
    "TC_010_CS",
    title="Remote start – cable plugged in first",
    mark="C",
    refs=["Certification Document 2, App. C no. 16", "OCPP 1.6 ed. 2 clauses 5.11, 9.1.3"],
    applies=~pics("AQ-2"),
)
async def remote_start_after_plug_in_starts_a_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A remote start begins a transaction for the vehicle that is plugged in.

    The station asks about the idTag first if, and only if, it is configured to. The case is the
    start state Charging of other cases, judged.
    """
    await states.charging_after_plug_in(case, station, csms, coupler, vehicle)


@procedure(
    "TC_011_1_CS",
    title="Remote start – remote start first",
    mark="M",
    refs=["Certification Document 2, App. C no. 17", "OCPP 1.6 ed. 2 clauses 5.11, 9.1.3"],
)
async def plug_in_after_remote_start_starts_a_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A remote start makes the connector ready; a vehicle plugged in then starts a transaction.

    The station asks about the idTag first if, and only if, it is configured to.
    """
    await states.charging_after_remote_start(case, station, csms, coupler, vehicle)


@procedure(
    "TC_011_2_CS",
    title="Remote start – time-out",
    mark="M",
    refs=["Certification Document 2, App. C no. 18", "OCPP 1.6 ed. 2 clauses 5.11, 9.1.6"],
    waits=lambda timing: timing.connection_timeout,
)
async def remote_start_expires_without_plug_in(case: Case, station: Station) -> None:
    """A connector that was made ready remotely is free again when nobody plugs in in time."""
    async with case.preamble():
        patience = case.pixit.timing.connection_timeout
        await states.configured(case, station, "ConnectionTimeOut", patience)

    preparing = await states.remotely_prepared(case, station)
    await states.given_up(case, station, preparing)


@procedure(
    "TC_012_CS",
    title="Remote stop",
    mark="M",
    refs=["Certification Document 2, App. C no. 19", "OCPP 1.6 ed. 2 clauses 4.10, 5.12"],
)
async def remote_stop_ends_the_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A remote stop ends the transaction that it names, and the station says that it was remote."""
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Stop remotely: the transaction ends"):
        request = v16.RemoteStopTransaction(transactionId=transaction_id)
        await station.call(request, result(status="Accepted"))
        await transactions.ends(case, station, transaction_id, reason="Remote")

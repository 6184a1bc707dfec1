"""Core: remote actions, non-happy flow (Certification Document 2, Appendix C no. 39 to 41)."""

from __future__ import annotations

from bench.capability import VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import states


@procedure(
    "TC_026_CS",
    title="Remote start rejected",
    mark="M",
    refs=["Certification Document 2, App. C no. 39", "OCPP 1.6 ed. 2 clause 5.11"],
    waits=lambda timing: timing.settling,
)
async def remote_start_at_a_busy_connector_is_rejected(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A remote start at a connector that charges is rejected and leaves the transaction alone."""
    async with case.preamble():
        await states.configured(case, station, "LocalPreAuthorize", "false")
        await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Start remotely where a transaction runs: it goes on alone"):
        request = v16.RemoteStartTransaction(
            connectorId=case.pixit.connector, idTag=case.pixit.card("valid").id_tag
        )
        await station.call(request, result(status="Rejected"))
        disturbance = v16.StartTransaction() | v16.StopTransaction()
        await station.expect_none(disturbance, during=case.pixit.settling_time)


@procedure(
    "TC_028_CS",
    title="Remote stop rejected",
    mark="M",
    refs=["Certification Document 2, App. C no. 41", "OCPP 1.6 ed. 2 clause 5.12"],
    waits=lambda timing: timing.settling,
)
async def remote_stop_of_an_unknown_transaction_is_rejected(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A remote stop that names no transaction of the station is rejected and stops nothing."""
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step(
        "Stop a transaction remotely that does not run: the one that runs goes on"
    ):
        request = v16.RemoteStopTransaction(transactionId=transaction_id + 1000)
        await station.call(request, result(status="Rejected"))
        await station.expect_none(v16.StopTransaction(), during=case.pixit.settling_time)

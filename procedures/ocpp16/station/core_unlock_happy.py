"""Core: unlocking, happy flow (Certification Document 2, Appendix C no. 24 to 27)."""

from __future__ import annotations

from bench.capability import VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states, transactions


@procedure(
    "TC_017_1_CS",
    title="Unlock – no session, detachable cable",
    mark="C",
    refs=["Certification Document 2, App. C no. 24", "OCPP 1.6 ed. 2 clause 5.18"],
    applies=~pics("GEN.fixed_cable") & ~pics("GEN.mode12"),
)
async def idle_connector_with_a_lock_is_unlocked(case: Case, station: Station) -> None:
    """The CSMS can unlock a connector at which nobody charges."""
    async with case.step("Unlock the connector"):
        request = v16.UnlockConnector(connectorId=case.pixit.connector)
        await station.call(request, result(status="Unlocked"))


@procedure(
    "TC_017_2_CS",
    title="Unlock – no session, fixed cable",
    mark="C",
    refs=["Certification Document 2, App. C no. 25", "OCPP 1.6 ed. 2 clauses 5.18, 7.46"],
    applies=pics("GEN.fixed_cable") | pics("GEN.mode12"),
)
async def idle_connector_without_lock_can_not_be_unlocked(case: Case, station: Station) -> None:
    """A station whose cable is fixed says that unlocking is not supported."""
    await _not_supported(case, station)


@procedure(
    "TC_018_1_CS",
    title="Unlock during session, detachable cable",
    mark="C",
    refs=["Certification Document 2, App. C no. 26", "OCPP 1.6 ed. 2 clauses 4.10, 5.18"],
    applies=~pics("GEN.fixed_cable") & ~pics("GEN.mode12"),
)
async def unlocking_stops_the_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """Unlocking the connector of a transaction ends it, and the cable can be taken out.

    The end may be reported before the unlocking is confirmed.
    """
    connector = case.pixit.connector
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    async with case.step("Unlock the connector: the transaction ends"):
        request = v16.UnlockConnector(connectorId=connector)
        await station.call(request, result(status="Unlocked"))
        await transactions.ends(case, station, transaction_id, reason="UnlockCommand")

    async with case.step("Take the cable out: the connector is free"):
        try:
            await coupler.unplug(connector)
        except Unverifiable:
            # A hand could not: whether the lock is why, only a person can say.
            await case.confirm(f"The plug can be pulled out of connector {connector}: it is free.")
            raise
        await station.expect(v16.StatusNotification(connectorId=connector, status="Available"))


@procedure(
    "TC_018_2_CS",
    title="Unlock during session, fixed cable",
    mark="C",
    refs=["Certification Document 2, App. C no. 27", "OCPP 1.6 ed. 2 clauses 5.18, 7.46"],
    applies=pics("GEN.fixed_cable") | pics("GEN.mode12"),
)
async def connector_without_lock_can_not_be_unlocked_while_charging(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A station whose cable is fixed says so during a transaction as well.

    Whether the transaction goes on is not judged.
    """
    async with case.preamble():
        await states.charging(case, station, csms, coupler, vehicle)

    await _not_supported(case, station)


async def _not_supported(case: Case, station: Station) -> None:
    async with case.step("Unlock the connector, which has no lock"):
        request = v16.UnlockConnector(connectorId=case.pixit.connector)
        await station.call(request, result(status="NotSupported"))

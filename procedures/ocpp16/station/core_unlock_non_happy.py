"""Core: unlocking, non-happy flow (Certification Document 2, Appendix C no. 42 and 43)."""

from __future__ import annotations

from bench.capability import Provocation
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states


@procedure(
    "TC_030_CS",
    title="Unlock failure",
    mark="O",
    refs=["Certification Document 2, App. C no. 42", "OCPP 1.6 ed. 2 clause 5.18"],
    applies=pics("BENCH.block_lock"),
)
async def blocked_lock_is_reported_as_failure(
    case: Case, station: Station, provocation: Provocation
) -> None:
    """The station says that unlocking has failed when its lock can't move."""
    async with case.preamble():
        await states.lock_blocked(case, provocation)

    async with case.step("Unlock the connector: it fails"):
        request = v16.UnlockConnector(connectorId=case.pixit.connector)
        await station.call(request, result(status="UnlockFailed"))


@procedure(
    "TC_031_CS",
    title="Unlock unknown connector",
    mark="M",
    refs=["Certification Document 2, App. C no. 43", "OCPP 1.6 errata sheet 4.0 clause 3.85"],
)
async def unknown_connector_can_not_be_unlocked(case: Case, station: Station) -> None:
    """The station says of a connector that it does not have that unlocking is not supported."""
    unknown = case.pixit.connectors + 1
    async with case.step(f"Unlock connector {unknown}, which does not exist"):
        request = v16.UnlockConnector(connectorId=unknown)
        await station.call(request, result(status="NotSupported"))

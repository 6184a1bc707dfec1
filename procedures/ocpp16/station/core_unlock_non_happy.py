"""Core: unlocking, non-happy flow (Certification Document 2, Appendix C no. 42 and 43)."""

from __future__ import annotations

from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.procedure import procedure


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

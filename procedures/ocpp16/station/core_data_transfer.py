"""Core: data transfer (Certification Document 2, Appendix C no. 57)."""

from __future__ import annotations

from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import result
from bench.ocpp.predicate import any_of
from bench.ocpp.station import Station
from bench.procedure import procedure

VENDOR = "org.example.bench"
"""No vendor, so that no station knows it."""


@procedure(
    "TC_062_CS",
    title="Data transfer to a charge point",
    mark="M",
    refs=["Certification Document 2, App. C no. 57", "OCPP 1.6 ed. 2 clause 5.6"],
)
async def data_of_an_unknown_vendor_are_answered(case: Case, station: Station) -> None:
    """The station answers a data transfer of a vendor that it does not know.

    It is to refuse it; that it answers at all is what counts, so an acceptance is noted only.
    """
    async with case.step("Transfer data of an unknown vendor"):
        statuses = any_of("Rejected", "UnknownMessageId", "UnknownVendorId", "Accepted")
        answer = await station.call(v16.DataTransfer(vendorId=VENDOR), result(status=statuses))
        if answer["status"] == "Accepted":
            case.note(f"the station accepted data of the vendor {VENDOR}, which does not exist")

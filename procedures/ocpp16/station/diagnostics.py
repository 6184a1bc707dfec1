"""Diagnostics (Certification Document 2, Appendix C no. 71 and 72)."""

from __future__ import annotations

from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import result
from bench.ocpp.predicate import between, present
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from bench.transfer.files import Files


@procedure(
    "TC_045_1_CS",
    title="Get diagnostics",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 71",
        "OCPP 1.6 ed. 2 clauses 4.4, 5.9",
        "OCPP 1.6 errata sheet 4.0 clause 3.31",
    ],
    applies=pics("FP.FW"),
)
async def diagnostics_arrive_under_the_name_that_was_told(
    case: Case, station: Station, files: Files
) -> None:
    """The station brings its diagnostics where it is told to, under the name that it answers."""
    async with case.preamble():
        location = await files.take()

    async with case.step("Get the diagnostics: the station brings a file"):
        answer = await station.call(v16.GetDiagnostics(location=location), result())
        with station.forbid(v16.DiagnosticsStatusNotification(status="UploadFailed")):
            await _told_in_order(case, station, "Uploading", "Uploaded")
        name = answer.field("fileName")
        case.check("GetDiagnostics answer, fileName", name, present)
        size = files.transferred("upload", str(name.value), "size")
        case.check(f"Bytes that came as {name.value}", size, between(1, None))


@procedure(
    "TC_045_2_CS",
    title="Get diagnostics – upload failed",
    mark="M",
    refs=["Certification Document 2, App. C no. 72", "OCPP 1.6 ed. 2 clauses 4.4, 5.9, 7.24"],
    applies=pics("FP.FW"),
    waits=lambda timing: timing.settling,
)
async def diagnostics_that_can_not_be_delivered_are_reported(
    case: Case, station: Station, files: Files
) -> None:
    """A station that can't bring its diagnostics where it is told to says so.

    It was told to try no more than once, so the failure is the last that it tells.
    """
    location = files.nowhere("files/failedLocation")
    with station.forbid(v16.DiagnosticsStatusNotification(status="Uploaded")):
        async with case.step("Get the diagnostics to where nobody takes them: the upload fails"):
            await station.call(v16.GetDiagnostics(location=location, retries=0), result())
            await _told_in_order(case, station, "Uploading", "UploadFailed")

        again = v16.DiagnosticsStatusNotification(status="Uploading")
        with station.forbid(again):
            async with case.step("The station does not try again"):
                await station.expect_none(again, during=case.pixit.settling_time)


async def _told_in_order(case: Case, station: Station, *statuses: str) -> None:
    for status in statuses:
        told = v16.DiagnosticsStatusNotification(status=status)
        await station.expect(told, within=case.pixit.timing.diagnostics, in_order=True)

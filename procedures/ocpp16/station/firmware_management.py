"""Firmware management (Certification Document 2, Appendix C no. 68 to 70)."""

from __future__ import annotations

import hashlib
from typing import Any

from bench.case import Case
from bench.clock import now, wire
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import CallPattern, Pattern, error, result
from bench.ocpp.predicate import absent, any_of
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from bench.transfer.files import Files
from procedures.ocpp16 import states


@procedure(
    "TC_044_1_CS",
    title="Firmware update – download and install",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 68",
        "OCPP 1.6 ed. 2 clauses 4.5, 5.19",
        "OCPP 1.6 errata sheet 4.0 clauses 3.12, 3.47, 3.48",
    ],
    applies=pics("FP.FW"),
    updates_firmware=True,
)
async def firmware_is_fetched_installed_and_booted(
    case: Case, station: Station, files: Files
) -> None:
    """The station fetches the firmware that it is told of, installs it and is back with it.

    It tells each stage. Where the security certificate is asked for, only a signed firmware may be
    installed: the request is answered with NotSupported, and nothing happens.
    """
    firmware = case.pixit.firmware
    async with case.preamble():
        path = firmware.file("good")
        location = await files.offer(path)

    if case.pics.get("SEC.cert"):
        await _unsigned_firmware_refused(case, station, location)
        fetched = files.transferred("download", path.name, "size")
        case.check("Bytes of the unsigned firmware that the station fetched", fetched, absent)
        return

    patience = case.pixit.timing.firmware
    with station.forbid(_told("DownloadFailed", "InstallationFailed")):
        async with case.step("Update the firmware: it is fetched and installed"):
            await station.call(_update(location), result())
            for status in ("Downloading", "Downloaded", "Installing"):
                await station.expect(_told(status), within=patience, in_order=True)
            case.check(
                "Firmware that the station fetched, SHA-256",
                files.transferred("download", path.name, "sha256"),
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )

        async with case.step("The station is back with the new firmware"):
            boot = await station.expect(v16.BootNotification(), within=patience)
            if firmware.version:
                version = boot.field("firmwareVersion")
                case.check("BootNotification firmwareVersion", version, firmware.version)
            await states.every_status(case, station, after=boot)
            await station.expect(_told("Installed"), within=patience)


@procedure(
    "TC_044_2_CS",
    title="Firmware update – download failed",
    mark="M",
    refs=["Certification Document 2, App. C no. 69", "OCPP 1.6 ed. 2 clauses 4.5, 5.19, 7.25"],
    applies=pics("FP.FW") & ~pics("SEC.cert"),
    waits=lambda timing: timing.settling,
)
async def firmware_that_can_not_be_fetched_is_reported(
    case: Case, station: Station, csms: Csms, files: Files
) -> None:
    """A station that finds no firmware where it was told to says so, and stays as it is.

    It was told to try no more than once, so the failure is the last that it tells.
    """
    timing = case.pixit.timing
    with station.forbid(_told("Downloaded", "Installing", "Installed", "InstallationFailed")):
        async with case.step("Update the firmware from where there is none: the download fails"):
            location = files.nowhere("download_fail.fwi")
            await station.call(_update(location, retries=0), result())
            await station.expect(_told("DownloadFailed"), within=timing.firmware)

        with station.forbid(_told("Downloading")):
            await _in_service(case, station, csms)
            async with case.step("The station does not try again"):
                await station.expect_none(_told("Downloading"), during=timing.settling)


@procedure(
    "TC_044_3_CS",
    title="Firmware update – installation failed",
    mark="M",
    refs=["Certification Document 2, App. C no. 70", "OCPP 1.6 ed. 2 clauses 4.5, 5.19, 7.25"],
    applies=pics("FP.FW") & ~pics("SEC.cert"),
    waits=lambda timing: timing.settling,
)
async def unusable_firmware_is_not_installed(
    case: Case, station: Station, csms: Csms, files: Files
) -> None:
    """A station that was given an unusable firmware says so and goes on, with or without a boot."""
    timing = case.pixit.timing
    async with case.preamble():
        location = await files.offer(case.pixit.firmware.file("bad"))

    with station.forbid(_told("DownloadFailed", "Installed")):
        async with case.step("Update to an unusable firmware: it is fetched, and not installed"):
            await station.call(_update(location), result())
            for status in ("Downloading", "Downloaded"):
                await station.expect(_told(status), within=timing.firmware, in_order=True)
            await station.expect(_told("InstallationFailed"), within=timing.firmware)
            booted = await station.may_come(v16.BootNotification(), within=timing.settling)
            if booted is None and not station.is_connected:
                booted = await station.expect(v16.BootNotification(), within=timing.boot)
            if booted is not None:
                await states.every_status(case, station, after=booted)
        await _in_service(case, station, csms)


def _update(location: str, **fields: Any) -> CallPattern:
    return v16.UpdateFirmware(location=location, retrieveDate=wire(now().utc), **fields)


def _told(*statuses: str) -> Pattern:
    status = statuses[0] if len(statuses) == 1 else any_of(*statuses)
    return v16.FirmwareStatusNotification(status=status)


async def _in_service(case: Case, station: Station, csms: Csms) -> None:
    """See that the station answers, and that all it took out of service comes back."""
    async with case.step("The station is in service"):
        gone = [c for c, status in csms.book.statuses.items() if status == "Unavailable"]
        await station.call(v16.GetConfiguration(key=["HeartbeatInterval"]), result())
        for connector in gone:
            await station.expect(v16.StatusNotification(connectorId=connector, status="Available"))


async def _unsigned_firmware_refused(case: Case, station: Station, location: str) -> None:
    async with case.step("Update to a firmware without signature: it is not supported"):
        await station.call(_update(location), error("NotSupported"))
        told = v16.FirmwareStatusNotification()
        await station.expect_none(told, during=case.pixit.settling_time)

"""Firmware updates and diagnostics of the virtual station, over real FTP in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.clock import wire
from bench.stream import Stream
from bench.transfer.files import Files, FileSettings
from stations.image import BadImage, read_version, write_image
from tests.engine.vstation.rig import VISA, Rig, rig

NEW = write_image("2.0.0", b"program" * 1000)
FIRMWARE, DIAGNOSTICS = "FirmwareStatusNotification", "DiagnosticsStatusNotification"
NOWHERE = "ftp://127.0.0.1:21/there"


def updatable(**options: Any) -> AbstractAsyncContextManager[Rig]:
    profiles = ("Core", "RemoteTrigger", "FirmwareManagement")
    return rig(profiles=profiles, install_time=3.0, transfer_pause=7.0, **options)


@asynccontextmanager
async def served(folder: Path, protocol: str = "FTP") -> AsyncIterator[Files]:
    (folder / "new.bin").write_bytes(NEW)
    files = Files(Stream(), FileSettings(), (protocol,), folder)
    try:
        yield files
    finally:
        await files.close()


async def update(r: Rig, location: str, *, after: float = 0.0, **fields: Any) -> None:
    begin = wire(r.csms.clock.now() + timedelta(seconds=after))
    answer = await r.csms.call("UpdateFirmware", location=location, retrieveDate=begin, **fields)
    assert answer == {}


def reported(folder: Path, name: str) -> set[str]:
    """Read what a diagnostics file says of the connectors."""
    (kept,) = folder.glob(f"attachments/*{name}")
    entries = [json.loads(line)["what"] for line in kept.read_text().splitlines()]
    return {entry for entry in entries if entry.startswith("connector")}


async def told(r: Rig, action: str, *statuses: str) -> list[float]:
    """Expect these statuses; returns when they came."""
    return [(await r.csms.expect(action, status=status)).at for status in statuses]


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
async def test_a_new_firmware_boots_and_stays_over_power_losses(
    tmp_path: Path, protocol: str
) -> None:
    async with served(tmp_path, protocol) as files, updatable() as r:
        await r.booted()
        begun = asyncio.get_running_loop().time()
        await update(r, await files.offer(tmp_path / "new.bin"), after=20.0)
        stages = await told(r, FIRMWARE, "Downloading", "Downloaded", "Installing")
        assert stages[0] - begun == pytest.approx(20, abs=0.1)
        boot = await r.csms.expect("BootNotification")
        assert boot.payload["firmwareVersion"] == "2.0.0"
        assert boot.at - stages[2] >= 3.0
        await told(r, FIRMWARE, "Installed")
        await r.power_off()
        r.power_on()
        boot = await r.csms.expect("BootNotification")
        assert boot.payload["firmwareVersion"] == "2.0.0"
        await r.csms.nothing(FIRMWARE, during=60)


async def test_an_update_waits_for_the_transaction_and_the_newest_request_counts(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as files, updatable() as r:
        await r.booted()
        transaction = await r.charging(VISA)
        await update(r, NOWHERE, after=30.0)
        await update(r, await files.offer(tmp_path / "new.bin"))
        await told(r, FIRMWARE, "Downloading", "Downloaded")
        await r.csms.nothing(FIRMWARE, during=60)
        await r.csms.call("RemoteStopTransaction", transactionId=transaction)
        await told(r, FIRMWARE, "Installing", "Installed")
        assert r.csms.calls(FIRMWARE, status="DownloadFailed") == []


async def test_downloads_are_tried_as_often_as_the_csms_says() -> None:
    async with updatable() as r:
        await r.booted()
        for fields, pause in (
            ({"retries": 0}, 0),
            ({"retries": 2, "retryInterval": 40}, 80),
            ({}, 14),
        ):
            await update(r, NOWHERE, **fields)
            begun, failed = await told(r, FIRMWARE, "Downloading", "DownloadFailed")
            assert failed - begun == pytest.approx(pause, abs=1)


async def test_a_trigger_finds_the_present_status(tmp_path: Path) -> None:
    async with updatable() as r:
        await r.booted()
        await update(r, NOWHERE, retries=1, retryInterval=50)
        await r.csms.call("GetDiagnostics", location=NOWHERE, retries=1, retryInterval=50)
        await told(r, FIRMWARE, "Downloading")
        await told(r, DIAGNOSTICS, "Uploading")
        for again in (("Downloading", "Uploading"), ("Idle", "Idle")):
            for action, status in zip((FIRMWARE, DIAGNOSTICS), again, strict=True):
                asked = {"requestedMessage": action}
                assert await r.csms.status_of("TriggerMessage", **asked) == "Accepted"
                await told(r, action, status)
            if again[0] == "Downloading":
                await told(r, FIRMWARE, "DownloadFailed")
                await told(r, DIAGNOSTICS, "UploadFailed")


@pytest.mark.parametrize("location", ["", "dummy://dummy", "ftp://", "http://[", "file:///etc"])
async def test_a_location_that_is_none_fails_like_a_bad_one(location: str) -> None:
    async with updatable() as r:
        await r.booted()
        await update(r, location, retries=0)
        await told(r, FIRMWARE, "Downloading", "DownloadFailed")
        assert await r.csms.value("HeartbeatInterval")


async def test_diagnostics_are_those_of_the_time_that_is_asked_for(tmp_path: Path) -> None:
    async with served(tmp_path) as files, updatable() as r:
        await r.booted()
        await asyncio.sleep(100)
        between = wire(r.csms.clock.now())
        await asyncio.sleep(100)
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        location = await files.take()
        for limits, lines in (
            ({}, {"connector 1 Available NoError", "connector 1 Preparing NoError"}),
            ({"startTime": between}, {"connector 1 Preparing NoError"}),
            ({"stopTime": between}, {"connector 1 Available NoError"}),
        ):
            answer = await r.csms.call("GetDiagnostics", location=location, **limits)
            await told(r, DIAGNOSTICS, "Uploading", "Uploaded")
            assert reported(tmp_path, answer["fileName"]) == lines
            await asyncio.sleep(1)
        future = wire(r.csms.clock.now() + timedelta(hours=1))
        assert await r.csms.call("GetDiagnostics", location=location, startTime=future) == {}
        await r.csms.nothing(DIAGNOSTICS, during=30)


async def test_without_the_profile_nothing_is_updated() -> None:
    async with rig() as r:
        await r.booted()
        asked = {"location": NOWHERE, "retrieveDate": wire(r.csms.clock.now())}
        assert await r.csms.error_of("UpdateFirmware", **asked) == "NotSupported"
        assert await r.csms.error_of("GetDiagnostics", location=NOWHERE) == "NotSupported"
        asked = {"requestedMessage": FIRMWARE}
        assert await r.csms.status_of("TriggerMessage", **asked) == "NotImplemented"


def test_an_image_is_read_back_and_damage_is_found() -> None:
    assert read_version(NEW) == "2.0.0"
    for bad in (b"", b"\0" * 100, NEW[:-1], NEW + b"?", NEW.replace(b"2.0.0", b"2 0 0")):
        with pytest.raises(BadImage):
            read_version(bad)

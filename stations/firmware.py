"""Updating the firmware (OCPP 1.6 ed. 2 clauses 4.5 and 5.19), part of FirmwareManagement."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from stations.clock import Clock, read
from stations.conduct import Behaviour
from stations.connection import Connection
from stations.image import BadImage, read_version
from stations.messages import Answer, Handler, Payload, Spawn
from stations.progress import Progress
from stations.settings import StationSettings
from stations.storage import Store
from stations.transfer import TransferFailed, fetch, persist

_log = logging.getLogger(__name__)


def installed_version(store: Store, settings: StationSettings) -> str:
    """Return the version of the firmware that runs."""
    stored: dict[str, Any] = store.read("firmware") or {}
    return str(stored.get("version", settings.firmware))


class FirmwareUpdate:
    """Fetch a firmware, verify it, install it when nobody charges, and boot with it."""

    def __init__(
        self,
        settings: StationSettings,
        store: Store,
        clock: Clock,
        connection: Connection,
        online: asyncio.Event,
        behaviour: Behaviour,
        *,
        spawn: Spawn,
        reset: Callable[[str], None],
    ) -> None:
        self.handlers: dict[str, Handler] = {"UpdateFirmware": self._wanted}
        self.progress = Progress("FirmwareStatusNotification", connection, online, spawn)
        self.idle = asyncio.Event()
        """Set while no connector is in a transaction."""
        self.idle.set()
        self._settings = settings
        self._store = store
        self._clock = clock
        self._behaviour = behaviour
        self._spawn = spawn
        self._reset = reset
        self._newest: Payload = {}
        """The request that counts; a newer one takes its place."""

    def came_online(self) -> None:
        """Tell what became of an update that ended with a boot."""
        stored: dict[str, Any] = self._store.read("firmware") or {}
        if stored.pop("untold", False):
            self._store.write("firmware", stored)
            if self._behaviour.reports_installation:
                self._spawn(lambda: self.progress.end("Installed"))

    def _wanted(self, payload: Payload) -> Answer:
        def begin() -> None:
            self._newest = payload
            self._spawn(lambda: self._update(payload))

        return Answer(then=begin)

    async def _update(self, wish: Payload) -> None:
        begin = read(wish["retrieveDate"])
        if begin is not None:
            await asyncio.sleep(max(0.0, (begin - self._clock.now()).total_seconds()))
        if wish is not self._newest:
            return
        image = await self._download(wish)
        if image is None or wish is not self._newest:
            return
        await self.progress.report("Downloaded")
        await self.idle.wait()
        await self.progress.report("Installing")
        await asyncio.sleep(self._settings.install_time)
        try:
            version = self._verified(image)
        except BadImage as error:
            _log.info("%s: firmware refused: %s", self._settings.identity, error)
            await self.progress.end("InstallationFailed")
            return
        if self._behaviour.keeps_firmware:
            version = self._settings.firmware
        self._store.write("firmware", {"version": version, "untold": True})
        self._reset("Soft")

    async def _download(self, wish: Payload) -> bytes | None:
        await self.progress.report("Downloading")
        if not self._behaviour.fetches_firmware:
            await asyncio.sleep(self._settings.install_time)
            return b""
        within = self._settings.transfer_timeout
        try:
            return await persist(
                lambda: fetch(wish["location"], within=within), wish, self._settings
            )
        except TransferFailed as error:
            _log.info("%s: no firmware: %s", self._settings.identity, error)
        await self.progress.end("DownloadFailed")
        return None

    def _verified(self, image: bytes) -> str:
        if self._behaviour.fetches_firmware and self._behaviour.verifies_firmware:
            return read_version(image)
        try:
            return read_version(image)
        except BadImage:
            return self._settings.firmware

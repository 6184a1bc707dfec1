"""The feature profile FirmwareManagement: firmware updates and diagnostics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from stations.clock import Clock
from stations.conduct import Behaviour
from stations.connection import Connection
from stations.diagnostics import Diagnostics
from stations.firmware import FirmwareUpdate
from stations.messages import Answer, Handler, Spawn
from stations.settings import StationSettings
from stations.status import Status
from stations.storage import Store


class FirmwareManagement:
    """Let both parts know what happens at the station."""

    PROFILE = "FirmwareManagement"

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
        wiring = (settings, store, clock, connection, online, behaviour)
        self._version = settings.firmware
        self._firmware = FirmwareUpdate(*wiring, spawn=spawn, reset=reset)
        self._diagnostics = Diagnostics(*wiring, spawn=spawn)
        self.handlers: dict[str, Handler] = self._firmware.handlers | self._diagnostics.handlers
        self.triggers: dict[str, Callable[[], Answer]] = {
            "DiagnosticsStatusNotification": self._diagnostics.progress.trigger,
            "FirmwareStatusNotification": self._firmware.progress.trigger,
        }

    def booted(self, after: str) -> None:
        """Note a boot and what it came from."""
        self._diagnostics.note(f"boot after {after}, firmware {self._version}")

    def came_online(self) -> None:
        """Tell what became of an update that ended with a boot."""
        self._diagnostics.note("online")
        self._firmware.came_online()

    def status_changed(self, connector: int, status: Status, *, idle: bool) -> None:
        """Note a status; `idle` while no connector is in a transaction."""
        self._diagnostics.note(f"connector {connector} {status.status} {status.error_code}")
        if idle:
            self._firmware.idle.set()
        else:
            self._firmware.idle.clear()

    def shut_down(self) -> None:
        """Let the log survive the software."""
        self._diagnostics.save()

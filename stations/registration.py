"""How a station announces itself and stays known (OCPP 1.6 ed. 2 clauses 4.2 and 4.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from stations.clock import Clock
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.connection import Connection
from stations.messages import CallFailed, Offline, Payload, Spawn
from stations.settings import StationSettings
from stations.ticker import Ticker


class Registration:
    """Send BootNotification until it is accepted, then heartbeats."""

    def __init__(
        self,
        settings: StationSettings,
        configuration: Configuration,
        connection: Connection,
        clock: Clock,
        behaviour: Behaviour,
        spawn: Spawn,
    ) -> None:
        self.status = ""
        """What the last BootNotification was answered; "" before the first answer."""
        self.online = asyncio.Event()
        """Set while the station is connected and accepted."""
        self.on_online: Callable[[], None] = lambda: None
        self._settings = settings
        self._configuration = configuration
        self._connection = connection
        self._clock = clock
        self._behaviour = behaviour
        self._spawn = spawn
        self._first_interval = 0
        self._triggered = asyncio.Event()
        self._beating = False
        self._beats = Ticker(
            lambda: configuration.number("HeartbeatInterval") * behaviour.heartbeat_factor,
            self._beat,
        )
        connection.on_open = self._connected
        connection.on_lost = self.online.clear

    async def register(self, after: str) -> None:
        """Announce the station after a boot until it is accepted; `after` is why it booted."""
        if after in self._behaviour.boots_after:
            while True:
                await self._connection.opened.wait()
                wait = await self._announce()
                if self.status == "Accepted":
                    break
                await self._pause(wait)
        self.status = "Accepted"
        self._configuration.watch("HeartbeatInterval", self._beats.interval_changed)
        self._beats.start()
        if self._connection.opened.is_set():
            self._go_online()

    def trigger(self) -> None:
        """Send the next BootNotification now."""
        self._triggered.set()

    def shut_down(self) -> None:
        """Beat no more."""
        self._beats.stop()

    async def send_heartbeat(self) -> None:
        """Send one Heartbeat."""
        self._beating = True
        try:
            self._synchronise(await self._connection.call("Heartbeat", {}))
        finally:
            self._beating = False

    def _beat(self) -> None:
        if self.online.is_set() and not self._beating:
            self._spawn(self.send_heartbeat)

    async def _pause(self, wait: float) -> None:
        """Wait `wait` s, or until the CSMS asks for a BootNotification."""
        self._triggered.clear()
        try:
            async with asyncio.timeout(wait):
                await self._triggered.wait()
        except TimeoutError:
            return

    async def _announce(self) -> float:
        """Send one BootNotification; returns the s to wait before the next."""
        try:
            answer = await self._connection.call("BootNotification", self._identity())
        except Offline:
            return 0.0
        except CallFailed:
            return self._settings.boot_retry
        self._synchronise(answer)
        self.status = answer["status"]
        interval = int(answer["interval"])
        self._first_interval = self._first_interval or interval
        if self.status == "Accepted":
            if self._behaviour.first_interval_counts:
                interval = self._first_interval
            if interval not in (0, self._configuration.number("HeartbeatInterval")):
                self._configuration.write("HeartbeatInterval", str(interval))
            return 0.0
        if self.status in self._behaviour.chats_while:
            self._spawn(self.send_heartbeat)
        return (interval or self._settings.boot_retry) * self._behaviour.boot_patience

    def _identity(self) -> Payload:
        return {
            "chargePointVendor": self._settings.vendor,
            "chargePointModel": self._settings.model,
            "chargePointSerialNumber": self._settings.serial,
            "firmwareVersion": self._settings.firmware,
        }

    def _synchronise(self, answer: Payload) -> None:
        if "currentTime" in answer:
            self._clock.synchronise(answer["currentTime"])

    def _connected(self) -> None:
        if self.status == "Accepted":
            self._go_online()

    def _go_online(self) -> None:
        self.online.set()
        self.on_online()

"""The software of a station from one boot to the next."""

from __future__ import annotations

import asyncio
import logging
from typing import Never

from bench.cancellation import heed_cancellation
from stations.clock import Clock
from stations.conduct import Conduct
from stations.hardware import CardRead, PlugChanged, StationHardware, SupplyFailed
from stations.messages import CallFailed, Work
from stations.settings import StationSettings
from stations.software import Software
from stations.storage import Store

_log = logging.getLogger(__name__)


class _Reset(Exception):
    """The CSMS wants a reset."""


class Controller:
    """Boot a station's software, run it until a reset, and wind it up."""

    def __init__(
        self,
        settings: StationSettings,
        hardware: StationHardware,
        store: Store,
        clock: Clock,
        conduct: Conduct,
        *,
        after: str,
    ) -> None:
        self._hardware = hardware
        self._behaviour = conduct.behaviour
        self._after = after
        self._tasks: asyncio.TaskGroup | None = None
        self._reset: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        wiring = (settings, hardware, store, clock, conduct)
        self._software = Software(*wiring, after=after, spawn=self._spawn, reset=self._reset_wanted)

    async def run(self) -> str:
        """Run until a reset; returns its type. Being cancelled is a power loss."""
        software = self._software
        try:
            await self._boot()
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for work in (
                    self._sense(),
                    software.connection.run(),
                    software.registration.register(self._after),
                    software.reporter.run(),
                    software.transactions.deliver(),
                ):
                    tasks.create_task(work)
                try:
                    await self._wind_up(await self._reset)
                finally:
                    self._tasks = None  # nothing new begins while everything ends
                raise _Reset
        except* _Reset:
            pass
        finally:
            software.connection.abort()
            software.registration.shut_down()
            software.aligned.stop()
            software.reservations.shut_down()
            software.charging_profiles.stop()
            software.firmware.shut_down()
            for connector in software.connectors.values():
                connector.shut_down()
        heed_cancellation()  # the power that goes ends a reset as well
        return self._reset.result()

    async def _boot(self) -> None:
        software = self._software
        try:
            async with asyncio.timeout(software.settings.boot_time):
                while True:
                    # What happens now, nobody sees; the state is read at the end.
                    await self._hardware.next_event()
        except TimeoutError:
            pass
        if self._after not in self._behaviour.keeps_messages_over:
            software.transactions.forget_all()
        for transaction in software.transactions.running:
            # Only a power loss leaves one behind; it ended when its meter was logged last.
            data = transaction.samples
            software.transactions.stop(transaction, reason="PowerLoss", id_tag=None, data=data)
        software.firmware.booted(self._after)
        software.reservations.start()
        for connector in software.connectors.values():
            connector.power_up(senses_cable=self._after in self._behaviour.senses_cable_after)
        if self._after not in self._behaviour.reports_after:
            software.reporter.assume_known()
        software.charging_profiles.start()
        software.aligned.start()

    async def _wind_up(self, kind: str) -> None:
        """Stop the transactions and deliver what can be; only a hard reset is abrupt."""
        software = self._software
        soft = kind == "Soft" and self._behaviour.delivers_before_soft_reset
        abrupt = kind != "power" and not soft
        if abrupt:
            software.connection.abort()
        for connector in software.connectors.values():
            if connector.transaction is not None:
                connector.stop("PowerLoss" if kind == "power" else f"{kind}Reset")
        if not abrupt and software.registration.online.is_set():
            try:
                async with asyncio.timeout(software.settings.message_timeout):
                    await software.transactions.idle.wait()
                    await software.reporter.idle.wait()
            except TimeoutError:
                _log.info("%s: reset with messages not delivered", software.settings.identity)
            await software.connection.close()
        if kind == "power":
            await asyncio.Event().wait()  # the buffer runs empty, which cancels everything

    async def _sense(self) -> Never:
        software = self._software
        while True:
            match await self._hardware.next_event():
                case PlugChanged(number):
                    if number in software.connectors:
                        software.connectors[number].sense()
                case CardRead() as card:
                    software.admission.card_read(card)
                case SupplyFailed():
                    if software.settings.buffer_time > 0 and self._behaviour.stops_at_power_loss:
                        self._reset_wanted("power")

    def _reset_wanted(self, kind: str) -> None:
        if not self._reset.done():
            self._reset.set_result(kind)

    def _spawn(self, work: Work) -> None:
        """Let something happen beside everything else, as long as the software runs."""
        if self._tasks is not None:
            self._tasks.create_task(self._attempt(work))

    async def _attempt(self, work: Work) -> None:
        try:
            await work()
        except CallFailed as error:
            _log.info("%s: %s", self._software.settings.identity, error)

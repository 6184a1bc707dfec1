"""The software of a station from one boot to the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Never

from bench.cancellation import heed_cancellation
from stations.admission import Admission
from stations.authorization import AuthorizationCache, Authorizer
from stations.availability import Availability
from stations.charging import Charging
from stations.charging_profiles import ChargingProfiles
from stations.clock import Clock
from stations.conduct import Conduct
from stations.configuration import Configuration
from stations.connection import Connection
from stations.connector import Connector
from stations.firmware import installed_version
from stations.firmware_management import FirmwareManagement
from stations.hardware import CardRead, PlugChanged, StationHardware, SupplyFailed
from stations.local_list import LocalList
from stations.messages import CallFailed, Handler, Payload, Work
from stations.metering import EnergyLog
from stations.registration import Registration
from stations.requests import Requests
from stations.reservations import Reservations
from stations.reserving import Reserving
from stations.sampling import Sampler
from stations.settings import StationSettings
from stations.smart_charging import SmartCharging
from stations.status import Status, StatusReporter
from stations.storage import Store
from stations.ticker import Ticker
from stations.transactions import Transactions

_log = logging.getLogger(__name__)


class _Reset(Exception):
    """The CSMS wants a reset."""


class Controller:
    """Everything that a reset begins anew; what lasts is in the store and in the clock."""

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
        behaviour = conduct.behaviour
        count = len(hardware.connectors)
        self._hardware = hardware
        self._behaviour = behaviour
        self._after = after
        self._tasks: asyncio.TaskGroup | None = None
        self._reset: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._availability = Availability(store)
        if after not in behaviour.keeps_availability_over:
            self._availability.forget()
        self._settings = settings = replace(settings, firmware=installed_version(store, settings))
        configuration = Configuration(settings, count, store)
        self._connection = Connection(
            settings,
            configuration.text("CentralSystemURL"),
            answer=lambda call: self._requests.answer(call),
            ping_interval=lambda: configuration.number("WebSocketPingInterval"),
            conduct=conduct,
        )
        configuration.watch("WebSocketPingInterval", self._connection.ping_interval_changed)
        self._registration = Registration(
            settings, configuration, self._connection, clock, behaviour, self._spawn
        )
        online = self._registration.online
        self._transactions = Transactions(
            store, clock, configuration, self._connection, online, behaviour
        )
        self._connectors: dict[int, Connector] = {}
        self._charging_profiles = ChargingProfiles(
            store,
            clock,
            behaviour,
            lambda: self._transactions.running,
            current=settings.current,
            connectors=count,
        )
        self._reporter = StatusReporter(
            self._connection,
            clock,
            online,
            {0: self._status} | {n: self._status_of(n) for n in range(1, count + 1)},
            behaviour,
        )
        energy = EnergyLog(store)
        self._reservations = Reservations(store, clock, behaviour)
        self._reserving = Reserving(
            self._connectors,
            self._reservations,
            configuration=configuration,
            clock=clock,
            behaviour=behaviour,
        )
        for number, evse in hardware.connectors.items():
            sampler = Sampler(
                number,
                evse,
                energy,
                configuration,
                self._transactions,
                clock,
                settings,
                behaviour,
                self._send_if_online,
            )
            charging = Charging(
                number,
                sampler,
                transactions=self._transactions,
                reservations=self._reservations,
                profiles=self._charging_profiles,
                behaviour=behaviour,
            )
            self._connectors[number] = Connector(
                number,
                evse,
                charging,
                settings=settings,
                configuration=configuration,
                availability=self._availability,
                keeps=self._reserving.keeps,
                behaviour=behaviour,
                report=self._status_changed,
            )
        self._local_list = LocalList(
            store,
            clock,
            configuration,
            behaviour,
            storage_works=lambda: hardware.list_storage_works,
        )
        wiring = (settings, store, clock, self._connection, online, behaviour)
        self._firmware = FirmwareManagement(*wiring, spawn=self._spawn, reset=self._reset_wanted)
        has_firmware = FirmwareManagement.PROFILE in settings.profiles
        authorizer = Authorizer(
            AuthorizationCache(store, clock),
            self._local_list if LocalList.PROFILE in settings.profiles else None,
            configuration,
            self._connection,
            online,
            behaviour,
            self._spawn,
        )
        authorizer.on_conflict = self._list_conflicts
        self._admission = Admission(
            self._connectors,
            authorizer,
            configuration,
            self._reserving,
            settings,
            behaviour,
            self._spawn,
        )
        self._smart = SmartCharging(
            self._connectors, self._charging_profiles, configuration, behaviour
        )
        is_smart = "SmartCharging" in settings.profiles
        self._requests = Requests(
            self._connectors,
            admission=self._admission,
            authorizer=authorizer,
            availability=self._availability,
            conduct=conduct,
            configuration=configuration,
            registration=self._registration,
            reporter=self._reporter,
            reset=self._reset_wanted,
            send=self._send,
            remote_trigger="RemoteTrigger" in settings.profiles,
            profiles=self._profiles(),
            takes_with_remote_start=self._smart.takes_with_remote_start if is_smart else None,
            triggers=self._firmware.triggers if has_firmware else None,
        )
        self._aligned = Ticker(
            lambda: configuration.number("ClockAlignedDataInterval") * behaviour.aligned_factor,
            self._sample_aligned,
            phase=clock.seconds_of_day,
        )
        configuration.watch("ClockAlignedDataInterval", self._aligned.interval_changed)
        self._charging_profiles.on_change = self._limits_changed
        self._transactions.on_confirmed = self._admission.confirmed
        self._registration.on_online = self._came_online

    async def run(self) -> str:
        """Run until a reset; returns its type. Being cancelled is a power loss."""
        try:
            await self._boot()
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for work in (
                    self._sense(),
                    self._connection.run(),
                    self._registration.register(self._after),
                    self._reporter.run(),
                    self._transactions.deliver(),
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
            self._connection.abort()
            self._registration.shut_down()
            self._aligned.stop()
            self._reservations.shut_down()
            self._charging_profiles.stop()
            self._firmware.shut_down()
            for connector in self._connectors.values():
                connector.shut_down()
        heed_cancellation()  # the power that goes ends a reset as well
        return self._reset.result()

    async def _boot(self) -> None:
        try:
            async with asyncio.timeout(self._settings.boot_time):
                while True:
                    # What happens now, nobody sees; the state is read at the end.
                    await self._hardware.next_event()
        except TimeoutError:
            pass
        if self._after not in self._behaviour.keeps_messages_over:
            self._transactions.forget_all()
        for transaction in self._transactions.running:
            # Only a power loss leaves one behind; it ended when its meter was logged last.
            data = transaction.samples
            self._transactions.stop(transaction, reason="PowerLoss", id_tag=None, data=data)
        self._firmware.booted(self._after)
        self._reservations.start()
        for connector in self._connectors.values():
            connector.power_up(senses_cable=self._after in self._behaviour.senses_cable_after)
        if self._after not in self._behaviour.reports_after:
            self._reporter.assume_known()
        self._charging_profiles.start()
        self._aligned.start()

    async def _wind_up(self, kind: str) -> None:
        """Stop the transactions and deliver what can be; only a hard reset is abrupt."""
        soft = kind == "Soft" and self._behaviour.delivers_before_soft_reset
        abrupt = kind != "power" and not soft
        if abrupt:
            self._connection.abort()
        for connector in self._connectors.values():
            if connector.transaction is not None:
                connector.stop("PowerLoss" if kind == "power" else f"{kind}Reset")
        if not abrupt and self._registration.online.is_set():
            try:
                async with asyncio.timeout(self._settings.message_timeout):
                    await self._transactions.idle.wait()
                    await self._reporter.idle.wait()
            except TimeoutError:
                _log.info("%s: reset with messages not delivered", self._settings.identity)
            await self._connection.close()
        if kind == "power":
            await asyncio.Event().wait()  # the buffer runs empty, which cancels everything

    async def _sense(self) -> Never:
        while True:
            match await self._hardware.next_event():
                case PlugChanged(number):
                    if number in self._connectors:
                        self._connectors[number].sense()
                case CardRead() as card:
                    self._admission.card_read(card)
                case SupplyFailed():
                    if self._settings.buffer_time > 0 and self._behaviour.stops_at_power_loss:
                        self._reset_wanted("power")

    def _reset_wanted(self, kind: str) -> None:
        if not self._reset.done():
            self._reset.set_result(kind)

    def _profiles(self) -> list[Mapping[str, Handler]]:
        """List what the feature profiles of the product answer."""
        handlers = {
            FirmwareManagement.PROFILE: self._firmware.handlers,
            LocalList.PROFILE: self._local_list.handlers,
            "Reservation": self._reserving.handlers,
            "SmartCharging": self._smart.handlers,
        }
        return [handlers[name] for name in self._settings.profiles if name in handlers]

    def _came_online(self) -> None:
        self._reporter.came_online()
        self._firmware.came_online()

    def _status_changed(self, number: int, status: Status) -> None:
        idle = not any(connector.transaction for connector in self._connectors.values())
        self._firmware.status_changed(number, status, idle=idle)
        self._reporter.changed(number, status)
        self._reserving.changed()

    def _status(self) -> Status:
        return Status("Available" if self._availability.operative(0) else "Unavailable")

    def _list_conflicts(self) -> None:
        self._reporter.changed(0, replace(self._status(), error_code="LocalListConflict"))

    def _status_of(self, number: int) -> Callable[[], Status]:
        return lambda: self._connectors[number].status

    def _limits_changed(self) -> None:
        for connector in self._connectors.values():
            connector.settle()

    def _sample_aligned(self) -> None:
        for connector in self._connectors.values():
            connector.sampler.sample_aligned()

    def _send_if_online(self, action: str, payload: Payload) -> None:
        if self._registration.online.is_set():
            self._send(action, payload)

    def _send(self, action: str, payload: Payload) -> None:
        self._spawn(lambda: self._connection.call(action, payload))

    def _spawn(self, work: Work) -> None:
        """Let something happen beside everything else, as long as the software runs."""
        if self._tasks is not None:
            self._tasks.create_task(self._attempt(work))

    async def _attempt(self, work: Work) -> None:
        try:
            await work()
        except CallFailed as error:
            _log.info("%s: %s", self._settings.identity, error)

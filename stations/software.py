"""The parts of a station's software, wired together for the time from one boot to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

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
from stations.hardware import StationHardware
from stations.local_list import LocalList
from stations.messages import Handler, Payload, Spawn
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


class Software:
    """All that a reset begins anew; what lasts is in the store and in the clock."""

    def __init__(
        self,
        settings: StationSettings,
        hardware: StationHardware,
        store: Store,
        clock: Clock,
        conduct: Conduct,
        *,
        after: str,
        spawn: Spawn,
        reset: Callable[[str], None],
    ) -> None:
        """Wire the parts; `after` names what ended the time before.

        `spawn` lets work happen beside everything else, `reset` asks for the end of it all.
        """
        behaviour = conduct.behaviour
        self._spawn = spawn
        count = len(hardware.connectors)
        self._availability = Availability(store)
        if after not in behaviour.keeps_availability_over:
            self._availability.forget()
        self.settings = settings = replace(settings, firmware=installed_version(store, settings))
        configuration = Configuration(settings, count, store)
        self.connection = Connection(
            settings,
            configuration.text("CentralSystemURL"),
            answer=lambda call: self._requests.answer(call),
            ping_interval=lambda: configuration.number("WebSocketPingInterval"),
            conduct=conduct,
        )
        configuration.watch("WebSocketPingInterval", self.connection.ping_interval_changed)
        self.registration = Registration(
            settings, configuration, self.connection, clock, behaviour, spawn
        )
        online = self.registration.online
        self.transactions = Transactions(
            store, clock, configuration, self.connection, online, behaviour
        )
        self.connectors: dict[int, Connector] = {}
        self.charging_profiles = ChargingProfiles(
            store,
            clock,
            behaviour,
            lambda: self.transactions.running,
            current=settings.current,
            connectors=count,
        )
        self.reporter = StatusReporter(
            self.connection,
            clock,
            online,
            {0: self._status} | {n: self._status_of(n) for n in range(1, count + 1)},
            behaviour,
        )
        energy = EnergyLog(store)
        self.reservations = Reservations(store, clock, behaviour)
        self._reserving = Reserving(
            self.connectors,
            self.reservations,
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
                self.transactions,
                clock,
                settings,
                behaviour,
                self._send_if_online,
            )
            charging = Charging(
                number,
                sampler,
                transactions=self.transactions,
                reservations=self.reservations,
                profiles=self.charging_profiles,
                behaviour=behaviour,
            )
            self.connectors[number] = Connector(
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
        wiring = (settings, store, clock, self.connection, online, behaviour)
        self.firmware = FirmwareManagement(*wiring, spawn=spawn, reset=reset)
        has_firmware = FirmwareManagement.PROFILE in settings.profiles
        authorizer = Authorizer(
            AuthorizationCache(store, clock),
            self._local_list if LocalList.PROFILE in settings.profiles else None,
            configuration,
            self.connection,
            online,
            behaviour,
            spawn,
        )
        authorizer.on_conflict = self._list_conflicts
        self.admission = Admission(
            self.connectors,
            authorizer,
            configuration,
            self._reserving,
            settings,
            behaviour,
            spawn,
        )
        self._smart = SmartCharging(
            self.connectors, self.charging_profiles, configuration, behaviour
        )
        is_smart = "SmartCharging" in settings.profiles
        self._requests = Requests(
            self.connectors,
            admission=self.admission,
            authorizer=authorizer,
            availability=self._availability,
            conduct=conduct,
            configuration=configuration,
            registration=self.registration,
            reporter=self.reporter,
            reset=reset,
            send=self._send,
            remote_trigger="RemoteTrigger" in settings.profiles,
            profiles=self._profiles(),
            takes_with_remote_start=self._smart.takes_with_remote_start if is_smart else None,
            triggers=self.firmware.triggers if has_firmware else None,
        )
        self.aligned = Ticker(
            lambda: configuration.number("ClockAlignedDataInterval") * behaviour.aligned_factor,
            self._sample_aligned,
            phase=clock.seconds_of_day,
        )
        configuration.watch("ClockAlignedDataInterval", self.aligned.interval_changed)
        self.charging_profiles.on_change = self._limits_changed
        self.transactions.on_confirmed = self.admission.confirmed
        self.registration.on_online = self._came_online

    def _profiles(self) -> list[Mapping[str, Handler]]:
        """List what the feature profiles of the product answer."""
        handlers = {
            FirmwareManagement.PROFILE: self.firmware.handlers,
            LocalList.PROFILE: self._local_list.handlers,
            "Reservation": self._reserving.handlers,
            "SmartCharging": self._smart.handlers,
        }
        return [handlers[name] for name in self.settings.profiles if name in handlers]

    def _came_online(self) -> None:
        self.reporter.came_online()
        self.firmware.came_online()

    def _status_changed(self, number: int, status: Status) -> None:
        idle = not any(connector.transaction for connector in self.connectors.values())
        self.firmware.status_changed(number, status, idle=idle)
        self.reporter.changed(number, status)
        self._reserving.changed()

    def _status(self) -> Status:
        return Status("Available" if self._availability.operative(0) else "Unavailable")

    def _list_conflicts(self) -> None:
        self.reporter.changed(0, replace(self._status(), error_code="LocalListConflict"))

    def _status_of(self, number: int) -> Callable[[], Status]:
        return lambda: self.connectors[number].status

    def _limits_changed(self) -> None:
        for connector in self.connectors.values():
            connector.settle()

    def _sample_aligned(self) -> None:
        for connector in self.connectors.values():
            connector.sampler.sample_aligned()

    def _send_if_online(self, action: str, payload: Payload) -> None:
        if self.registration.online.is_set():
            self._send(action, payload)

    def _send(self, action: str, payload: Payload) -> None:
        self._spawn(lambda: self.connection.call(action, payload))

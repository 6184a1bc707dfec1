"""An EV emulator whose protocol is not public: a profile of the lab says which request does what.

Requests are Modbus coils and registers, lines of text (SCPI and the like) or HTTP with JSON. See
docs/how-to/add-a-device-with-a-profile.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from bench.capability import End, PilotFault, PilotReading, VehicleCoupler, VehicleEmulator
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, Unverifiable
from drivers import profile
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.pilot import (
    check_connector,
    check_connectors,
    check_no_limit,
    check_open,
    check_shown,
    check_vehicle,
    known_state,
    state_of,
)
from drivers.profile_ev_map import EvProfile
from drivers.profile_ev_requests import Action, Shown, Value, uses_current
from drivers.profile_ev_signals import Signals, shows
from drivers.profile_ev_wiring import SCHEMES, Wiring, schemes, wire
from drivers.readback import poll, until

_PILOT_WITHIN = 0.5
"""Time in s that the pilot may be between two states."""

_EVERY = 0.02
"""Pause between two read-backs in s."""

_UNPLUGGING = {
    End.BOTH: "unplug",
    End.VEHICLE: "unplug_vehicle",
    End.STATION: "unplug_station",
}


@dataclass(frozen=True, slots=True)
class ProfileEvSettings:
    """Keys of an EV emulator with a profile in `bench.toml`."""

    link: str
    """By the profile's kind: `modbus-tcp:`, `modbus-rtu:`, `serial:`, `socket:` or `http:`."""
    profile: str
    """The path of the lab's profile, or a shipped one that is complete."""
    connectors: tuple[int, ...] = (1,)
    """The OCPP connectors that the emulator's plug may be in."""
    serial: str = ""
    """Serial number that the emulator must have."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        map_ = profile.load_ev(self.profile)
        address.parse(self.link, *schemes(map_))
        check_connectors(self.connectors)
        if self.serial and "serial" not in map_.signals:
            text = f"'serial' is given, but profile {self.profile!r} has no signal 'serial'"
            raise ValueError(text)


class ProfileEv(Device, VehicleCoupler, VehicleEmulator):
    """An EV emulator as its profile describes it."""

    def __init__(
        self,
        name: str,
        wiring: Wiring[Any, Any],
        profile: EvProfile,
        settings: ProfileEvSettings,
    ) -> None:
        self._name = name
        self._wiring = wiring
        self._signals = Signals(name, wiring, profile)
        self._profile = profile
        self._settings = settings
        self._last: Action = profile.actions["safe"]
        self._plugged = False

    async def __aenter__(self) -> Self:
        """Connect, compare the identity, make it safe."""
        await enter(self, self._wiring)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make it safe and close the link."""
        await leave(self, self._wiring, error)

    async def identify(self) -> Identity:
        """Read model, and serial number and firmware when the profile has them."""
        header, expected = self._profile.profile, self._profile.identity
        assert expected is not None, "an incomplete profile is refused when it is loaded"
        model = str(await self._signals.read("model"))
        if not re.fullmatch(expected.model, model):
            raise DeviceError(
                f"{self._name}: the model reads {model!r}, "
                f"expected to match {expected.model!r} of a {header.maker} {header.model}"
            )
        serial, firmware = [
            str(await self._signals.read(name)) if name in self._signals else ""
            for name in ("serial", "firmware")
        ]
        identity = Identity(header.maker, model, serial=serial, firmware=firmware)
        check_serial(self._name, identity, self._settings.serial)
        return identity

    async def make_safe(self) -> None:
        """Do what the profile calls safe: unplugged, no fault."""
        self._plugged = False
        self._last = safe = self._profile.actions["safe"]
        errors: list[DeviceError] = []
        for step in safe.steps:
            # A request that fails must not keep the others from being made.
            try:
                await self._wiring.perform(step, 0.0)
            except DeviceError as error:
                errors.append(error)
        if errors:
            raise type(errors[0])("; ".join(str(error) for error in errors))
        await self._confirm("safe", safe)

    async def self_test(self) -> str:
        """Plug in and unplug, and compare the read-backs and the pilot; the load stays off."""
        connector = self._settings.connectors[0]
        measured = "high" in self._signals
        if measured:
            check_open((await self.read_pilot(connector)).high)
        try:
            await self.plug_in(connector)
            if measured:
                await self._check_pilot("B", connector)
            await self.unplug(connector)
            if measured:
                await self._check_pilot("A", connector)
        finally:
            await self.make_safe()
        return f"plugs in and out{' with the pilot' if measured else '; no pilot signals'}"

    async def plug_in(self, connector: int) -> None:
        """Plug in as the profile says."""
        self._check(connector)
        self._plugged = True
        await self._act("plug_in", self._profile.actions["plug_in"])

    async def unplug(self, connector: int, *, end: End = End.BOTH) -> None:
        """Unplug; `Unverifiable` when the profile has no action for one end alone."""
        self._check(connector)
        role = _UNPLUGGING[end]
        action = self._action(role)
        self._plugged = False
        await self._act(role, action)

    async def is_plugged_in(self, connector: int) -> bool:
        """Tell whether the vehicle is connected, after reading back the last action.

        `Unverifiable` when the profile says that the last action can't be read back.
        """
        self._check(connector)
        if self._last.unconfirmed:
            raise Unverifiable(f"{self._name}: its profile can't read back the last action")
        await self._confirm("its last action", self._last)
        return self._plugged

    async def draw(
        self, connector: int, *, current: float | None = None, ventilation: bool = False
    ) -> None:
        """Ask for energy; with `ventilation` `Unverifiable` when the profile has no action for it.

        Where the profile can't set a current, `current` is accepted when the station offers no
        more at this moment, else the call is `Unverifiable`.
        """
        self._check_vehicle(connector, "draw")
        role = "draw_ventilated" if ventilation else "draw"
        action = self._action(role)
        vehicle = self._profile.vehicle
        if uses_current(action) and vehicle is not None:
            current = vehicle.current if current is None else current
            if not 0 < current <= vehicle.current:
                raise DeviceError(
                    f"{self._name}: {role}: {current:g} A, expected more than 0 and at most "
                    f"{vehicle.current:g} A as its profile says"
                )
        elif current is not None:
            await self._check_no_limit(connector, current)
        await self._act(role, action, current or 0.0)

    async def suspend(self, connector: int) -> None:
        """Stop asking for energy."""
        self._check_vehicle(connector, "suspend")
        await self._act("suspend", self._profile.actions["suspend"])

    async def set_fault(self, connector: int, fault: PilotFault) -> None:
        """Apply one fault; `Unverifiable` when the profile does not have it."""
        self._check(connector)
        action = self._profile.faults.get(fault)
        if action is not None:
            await self._act(f"fault {fault.value}", action)
        elif fault is not PilotFault.NONE:
            raise Unverifiable(f"{self._name}: its profile has no fault {fault.value!r}")

    async def read_pilot(self, connector: int) -> PilotReading:
        """Read the control pilot; `Unverifiable` when it is in no state or not measured."""
        self._check(connector)
        if "high" not in self._signals:
            raise Unverifiable(f"{self._name}: its profile has no pilot signals")
        high, low, duty, frequency = await poll(
            self._signals.pilot,
            lambda values: state_of(values[0]) is not None,
            within=_PILOT_WITHIN,
            every=_EVERY,
        )
        state = known_state(self._name, high)
        if frequency <= 0:
            return PilotReading(high, high, 100.0, 0.0, state)
        return PilotReading(high, low, duty, frequency, state)

    def _action(self, role: str) -> Action:
        """Return the action for a role; `Unverifiable` when the profile has none."""
        if role not in self._profile.actions:
            raise Unverifiable(f"{self._name}: its profile has no action {role!r}")
        action: Action = self._profile.actions[role]
        return action

    def _check(self, connector: int) -> None:
        check_connector(self._name, self._settings.connectors, connector)

    def _check_vehicle(self, connector: int, what: str) -> None:
        self._check(connector)
        check_vehicle(self._name, self._plugged, what, connector)

    async def _check_pilot(self, letter: str, connector: int) -> None:
        await check_shown(
            self._name,
            lambda: self.read_pilot(connector),
            letter,
            within=_PILOT_WITHIN,
            every=_EVERY,
        )

    async def _check_no_limit(self, connector: int, current: float) -> None:
        reading = await self.read_pilot(connector)
        check_no_limit(f"{self._name}: its profile", current, reading.offered)

    async def _act(self, what: str, action: Action, current: float = 0.0) -> None:
        """Send the steps of an action in order and wait for what it shows."""
        self._last = action
        for step in action.steps:
            await self._wiring.perform(step, current)
            self._check_last(action)
        await self._confirm(what, action)

    async def _confirm(self, what: str, action: Action) -> None:
        for name, expected in action.shows.items():
            await until(
                partial(self._read_back, name, action),
                partial(shows, expected),
                within=action.within,
                every=_EVERY,
                otherwise=partial(self._differs, what, name, expected),
            )

    def _differs(self, what: str, name: str, expected: Shown, value: Value) -> str:
        return f"{self._name}: {what}: signal {name!r} reads {value!r}, expected {expected!s}"

    async def _read_back(self, name: str, action: Action) -> Value:
        value = await self._signals.read(name)
        self._check_last(action)
        return value

    def _check_last(self, action: Action) -> None:
        if self._last is not action:
            raise DeviceError(f"{self._name}: another command came before this one was done")


def _make(settings: ProfileEvSettings, context: DriverContext) -> ProfileEv:
    map_ = profile.load_ev(settings.profile)
    return ProfileEv(context.name, wire(map_, settings.link, context), map_, settings)


DRIVER = Driver(settings=ProfileEvSettings, offers=(VehicleCoupler, VehicleEmulator), make=_make)

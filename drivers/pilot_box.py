"""The relay box: cable and vehicle made of resistors on the control pilot and proximity contact.

Modbus relay boards switch the resistors and an ADC module measures the pilot (profile
`pilot-box-12`). Source: IEC 61851-1 Annex A (pilot circuit) and Annex B (proximity contact).

The boards have no watchdog. Where the profile knows a timed command (table `[hold]`), the pilot
line and the fault relays open by themselves, 3 s after the computer has died; without one the
relays keep their position.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Self

from bench.capability import End, PilotFault, PilotReading, VehicleCoupler, VehicleEmulator
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, Unverifiable
from drivers import profile
from drivers.box_relays import BoxRelays
from drivers.lifecycle import enter, leave
from drivers.link import address
from drivers.link.modbus import SCHEMES, ModbusLink, modbus_link
from drivers.pilot import (
    UNPLUGGED,
    Position,
    asking,
    check_connector,
    check_connectors,
    check_no_limit,
    check_open,
    check_shown,
    check_vehicle,
    known_state,
    state_of,
)
from drivers.profile_pilot_box import PilotBoxProfile, PilotMeter
from drivers.readback import poll

_PILOT_WITHIN = 0.3
"""Time in s that the pilot may be between two states: relays bounce, the meter averages."""

_EVERY = 0.02
"""Pause between two read-backs in s."""

_WALK = (
    ("A", UNPLUGGED),
    ("B", Position(cable=True, vehicle=True)),
    ("C", Position(cable=True, vehicle=True, shows="C")),
    ("B", Position(cable=True, vehicle=True)),
    ("A", UNPLUGGED),
)
"""The way of the self-test, without D: a station may take that for a fault and lock for a while."""


@dataclass(frozen=True, slots=True)
class PilotBoxSettings:
    """Keys of a relay box in `bench.toml`."""

    link: str
    """`modbus-tcp://HOST:PORT` or `modbus-rtu:/dev/…?baudrate=…&parity=…`."""
    profile: str = "pilot-box-12"
    """A shipped profile, or the path of the lab's own."""
    cable: Literal[13, 20, 32, 63] = 32
    """Current in A that the proximity resistor stands for."""
    connectors: tuple[int, ...] = (1,)
    """The OCPP connectors that the box's plug may be in."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        profile.load(PilotBoxProfile, self.profile)
        check_connectors(self.connectors)


class PilotBox(Device, VehicleCoupler, VehicleEmulator):
    """A control pilot and proximity box of relays."""

    def __init__(
        self, name: str, link: ModbusLink, profile: PilotBoxProfile, settings: PilotBoxSettings
    ) -> None:
        self._name = name
        self._link = link
        self._profile = profile
        self._settings = settings
        self._relays = BoxRelays(name, link, profile)
        self._position = UNPLUGGED

    async def __aenter__(self) -> Self:
        """Connect, check that every unit answers, open all relays."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Open all relays and close the link."""
        try:
            await leave(self, self._link, error)
        finally:
            await self._relays.stop()

    async def identify(self) -> Identity:
        """Check that every unit answers; relay boards have no name, the profile's is told."""
        await self._relays.read()
        if self._profile.pilot is not None:
            await self._measure(self._profile.pilot)
        return Identity(self._profile.profile.maker, self._profile.profile.model)

    async def make_safe(self) -> None:
        """Open all relays: state A, no cable, no fault."""
        self._position = UNPLUGGED
        await self._relays.open_all()

    async def self_test(self) -> str:
        """Show A, B, C, B and A to the station, and compare the relays and the pilot each time.

        The vehicle is made of resistors: nothing flows, even when the station closes its contactor.
        """
        connector = self._settings.connectors[0]
        meter = self._profile.pilot
        await self.make_safe()
        if meter is not None:
            await self._check_pilot_lives(meter)
        try:
            for letter, position in _WALK:
                await self._move(position)
                if meter is not None:
                    await self._check_pilot_shows(letter, connector)
        finally:
            await self.make_safe()
        if meter is None:
            return "relays follow through A, B, C, B, A; no pilot meter"
        return "relays and pilot follow through A, B, C, B, A"

    async def plug_in(self, connector: int) -> None:
        """Code the cable on the proximity contact and show state B."""
        self._check(connector)
        await self._move(replace(self._position, cable=True, vehicle=True, shows="B"))

    async def unplug(self, connector: int, *, end: End = End.BOTH) -> None:
        """Open the control pilot; open the proximity contact unless the cable stays in."""
        self._check(connector)
        cable = self._position.cable and end is End.VEHICLE
        await self._move(replace(self._position, cable=cable, vehicle=False))

    async def is_plugged_in(self, connector: int) -> bool:
        """Tell whether the vehicle is connected, after comparing the relays with the command."""
        self._check(connector)
        await self._relays.show(self._closed(self._position))
        return self._position.vehicle

    async def draw(
        self, connector: int, *, current: float | None = None, ventilation: bool = False
    ) -> None:
        """Show state C, or D with `ventilation`.

        Resistors can't limit a current: `current` is accepted when it is no less than what the
        cable allows or the station offers at this moment, else the call is `Unverifiable`.
        """
        self._check_vehicle(connector, "draw")
        if current is not None and current < self._settings.cable:
            await self._check_no_limit(connector, current)
        await self._move(replace(self._position, shows=asking(ventilation)))

    async def suspend(self, connector: int) -> None:
        """Show state B."""
        self._check_vehicle(connector, "suspend")
        await self._move(replace(self._position, shows="B"))

    async def set_fault(self, connector: int, fault: PilotFault) -> None:
        """Apply one fault in place of the last one, or remove it."""
        self._check(connector)
        await self._move(replace(self._position, fault=fault))

    async def read_pilot(self, connector: int) -> PilotReading:
        """Measure the control pilot; `Unverifiable` when it is in no state or not measured."""
        self._check(connector)
        meter = self._profile.pilot
        if meter is None:
            raise Unverifiable(f"{self._name}: its profile has no pilot meter")
        high, low, duty, frequency = await poll(
            lambda: self._measure(meter),
            lambda values: state_of(values[0]) is not None,
            within=_PILOT_WITHIN,
            every=_EVERY,
        )
        state = known_state(self._name, high)
        return PilotReading(high, low, duty if frequency > 0 else 100.0, frequency, state)

    async def _check_pilot_lives(self, meter: PilotMeter) -> None:
        high, *_ = await self._measure(meter)
        check_open(high)

    async def _check_pilot_shows(self, letter: str, connector: int) -> None:
        await check_shown(
            self._name,
            lambda: self.read_pilot(connector),
            letter,
            within=_PILOT_WITHIN,
            every=_EVERY,
        )

    def _check(self, connector: int) -> None:
        check_connector(self._name, self._settings.connectors, connector)

    def _check_vehicle(self, connector: int, what: str) -> None:
        self._check(connector)
        check_vehicle(self._name, self._position.vehicle, what, connector)

    async def _check_no_limit(self, connector: int, current: float) -> None:
        reading = await self.read_pilot(connector)
        cable = f", the cable allows {self._settings.cable} A"
        check_no_limit(f"{self._name}: a relay box", current, reading.offered, cable)

    async def _move(self, target: Position) -> None:
        """Bring the relays to a position: pilot line opened first, closed last."""
        before, after = self._closed(self._position), self._closed(target)
        self._position = target
        if ("cp" in before) != ("cp" in after):
            await self._relays.command((after if "cp" in after else before) - {"cp"})
            self._check_current(target)
        await self._relays.command(after)
        self._check_current(target)
        await self._relays.confirm(after)

    def _check_current(self, target: Position) -> None:
        if self._position is not target:
            raise DeviceError(f"{self._name}: another command came before this one was done")

    def _closed(self, position: Position) -> frozenset[str]:
        return position.closed(self._settings.cable)

    async def _measure(self, meter: PilotMeter) -> tuple[float, float, float, float]:
        values = meter.values()
        first = min(value.register for value in values)
        count = max(value.register for value in values) - first + 1
        words = await self._link.read_registers(meter.unit, first, count, function=4)
        high, low, duty, frequency = (
            round(_signed(words[value.register - first]) * value.scale, 9) for value in values
        )
        return high, low, duty, frequency


def _signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word


def _make(settings: PilotBoxSettings, context: DriverContext) -> PilotBox:
    link = modbus_link(address.parse(settings.link, *SCHEMES), context)
    return PilotBox(context.name, link, profile.load(PilotBoxProfile, settings.profile), settings)


DRIVER = Driver(settings=PilotBoxSettings, offers=(VehicleCoupler, VehicleEmulator), make=_make)

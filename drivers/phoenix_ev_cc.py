"""A Phoenix Contact EV Charge Control Basic as a reference EVSE, over Modbus.

Source: Phoenix Contact, user manual 106377 and user's guides of the EV-CC family. Charging must be
released by Modbus (register 4000 = 3, set with the maker's software).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import EvseReading, ReferenceEvse
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, Unverifiable
from drivers.lifecycle import enter, leave
from drivers.link import address
from drivers.link.modbus import SCHEMES, ModbusLink, modbus_link
from drivers.readback import until

_RELEASE = 20000
"""Coil: charging is released."""

_RELEASED_BY, _BY_MODBUS = 4000, 3
"""Holding register: what releases charging."""

_MOST_CURRENT = 22000
"""Holding register in A."""

_STATUS, _STATUS_COUNT = 24000, 4
"""Holding registers: state as two letters, cable in A, duty cycle in percent, current in A."""

_NAMES, _NAMES_COUNT = 1000, 34
"""Input registers: name, serial number and versions."""

_CABLE_SHORTED = 0xFFFF

_WITHIN, _EVERY = 0.5, 0.05
"""Deadline of a read-back, and pause between two, in s."""


@dataclass(frozen=True, slots=True)
class PhoenixEvCcSettings:
    """Keys of an EV Charge Control in `bench.toml`."""

    link: str
    """`modbus-rtu:/dev/…?baudrate=9600` (8N1), or `modbus-tcp://HOST` of a gateway."""
    unit: int = 1
    """Modbus address of the controller, 1 to 247."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if not 1 <= self.unit <= 247:
            raise ValueError(f"'unit' is {self.unit}, expected 1 to 247")


class PhoenixEvCc(Device, ReferenceEvse):
    """A charging controller in place of the DUT."""

    def __init__(self, name: str, link: ModbusLink, settings: PhoenixEvCcSettings) -> None:
        self._name = name
        self._link = link
        self._unit = settings.unit

    async def __aenter__(self) -> Self:
        """Connect, check that Modbus releases charging, release nothing."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release nothing and close the link."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read name and versions; raises when something else than Modbus releases charging."""
        by = await self._register(_RELEASED_BY)
        if by != _BY_MODBUS:
            raise DeviceError(
                f"{self._name}: register {_RELEASED_BY} (release of charging) reads {by}, "
                f"expected {_BY_MODBUS} for Modbus; set it with the maker's software"
            )
        words = await self._link.read_registers(self._unit, _NAMES, _NAMES_COUNT, function=4)
        text = struct.pack(f">{_NAMES_COUNT}H", *words).decode("latin-1")
        parts = "".join(each if each.isascii() and each.isprintable() else "\n" for each in text)
        names = [part.strip() for part in parts.split("\n") if len(part.strip()) > 1]
        if not names:
            raise DeviceError(f"{self._name}: registers {_NAMES} to 1033 (name) hold no text")
        return Identity("Phoenix Contact", names[0], firmware=" ".join(names[1:]))

    async def make_safe(self) -> None:
        """Release nothing."""
        await self.withdraw()

    async def self_test(self) -> str:
        """Tell what the controller sees; it releases nothing."""
        await self.withdraw()
        seen = await self.read()
        return f"sees state {seen.state}, releases nothing"

    async def offer(self, *, current: float) -> None:
        """Set the current, rounded down to whole A, and release charging."""
        if not 6 <= current <= 80:
            raise ValueError(f"{self._name}: current is {current:g} A, expected 6 to 80")
        await self._link.write_register(self._unit, _MOST_CURRENT, int(current))
        await until(
            lambda: self._register(_MOST_CURRENT),
            lambda value: value == int(current),
            within=_WITHIN,
            every=_EVERY,
            otherwise=lambda value: (
                f"{self._name}: register {_MOST_CURRENT} (current) reads {value} A, "
                f"commanded {int(current)} A,"
            ),
        )
        await self._release(True)

    async def withdraw(self) -> None:
        """Take the release away."""
        await self._release(False)

    async def read(self) -> EvseReading:
        """Read state, cable and duty cycle."""
        words = await self._link.read_registers(self._unit, _STATUS, _STATUS_COUNT, function=3)
        status = struct.pack(">H", words[0]).decode("latin-1")
        if status[0] not in "ABCDEF" or status[1] not in "12":
            raise Unverifiable(f"{self._name}: it tells status {status!r}, expected A1 to F2")
        cable = None if words[1] in (0, _CABLE_SHORTED) else float(words[1])
        pwm = status[1] == "2"
        return EvseReading(status[0], pwm, float(words[2]) if pwm else 100.0, cable)

    async def _release(self, on: bool) -> None:
        await self._link.write_coil(self._unit, _RELEASE, on)
        await until(
            self._released,
            lambda released: released is on,
            within=_WITHIN,
            every=_EVERY,
            otherwise=lambda released: (
                f"{self._name}: coil {_RELEASE} (release) reads {'on' if released else 'off'}, "
                f"commanded {'on' if on else 'off'},"
            ),
        )

    async def _released(self) -> bool:
        return (await self._link.read_coils(self._unit, _RELEASE, 1))[0]

    async def _register(self, register: int) -> int:
        return (await self._link.read_registers(self._unit, register, 1, function=3))[0]


def _make(settings: PhoenixEvCcSettings, context: DriverContext) -> PhoenixEvCc:
    link = modbus_link(address.parse(settings.link, *SCHEMES), context)
    return PhoenixEvCc(context.name, link, settings)


DRIVER = Driver(settings=PhoenixEvCcSettings, offers=(ReferenceEvse,), make=_make)

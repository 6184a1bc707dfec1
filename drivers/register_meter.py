"""A meter that is read over Modbus registers; a profile says where each quantity is.

Profiles are shipped for the Eastron SDM family. The energy registers of these meters are float32:
at 100 MWh one step is 8 Wh.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import MeterReading, PowerMeter
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError
from bench.metrology import Quantity
from drivers import profile
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.modbus import SCHEMES, ModbusLink
from drivers.profile import TYPES, MeterProfile, Register


@dataclass(frozen=True, slots=True)
class RegisterMeterSettings:
    """Keys of a Modbus meter in `bench.toml`."""

    link: str
    """`modbus-tcp://HOST:PORT` or `modbus-rtu:/dev/…?baudrate=…&parity=…`."""
    profile: str
    """A shipped profile such as `eastron-sdm630`, or the path of the lab's own."""
    unit: int = 1
    """Modbus address of the meter, 1 to 247."""
    serial: str = ""
    """Serial number that the meter must have, as on its calibration certificate."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        map_ = profile.load(MeterProfile, self.profile)
        if not 1 <= self.unit <= 247:
            raise ValueError(f"'unit' is {self.unit}, expected 1 to 247")
        if self.serial and map_.identify is None:
            raise ValueError(f"'serial' is given, but profile {self.profile!r} has no [identify]")


class RegisterMeter(Device, PowerMeter):
    """A Modbus energy meter."""

    def __init__(
        self, name: str, link: ModbusLink, profile: MeterProfile, settings: RegisterMeterSettings
    ) -> None:
        self._name = name
        self._link = link
        self._profile = profile
        self._settings = settings
        values = profile.quantities
        self._runs = _runs(
            self._span(register)
            for register in (*values.voltage, *values.current, values.power, values.energy_import)
        )

    async def __aenter__(self) -> Self:
        """Connect, check the serial number, and read once."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the link."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read the serial number and all quantities; raises when either is not as declared."""
        header = self._profile.profile
        serial = ""
        if self._profile.identify is not None:
            serial = f"{await self._number(self._profile.identify.serial):.0f}"
        identity = Identity(header.maker, header.model, serial=serial)
        check_serial(self._name, identity, self._settings.serial)
        await self.read()
        return identity

    async def make_safe(self) -> None:
        """Do nothing: a meter only listens."""

    async def read(self) -> MeterReading:
        """Read all quantities once, one request per run of neighbouring registers."""
        words: dict[tuple[int, int], int] = {}
        for function, first, count in self._runs:
            run = await self._link.read_registers(
                self._settings.unit, first, count, function=function
            )
            words.update({(function, first + at): word for at, word in enumerate(run)})
        values = self._profile.quantities
        return MeterReading(
            voltage=tuple(
                self._quantity("voltage", register, words) for register in values.voltage
            ),
            current=tuple(
                self._quantity("current", register, words) for register in values.current
            ),
            power=self._quantity("power", values.power, words),
            energy_import=self._quantity("energy_import", values.energy_import, words),
        )

    def _span(self, register: Register) -> tuple[int, int, int]:
        """Tell function, first register and number of registers of a value."""
        map_ = self._profile.map
        size = struct.calcsize(TYPES[register.type or map_.type]) // 2
        return register.function or map_.function, register.register, size

    async def _number(self, register: Register) -> float:
        function, first, count = self._span(register)
        words = await self._link.read_registers(
            self._settings.unit, first, count, function=function
        )
        return self._decode(register, {(function, first + at): w for at, w in enumerate(words)})

    def _quantity(
        self, key: str, register: Register, words: Mapping[tuple[int, int], int]
    ) -> Quantity:
        number = self._decode(register, words)
        if not math.isfinite(number):
            raise DeviceError(
                f"{self._name}: register {register.register:#06x} ({key}) reads {number}, "
                "expected a number"
            )
        unit, factor = register.si
        return Quantity(number * factor, unit)

    def _decode(self, register: Register, words: Mapping[tuple[int, int], int]) -> float:
        map_ = self._profile.map
        function, first, count = self._span(register)
        own = [words[function, first + at] for at in range(count)]
        if (register.words or map_.words) == "low-first":
            own.reverse()
        letter = TYPES[register.type or map_.type]
        return float(struct.unpack(f">{letter}", struct.pack(f">{count}H", *own))[0])


def _runs(spans: Iterable[tuple[int, int, int]], *, limit: int = 60) -> list[tuple[int, int, int]]:
    """Join neighbouring spans to requests of at most `limit` registers.

    Gaps are not read: some meters refuse a request that touches an undefined register.
    """
    runs: list[tuple[int, int, int]] = []
    for function, first, count in sorted(set(spans)):
        if runs:
            last_function, last_first, last_count = runs[-1]
            joined = max(last_count, first + count - last_first)
            if function == last_function and first <= last_first + last_count and joined <= limit:
                runs[-1] = (function, last_first, joined)
                continue
        runs.append((function, first, count))
    return runs


def _make(settings: RegisterMeterSettings, context: DriverContext) -> RegisterMeter:
    link = ModbusLink(address.parse(settings.link, *SCHEMES), context.name)
    return RegisterMeter(context.name, link, profile.load(MeterProfile, settings.profile), settings)


DRIVER = Driver(settings=RegisterMeterSettings, offers=(PowerMeter,), make=_make)

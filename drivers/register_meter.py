"""A meter that is read over Modbus registers; a profile says where each quantity is.

Profiles are shipped for Eastron SDM, Carlo Gavazzi EM24 and EM340, and ABB B23. The energy
registers of the Eastron meters are float32: at 100 MWh one step is 8 Wh.
"""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import MeterReading, PowerMeter
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, LinkError, Unverifiable
from bench.metrology import Quantity
from drivers import profile
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.modbus import SCHEMES, ModbusLink, modbus_link
from drivers.profile_header import TYPES
from drivers.profile_meter import MeterProfile, Register

_MOST_VOLTS = 300.0
"""What a phase may have to neutral in V: 277 V and its tolerance."""

Runs = list[tuple[int, int, int]]
"""Function, first register and number of registers of each request."""

_POWER_FLOOR = 20.0
"""Difference in W that a load which changes between two registers may make."""


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
        if self.serial and (map_.identify is None or map_.identify.serial is None):
            text = f"'serial' is given, but profile {self.profile!r} has no [identify] serial"
            raise ValueError(text)


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
        registers = (
            *values.voltage,
            *values.current,
            values.power,
            values.energy_import,
            *((values.temperature,) if values.temperature else ()),
        )
        spans = [self._span(register) for register in registers]
        self._runs = _runs(spans, gap=0)
        self._joined = _runs(spans, gap=link.request_costs)
        """The same over the gaps between them; taken when the meter answers it."""

    async def __aenter__(self) -> Self:
        """Connect, check model and serial number, and read once."""
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
        """Read model, serial number, all quantities; raises when the meter is not as declared."""
        header = self._profile.profile
        serial = ""
        if (own := self._profile.identify) is not None:
            if own.model is not None:
                self._check_model(own.model, await self._number(own.model), own.models)
            if own.serial is not None:
                serial = f"{await self._number(own.serial):.0f}"
        identity = Identity(header.maker, header.model, serial=serial)
        check_serial(self._name, identity, self._settings.serial)
        await self._join()
        # Whether a value is available now is for the case that needs it, not for the opening.
        with contextlib.suppress(Unverifiable):
            await self.read()
        return identity

    async def make_safe(self) -> None:
        """Do nothing: a meter only listens."""

    async def self_test(self) -> str:
        """Read twice and check that the quantities fit each other."""
        first, second = await self.read(), await self.read()
        step = second.energy_import.value - first.energy_import.value
        if step < 0:
            raise DeviceError(f"{self._name}: imported energy went back by {-step:g} Wh")
        for volts in second.voltage:
            if not 0 <= volts.value <= _MOST_VOLTS:
                text = f"expected 0 to {_MOST_VOLTS:g} V from phase to neutral"
                raise DeviceError(f"{self._name}: voltage reads {volts.value:g} V, {text}")
        apparent = sum(
            volts.value * abs(amps.value)
            for volts, amps in zip(second.voltage, second.current, strict=False)
        )
        if second.voltage and abs(second.power.value) > apparent * 1.05 + _POWER_FLOOR:
            raise DeviceError(
                f"{self._name}: active power reads {second.power.value:g} W, "
                f"more than the {apparent:.0f} VA of its voltages and currents"
            )
        levels = ", ".join(f"{volts.value:.0f} V" for volts in second.voltage)
        return f"reads {levels + ', ' if levels else ''}{second.power.value:.0f} W, plausible"

    async def _join(self) -> None:
        """Read over the gaps from now on, where that is faster and the meter answers it.

        Many a meter refuses a request that touches an undefined register.
        """
        if self._joined == self._runs:
            return
        try:
            await self._words(self._joined)
        except LinkError:
            raise
        except DeviceError:
            self._joined = self._runs
        else:
            self._runs = self._joined

    async def _words(self, runs: Runs) -> dict[tuple[int, int], int]:
        words: dict[tuple[int, int], int] = {}
        for function, first, count in runs:
            run = await self._link.read_registers(
                self._settings.unit, first, count, function=function
            )
            words.update({(function, first + at): word for at, word in enumerate(run)})
        return words

    async def read(self) -> MeterReading:
        """Read all quantities once, in as few requests as the meter allows.

        Raises `Unverifiable` when the meter says that a value is not available; without L2 and
        L3 the reading has L1 alone.
        """
        words = await self._words(self._runs)
        values = self._profile.quantities
        return MeterReading(
            voltage=self._phases("voltage", values.voltage, words),
            current=self._phases("current", values.current, words),
            power=self._quantity("power", values.power, words),
            energy_import=self._quantity("energy_import", values.energy_import, words),
            temperature=(
                self._quantity("temperature", values.temperature, words)
                if values.temperature
                else None
            ),
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
        number = self._decode(register, {(function, first + at): w for at, w in enumerate(words)})
        return math.nan if number is None else number

    def _check_model(self, register: Register, number: float, models: tuple[int, ...]) -> None:
        if number not in models:
            expected = ", ".join(map(str, models))
            raise DeviceError(
                f"{self._name}: register {register.register:#06x} (model) reads {number:.0f}, "
                f"expected {expected} of a {self._profile.profile.model}"
            )

    def _phases(
        self, key: str, registers: tuple[Register, ...], words: Mapping[tuple[int, int], int]
    ) -> tuple[Quantity, ...]:
        others = registers[1:]
        if others and all(self._decode(register, words) is None for register in others):
            registers = registers[:1]
        return tuple(self._quantity(key, register, words) for register in registers)

    def _quantity(
        self, key: str, register: Register, words: Mapping[tuple[int, int], int]
    ) -> Quantity:
        number = self._decode(register, words)
        where = f"{self._name}: register {register.register:#06x} ({key})"
        if number is None:
            raise Unverifiable(f"{where} says that the value is not available")
        if not math.isfinite(number):
            raise DeviceError(f"{where} reads {number}, expected a number")
        unit, factor = register.si
        return Quantity(number * factor, unit)

    def _decode(self, register: Register, words: Mapping[tuple[int, int], int]) -> float | None:
        """Make the number of its words, None when the meter marks it as not available."""
        map_ = self._profile.map
        function, first, count = self._span(register)
        own = [words[function, first + at] for at in range(count)]
        if (register.words or map_.words) == "low-first":
            own.reverse()
        letter = TYPES[register.type or map_.type]
        data = struct.pack(f">{count}H", *own)
        if map_.greatest_is_missing and letter != "f":
            greatest = (
                b"\xff" * len(data) if letter.isupper() else b"\x7f".ljust(len(data), b"\xff")
            )
            if data == greatest:
                return None
        return float(struct.unpack(f">{letter}", data)[0])


def _runs(spans: Runs, *, gap: int, limit: int = 60) -> Runs:
    """Join spans at most `gap` registers apart to requests of at most `limit` registers."""
    runs: Runs = []
    for function, first, count in sorted(set(spans)):
        if runs:
            last_function, last_first, last_count = runs[-1]
            joined = max(last_count, first + count - last_first)
            near = first <= last_first + last_count + gap
            if function == last_function and near and joined <= limit:
                runs[-1] = (function, last_first, joined)
                continue
        runs.append((function, first, count))
    return runs


def _make(settings: RegisterMeterSettings, context: DriverContext) -> RegisterMeter:
    link = modbus_link(address.parse(settings.link, *SCHEMES), context)
    return RegisterMeter(context.name, link, profile.load(MeterProfile, settings.profile), settings)


DRIVER = Driver(settings=RegisterMeterSettings, offers=(PowerMeter,), make=_make)

"""Twins of energy meters, from the makers' protocol documents.

Eastron SDM has floats in input registers; Carlo Gavazzi and ABB have integers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from drivers.sim.faults import Faults
from drivers.sim.modbus import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    ModbusError,
    Unit,
    words,
)
from drivers.sim.timeline import Timeline, Timer
from drivers.sim.world import Supply

FREQUENCY = 50.0
_MOST_REGISTERS = 80
_SERIAL, _CODE, _VERSION = 0xFC00, 0xFC02, 0xFC03


@dataclass(frozen=True, slots=True)
class Model:
    """What one meter of the family offers."""

    code: int
    """Holding register 0xFC02."""
    registers: Callable[[Supply], dict[int, float]]
    """Input registers by address; what is not listed but lies in between reads 0."""
    size: int
    """Addresses from here on do not exist."""
    baud_code: float
    """Holding register 0x1C as delivered."""


def _three_phases(seen: Supply) -> dict[int, float]:
    values: dict[int, float] = {}
    kwh = [energy / 1000 for energy in seen.energy]
    for phase in range(3):
        offset = 2 * phase
        volts, amps, watts = seen.voltage[phase], seen.current[phase], seen.power[phase]
        values[0x00 + offset] = volts
        values[0x06 + offset] = amps
        values[0x0C + offset] = values[0x12 + offset] = watts
        values[0x1E + offset] = 1.0
        values[0xC8 + offset] = volts * 3**0.5
        values[0x15A + offset] = values[0x166 + offset] = kwh[phase]
    total = sum(seen.power)
    values |= {0x2A: sum(seen.voltage) / 3, 0x2E: sum(seen.current) / 3, 0x30: sum(seen.current)}
    values |= {0x34: total, 0x38: total, 0x3E: 1.0, 0x46: FREQUENCY}
    values |= {0x48: sum(kwh), 0x156: sum(kwh)}
    return values


def _one_phase(seen: Supply) -> dict[int, float]:
    watts, kwh = seen.power[0], seen.energy[0] / 1000
    values = {0x00: seen.voltage[0], 0x06: seen.current[0], 0x0C: watts, 0x12: watts, 0x1E: 1.0}
    return values | {0x46: FREQUENCY, 0x48: kwh, 0x156: kwh}


def _totals(seen: Supply) -> dict[int, float]:
    watts, kwh = sum(seen.power), sum(seen.energy) / 1000
    return {0x34: watts, 0x48: kwh, 0x156: kwh, 0x500: watts}


MODELS = MappingProxyType(
    {
        "SDM630": Model(code=0x0070, registers=_three_phases, size=0x182, baud_code=2.0),
        "SDM120": Model(code=0x0020, registers=_one_phase, size=0x15A, baud_code=0.0),
        "SDM72": Model(code=0x0084, registers=_totals, size=0x504, baud_code=2.0),
    }
)
"""The meters by name; `SDM72` is version 1 of the SDM72D, which knows totals only."""


class EnergyMeter(Unit):
    """A meter that takes a reading every `interval` s, as the real ones do; 0: at each request."""

    def __init__(
        self,
        measure: Callable[[], Supply],
        timeline: Timeline,
        *,
        model: str = "SDM630",
        address: int = 1,
        interval: float = 1.0,
        serial: int = 20_231_117,
    ) -> None:
        self.address = address
        self._measure = measure
        self._timeline = timeline
        self._model = MODELS[model]
        self._interval = interval
        self._serial = serial
        self._settings: dict[int, float] = {}
        self._input: dict[int, float] = {}
        self._tick: Timer | None = None

    def power_up(self) -> None:
        """Start; settings stay, as the meter stores them."""
        self._settings = {
            0x0C: 100.0,
            0x12: 0.0,
            0x14: float(self.address),
            0x1C: self._model.baud_code,
        } | self._settings
        if self._tick is not None:
            self._tick.cancel()
        self._update()

    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Read measurements (FC04) and settings (FC03), write settings (FC16)."""
        self._timeline.now()
        match request[0]:
            case 0x03:
                return self._read_settings(*words(request), faults)
            case 0x04:
                return self._read_input(*words(request))
            case 0x10:
                return self._write_setting(request)
            case _:
                raise ModbusError(ILLEGAL_FUNCTION)

    def _update(self) -> None:
        self._input = self._model.registers(self._measure())
        if self._interval > 0:
            self._tick = self._timeline.after(self._interval, self._update)

    def _read_input(self, start: int, count: int) -> bytes:
        if start % 2 or count % 2 or start + count > self._model.size:
            raise ModbusError(ILLEGAL_ADDRESS)
        if not 2 <= count <= _MOST_REGISTERS:
            raise ModbusError(ILLEGAL_VALUE)
        if self._interval <= 0:
            self._update()
        values = [self._input.get(address, 0.0) for address in range(start, start + count, 2)]
        return struct.pack(f">BB{len(values)}f", 0x04, 2 * count, *values)

    def _read_settings(self, start: int, count: int, faults: Faults) -> bytes:
        if start == _SERIAL and count == 2:
            return struct.pack(">BBI", 0x03, 4, self._serial + faults.wrong_identity)
        if start in (_CODE, _VERSION) and count == 1:
            code = 0xFFFF if faults.wrong_identity else self._model.code
            return struct.pack(">BBH", 0x03, 2, code if start == _CODE else 0x0103)
        if start not in self._settings or count != 2:
            raise ModbusError(ILLEGAL_ADDRESS)
        return struct.pack(">BBf", 0x03, 4, self._settings[start])

    def _write_setting(self, request: bytes) -> bytes:
        start, count = words(request)
        if start not in self._settings or count != 2:
            raise ModbusError(ILLEGAL_ADDRESS)
        if len(request) != 10 or request[5] != 4:
            raise ModbusError(ILLEGAL_VALUE)
        (self._settings[start],) = struct.unpack(">f", request[6:])
        self.address = int(self._settings[0x14])
        return request[:5]


_CODE_ALONE = 0x0B

Field = tuple[str, int | None]
"""A value as the register map types it (`struct` letter), and its number; None: not available."""


@dataclass(frozen=True, slots=True)
class IntegerModel:
    """What one meter with integer registers offers."""

    functions: tuple[int, ...]
    registers: Callable[[Supply, int], dict[int, Field]]
    """Values by address, of what is measured and the serial number."""
    low_first: bool
    most: int
    """Registers that one request may ask for."""
    code: int | None = None
    """What register 0x0B holds when it is asked for alone; else it is half of the voltage L3-L1."""


def _gavazzi(seen: Supply, serial: int) -> dict[int, Field]:
    values: dict[int, Field] = {}
    for phase in range(len(seen.voltage)):
        offset = 2 * phase
        values[0x00 + offset] = ("i", round(seen.voltage[phase] * 10))
        values[0x06 + offset] = ("i", round(seen.voltage[phase] * 3**0.5 * 10))
        values[0x0C + offset] = ("i", round(seen.current[phase] * 1000))
        values[0x12 + offset] = ("i", round(seen.power[phase] * 10))
        values[0x40 + offset] = ("i", int(seen.energy[phase] / 100))
    values |= {0x28: ("i", round(sum(seen.power) * 10)), 0x33: ("H", round(FREQUENCY * 10))}
    return values | {0x34: ("i", int(sum(seen.energy) / 100)), 0x4E: ("i", 0)}


def _abb(seen: Supply, serial: int) -> dict[int, Field]:
    values: dict[int, Field] = {}
    for phase in range(3):
        offset, here = 2 * phase, phase < len(seen.voltage)
        values[0x5B00 + offset] = ("I", round(seen.voltage[phase] * 10) if here else None)
        values[0x5B0C + offset] = ("I", round(seen.current[phase] * 100) if here else None)
        values[0x5B16 + offset] = ("i", round(seen.power[phase] * 100) if here else None)
    values |= {0x5B14: ("i", round(sum(seen.power) * 100)), 0x5B2C: ("H", round(FREQUENCY * 100))}
    # Import, export, net; then the same of reactive energy.
    energy = int(sum(seen.energy) / 10)
    values |= {0x5000: ("Q", energy), 0x5004: ("Q", 0), 0x5008: ("q", energy)}
    values |= {0x500C: ("Q", 0), 0x5010: ("Q", 0), 0x5014: ("q", 0)}
    return values | {0x8900: ("I", serial)}


INTEGER_MODELS = MappingProxyType(
    {
        "EM24-E1": IntegerModel((3, 4), _gavazzi, low_first=True, most=11, code=1648),
        "EM340": IntegerModel((3, 4), _gavazzi, low_first=True, most=11),
        "B23": IntegerModel((3,), _abb, low_first=False, most=125),
    }
)
"""The meters by name. Each request measures afresh: the real ones lag by up to 1 s."""


class IntegerMeter(Unit):
    """A meter with scaled integers; it refuses registers that its map does not define."""

    def __init__(
        self,
        measure: Callable[[], Supply],
        *,
        model: str,
        address: int = 1,
        serial: int = 1_234_567,
    ) -> None:
        self.address = address
        self._measure = measure
        self._model = INTEGER_MODELS[model]
        self._serial = serial

    def power_up(self) -> None:
        """Start: nothing to do."""

    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Read registers."""
        function = request[0]
        if function not in self._model.functions:
            raise ModbusError(ILLEGAL_FUNCTION)
        start, count = words(request)
        if not 1 <= count <= self._model.most:
            raise ModbusError(ILLEGAL_VALUE)
        code = self._model.code
        if code is not None and (start, count) == (_CODE_ALONE, 1):
            return struct.pack(">BBH", function, 2, 0xFFFF if faults.wrong_identity else code)
        fields = self._model.registers(self._measure(), self._serial + faults.wrong_identity)
        map_: dict[int, int] = {}
        for address, (letter, number) in fields.items():
            map_ |= enumerate(self._words(letter, number), start=address)
        try:
            values = [map_[address] for address in range(start, start + count)]
        except KeyError:
            raise ModbusError(ILLEGAL_ADDRESS) from None
        return struct.pack(f">BB{count}H", function, 2 * count, *values)

    def _words(self, letter: str, number: int | None) -> tuple[int, ...]:
        size = struct.calcsize(letter)
        if number is None:
            number = (1 << 8 * size - letter.islower()) - 1
        found = struct.unpack(f">{size // 2}H", struct.pack(f">{letter}", number))
        return found[::-1] if self._model.low_first else found

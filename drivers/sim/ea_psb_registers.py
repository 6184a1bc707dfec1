"""Twin of an EA-PSB on its Modbus port: the registers of the device that also speaks SCPI."""

from __future__ import annotations

import struct
from typing import Literal

from drivers.sim.ea_psb import CURRENT, POWER, VOLTAGE, EaPsb
from drivers.sim.faults import Faults
from drivers.sim.modbus import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    ModbusError,
    ModbusLine,
    Unit,
    words,
)
from drivers.sim.twin import Wired
from drivers.sim.wire import Line

_REFUSED = 0x04
_FULL = 0xCCCC
_COILS = {402: "SYST:LOCK", 405: "OUTP"}
_SET = {
    500: ("VOLT", VOLTAGE),
    501: ("CURR", CURRENT),
    502: ("POW", POWER),
    498: ("SINK:POW", POWER),
    499: ("SINK:CURR", CURRENT),
}
_ACTUAL = {507: ("MEAS:VOLT", VOLTAGE), 508: ("MEAS:CURR", CURRENT), 509: ("MEAS:POW", POWER)}
_ON, _REMOTE, _ALARM = 1 << 7, 1 << 11, 1 << 15


class EaPsbModbus(Wired):
    """The device on a Modbus line of its own."""

    def __init__(self, psb: EaPsb, *, framing: Literal["tcp", "rtu"] = "tcp") -> None:
        self.psb = psb
        self.registers = EaPsbRegisters(psb)
        self._line = ModbusLine([self.registers], framing)

    def power_up(self) -> None:
        """Start: off, local, nothing set, no alarm."""
        self._line.power_up()

    async def converse(self, line: Line) -> None:
        """Answer requests until the other side hangs up."""
        await self._line.converse(line)

    def alarm(self) -> None:
        """Switch off by itself and stay so, as on over-voltage or over-temperature."""
        self.registers.alarmed = True
        self.psb.alarm()

    def acknowledge(self) -> None:
        """Acknowledge the alarm at the front panel."""
        self.registers.alarmed = False

    def drawn(self) -> float:
        """Tell the current into the device in A."""
        return self.psb.drawn()


class EaPsbRegisters(Unit):
    """What can be read and written; a write needs remote control."""

    address = 1

    def __init__(self, psb: EaPsb) -> None:
        self.alarmed = False
        """Whether an alarm has switched it off and was not acknowledged."""
        self._psb = psb

    def power_up(self) -> None:
        """Start: off, local, nothing set, no alarm."""
        self.alarmed = False
        self._psb.power_up()

    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Read registers (FC03), write a coil (FC05) or a register (FC06)."""
        first, second = words(request)
        match request[0]:
            case 0x03:
                return self._read(first, second, faults)
            case 0x05:
                if first not in _COILS:
                    raise ModbusError(ILLEGAL_ADDRESS)
                if second not in (0x0000, 0xFF00):
                    raise ModbusError(ILLEGAL_VALUE)
                if self.alarmed and _COILS[first] == "OUTP" and second:
                    raise ModbusError(_REFUSED)
                self._tell(_COILS[first], "ON" if second else "OFF")
            case 0x06:
                if first not in _SET:
                    raise ModbusError(ILLEGAL_ADDRESS)
                word, nominal = _SET[first]
                self._tell(word, f"{second / _FULL * nominal:.6f}")
            case _:
                raise ModbusError(ILLEGAL_FUNCTION)
        return request

    def _tell(self, word: str, argument: str) -> None:
        error = self._psb.command(word, argument)
        if error is not None:
            raise ModbusError(ILLEGAL_VALUE if error.startswith("-222") else _REFUSED)

    def _read(self, first: int, count: int, faults: Faults) -> bytes:
        registers = self._registers(faults)
        asked = range(first, first + count)
        if not 1 <= count <= 125:
            raise ModbusError(ILLEGAL_VALUE)
        if not all(register in registers for register in asked):
            raise ModbusError(ILLEGAL_ADDRESS)
        values = [registers[register] for register in asked]
        return struct.pack(f">BB{count}H", 0x03, 2 * count, *values)

    def _registers(self, faults: Faults) -> dict[int, int]:
        maker, model, serial = (self._psb.query("*IDN", faults) or "").split(", ")[:3]
        registers: dict[int, int] = {}
        for first, text in ((1, model), (21, maker), (151, serial)):
            registers |= _words(first, text.encode().ljust(40, b"\0"))
        for first, nominal in ((121, VOLTAGE), (123, CURRENT), (125, POWER)):
            registers |= _words(first, struct.pack(">f", nominal))
        state = _ON * self._psb.on | _REMOTE * self._psb.locked | _ALARM * self.alarmed
        registers |= _words(505, struct.pack(">I", state))
        for register, (word, nominal) in _SET.items():
            registers[register] = round(self._psb.values[word] / nominal * _FULL)
        for register, (word, nominal) in _ACTUAL.items():
            number = float((self._psb.query(word, faults) or "nan").split()[0])
            registers[register] = round(abs(number) / nominal * _FULL)
        return registers


def _words(first: int, data: bytes) -> dict[int, int]:
    values = struct.unpack(f">{len(data) // 2}H", data)
    return {first + at: value for at, value in enumerate(values)}

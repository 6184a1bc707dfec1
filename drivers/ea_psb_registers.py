"""The Modbus interface of an EA-PSB: its registers, by the words of its SCPI interface.

Source: EA Elektro-Automatik, programming guide ModBus & SCPI (public). Values are parts of the
nominal ones: 0xCCCC is the nominal value.
"""

from __future__ import annotations

import contextlib
import math
import struct

from bench.errors import DeviceError
from drivers.link.modbus import ModbusLink

SCHEMES = ("modbus-tcp", "modbus-rtu")

_REMOTE, _OUTPUT = 402, 405
"""Coils."""

_SET = {
    "VOLT": (500, "V"),
    "CURR": (501, "A"),
    "POW": (502, "W"),
    "SINK:POW": (498, "W"),
    "SINK:CURR": (499, "A"),
}
_ACTUAL = {"MEAS:VOLT": (507, "V"), "MEAS:CURR": (508, "A"), "MEAS:POW": (509, "W")}
_NOMINAL = {"V": 121, "A": 123, "W": 125}
"""Holding registers; the nominal values are float32."""

_TYPE, _MAKER, _SERIAL, _TEXT = 1, 21, 151, 20
"""Holding registers with texts, and how many one has."""

_STATE = 505
_ON, _ALARM = 1 << 7, 1 << 15
"""The state in 32 bits, and two of them."""

_FULL, _MOST = 0xCCCC, 0xD0E5
"""The nominal value, and 102 % of it, which is the most that is taken."""


class RegisterPanel:
    """The device's Modbus interface; its refusals are exceptions of the protocol."""

    def __init__(self, link: ModbusLink, unit: int) -> None:
        self._link = link
        self._unit = unit
        self._nominal: dict[str, float] = {}
        self._taken = False

    def __str__(self) -> str:
        return str(self._link)

    async def open(self) -> None:
        """Connect."""
        self._nominal.clear()
        await self._link.open()

    async def close(self) -> None:
        """Give a device that was taken back to its front panel, and close the link."""
        taken, self._taken = self._taken, False
        try:
            if taken:
                with contextlib.suppress(DeviceError):
                    await self._link.write_coil(self._unit, _REMOTE, False)
        finally:
            await self._link.close()

    async def take(self) -> None:
        """Take remote control; the front panel is locked from here on."""
        await self._link.write_coil(self._unit, _REMOTE, True)
        self._taken = True

    async def tell(self, command: str) -> None:
        """Command something; raises `DeviceError` when the device refuses it."""
        word, _, argument = command.partition(" ")
        if word == "OUTP":
            await self._switch(argument == "ON")
        elif word in _SET:
            register, unit = _SET[word]
            value = round(float(argument) / await self._nominal_of(unit) * _FULL)
            if not 0 <= value <= _MOST:
                raise DeviceError(f"{self}: {command} is beyond 102 % of the nominal value")
            await self._link.write_register(self._unit, register, value)
        else:
            raise DeviceError(f"{self}: {command} is not possible over Modbus")

    async def ask(self, query: str) -> str:
        """Ask who it is, or whether it is on."""
        if query == "OUTP?":
            return "ON" if await self._state() & _ON else "OFF"
        maker, model, serial = [await self._text(at) for at in (_MAKER, _TYPE, _SERIAL)]
        return ",".join((maker, model, serial, ""))

    async def number(self, query: str, unit: str) -> float:
        """Ask for a value in its unit."""
        if query.startswith("SYST:NOM:"):
            return await self._nominal_of(unit)
        word = query.removesuffix("?")
        register, unit = _SET[word] if word in _SET else _ACTUAL[word]
        (value,) = await self._read(register, 1)
        number = value / _FULL * await self._nominal_of(unit)
        # The source side is at 0 V and 0 A: what flows is taken, and SCPI counts that as negative.
        return -number if word in ("MEAS:CURR", "MEAS:POW") else number

    async def _switch(self, on: bool) -> None:
        if on and await self._state() & _ALARM:
            raise DeviceError(
                f"{self}: refuses OUTP ON: an alarm of its own is active, "
                "acknowledge it at the front panel"
            )
        await self._link.write_coil(self._unit, _OUTPUT, on)

    async def _state(self) -> int:
        high, low = await self._read(_STATE, 2)
        return high << 16 | low

    async def _nominal_of(self, unit: str) -> float:
        if unit not in self._nominal:
            words = await self._read(_NOMINAL[unit], 2)
            (value,) = struct.unpack(">f", struct.pack(">2H", *words))
            if not 0 < value < math.inf:
                raise DeviceError(
                    f"{self}: register {_NOMINAL[unit]} (nominal value) reads {value:g} {unit}"
                )
            self._nominal[unit] = value
        return self._nominal[unit]

    async def _text(self, register: int) -> str:
        words = await self._read(register, _TEXT)
        data = struct.pack(f">{_TEXT}H", *words).partition(b"\0")[0]
        return data.decode("ascii", "replace").strip().replace(",", " ")

    async def _read(self, register: int, count: int) -> tuple[int, ...]:
        return await self._link.read_registers(self._unit, register, count, function=3)

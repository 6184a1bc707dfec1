"""Carry out what an EV emulator's profile says, on the link that its kind needs."""

from __future__ import annotations

import asyncio
import re
import struct
from abc import abstractmethod
from typing import Any, Generic, Protocol, TypeVar

from bench.device import DriverContext
from bench.errors import DeviceError, DeviceTimeout
from drivers.link import address
from drivers.link.http import SCHEMES as HTTP
from drivers.link.http import HttpLink, at_pointer
from drivers.link.modbus import SCHEMES as MODBUS
from drivers.link.modbus import ModbusLink, modbus_link
from drivers.link.stream import SCHEMES as LINES
from drivers.link.stream import ByteLink, byte_link
from drivers.profile_ev_map import EvLinesProfile, EvModbusProfile, EvProfile
from drivers.profile_ev_requests import (
    CURRENT,
    HttpSignal,
    HttpStep,
    LineSignal,
    LineStep,
    LineText,
    ModbusLine,
    ModbusSignal,
    ModbusWrite,
    Value,
)
from drivers.profile_header import TYPES

SCHEMES = (*MODBUS, *LINES, *HTTP)

S = TypeVar("S", contravariant=True)
G = TypeVar("G", contravariant=True)


class Wiring(Protocol, Generic[S, G]):
    """One kind of request, over one kind of link."""

    @abstractmethod
    async def open(self) -> None:
        """Open the link."""

    @abstractmethod
    async def close(self) -> None:
        """Close the link."""

    @abstractmethod
    async def perform(self, step: S, current: float) -> None:
        """Send one step; `current` in A takes the place of `{current}`."""

    @abstractmethod
    async def read(self, signal: G) -> Value:
        """Read one signal."""


class ModbusWiring(Wiring[ModbusWrite, ModbusSignal]):
    """Coils and registers."""

    def __init__(self, link: ModbusLink, line: ModbusLine) -> None:
        self._link = link
        self._line = line

    async def open(self) -> None:
        """Open the link."""
        await self._link.open()

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    async def perform(self, step: ModbusWrite, current: float) -> None:
        """Write a coil or a number."""
        unit = self._line.unit
        if isinstance(step.value, bool):
            await self._link.write_coils(unit, step.address, [step.value])
            return
        number = current if isinstance(step.value, str) else step.value
        try:
            words = to_words(number / step.scale, step.type, self._line)
        except struct.error as error:
            raise DeviceError(
                f"{self._link}: {number:g} does not fit register {step.address} as {step.type}"
            ) from error
        await self._link.write_registers(unit, step.address, words)

    async def read(self, signal: ModbusSignal) -> Value:
        """Read a coil, a number or a text."""
        unit = self._line.unit
        if signal.table == "coil":
            return (await self._link.read_coils(unit, signal.address, 1))[0]
        text = signal.type == "text"
        count = signal.count if text else struct.calcsize(TYPES[signal.type]) // 2
        words = await self._link.read_registers(
            unit, signal.address, count, function=3 if signal.table == "holding" else 4
        )
        if text:
            return struct.pack(f">{count}H", *words).rstrip(b"\0 ").decode("latin-1")
        if self._line.words == "low-first":
            words = words[::-1]
        (number,) = struct.unpack(f">{TYPES[signal.type]}", struct.pack(f">{count}H", *words))
        return number if signal.scale == 1 else round(float(number) * signal.scale, 9)


def to_words(number: float, kind: str, line: ModbusLine) -> list[int]:
    """Make the registers of a number; raises struct.error when it does not fit."""
    letter = TYPES[kind]
    data = struct.pack(f">{letter}", number if letter == "f" else round(number))
    words = [*struct.unpack(f">{len(data) // 2}H", data)]
    return words[::-1] if line.words == "low-first" else words


class LineWiring(Wiring[LineStep, LineSignal]):
    """Lines of text, one request at a time."""

    def __init__(self, link: ByteLink, text: LineText) -> None:
        self._link = link
        self._text = text
        self._queue = asyncio.Lock()

    async def open(self) -> None:
        """Open the link."""
        await self._link.open()

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    async def perform(self, step: LineStep, current: float) -> None:
        """Send a line, and read its answer when one is expected."""
        line = step.send.replace(CURRENT, f"{current:g}")
        answer = await self._ask(line, answered=bool(step.expect))
        if step.expect and not re.fullmatch(step.expect, answer):
            raise DeviceError(
                f"{self._link}: {line!r} answered {answer!r}, expected to match {step.expect!r}"
            )

    async def read(self, signal: LineSignal) -> Value:
        """Send a line and take the value out of the answer."""
        answer = await self._ask(signal.send, answered=True)
        found = re.fullmatch(signal.pattern, answer)
        if found is None or found[1] is None:
            raise DeviceError(
                f"{self._link}: {signal.send!r} answered {answer!r}, "
                f"expected to match {signal.pattern!r}"
            )
        return _scaled(found[1], signal.scale, f"{self._link}: {signal.send!r}")

    async def _ask(self, line: str, *, answered: bool) -> str:
        async with self._queue, self._link.exchange(self._text.answer_within):
            await self._link.write((line + self._text.ends).encode("ascii"))
            if not answered:
                return ""
            try:
                return await self._answer()
            except DeviceTimeout as error:
                raise DeviceTimeout(f"{error} (asked {line!r})") from error

    async def _answer(self) -> str:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._text.answer_within
        while True:
            data = await self._link.read_until(
                self._text.ends.encode("ascii"), within=deadline - loop.time()
            )
            answer = data.decode("latin-1").strip()
            if not (self._text.ignore and re.fullmatch(self._text.ignore, answer)):
                return answer


class HttpWiring(Wiring[HttpStep, HttpSignal]):
    """Requests with JSON."""

    def __init__(self, link: HttpLink) -> None:
        self._link = link

    async def open(self) -> None:
        """Open the link."""
        await self._link.open()

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    async def perform(self, step: HttpStep, current: float) -> None:
        """Send a request."""
        if step.method == "GET":
            await self._link.get(step.path)
        else:
            await self._link.post(step.path, put_current(step.json, current))

    async def read(self, signal: HttpSignal) -> Value:
        """GET a document and take the value out of it."""
        where = f"{self._link}: GET {signal.path}"
        value = at_pointer(await self._link.get(signal.path), signal.pointer, where)
        where = f"{where} at {signal.pointer!r}"
        if not isinstance(value, Value):
            raise DeviceError(f"{where} reads {value!r}, expected a text, number, true or false")
        return _scaled(value, signal.scale, where)


def put_current(body: Any, current: float) -> Any:
    """Return a JSON value with the number in place of `{current}`."""
    if isinstance(body, dict):
        return {key: put_current(value, current) for key, value in body.items()}
    if isinstance(body, list):
        return [put_current(value, current) for value in body]
    return current if body == CURRENT else body


def _scaled(value: Value, scale: float | None, where: str) -> Value:
    if scale is None:
        return value
    try:
        return round(float(value) * scale, 9)
    except ValueError as error:
        raise DeviceError(f"{where} reads {value!r}, expected a number") from error


def schemes(map_: EvProfile) -> tuple[str, ...]:
    """Tell the link schemes of a profile's kind."""
    if isinstance(map_, EvModbusProfile):
        return MODBUS
    return LINES if isinstance(map_, EvLinesProfile) else HTTP


def wire(map_: EvProfile, link: str, context: DriverContext) -> Wiring[Any, Any]:
    """Make the wiring of a profile on a link, unopened."""
    place = address.parse(link, *schemes(map_))
    if isinstance(map_, EvModbusProfile):
        return ModbusWiring(modbus_link(place, context), map_.modbus)
    if isinstance(map_, EvLinesProfile):
        return LineWiring(byte_link(place, context.name), map_.lines)
    return HttpWiring(HttpLink(place, context.name))

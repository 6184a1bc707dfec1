"""The server's side of Modbus: frames on TCP and on a serial line, written by hand.

The drivers use pymodbus; this code shares nothing with it, so that each checks the other.
"""

from __future__ import annotations

import asyncio
import struct
from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal, Protocol

from drivers.sim.faults import Faults
from drivers.sim.twin import Wired
from drivers.sim.wire import Line

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 0x01, 0x02, 0x03
BUSY, NO_RESPONSE_FROM_TARGET = 0x06, 0x0B

_SILENCE = 0.02
"""Pause in s that ends a serial frame; longer than 3.5 characters, as a computer sends in lumps."""


class ModbusError(Exception):
    """An exception response."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code


class Unit(Protocol):
    """One device on a Modbus line."""

    address: int
    """1 to 247."""

    @abstractmethod
    def power_up(self) -> None:
        """Start as after the device's supply came."""

    @abstractmethod
    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Answer a request (function code and data); raises `ModbusError` to refuse it."""


class ModbusLine(Wired):
    """Devices that share one Modbus line, or one gateway from TCP."""

    def __init__(self, units: Sequence[Unit], framing: Literal["tcp", "rtu"]) -> None:
        self.units = units
        self._converse = self._converse_tcp if framing == "tcp" else self._converse_rtu

    def power_up(self) -> None:
        """Start all devices."""
        for unit in self.units:
            unit.power_up()

    async def converse(self, line: Line) -> None:
        """Answer requests until the other side hangs up."""
        await self._converse(line)

    async def _converse_tcp(self, line: Line) -> None:
        while True:
            head = await line.reader.readexactly(7)
            transaction, protocol, length, address = struct.unpack(">HHHB", head)
            if protocol != 0 or not 2 <= length <= 254:
                return  # Not Modbus; nobody knows where the next frame starts.
            request = await line.reader.readexactly(length - 1)
            answer = self._answer(address, request, line.faults)
            if answer is None:
                answer = bytes((request[0] | 0x80, NO_RESPONSE_FROM_TARGET))
            head = struct.pack(">HHHB", transaction, 0, len(answer) + 1, address)
            await line.send(head + answer)

    async def _converse_rtu(self, line: Line) -> None:
        frames = Frames(line.reader)
        while (frame := await frames.read()) is not None:
            address, request = frame[0], frame[1:-2]
            if address == 0:
                await self._broadcast(request, line)
                continue
            answer = self._answer(address, request, line.faults)
            if answer is not None:
                await line.send(with_crc(bytes((address,)) + answer))

    async def _broadcast(self, request: bytes, line: Line) -> None:
        """Let everyone do it; a board alone on its line tells its address when it is read."""
        for unit in self.units:
            answer = _answer(unit, request, line.faults)
            if request[0] == 0x03 and len(self.units) == 1:
                await line.send(with_crc(bytes((unit.address,)) + answer))

    def _answer(self, address: int, request: bytes, faults: Faults) -> bytes | None:
        for unit in self.units:
            if unit.address == address:
                return _answer(unit, request, faults)
        return None


def _answer(unit: Unit, request: bytes, faults: Faults) -> bytes:
    try:
        if faults.take_busy():
            raise ModbusError(BUSY)
        return unit.answer(request, faults)
    except ModbusError as refusal:
        return bytes((request[0] | 0x80, refusal.code))


class Frames:
    """Cuts a serial stream into frames, by their length or by the silence after them."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = b""

    async def read(self) -> bytes | None:
        """Read the next frame with a right checksum, None at the end; others are passed over."""
        while True:
            length = _length(self._buffer)
            if length is not None and len(self._buffer) >= length:
                frame, self._buffer = self._buffer[:length], self._buffer[length:]
            elif await self._receive():
                continue
            elif not self._buffer:
                return None
            else:
                frame, self._buffer = self._buffer, b""
            if len(frame) >= 4 and with_crc(frame[:-2]) == frame:
                return frame
            while self._buffer and await self._receive():
                pass  # Where the next frame starts, only silence can tell.
            self._buffer = b""

    async def _receive(self) -> bool:
        """Receive more; False at the end, and when a frame has begun but the line went silent."""
        try:
            async with asyncio.timeout(_SILENCE if self._buffer else None):
                part = await self._reader.read(256)
        except TimeoutError:
            return False
        self._buffer += part
        return bool(part)


def _length(frame: bytes) -> int | None:
    """Tell how long a request will be, as soon as its start says so."""
    if len(frame) < 2:
        return None
    if 0x01 <= frame[1] <= 0x06:
        return 8
    if frame[1] in (0x0F, 0x10) and len(frame) >= 7:
        return 9 + frame[6]
    return None


def with_crc(data: bytes) -> bytes:
    """Append the CRC-16 of a serial frame, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return data + struct.pack("<H", crc)


def words(request: bytes) -> tuple[int, int]:
    """Read the two words after the function code; raises `ModbusError` when they are not there."""
    if len(request) < 5:
        raise ModbusError(ILLEGAL_VALUE)
    first, second = struct.unpack(">HH", request[1:5])
    return first, second

"""The device's end of a wire, written by hand: raw frames in, raw frames out, no library."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bench.device import Action, Answer, DriverContext
from bench.errors import Unverifiable
from bench.pictures import Picture

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

Pdu = Callable[[int, bytes], Awaitable[bytes | None]]
"""What a Modbus unit answers: unit and request PDU in, response PDU or None (silence) out."""


class NobodyThere:
    """An operator that no driver of a machine may ever ask."""

    async def ask(
        self,
        kind: str,
        text: str,
        *,
        options: Sequence[str] = (),
        action: Action | None = None,
        within: float | None = None,
        picture: Picture | None = None,
    ) -> Answer:
        raise Unverifiable(f"asked {text!r}")


def context(name: str = "dev", **more: Any) -> DriverContext:
    """What the bench hands to a driver."""
    return DriverContext(name=name, operator=NobodyThere(), **more)


@asynccontextmanager
async def tcp_server(talk: Talk) -> AsyncIterator[int]:
    """Serve each connection with `talk`; yields the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks))


@asynccontextmanager
async def modbus_tcp(answer: Pdu) -> AsyncIterator[str]:
    """Serve Modbus TCP; yields the link URL."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(7)
            transaction, protocol, length, unit = struct.unpack(">HHHB", head)
            assert protocol == 0
            response = await answer(unit, await reader.readexactly(length - 1))
            if response is not None:
                size = len(response) + 1
                writer.write(struct.pack(">HHHB", transaction, 0, size, unit) + response)

    async with tcp_server(talk) as port:
        yield f"modbus-tcp://127.0.0.1:{port}"


def crc16(data: bytes) -> bytes:
    """The CRC of Modbus RTU, as it goes on the wire."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


class Pty:
    """A pseudo terminal: the device's end as bytes, the driver's end as a path."""

    def __init__(self, react: Callable[[bytes], bytes]) -> None:
        self._react = react
        self._near, self._far = os.openpty()
        tty.setraw(self._near)
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.path = os.ttyname(self._far)
        self.heard = bytearray()
        asyncio.get_running_loop().add_reader(self._near, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._near, 4096)
        except OSError:
            asyncio.get_running_loop().remove_reader(self._near)
            return
        self.heard += data
        if answer := self._react(data):
            os.write(self._near, answer)

    def write(self, data: bytes) -> None:
        """Say something that nobody asked for."""
        os.write(self._near, data)

    def vanish(self) -> None:
        """Pull the plug."""
        if self._near >= 0:
            asyncio.get_running_loop().remove_reader(self._near)
            os.close(self._near)
            os.close(self._far)
            self._near = -1


@asynccontextmanager
async def pty(react: Callable[[bytes], bytes]) -> AsyncIterator[Pty]:
    """Open a pseudo terminal whose device answers each piece it hears."""
    line = Pty(react)
    try:
        yield line
    finally:
        line.vanish()


class Rtu:
    """Cut a stream of bytes into Modbus RTU requests and answer each."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._buffer = b""
        self.requests: list[bytes] = []

    def __call__(self, data: bytes) -> bytes:
        self._buffer += data
        out = b""
        while len(self._buffer) >= 8:
            size = 9 + self._buffer[6] if self._buffer[1] == 15 else 8
            if len(self._buffer) < size:
                break
            frame, self._buffer = self._buffer[:size], self._buffer[size:]
            assert crc16(frame[:-2]) == frame[-2:], frame.hex(" ")
            self.requests.append(frame)
            out += self._answer(frame)
        return out


Http = Callable[[str, str, dict[str, str], bytes], Awaitable[bytes | None]]
"""Method, target, headers, body in; the whole response or None (silence) out."""


@asynccontextmanager
async def http(answer: Http) -> AsyncIterator[str]:
    """Serve HTTP/1.1 by hand, one request per connection; yields the link URL."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.rstrip().split("\r\n")
        headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = request.split(" ")
        response = await answer(method, target, headers, body)
        if response is None:
            await asyncio.Event().wait()
        else:
            writer.write(response)
            await writer.drain()

    async with tcp_server(talk) as port:
        yield f"http://127.0.0.1:{port}"


def response(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    """Write an HTTP response."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + body

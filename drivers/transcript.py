"""Transcripts: record what travels on a bench's links, and let the recording answer for them.

A transcript is JSON Lines: seconds since the start, link, connection, and bytes that were `sent` by
the bench or `received` from the device, or who `closed`. Recording stands between driver and
device, so that it needs nothing of either; what HTTP says about host, program and password is left
out.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Protocol

import serialx

from bench.checkup import Rewire
from bench.config import DeviceEntry
from bench.errors import ConfigError, DeviceError
from drivers.link import address
from drivers.link.address import Address
from drivers.sim.faults import Faults
from drivers.sim.wire import Line, PtyWire, TcpWire, Wire

SCHEMES = ("modbus-tcp", "modbus-rtu", "serial", "socket", "http")
"""Links whose bytes can be recorded; a device on another one is left as it is."""

_OPENING = 2.0
"""Deadline in s for reaching the device."""

_LEFT_OUT = re.compile(rb"(?im)^(host|user-agent|authorization):[^\r\n]*")

_PARITIES = {"N": serialx.PARITY_NONE, "E": serialx.PARITY_EVEN, "O": serialx.PARITY_ODD}


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that went in one direction without any in the other."""

    kind: str
    """sent, received or closed."""
    data: bytes
    line: int
    """Where it begins in the file."""


class _Stand(Protocol):
    """What stands at the end of a link in place of the device."""

    async def talk(self, link: Address, line: Line) -> None:
        """Serve one connection."""


@asynccontextmanager
async def recording(path: Path) -> AsyncIterator[Rewire]:
    """Record all links that are rewired into a new file."""
    try:
        file = await asyncio.to_thread(path.open, "x", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"transcript {path}: {error.strerror or error}") from error
    with file:
        async with _rewired(_Recorder(file)) as rewire:
            yield rewire


@asynccontextmanager
async def replaying(path: Path) -> AsyncIterator[Rewire]:
    """Answer on all links that are rewired as the file says.

    Raises `DeviceError` at the end when other bytes were sent than are in the file.
    """
    text = await asyncio.to_thread(_read, path)
    player = _Player(path, text)
    async with _rewired(player) as rewire:
        yield rewire
    player.check()


@asynccontextmanager
async def _rewired(stand: _Stand) -> AsyncIterator[Rewire]:
    """Give what leads a device's link to a stand; devices on one link stay on one."""
    wires: dict[str, Wire] = {}
    async with AsyncExitStack() as stack:

        async def rewire(entry: DeviceEntry) -> DeviceEntry:
            try:
                link = address.parse(getattr(entry.settings, "link", ""), *SCHEMES)
            except ValueError:
                return entry
            wire = wires.get(str(link))
            if wire is None:
                wire = wires[str(link)] = _wire(link)
                await wire.open(lambda line: stand.talk(link, line), Faults())
                stack.push_async_callback(wire.close)
            more = f"&parity={link.parity}&stopbits={link.stopbits}" if link.path else ""
            settings = dataclasses.replace(entry.settings, link=wire.link + more)
            return dataclasses.replace(entry, settings=settings)

        yield rewire


def _wire(link: Address) -> Wire:
    if link.path:
        return PtyWire(link.scheme, baudrate=link.baudrate)
    return TcpWire(link.scheme)


class _Recorder(_Stand):
    """Carries bytes between bench and device, and writes them down."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._started = asyncio.get_running_loop().time()
        self._connections = 0

    async def talk(self, link: Address, line: Line) -> None:
        """Connect to the device and carry until one side hangs up."""
        self._connections += 1
        number = self._connections

        def note(kind: str, value: str) -> None:
            at = round(asyncio.get_running_loop().time() - self._started, 6)
            entry = {"at": at, "link": str(link), "connection": number, kind: value}
            self._file.write(json.dumps(entry) + "\n")

        async def carry(
            kind: str, end: str, source: asyncio.StreamReader, sink: Callable[[bytes], Any]
        ) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(4096):
                    bare = _bare(data) if (kind, link.scheme) == ("sent", "http") else data
                    note(kind, bare.hex(" "))
                    sink(data)
            note("closed", end)

        try:
            async with asyncio.timeout(_OPENING):
                reader, transport = await _connect(link)
        except OSError as error:  # TimeoutError is one
            note("closed", f"not there: {error}")
            return
        carrying = {
            asyncio.create_task(carry("sent", "bench", line.reader, transport.write)),
            asyncio.create_task(carry("received", "device", reader, line.emit)),
        }
        try:
            await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)
            transport.close()


async def _connect(link: Address) -> tuple[asyncio.StreamReader, asyncio.WriteTransport]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    if link.path:
        serial, _ = await serialx.create_serial_connection(
            loop,
            lambda: protocol,
            link.path,
            baudrate=link.baudrate,
            parity=_PARITIES[link.parity],
            stopbits=serialx.StopBits(link.stopbits),
        )
        return reader, serial
    tcp, _ = await loop.create_connection(lambda: protocol, link.host, link.port)
    return reader, tcp


class _Player(_Stand):
    """Says what the devices said, as long as it is told what they were told."""

    def __init__(self, path: Path, lines: list[dict[str, Any]]) -> None:
        self._path = path
        self._open = _conversations(path, lines)
        self._wrong: list[str] = []

    async def talk(self, link: Address, line: Line) -> None:
        """Replay the next connection of a link."""
        waiting = self._open.get(str(link))
        if not waiting:
            self._wrong.append(f"{self._path}: no further connection to {link} is recorded")
            return
        parts = waiting[0]
        while parts and parts[0].kind != "closed":
            part = parts[0]
            if part.kind == "received":
                line.emit(part.data)
            elif not await self._hears(link, line, part):
                return
            parts.pop(0)
        waiting.pop(0)
        if not parts or parts[0].data != b"device":
            await line.reader.read()

    async def _hears(self, link: Address, line: Line, part: Part) -> bool:
        heard = b""
        while len(heard) < len(part.data) and (more := await line.reader.read(4096)):
            heard += more
            if link.scheme == "http":
                heard = _bare(heard)
        if heard != part.data:
            text = f"{link} was sent {heard.hex(' ') or 'nothing'}, expected {part.data.hex(' ')}"
            self._wrong.append(f"{self._path}, line {part.line}: {text}")
        return heard == part.data

    def check(self) -> None:
        """Raise what went otherwise than in the file."""
        for link, waiting in self._open.items():
            for parts in waiting:
                sent = next((part for part in parts if part.kind == "sent"), None)
                if sent is not None and not self._wrong:
                    text = f"{link} was never sent {sent.data.hex(' ')}"
                    self._wrong.append(f"{self._path}, line {sent.line}: {text}")
        if self._wrong:
            raise DeviceError("; ".join(self._wrong))


def _bare(data: bytes) -> bytes:
    """Leave out of an HTTP request what differs from one run to the next."""
    return _LEFT_OUT.sub(rb"\1:", data)


def _read(path: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    try:
        for number, text in enumerate(path.read_text("utf-8").splitlines(), start=1):
            lines.append(json.loads(text) | {"line": number})
    except OSError as error:
        raise ConfigError(f"transcript {path}: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        text = f"transcript {path}, line {len(lines) + 1}: expected one JSON object: {error}"
        raise ConfigError(text) from error
    return lines


def _conversations(path: Path, lines: list[dict[str, Any]]) -> dict[str, list[list[Part]]]:
    """Sort a transcript by link and connection, and join what went in one direction."""
    connections: dict[tuple[str, int], list[Part]] = {}
    for line in lines:
        kind = next((key for key in ("sent", "received", "closed") if key in line), None)
        try:
            if kind is None:
                raise ValueError("none of sent, received and closed")
            data = line[kind].encode() if kind == "closed" else bytes.fromhex(line[kind])
            place = (str(line["link"]), int(line["connection"]))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"transcript {path}, line {line['line']}: {error}") from error
        connections.setdefault(place, []).append(Part(kind, data, line["line"]))
    sorted_: dict[str, list[list[Part]]] = {}
    for (link, _), parts in connections.items():
        joined = []
        for kind, group in groupby(parts, key=lambda part: part.kind):
            same = list(group)
            data = same[0].data if kind == "closed" else b"".join(part.data for part in same)
            joined.append(Part(kind, data, same[0].line))
        sorted_.setdefault(link, []).append(joined)
    return sorted_

"""The TCP relay between station and engine: breaks, delays, throttles and mends the connection.

It runs in the engine's process and needs no privileges. What it can't do is lose the link itself
(a pulled cable) or single packets: that takes a switch or the kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from bench.capability import Cut, NetworkPath, check_delay, check_limit
from bench.config import split_address
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import ConfigError, DeviceError
from drivers.link.listener import Listener, TcpListener
from drivers.traffic import Traffic

_log = logging.getLogger(__name__)

_UPSTREAM_WITHIN = 2.0
"""Deadline in s for connecting to the engine."""

_PROBE = 32
"""Bytes that the self-test sends."""

_LINGER_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes closing send a TCP reset."""


@dataclass(frozen=True, slots=True)
class TcpRelaySettings:
    """A TCP relay has no keys: it listens at `[ocpp] listen` and forwards to the engine."""


class TcpRelay(Device, NetworkPath):
    """A relay for TCP connections that can be cut, silently or loudly, delayed and throttled."""

    def __init__(self, name: str, listener: Listener, upstream: Callable[[], str]) -> None:
        """Make the relay, not listening; `upstream` tells HOST:PORT for each new connection."""
        self._name = name
        self._listener = listener
        self._upstream = upstream
        self._live: dict[asyncio.Task[None], socket.socket] = {}
        """Who relays which station's connection."""
        self._cut: Cut | None = None
        self._traffic = Traffic(lambda: self._cut is Cut.DROP)

    @property
    def address(self) -> str:
        """HOST:PORT where it listens, or will again; the system's choice for port 0."""
        host, port = self._listener.place
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def __aenter__(self) -> Self:
        """Listen."""
        self._cut = None
        await self._bind()
        self._listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and reset the connections that are left."""
        self._listener.release()
        await self._reset_all()

    async def identify(self) -> Identity:
        """Tell that it is part of this program."""
        return Identity("Pilotbench", "TCP relay")

    async def make_safe(self) -> None:
        """Mend the path."""
        await self.restore()

    async def self_test(self) -> str:
        """Carry bytes to an echo in place of the engine, cut the path, and mend it."""
        upstream = self._upstream
        probe = secrets.token_bytes(_PROBE)
        server = await asyncio.start_server(partial(_echo, probe), "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self._upstream = lambda: f"{host}:{port}"
        try:
            await self._check_carries(probe, "open")
            await self.cut()
            await self._check_refuses()
            await self.restore()
            await self._check_carries(probe, "mended")
        finally:
            self._upstream = upstream
            server.close()
            await self.restore()
        return f"{self.address} carries, is cut, and carries again"

    async def _check_carries(self, probe: bytes, path: str) -> None:
        try:
            async with asyncio.timeout(_UPSTREAM_WITHIN):
                reader, writer = await asyncio.open_connection(*self._own_end())
                try:
                    writer.write(probe)
                    came = await reader.readexactly(_PROBE)
                finally:
                    writer.transport.abort()
        except (OSError, asyncio.IncompleteReadError) as error:
            text = f"{self._name}: the {path} path to {self.address} does not carry"
            raise DeviceError(f"{text}: {error or 'no answer'}") from error
        if came != probe:
            raise DeviceError(f"{self._name}: other bytes came back than were sent")

    async def _check_refuses(self) -> None:
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_UPSTREAM_WITHIN):
                _, writer = await asyncio.open_connection(*self._own_end())
            writer.transport.abort()
            raise DeviceError(f"{self._name}: the cut path to {self.address} takes connections")

    def _own_end(self) -> tuple[str, int]:
        """Tell where this machine reaches its own listener, which may be at every address."""
        host, port = self._listener.place
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port

    async def cut(self, how: Cut = Cut.RESET) -> None:
        """Break the path.

        DROP: bytes vanish in both directions; connections stay open and new ones are accepted, but
        nothing ever comes. RESET: connections get a TCP reset and new ones are refused.
        """
        self._cut = how
        if how is Cut.DROP:
            self._listen()
        elif self._listener.is_listening:
            self._listener.release()
            await self._reset_all()
            await self._bind()

    async def restore(self) -> None:
        """Mend the path: no cut, no delay, no limit, listening on the same port.

        Connections that were silently cut are reset: bytes of theirs are lost for good, so no
        peer could go on with them.
        """
        dropped = self._cut is Cut.DROP
        if not self._listener.is_bound:  # it could not be held during the cut
            await self._bind()
        self._cut = None
        await self.delay(0.0)
        await self.limit(None)
        if dropped:
            await self._reset_all()
        self._listen()

    async def delay(self, seconds: float) -> None:
        """Delay every byte in both directions; those on their way follow the new delay."""
        check_delay(seconds)
        self._traffic.delay(seconds)

    async def limit(self, bytes_per_second: float | None) -> None:
        """Let through so many bytes a second in each direction, of all connections together.

        Bytes on their way follow the new limit. What is held back waits in the relay, so a sender
        does not notice before some MB are.
        """
        check_limit(bytes_per_second)
        self._traffic.limit(bytes_per_second)

    async def is_cut(self) -> bool:
        """Tell whether the path is broken."""
        return self._cut is not None

    async def _bind(self) -> None:
        try:
            await self._listener.bind()
        except OSError as error:
            raise DeviceError(f"{self._name}: can't listen at {self.address}: {error}") from error

    def _listen(self) -> None:
        self._listener.listen(self._accept)

    def _accept(self, station: socket.socket) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(station))
        self._live[task] = station
        task.add_done_callback(self._live.pop)

    async def _reset_all(self) -> None:
        live = dict(self._live)
        for task in live:
            task.cancel()
        if live:
            await asyncio.wait(live)
        for station in live.values():
            _reset(station)  # one whose task had not begun

    async def _serve(self, station: socket.socket) -> None:
        """Relay one connection until both sides have ended it, one breaks, or it is reset."""
        writers: list[asyncio.StreamWriter] = []
        broken = True
        try:
            await self._relay(station, writers)
            broken = False
        except* (OSError, asyncio.CancelledError):
            pass  # a peer is gone, or `_reset_all`: both sides are told by a reset
        finally:
            for writer in writers:
                if broken:
                    _linger_to_reset(writer.get_extra_info("socket"))
                    writer.transport.abort()
                else:
                    writer.close()

    async def _relay(self, station: socket.socket, writers: list[asyncio.StreamWriter]) -> None:
        reader, writer = await asyncio.open_connection(sock=station)
        writers.append(writer)
        if self._cut is Cut.DROP:
            await asyncio.Event().wait()
        up_reader, up_writer = await self._connect()
        writers.append(up_writer)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._traffic.carry(reader, up_writer, up=True))
            group.create_task(self._traffic.carry(up_reader, writer, up=False))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        upstream = self._upstream()
        host, port = split_address(upstream, f"{self._name}: upstream")
        try:
            async with asyncio.timeout(_UPSTREAM_WITHIN):
                return await asyncio.open_connection(host, port)
        except OSError as error:  # TimeoutError is one
            _log.warning("%s: can't reach the engine at %s: %s", self._name, upstream, error)
            raise


async def _echo(probe: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the probe back and hang up; a DUT that comes in meanwhile gets nothing."""
    # The server's callback takes a cancelled task for an error.
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        if await reader.readexactly(len(probe)) == probe:
            writer.write(probe)
    writer.close()


def _reset(plain: socket.socket) -> None:
    """Close a connection with a TCP reset; does nothing when it is closed."""
    if plain.fileno() >= 0:
        _linger_to_reset(plain)
        plain.close()


def _linger_to_reset(plain: socket.socket) -> None:
    """Have the kernel reset the connection when it is closed."""
    with contextlib.suppress(OSError):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)


def _make(settings: TcpRelaySettings, context: DriverContext) -> TcpRelay:
    if not context.ocpp_listen or context.ocpp_upstream is None:
        raise ConfigError(f"device {context.name!r}: a TCP relay needs [ocpp] listen")
    listen = split_address(context.ocpp_listen, "[ocpp] listen")
    return TcpRelay(context.name, TcpListener(*listen), context.ocpp_upstream)


DRIVER = Driver(settings=TcpRelaySettings, offers=(NetworkPath,), make=_make, fronts_ocpp=True)

"""The byte link: bytes to and from a device over a serial port, TCP, or memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import serialx

from bench.errors import DeviceTimeout, LinkError
from drivers.link.address import Address

T = TypeVar("T")

SCHEMES = ("serial", "socket")

_OPENING = 2.0
"""Deadline for opening and closing in s."""

_DRAINING = 0.5
"""Time in s in which what was written goes out before a link is closed."""

_COMING_IN = 0.02
"""Time in s in which what waits in the system comes in."""

_TOLD = 200
"""How many bytes of a frame that is passed over an error tells."""

_PARITIES = {
    "N": serialx.PARITY_NONE,
    "E": serialx.PARITY_EVEN,
    "O": serialx.PARITY_ODD,
}


class ByteLink(asyncio.Protocol):
    """Bytes in both directions; what arrives is kept until it is read or discarded."""

    def __init__(
        self, label: str, connect: Callable[[ByteLink], Awaitable[asyncio.WriteTransport]]
    ) -> None:
        """Make the link, unopened; `label` begins every error."""
        self._label = label
        self._connect = connect
        self._transport: asyncio.WriteTransport | None = None
        self._received = bytearray()
        self._changed = asyncio.Event()
        self._lost: str | None = "not open"
        self._late_until = 0.0
        """Until when an answer to a command that was given up may come, by the loop's clock."""

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Open; raises `LinkError` with the cause."""
        self._received.clear()
        self._lost = None
        try:
            async with asyncio.timeout(_OPENING):
                self._transport = await self._connect(self)
        except TimeoutError as error:
            raise LinkError(f"{self}: can't open: no answer within {_OPENING:g} s") from error
        except OSError as error:
            raise LinkError(f"{self}: can't open: {error}") from error

    async def close(self) -> None:
        """Close and wait until the port is free; does nothing when not open."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        # What was written gets its time to go out; a port that takes nothing is not waited for.
        for end, within in ((transport.close, _DRAINING), (transport.abort, _OPENING)):
            if self._lost is None:
                # A serial port that has vanished raises again when it is closed.
                with contextlib.suppress(OSError):
                    end()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(within):
                        while self._lost is None:
                            await self._next_change()

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._lost is not None or self._transport is None:
            raise LinkError(f"{self}: {self._lost or 'not open'}")
        self._transport.write(data)

    async def read_exactly(self, count: int, *, within: float) -> bytes:
        """Read `count` bytes; raises `DeviceTimeout` with what came when they don't come in time.

        Bytes of an answer that came too short stay; `discard` them before the next command.
        """
        return await self._read(
            lambda: count if len(self._received) >= count else 0, f"{count} bytes", within
        )

    async def read_until(self, separator: bytes, *, within: float) -> bytes:
        """Read up to and including `separator`, else as `read_exactly`."""

        def end() -> int:
            at = self._received.find(separator)
            return 0 if at < 0 else at + len(separator)

        return await self._read(end, f"bytes up to {separator!r}", within)

    async def next_frame(
        self, end: bytes, take: Callable[[bytes], T | None], *, within: float, what: str
    ) -> T:
        """Read from now on up to `end` until `take` makes something of it; pass over what else is.

        Raises `DeviceTimeout` that says `what` did not come, and what did.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        passed = b""
        self.discard()
        while True:
            try:
                data = await self.read_until(end, within=deadline - loop.time())
            except DeviceTimeout as error:
                if not passed:
                    raise
                raise DeviceTimeout(f"{error} after {passed!r}: no {what}") from error
            if (taken := take(data)) is not None:
                return taken
            passed = data[-_TOLD:]

    def discard(self) -> None:
        """Throw away what was received and not read."""
        self._received.clear()

    @contextlib.asynccontextmanager
    async def exchange(self, within: float) -> AsyncIterator[None]:
        """Send a command and read its answer, where answers have no mark of what they answer.

        The answer to a command that was given up may come up to `within` s later: before the next
        command it is let come in, and thrown away.
        """
        loop = asyncio.get_running_loop()
        left = self._late_until - loop.time()
        if left > 0:
            await asyncio.sleep(left)
            # What waited while the engine was held up beyond that moment comes in after it.
            await asyncio.sleep(_COMING_IN)
        self.discard()
        try:
            yield
        except (DeviceTimeout, asyncio.CancelledError):
            self._late_until = loop.time() + within
            raise

    async def _read(self, available: Callable[[], int], what: str, within: float) -> bytes:
        try:
            async with asyncio.timeout(within):
                while not (count := available()):
                    if self._lost is not None:
                        raise LinkError(f"{self}: {self._lost}")
                    await self._next_change()
        except TimeoutError as error:
            # What waited while the engine was held up is there in the turn of its deadline.
            if not (count := available()):
                came = self._received.hex(" ") or "nothing"
                raise DeviceTimeout(
                    f"{self}: expected {what} within {within:g} s, got {came}"
                ) from error
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def data_received(self, data: bytes) -> None:
        """Take what the transport has received."""
        self._received += data
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the transport is gone."""
        self._lost = f"connection lost: {exc}" if exc else "connection closed"
        self._changed.set()


def byte_link(address: Address, name: str) -> ByteLink:
    """Make the link of an address with scheme `serial` or `socket`, unopened."""

    async def connect(link: ByteLink) -> asyncio.WriteTransport:
        loop = asyncio.get_running_loop()
        if address.path:
            serial, _ = await serialx.create_serial_connection(
                loop,
                lambda: link,
                address.path,
                baudrate=address.baudrate,
                parity=_PARITIES[address.parity],
                stopbits=serialx.StopBits(address.stopbits),
            )
            return serial
        tcp, _ = await loop.create_connection(lambda: link, address.host, address.port)
        return tcp

    return ByteLink(f"{name} ({address})", connect)


def memory_links(name: str, *, byte_by_byte: bool = False) -> tuple[ByteLink, ByteLink]:
    """Make two links joined in memory: the driver's end and the device's end.

    Bytes arrive at once, or one in each turn of the event loop, as on a slow line.
    """
    near: ByteLink
    far: ByteLink

    async def connect_near(_: ByteLink) -> asyncio.WriteTransport:
        return _SlowMemory(near, far) if byte_by_byte else _Memory(near, far)

    async def connect_far(_: ByteLink) -> asyncio.WriteTransport:
        return _SlowMemory(far, near) if byte_by_byte else _Memory(far, near)

    near = ByteLink(f"{name} (memory)", connect_near)
    far = ByteLink(f"{name} (memory, device's end)", connect_far)
    return near, far


class _Memory(asyncio.WriteTransport):
    """Hands bytes to the other end at once; closing one end closes both."""

    def __init__(self, near: ByteLink, far: ByteLink) -> None:
        super().__init__()
        self._near = near
        self._far = far

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._far.data_received(bytes(data))

    def close(self) -> None:
        self._near.connection_lost(None)
        self._far.connection_lost(None)


class _SlowMemory(asyncio.WriteTransport):
    """Hands on one byte at a time; closing one end closes both when everything is handed on."""

    def __init__(self, near: ByteLink, far: ByteLink) -> None:
        super().__init__()
        self._whole = _Memory(near, far)
        self._under_way = bytearray()
        self._closing = False
        self._turn: asyncio.Handle | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._under_way += data
        self._next()

    def close(self) -> None:
        self._closing = True
        self._next()

    def _next(self) -> None:
        if self._turn is None and (self._under_way or self._closing):
            self._turn = asyncio.get_running_loop().call_soon(self._hand_on)

    def _hand_on(self) -> None:
        self._turn = None
        if self._under_way:
            self._whole.write(self._under_way[:1])
            del self._under_way[:1]
            self._next()
        else:
            self._closing = False
            self._whole.close()

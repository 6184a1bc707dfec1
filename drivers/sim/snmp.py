"""The agent's side of SNMP 1 and 2c (RFC 1157, RFC 3416): messages in BER on UDP, by hand.

The drivers use pysnmp; this code shares nothing with it, so that each checks the other.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from drivers.sim.faults import Faults
from drivers.sim.twin import Wired
from drivers.sim.wire import Line, Talk, Wire

NO_SUCH_NAME, BAD_VALUE, GENERAL_ERROR = 2, 3, 5
NO_ACCESS, WRONG_VALUE, NOT_WRITABLE = 6, 10, 17

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_GET, _GET_NEXT, _RESPONSE, _SET = 0xA0, 0xA1, 0xA2, 0xA3
_NO_SUCH_OBJECT, _END_OF_VIEW = 0x80, 0x82

Value = int | bytes


class SnmpError(Exception):
    """An error status; version 1 knows fewer of them."""

    def __init__(self, status: int) -> None:
        super().__init__(f"SNMP error status {status}")
        self.status = status


class Agent(Wired):
    """A device that is managed by SNMP; it is deaf to a community that it does not know."""

    def __init__(self, *, read: str = "public", write: str = "private") -> None:
        self._communities = {read.encode(): False, write.encode(): True}

    @abstractmethod
    def objects(self, faults: Faults) -> Mapping[str, Value]:
        """Tell every object and its value now."""

    @abstractmethod
    def write(self, oid: str, number: int) -> None:
        """Write an existing object; raises `SnmpError` when that can't be."""

    def power_up(self) -> None:
        """Start: nothing to do."""

    async def converse(self, line: Line) -> None:
        """Answer one datagram."""
        try:
            answer = self._answer(await line.reader.read(), line.faults)
        except (ValueError, IndexError):
            return  # No SNMP; an agent counts it and says nothing.
        if answer is not None:
            await line.send(answer)

    def _answer(self, data: bytes, faults: Faults) -> bytes | None:
        message, _ = _open(data, _SEQUENCE)
        version_, rest = _open(message, _INTEGER)
        community, rest = _open(rest, _OCTETS)
        kind = rest[0]
        request, _ = _open(rest, kind)
        if community not in self._communities or version_ not in (b"\x00", b"\x01"):
            return None
        number, rest = _open(request, _INTEGER)
        _, rest = _open(rest, _INTEGER)
        _, rest = _open(rest, _INTEGER)
        bindings, _ = _open(rest, _SEQUENCE)
        first = version_ == b"\x00"
        try:
            if faults.take_busy():
                raise SnmpError(GENERAL_ERROR)
            if kind == _SET and not self._communities[community]:
                raise SnmpError(NO_SUCH_NAME if first else NO_ACCESS)
            answered, status = self._bindings(kind, bindings, faults, first), 0
        except SnmpError as error:
            answered, status = bindings, _as_first(error.status) if first else error.status
        return tlv(
            _SEQUENCE,
            tlv(_INTEGER, version_)
            + tlv(_OCTETS, community)
            + tlv(
                _RESPONSE,
                tlv(_INTEGER, number)
                + integer(status)
                + integer(1 if status else 0)
                + tlv(_SEQUENCE, answered),
            ),
        )

    def _bindings(self, kind: int, bindings: bytes, faults: Faults, first: bool) -> bytes:
        answered = b""
        while bindings:
            binding, bindings = _open(bindings, _SEQUENCE)
            name, value = _open(binding, _OID)
            oid = read_oid(name)
            if kind == _SET:
                if oid not in self.objects(faults):
                    raise SnmpError(NO_SUCH_NAME if first else NOT_WRITABLE)
                self.write(oid, int.from_bytes(_open(value, _INTEGER)[0], "big", signed=True))
                answered += tlv(_SEQUENCE, tlv(_OID, name) + value)
            elif kind in (_GET, _GET_NEXT):
                answered += self._read(oid, faults, first, after=kind == _GET_NEXT)
            else:
                raise SnmpError(GENERAL_ERROR)
        return answered

    def _read(self, oid: str, faults: Faults, first: bool, *, after: bool) -> bytes:
        objects, absent = self.objects(faults), _NO_SUCH_OBJECT
        if after:
            later = [each for each in objects if _order(each) > _order(oid)]
            oid, absent = min(later, key=_order, default=oid), _END_OF_VIEW
            found = bool(later)
        else:
            found = oid in objects
        if found:
            value = objects[oid]
            encoded = integer(value) if isinstance(value, int) else tlv(_OCTETS, value)
        elif first:
            raise SnmpError(NO_SUCH_NAME)
        else:
            encoded = tlv(absent, b"")
        return tlv(_SEQUENCE, tlv(_OID, write_oid(oid)) + encoded)


def _as_first(status: int) -> int:
    """Translate an error status to what version 1 has (RFC 3584 clause 4.4)."""
    return {WRONG_VALUE: BAD_VALUE, NOT_WRITABLE: NO_SUCH_NAME, NO_ACCESS: NO_SUCH_NAME}.get(
        status, status
    )


def _order(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))


def tlv(tag: int, body: bytes) -> bytes:
    """Write tag, length, and value."""
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _open(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Read the value of a tag, and what comes after it; raises ValueError when it is not there."""
    if data[0] != tag:
        raise ValueError(f"tag {data[0]:#x}, expected {tag:#x}")
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7F
        size = int.from_bytes(data[2:at], "big")
    if len(data) < at + size:
        raise ValueError("cut short")
    return data[at : at + size], data[at + size :]


def integer(number: int) -> bytes:
    """Write an INTEGER in as few bytes as hold its sign."""
    return tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def write_oid(oid: str) -> bytes:
    """Write the value of an OBJECT IDENTIFIER."""
    first, second, *rest = _order(oid)
    out = bytearray()
    for part in (40 * first + second, *rest):
        digits = [part & 0x7F]
        while part := part >> 7:
            digits.append(part & 0x7F | 0x80)
        out += bytes(reversed(digits))
    return bytes(out)


def read_oid(data: bytes) -> str:
    """Read the value of an OBJECT IDENTIFIER that begins with 1.3."""
    parts, part = [data[0] // 40, data[0] % 40], 0
    for byte in data[1:]:
        part = part << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(part)
            part = 0
    return ".".join(map(str, parts))


class UdpWire(Wire):
    """A UDP port, on which each datagram is a conversation; port 0 lets the system choose, once."""

    def __init__(self, scheme: str = "snmp", *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._scheme = scheme
        self._host = host
        self._port = port
        self._socket: _Socket | None = None

    @property
    def link(self) -> str:
        """The link URL, for example `snmp://127.0.0.1:40123`."""
        return f"{self._scheme}://{self._host}:{self._port}"

    async def open(self, talk: Talk, faults: Faults) -> None:
        """Take the port."""
        loop = asyncio.get_running_loop()
        transport, self._socket = await loop.create_datagram_endpoint(
            lambda: _Socket(talk, faults), local_addr=(self._host, self._port)
        )
        self._port = transport.get_extra_info("sockname")[1]

    async def close(self) -> None:
        """Leave the port; what arrives is lost."""
        if self._socket is not None:
            await self._socket.stop()
            self._socket = None

    def emit(self, data: bytes) -> None:
        """Send to who asked last."""
        if self._socket is not None:
            self._socket.emit(data)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, talk: Talk, faults: Faults) -> None:
        self._talk = talk
        self._faults = faults
        self._transport: asyncio.DatagramTransport | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        self._last: tuple[Any, ...] | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._last = addr
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        line = Line(reader, lambda answer: self._send(answer, addr), self._faults)
        task = asyncio.ensure_future(self._talk(line))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    def emit(self, data: bytes) -> None:
        if self._last is not None:
            self._send(data, self._last)

    async def stop(self) -> None:
        conversations = list(self._conversations)
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    def _send(self, data: bytes, to: tuple[Any, ...]) -> None:
        if self._transport is not None:
            self._transport.sendto(data, to)

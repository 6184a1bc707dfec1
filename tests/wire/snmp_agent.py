"""An SNMP agent written by hand for the drivers' tests: datagrams in, datagrams out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any


def tlv(tag: int, *parts: bytes) -> bytes:
    """Write a BER element that is shorter than 128 bytes."""
    body = b"".join(parts)
    assert len(body) < 128
    return bytes((tag, len(body))) + body


def oid_of(text: str) -> bytes:
    """Write an object identifier below 1.3 with parts up to 16383."""
    out = bytearray(b"\x2b")
    for part in map(int, text.split(".")[2:]):
        out += bytes((part,)) if part < 128 else bytes((0x80 | part >> 7, part & 0x7F))
    return tlv(0x06, bytes(out))


class Request:
    """One request, cut at the places where messages of 1 and 2c have what matters."""

    def __init__(self, data: bytes) -> None:
        assert data[0] == 0x30
        assert data[1] == len(data) - 2
        self.version = data[4]
        end = 7 + data[6]
        self.community = data[7:end].decode()
        self.kind = data[end]
        size = data[end + 3]
        self.number = data[end + 2 : end + 4 + size]
        self.bindings = data[end + 4 + size + 6 :]
        """From the tag of their sequence on; before stand status 0 and index 0."""
        assert data[end + 4 + size : end + 10 + size] == b"\x02\x01\x00\x02\x01\x00"

    def reply(self, value: bytes | None = None, *, status: int = 0, oid: str = "") -> bytes:
        """Answer with a value in BER, with an error status, or about another object."""
        binding = self.bindings[4:]
        name = binding[: 2 + binding[1]]
        if oid:
            name = oid_of(oid)
        value = binding[2 + binding[1] :] if value is None else value
        return tlv(
            0x30,
            bytes((0x02, 1, self.version)),
            tlv(0x04, self.community.encode()),
            tlv(
                0xA2,
                self.number,
                bytes((0x02, 1, status, 0x02, 1, 1 if status else 0)),
                tlv(0x30, tlv(0x30, name, value)),
            ),
        )

    @property
    def binding(self) -> str:
        """The name and the value in hex."""
        return self.bindings[4:].hex(" ")


class _Port(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[Request], bytes | None]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._answer(Request(data))
        if answer is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def agent(answer: Callable[[Request], bytes | None]) -> AsyncIterator[str]:
    """Answer each datagram, or not; yields the link URL."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Port(answer), local_addr=("127.0.0.1", 0)
    )
    try:
        yield f"snmp://127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()

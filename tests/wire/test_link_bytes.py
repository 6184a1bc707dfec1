"""The byte link over a pseudo terminal, TCP and memory."""

from __future__ import annotations

import asyncio
import os
import time
import tty
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from bench.errors import DeviceTimeout, LinkError
from drivers.link.address import parse
from drivers.link.stream import SCHEMES, ByteLink, byte_link, memory_links
from tests.wire.responders import pty, tcp_server

WITHIN = 0.05


def echo(data: bytes) -> bytes:
    return data


@asynccontextmanager
async def over_pty() -> AsyncIterator[ByteLink]:
    async with pty(echo) as line:
        link = byte_link(parse(f"serial:{line.path}?baudrate=115200", *SCHEMES), "dev")
        await link.open()
        yield link
        await link.close()


@asynccontextmanager
async def over_tcp() -> AsyncIterator[ByteLink]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(echo(data))

    async with tcp_server(talk) as port:
        link = byte_link(parse(f"socket://127.0.0.1:{port}", *SCHEMES), "dev")
        await link.open()
        yield link
        await link.close()


@asynccontextmanager
async def over_memory(*, byte_by_byte: bool = False) -> AsyncIterator[ByteLink]:
    near, far = memory_links("dev", byte_by_byte=byte_by_byte)

    await near.open()
    await far.open()

    async def answer() -> None:
        while True:
            await far.write(await far.read_exactly(1, within=10.0))

    task = asyncio.ensure_future(answer())
    yield near
    task.cancel()
    await asyncio.wait([task])
    await near.close()


def byte_by_byte() -> AbstractAsyncContextManager[ByteLink]:
    return over_memory(byte_by_byte=True)


WAYS = pytest.mark.parametrize("way", [over_pty, over_tcp, over_memory, byte_by_byte])


@WAYS
async def test_bytes_come_back(way: object) -> None:
    assert callable(way)
    async with way() as link:
        await link.write(b"\x00\xff\r\nlast\n")
        assert await link.read_exactly(2, within=2.0) == b"\x00\xff"
        assert await link.read_until(b"\r\n", within=2.0) == b"\r\n"
        assert await link.read_until(b"\n", within=2.0) == b"last\n"


@WAYS
async def test_too_few_bytes_are_a_timeout_that_shows_them(way: object) -> None:
    assert callable(way)
    async with way() as link:
        await link.write(b"\x01\x02")
        with pytest.raises(DeviceTimeout, match=r"expected 3 bytes within 0.05 s, got 01 02"):
            await link.read_exactly(3, within=WITHIN)
        link.discard()
        with pytest.raises(DeviceTimeout, match=r"expected bytes up to b'\\n' within .*, got noth"):
            await link.read_until(b"\n", within=WITHIN)


@WAYS
async def test_a_closed_link_refuses(way: object) -> None:
    assert callable(way)
    async with way() as link:
        await link.close()
        await link.close()
        with pytest.raises(LinkError, match="connection closed"):
            await link.write(b"x")
        with pytest.raises(LinkError, match="connection closed"):
            await link.read_exactly(1, within=WITHIN)


async def test_a_terminal_that_vanishes_ends_the_wait_for_an_answer() -> None:
    def vanish(data: bytes) -> bytes:
        line.vanish()
        return b""

    async with pty(vanish) as line:
        link = byte_link(parse(f"serial:{line.path}", *SCHEMES), "dev")
        await link.open()
        await link.write(b"x")
        with pytest.raises(LinkError, match=r"dev \(serial:/dev/pts/\d+\): connection (lost|clos)"):
            await link.read_exactly(1, within=30.0)
        await link.close()


async def test_a_peer_that_closes_ends_the_wait_for_an_answer() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)

    async with tcp_server(talk) as port:
        link = byte_link(parse(f"socket://127.0.0.1:{port}", *SCHEMES), "dev")
        await link.open()
        await link.write(b"x")
        with pytest.raises(LinkError, match="connection closed"):
            await link.read_exactly(1, within=30.0)
        await link.close()


async def test_a_slow_line_brings_one_byte_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = memory_links("dev", byte_by_byte=True)
    await near.open()
    await far.open()
    came: list[bytes] = []
    monkeypatch.setattr(near, "data_received", came.append)
    await far.write(b"ab")
    await far.write(b"c")
    assert not came
    for count in (1, 2, 3, 3):
        await asyncio.sleep(0)
        assert len(came) == count
    assert b"".join(came) == b"abc"


@pytest.mark.parametrize("slow", [False, True])
async def test_what_came_before_the_end_can_still_be_read(slow: bool) -> None:
    near, far = memory_links("dev", byte_by_byte=slow)
    await near.open()
    await far.open()
    await far.write(b"bye")
    await far.close()
    assert await near.read_exactly(3, within=WITHIN) == b"bye"


async def test_a_port_that_is_not_there_or_in_use_is_a_link_error() -> None:
    with pytest.raises(LinkError, match=r"can't open: .*No such file or directory"):
        await byte_link(parse("serial:/dev/no-such-port", *SCHEMES), "dev").open()
    async with pty(echo) as line:
        address = parse(f"serial:{line.path}", *SCHEMES)
        link = byte_link(address, "dev")
        await link.open()
        with pytest.raises(LinkError, match=r"can't open: .*already locked"):
            await byte_link(address, "other").open()
        await link.close()
        await link.open()  # closed means free
        await link.close()
    async with tcp_server(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    with pytest.raises(LinkError, match="can't open: "):
        await byte_link(parse(f"socket://127.0.0.1:{port}", *SCHEMES), "dev").open()


async def test_an_answer_that_waited_for_the_engine_counts() -> None:
    near, _ = memory_links("device")
    await near.open()
    reading = asyncio.create_task(near.read_until(b"\n", within=0.05))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(near.data_received, b"ok\n")
    time.sleep(0.1)  # noqa: ASYNC251 - the loop is held up beyond the deadline
    assert await reading == b"ok\n"


async def test_a_port_that_hangs_holds_nobody_up_and_can_be_given_up() -> None:
    near, far = os.openpty()
    tty.setraw(far)
    hung = byte_link(parse(f"serial:{os.ttyname(far)}?baudrate=115200", *SCHEMES), "hung")
    os.close(far)
    await hung.open()
    await hung.write(bytes(1_000_000))  # nobody takes that: the port's buffer is full
    waiting = asyncio.ensure_future(hung.read_exactly(1, within=60.0))
    async with over_pty() as other:
        for number in range(100):
            await other.write(bytes([number]))
            assert await other.read_exactly(1, within=5.0) == bytes([number])
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await hung.close()
    # The port is free for whoever comes next.
    await hung.open()
    await hung.close()
    os.close(near)

"""The TCP relay with real sockets: forward, cut silently and loudly, delay, mend."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import Cut
from bench.errors import ConfigError, DeviceError
from drivers.link.listener import TcpListener
from drivers.tcp_relay import DRIVER, TcpRelay, TcpRelaySettings
from tests.wire.responders import context, tcp_server

DEADLINE = 5.0
NOTHING = 0.05
"""How long the tests wait to see that nothing comes."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Engine:
    """The side behind the relay: remembers each connection."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[Streams] = asyncio.Queue()
        self.seen = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen += 1
        await self.connections.put((reader, writer))
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def accepted(self) -> Streams:
        async with asyncio.timeout(DEADLINE):
            return await self.connections.get()


class Rig:
    """A relay, the engine behind it, and stations in front of it."""

    def __init__(self, relay: TcpRelay, engine: Engine) -> None:
        self.relay = relay
        self.engine = engine
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> Streams:
        host, _, port = self.relay.address.rpartition(":")
        async with asyncio.timeout(DEADLINE):
            reader, writer = await asyncio.open_connection(host, int(port))
        self._writers.append(writer)
        return reader, writer

    async def joined(self) -> tuple[Streams, Streams]:
        """Connect a station; return its end and the engine's."""
        station = await self.connect()
        return station, await self.engine.accepted()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    engine = Engine()
    async with tcp_server(engine.talk) as port:
        made = DRIVER.make(
            TcpRelaySettings(),
            context("net", ocpp_listen="127.0.0.1:0", ocpp_upstream=lambda: f"127.0.0.1:{port}"),
        )
        assert isinstance(made, TcpRelay)
        async with made as relay:
            bench = Rig(relay, engine)
            yield bench
            bench.close()


async def got(reader: asyncio.StreamReader, count: int) -> bytes:
    async with asyncio.timeout(DEADLINE):
        return await reader.readexactly(count)


async def nothing_comes(reader: asyncio.StreamReader) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(NOTHING):
            await reader.read(1)


async def was_reset(streams: Streams) -> bool:
    """Tell whether a connection ends by a TCP reset, not orderly."""
    async with asyncio.timeout(DEADLINE):
        try:
            await streams[0].read(1)
        except ConnectionResetError:
            return True
    return False


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a TCP reset."""
    plain = writer.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def is_refused(bench: Rig) -> bool:
    try:
        await bench.connect()
    except ConnectionRefusedError:
        return True
    return False


async def test_bytes_travel_both_ways() -> None:
    async with rig() as bench:
        (reader, writer), (far_reader, far_writer) = await bench.joined()
        writer.write(b"GET /ocpp")
        assert await got(far_reader, 9) == b"GET /ocpp"
        far_writer.write(b"101")
        assert await got(reader, 3) == b"101"


async def test_the_end_of_one_direction_leaves_the_other_open() -> None:
    async with rig() as bench:
        (reader, writer), (far_reader, far_writer) = await bench.joined()
        writer.write(b"last words")
        writer.write_eof()
        async with asyncio.timeout(DEADLINE):
            assert await far_reader.read() == b"last words"
        far_writer.write(b"heard")
        assert await got(reader, 5) == b"heard"
        far_writer.close()
        async with asyncio.timeout(DEADLINE):
            assert await reader.read() == b""


async def test_big_transfers_both_ways_at_once() -> None:
    data = os.urandom(8 * 1024 * 1024)
    digest = hashlib.sha256(data).digest()

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    async def receive(reader: asyncio.StreamReader) -> bytes:
        return hashlib.sha256(await reader.read()).digest()

    async with rig() as bench:
        (reader, writer), (far_reader, far_writer) = await bench.joined()
        async with asyncio.timeout(30.0):
            _, _, near, far = await asyncio.gather(
                send(writer), send(far_writer), receive(reader), receive(far_reader)
            )
    assert near == far == digest


async def flood(writer: asyncio.StreamWriter, limit: int) -> int:
    """Send until the other side takes no more for a while; return how much it took."""
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < limit:
            writer.write(bytes(64 * 1024))
            async with asyncio.timeout(0.3):
                await writer.drain()
            sent += 64 * 1024
    return sent


@pytest.mark.parametrize("delay", [0.0, 60.0])
async def test_a_peer_that_does_not_read_stops_the_sender(delay: float) -> None:
    async with rig() as bench:
        await bench.relay.delay(delay)
        (_, writer), _ = await bench.joined()
        assert await flood(writer, 256 * 1024 * 1024) < 64 * 1024 * 1024


async def test_a_silent_cut_hides_that_a_peer_has_gone_that_did_not_read() -> None:
    async with rig() as bench:
        (reader, writer), (_, far_writer) = await bench.joined()
        await flood(writer, 64 * 1024 * 1024)
        await bench.relay.cut(Cut.DROP)
        reset(far_writer)
        await nothing_comes(reader)


async def test_small_frames_are_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    writers = []
    connect = asyncio.open_connection

    async def remembering(*args: Any, **keys: Any) -> Streams:
        reader, writer = await connect(*args, **keys)
        writers.append(writer)
        return reader, writer

    async with rig() as bench:
        monkeypatch.setattr(asyncio, "open_connection", remembering)
        await bench.joined()
        assert len(writers) == 3  # the test's own and the relay's two
        for writer in writers:
            plain = writer.get_extra_info("socket")
            assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_silent_cut_swallows_everything_and_closes_nothing() -> None:
    async with rig() as bench:
        (reader, writer), (far_reader, far_writer) = await bench.joined()
        assert not await bench.relay.is_cut()
        await bench.relay.cut(Cut.DROP)
        assert await bench.relay.is_cut()
        writer.write(b"lost")
        far_writer.write(b"lost too")
        await nothing_comes(reader)
        await nothing_comes(far_reader)


async def test_a_silent_cut_hides_that_a_peer_has_gone() -> None:
    async with rig() as bench:
        (reader, _), (_, far_writer) = await bench.joined()
        (_, writer), (far_reader, _) = await bench.joined()
        await bench.relay.cut(Cut.DROP)
        far_writer.close()
        reset(writer)
        await nothing_comes(reader)
        await nothing_comes(far_reader)


async def test_a_silent_cut_swallows_what_is_on_its_way() -> None:
    async with rig() as bench:
        (_, writer), (far_reader, _) = await bench.joined()
        await bench.relay.delay(60.0)
        writer.write(b"late")
        await nothing_comes(far_reader)
        await bench.relay.cut(Cut.DROP)
        await bench.relay.delay(0.0)
        await nothing_comes(far_reader)


async def test_a_silent_cut_accepts_new_connections_and_tells_the_engine_nothing() -> None:
    async with rig() as bench:
        await bench.relay.cut(Cut.DROP)
        reader, writer = await bench.connect()
        writer.write(b"GET /ocpp")
        await nothing_comes(reader)
        assert bench.engine.seen == 0
        await bench.relay.restore()
        assert await was_reset((reader, writer))


async def test_mending_a_silent_cut_resets_what_was_cut() -> None:
    async with rig() as bench:
        station, engine = await bench.joined()
        await bench.relay.cut(Cut.DROP)
        station[1].write(b"lost")
        await nothing_comes(engine[0])
        await bench.relay.restore()
        assert await was_reset(station)
        assert await was_reset(engine)
        assert not await bench.relay.is_cut()
        (_, writer), (far_reader, _) = await bench.joined()
        writer.write(b"back")
        assert await got(far_reader, 4) == b"back"


async def test_a_loud_cut_resets_and_refuses() -> None:
    async with rig() as bench:
        station, engine = await bench.joined()
        address = bench.relay.address
        await bench.relay.cut()
        assert await bench.relay.is_cut()
        assert await was_reset(station)
        assert await was_reset(engine)
        assert await is_refused(bench)
        assert await is_refused(bench)
        assert bench.relay.address == address
        await bench.relay.restore()
        (_, writer), (far_reader, _) = await bench.joined()
        writer.write(b"back")
        assert await got(far_reader, 4) == b"back"


async def test_nobody_else_gets_the_port_during_a_loud_cut() -> None:
    async with rig() as bench:
        await bench.relay.cut(Cut.RESET)
        port = int(bench.relay.address.rpartition(":")[2])
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            with pytest.raises(OSError):
                other.bind(("127.0.0.1", port))
        await bench.relay.restore()
        await bench.joined()


async def test_a_port_that_was_lost_during_a_cut_is_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with rig() as bench:
        await bench.joined()

        async def taken(self: TcpRelay) -> None:
            raise DeviceError("somebody was faster")

        with monkeypatch.context() as patch:
            patch.setattr(TcpRelay, "_bind", taken)
            with pytest.raises(DeviceError, match="somebody was faster"):
                await bench.relay.cut(Cut.RESET)
        assert await is_refused(bench)
        await bench.relay.restore()
        await bench.joined()


async def test_one_kind_of_cut_after_the_other() -> None:
    async with rig() as bench:
        station, engine = await bench.joined()
        await bench.relay.cut(Cut.DROP)
        await bench.relay.cut(Cut.RESET)
        assert await was_reset(station)
        assert await was_reset(engine)
        assert await is_refused(bench)
        await bench.relay.cut(Cut.RESET)
        assert await is_refused(bench)
        await bench.relay.cut(Cut.DROP)
        reader, _ = await bench.connect()
        await nothing_comes(reader)
        await bench.relay.make_safe()
        await bench.joined()


async def test_a_reset_by_one_peer_reaches_the_other() -> None:
    async with rig() as bench:
        (_, writer), engine = await bench.joined()
        reset(writer)
        assert await was_reset(engine)


async def test_a_delay_holds_back_every_byte_in_both_directions() -> None:
    loop = asyncio.get_running_loop()
    async with rig() as bench:
        (reader, writer), (far_reader, far_writer) = await bench.joined()
        await bench.relay.delay(0.2)
        for mine, theirs in ((writer, far_reader), (far_writer, reader)):
            started = loop.time()
            mine.write(b"slow")
            assert await got(theirs, 4) == b"slow"
            assert 0.2 <= loop.time() - started < 2.0


async def test_delayed_bytes_keep_their_order_and_their_end() -> None:
    async with rig() as bench:
        (_, writer), (far_reader, _) = await bench.joined()
        await bench.relay.delay(0.05)
        for number in range(50):
            writer.write(bytes([number]))
            await asyncio.sleep(0)
        writer.write_eof()
        async with asyncio.timeout(DEADLINE):
            assert await far_reader.read() == bytes(range(50))


async def test_mending_lets_delayed_bytes_through_at_once() -> None:
    async with rig() as bench:
        (_, writer), (far_reader, _) = await bench.joined()
        await bench.relay.delay(60.0)
        writer.write(b"late")
        await nothing_comes(far_reader)
        await bench.relay.restore()
        assert await got(far_reader, 4) == b"late"


async def test_mending_what_is_not_broken_disturbs_nothing() -> None:
    async with rig() as bench:
        (_, writer), (far_reader, _) = await bench.joined()
        await bench.relay.restore()
        await bench.relay.make_safe()
        writer.write(b"on")
        assert await got(far_reader, 2) == b"on"


@pytest.mark.parametrize("seconds", [-0.1, 60.1, float("nan")])
async def test_a_wrong_delay_is_refused(seconds: float) -> None:
    async with rig() as bench:
        with pytest.raises(ValueError, match=r"delay is .* s, expected 0 to 60"):
            await bench.relay.delay(seconds)


async def test_an_engine_that_is_not_there_resets_the_station(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with tcp_server(Engine().talk) as port:
        pass
    async with TcpRelay("net", TcpListener("127.0.0.1", 0), lambda: f"127.0.0.1:{port}") as relay:
        bench = Rig(relay, Engine())
        assert await was_reset(await bench.connect())
        bench.close()
    assert f"net: can't reach the engine at 127.0.0.1:{port}: " in caplog.text


async def test_the_engine_is_looked_up_for_each_connection() -> None:
    first, second = Engine(), Engine()
    async with tcp_server(first.talk) as one, tcp_server(second.talk) as two:
        ports = iter((one, two))
        async with TcpRelay(
            "net", TcpListener("127.0.0.1", 0), lambda: f"127.0.0.1:{next(ports)}"
        ) as relay:
            bench = Rig(relay, first)
            await bench.joined()
            bench.engine = second
            await bench.joined()
            bench.close()


async def test_leaving_ends_every_connection_and_frees_the_port() -> None:
    async with rig() as bench:
        station, engine = await bench.joined()
        await bench.relay.cut(Cut.DROP)
        held = await bench.connect()
        await bench.relay.__aexit__(None, None, None)
        assert await was_reset(station)
        assert await was_reset(engine)
        assert await was_reset(held)
        assert await is_refused(bench)
        host, _, port = bench.relay.address.rpartition(":")
        with socket.create_server((host, int(port))):
            pass


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_comes_while_leaving_does_not_stay(turns: int) -> None:
    loop = asyncio.get_running_loop()
    async with rig() as bench:
        host, _, port = bench.relay.address.rpartition(":")
        with socket.create_connection((host, int(port))) as late:
            late.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
            await bench.relay.__aexit__(None, None, None)
            async with asyncio.timeout(DEADLINE):
                with contextlib.suppress(ConnectionResetError):
                    assert await loop.sock_recv(late, 1) == b""


async def test_a_port_that_is_taken_is_a_device_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        relay = TcpRelay("net", TcpListener("127.0.0.1", port), lambda: "127.0.0.1:1")
        with pytest.raises(DeviceError, match=f"net: can't listen at 127.0.0.1:{port}: "):
            await relay.__aenter__()


async def test_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return  # this machine has no IPv6: nothing to relay there
    async with TcpRelay("net", TcpListener("::1", 0), lambda: "127.0.0.1:1") as relay:
        assert relay.address.startswith("[::1]:")


@pytest.mark.parametrize("more", [{}, {"ocpp_listen": "127.0.0.1:0"}])
def test_a_relay_without_an_endpoint_is_a_configuration_error(more: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"device 'net': a TCP relay needs \[ocpp\] listen"):
        DRIVER.make(TcpRelaySettings(), context("net", **more))


def test_it_takes_the_stations_address() -> None:
    assert DRIVER.fronts_ocpp


async def test_a_limit_holds_in_each_direction() -> None:
    loop = asyncio.get_running_loop()
    async with rig() as bench:
        (reader, writer), (far_reader, far_writer) = await bench.joined()
        await bench.relay.limit(4000)
        for sender, receiver in ((writer, far_reader), (far_writer, reader)):
            sent, began = os.urandom(800), loop.time()
            sender.write(sent)
            assert await got(receiver, 800) == sent
            assert loop.time() - began >= 0.199


async def test_connections_share_the_limit() -> None:
    loop = asyncio.get_running_loop()
    async with rig() as bench:
        pairs = [await bench.joined() for _ in range(2)]
        await bench.relay.limit(4000)
        began = loop.time()
        for (_, writer), _ in pairs:
            writer.write(bytes(400))
        await asyncio.gather(*(got(far_reader, 400) for _, (far_reader, _) in pairs))
        assert loop.time() - began >= 0.199


async def test_mending_lets_throttled_bytes_and_their_end_through_at_once() -> None:
    async with rig() as bench:
        (_, writer), (far_reader, _) = await bench.joined()
        await bench.relay.limit(1)
        writer.write(b"x" * 1000)
        writer.write_eof()
        await nothing_comes(far_reader)
        await bench.relay.restore()
        async with asyncio.timeout(DEADLINE):
            assert await far_reader.read() == b"x" * 1000


async def test_throttled_bytes_that_are_cut_silently_vanish() -> None:
    async with rig() as bench:
        (_, writer), (far_reader, _) = await bench.joined()
        await bench.relay.limit(1)
        writer.write(b"x" * 1000)
        await nothing_comes(far_reader)
        await bench.relay.cut(Cut.DROP)
        await bench.relay.limit(None)
        await nothing_comes(far_reader)

"""The event loop in virtual time and its network in memory."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.capability import Cut
from bench.clock import holding_time, now, utc
from drivers.link.address import parse
from drivers.link.stream import byte_link
from drivers.sim import virtual_time
from drivers.sim.memory_network import PortListener
from drivers.sim.simulated_bench import open_bench, run_virtually
from drivers.sim.virtual_time import VirtualTimeLoop
from drivers.tcp_relay import TcpRelay


def network() -> Any:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop.network


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


def virtually(work: Callable[[], Awaitable[None]]) -> None:
    """Run a test in virtual time, and no longer than a test of an event loop may take."""

    async def main() -> None:
        await work()

    run_virtually(main())


def test_a_day_of_waiting_takes_no_time_and_utc_follows() -> None:
    async def main() -> None:
        before = now()
        await asyncio.sleep(200_000)
        after = now()
        assert after.mono - before.mono == pytest.approx(200_000, abs=0.001)
        assert (after.utc - before.utc).total_seconds() == pytest.approx(200_000, abs=0.001)
        assert utc() >= after.utc

    began = time.monotonic()
    virtually(main)
    assert time.monotonic() - began < 10


def test_every_run_sees_the_same_times() -> None:
    seen: list[float] = []

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            for wait in (3.0, 0.1, 7.5):
                tasks.create_task(asyncio.sleep(wait))
        seen.append(now().mono)

    virtually(main)
    virtually(main)
    assert seen[0] == seen[1]


def test_what_follows_on_something_comes_later() -> None:
    async def main() -> None:
        stamps = []
        for _ in range(10):
            await asyncio.sleep(0)
            stamps.append(now().mono)
        assert stamps == sorted(set(stamps))

    virtually(main)


def test_a_thread_is_waited_for_without_letting_time_pass() -> None:
    async def main() -> None:
        release = threading.Event()
        work = asyncio.create_task(asyncio.to_thread(release.wait))
        tick = asyncio.create_task(asyncio.sleep(5))
        await asyncio.sleep(0)
        threading.Timer(0.05, release.set).start()
        await work
        assert not tick.done()
        await tick

    virtually(main)


def test_held_time_stands_until_it_is_let_go() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        tick = asyncio.create_task(asyncio.sleep(5))
        with holding_time("a server in a thread"):
            threading.Timer(0.05, lambda: loop.call_soon_threadsafe(came.set)).start()
            await came.wait()
            assert not tick.done()
        await tick

    virtually(main)


def test_holding_time_does_nothing_in_real_time() -> None:
    async def main() -> None:
        with holding_time("anything"):
            await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("hold", "text"), [(True, "is held by a server that never comes"), (False, "has no timer")]
)
def test_a_standstill_is_an_error_that_names_the_cause(
    monkeypatch: pytest.MonkeyPatch, hold: bool, text: str
) -> None:
    monkeypatch.setattr(virtual_time, "_PATIENCE", 0.05)

    async def main() -> None:
        if hold:
            with holding_time("a server that never comes"):
                await asyncio.sleep(1)
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match=text):
        virtually(main)


def test_servers_and_clients_meet_in_memory() -> None:
    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = byte_link(parse(f"socket://127.0.0.1:{port}", "socket"), "device")
        await link.open()
        await link.write(b"hello")
        assert await link.read_exactly(5, within=1) == b"hello"
        await link.close()
        server.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    virtually(main)


def test_each_end_of_a_connection_knows_the_address_of_the_other() -> None:
    async def work() -> None:
        seen: asyncio.Queue[Any] = asyncio.Queue()

        async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.put_nowait([writer.get_extra_info(end) for end in ("sockname", "peername")])
            writer.close()

        server = await asyncio.start_server(look, "127.0.0.1", 8180)
        _, writer = await asyncio.open_connection("127.0.0.1", 8180)
        own, other = await seen.get()
        assert own == ("127.0.0.1", 8180) == writer.get_extra_info("peername")
        assert other == writer.get_extra_info("sockname") != own
        writer.close()
        server.close()

    virtually(work)


def test_a_taken_port_and_an_unknown_one_are_refused() -> None:
    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 8180)
        with pytest.raises(OSError, match="already in use"):
            await asyncio.start_server(echo, "127.0.0.1", 8180)
        server.close()
        await asyncio.start_server(echo, "127.0.0.1", 8180)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 22)

    virtually(main)


def test_http_clients_need_no_port_of_the_system() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(30)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "OK"

    virtually(main)


async def hears(reader: asyncio.StreamReader, *, within: float) -> bytes | None:
    """Read what comes; None when nothing does."""
    try:
        async with asyncio.timeout(within):
            return await reader.read(100)
    except TimeoutError:
        return None


def test_the_relay_cuts_drops_and_delays_in_memory() -> None:
    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        upstream = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        listener = PortListener(network(), "127.0.0.1", 0)
        async with TcpRelay("relay", listener, lambda: upstream) as relay:
            assert await relay.self_test()
            place = listener.place
            reader, writer = await asyncio.open_connection(*place)
            await relay.delay(2.0)
            writer.write(b"late")
            began = now().mono
            assert await hears(reader, within=10) == b"late"
            assert now().mono - began == pytest.approx(4.0, abs=0.01)
            await relay.cut(Cut.RESET)
            assert await hears(reader, within=10) == b""
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*place)
            await relay.restore()
            reader, writer = await asyncio.open_connection(*place)
            await relay.cut(Cut.DROP)
            writer.write(b"lost")
            assert await hears(reader, within=100) is None
            await relay.restore()
            assert await hears(reader, within=10) == b""
            writer.close()
        server.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*place)

    virtually(main)


def test_the_same_run_leaves_the_same_record(tmp_path: Path) -> None:
    async def main(folder: Path) -> tuple[list[str], list[float]]:
        async with open_bench(folder) as bench:
            await bench.run("TC_003_CS")
            names = [type(record.event).__name__ for record in bench.records]
            return names, [record.mono for record in bench.records]

    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    names, times = run_virtually(main(first))
    again, later = run_virtually(main(second))
    assert again == names
    # A thread may end one turn of the loop sooner or later, which is 1 µs.
    assert later == pytest.approx(times, abs=1e-4)

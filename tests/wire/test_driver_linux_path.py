"""The Linux path on a real kernel: station, bench and engine in network namespaces of the test."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.capability import Cut
from bench.errors import DeviceError, LinkError, Unverifiable
from drivers.linux_path import DRIVER, LinuxPath, LinuxPathSettings
from drivers.readback import poll
from tests.wire.namespaces import ENGINE, Machines, machines
from tests.wire.responders import context

DEADLINE = 15.0
NOTHING = 0.3
"""How long the tests wait to see that nothing comes."""


class Lab:
    """The three machines, and a TCP connection from station to engine."""

    def __init__(self, where: Machines) -> None:
        self.where = where
        self.listener = where.socket(where.engine)
        self.listener.bind((ENGINE, 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self._sockets = [self.listener]

    async def connect(self) -> socket.socket:
        """Let the station connect; the engine does not know yet."""
        near = self.where.socket(self.where.station)
        self._sockets.append(near)
        async with asyncio.timeout(DEADLINE):
            await asyncio.get_running_loop().sock_connect(near, (ENGINE, self.port))
        return near

    async def joined(self) -> tuple[socket.socket, socket.socket]:
        near = await self.connect()
        async with asyncio.timeout(DEADLINE):
            far, _ = await asyncio.get_running_loop().sock_accept(self.listener)
        far.setblocking(False)
        self._sockets.append(far)
        return near, far

    def path(self, *, uplink: str = "net0", loud: str = "tcp") -> LinuxPath:
        settings = LinuxPathSettings("dut0", uplink, loud, tuple(self.where.helper))  # type: ignore[arg-type]
        made = DRIVER.make(settings, context("net"))
        assert isinstance(made, LinuxPath)
        return made

    def close(self) -> None:
        for each in self._sockets:
            each.close()


@asynccontextmanager
async def opened() -> AsyncIterator[Lab]:
    async with machines() as where:
        lab = Lab(where)
        try:
            yield lab
        finally:
            lab.close()


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with opened() as lab:
        yield lab


async def got(end: socket.socket, count: int) -> bytes:
    loop, data = asyncio.get_running_loop(), b""
    async with asyncio.timeout(DEADLINE):
        while len(data) < count:
            part = await loop.sock_recv(end, count - len(data))
            assert part, "the connection has ended"
            data += part
    return data


async def nothing_comes(end: socket.socket) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(NOTHING):
            await asyncio.get_running_loop().sock_recv(end, 1)


async def test_dropped_packets_vanish_and_come_once_mended(lab: Lab) -> None:
    near, far = await lab.joined()
    async with lab.path() as path:
        near.send(b"before")
        assert await got(far, 6) == b"before"
        await path.cut(Cut.DROP)
        assert await path.is_cut()
        near.send(b"during")
        far.send(b"answer")
        await nothing_comes(far)
        await nothing_comes(near)
        await path.restore()
        assert not await path.is_cut()
        assert await got(far, 6) == b"during", "TCP sends again what was lost"
        assert await got(near, 6) == b"answer"


async def test_a_loud_cut_resets_both_ends_and_refuses_new_connections(lab: Lab) -> None:
    near, far = await lab.joined()
    async with lab.path() as path:
        await path.cut(Cut.RESET)
        near.send(b"x")
        with pytest.raises(ConnectionResetError):
            await got(near, 1)
        far.send(b"x")
        with pytest.raises(ConnectionResetError):
            await got(far, 1)
        with pytest.raises(ConnectionRefusedError):
            await lab.connect()
        await path.cut(Cut.DROP)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(NOTHING):
                await lab.connect()
        await path.restore()
        await lab.connect()


async def test_the_link_goes_down_and_comes_back(lab: Lab) -> None:
    async with lab.path(loud="link") as path:
        await path.cut()
        await carrier(lab, "DOWN")
        assert await path.is_cut()
        await path.restore()
        await carrier(lab, "UP")
        await lab.connect()


async def carrier(lab: Lab, state: str) -> None:
    """Wait for what the station sees of its cable."""

    async def seen() -> str:
        (link,) = lab.where.ip(lab.where.station, "link", "show", "eth0")
        return str(link["operstate"])

    states = (state, f"LOWERLAYER{state}")
    found = await poll(seen, lambda word: word in states, within=DEADLINE, every=0.02)
    assert found in states


async def test_a_limit_slows_both_directions(lab: Lab) -> None:
    if lab.where.lacks("tbf", "rate", "8kbit", "burst", "1600", "latency", "1s"):
        pytest.skip("the kernel has no tbf")
    loop = asyncio.get_running_loop()
    near, far = await lab.joined()
    async with lab.path() as path:
        await path.limit(40_000)
        for sender, receiver in ((near, far), (far, near)):
            began = loop.time()
            data = os.urandom(24_000)
            sending = asyncio.create_task(loop.sock_sendall(sender, data))
            assert await got(receiver, len(data)) == data
            await sending
            # A bucket may be full at the beginning.
            assert loop.time() - began > (24_000 - 2 * 1600) / 40_000
        await path.limit(None)


async def test_a_delay_holds_in_both_directions(lab: Lab) -> None:
    if lab.where.lacks("netem"):
        pytest.skip("the kernel has no netem")
    loop = asyncio.get_running_loop()
    near, far = await lab.joined()
    async with lab.path() as path:
        await path.delay(0.2)
        for sender, receiver in ((near, far), (far, near)):
            began = loop.time()
            sender.send(b"x")
            await got(receiver, 1)
            assert loop.time() - began >= 0.199
        await path.limit(1e6)
        await path.delay(0)
        await path.limit(None)


async def test_a_kernel_that_can_not_shape_is_told_and_the_path_is_mended(lab: Lab) -> None:
    if not lab.where.lacks("netem"):
        pytest.skip("this kernel has netem")
    async with lab.path() as path:
        with pytest.raises(DeviceError, match=r"^net \(.*\): delay 200: tc: .*kind is unknown"):
            await path.delay(0.2)
        await path.restore()


async def test_one_interface_alone_shapes_only_what_it_sends(lab: Lab) -> None:
    async with lab.path(uplink="") as path:
        await path.delay(0)
        await path.limit(None)
        with pytest.raises(Unverifiable, match=r"net: can't delay in both directions"):
            await path.delay(0.1)
        with pytest.raises(Unverifiable, match=r"net: can't limit in both directions"):
            await path.limit(1000)


async def test_a_killed_bench_leaves_a_mended_path(lab: Lab) -> None:
    killed = (
        "import asyncio, os, signal\n"
        "from bench.capability import Cut\n"
        "from drivers.linux_path import DRIVER, LinuxPathSettings\n"
        "from tests.wire.responders import context\n"
        "async def main():\n"
        f"    settings = LinuxPathSettings('dut0', 'net0', 'link', {tuple(lab.where.helper)!r})\n"
        "    path = DRIVER.make(settings, context('net'))\n"
        "    await path.__aenter__()\n"
        "    await path.cut(Cut.DROP)\n"
        "    await path.cut(Cut.RESET)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", killed)
    async with asyncio.timeout(DEADLINE):
        assert await process.wait() == -signal.SIGKILL
    await carrier(lab, "UP")
    async with asyncio.timeout(DEADLINE):
        await lab.connect()


async def test_an_interface_that_is_not_there_is_told(lab: Lab) -> None:
    settings = LinuxPathSettings("eth7", command=tuple(lab.where.helper))
    with pytest.raises(DeviceError, match=r'^net \(.*ip: .*"eth7" does not exist'):
        await DRIVER.make(settings, context("net")).__aenter__()


@pytest.mark.parametrize("interface", ["lo", "-batch", "a b", "eth0/../x", "e" * 16])
async def test_a_name_that_is_none_starts_nothing(interface: str, lab: Lab) -> None:
    settings = LinuxPathSettings(interface, command=tuple(lab.where.helper))
    with pytest.raises(LinkError, match=r"^net \(.*it has ended: usage: pilotbench-net"):
        await DRIVER.make(settings, context("net")).__aenter__()

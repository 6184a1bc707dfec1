"""The SNMP twins by raw datagrams, and under the real drivers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from bench.errors import DeviceError, DeviceTimeout
from drivers import apc, switch_port
from drivers.sim.apc import ApcPdu
from drivers.sim.managed_switch import ManagedSwitch
from drivers.sim.outlet import Outlet
from drivers.sim.snmp import UdpWire, integer, read_oid, tlv, write_oid
from drivers.sim.twin import Twin
from drivers.sim.world import World
from tests.wire.responders import context

DEADLINE = 3.0
NAME = "1.3.6.1.2.1.1.5.0"


class _Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.answers.put_nowait(data)


async def ask(link: str, request: bytes, *, within: float = DEADLINE) -> bytes:
    host, port = link.removeprefix("snmp://").split(":")
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(_Client, remote_addr=(host, int(port)))
    transport.sendto(request)
    try:
        async with asyncio.timeout(within):
            return await client.answers.get()
    finally:
        transport.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.timeline.stop()


@pytest.fixture
async def switch(world: World) -> AsyncIterator[Twin[ManagedSwitch]]:
    async with Twin(ManagedSwitch(world.timeline), UdpWire()) as twin:
        yield twin


def message(
    version: int, community: bytes, kind: int, oid: str, value: bytes = b"\x05\x00"
) -> bytes:
    binding = tlv(0x30, tlv(0x06, write_oid(oid)) + value)
    pdu = tlv(kind, integer(4711) + integer(0) + integer(0) + tlv(0x30, binding))
    return tlv(0x30, integer(version) + tlv(0x04, community) + pdu)


async def test_a_request_as_the_books_print_it(switch: Twin[ManagedSwitch]) -> None:
    request = "30 26 02 01 00 04 06 70 75 62 6c 69 63 a0 19 02 01 01 02 01 00 02 01 00 "
    request += "30 0e 30 0c 06 08 2b 06 01 02 01 01 05 00 05 00"
    answer = "30 30 02 01 00 04 06 70 75 62 6c 69 63 a2 23 02 01 01 02 01 00 02 01 00 "
    answer += "30 18 30 16 06 08 2b 06 01 02 01 01 05 00 04 0a 6c 61 62 2d 73 77 69 74 63 68"
    assert (await ask(switch.link, bytes.fromhex(request))).hex(" ") == answer


@pytest.mark.parametrize(
    ("version", "kind", "oid", "value", "tail"),
    [
        (1, 0xA0, "1.3.6.1.2.1.9.9.0", "05 00", "80 00"),
        (1, 0xA1, "1.3.6.1.2.1.1.1.0", "05 00", "04 0a 6c 61 62 2d 73 77 69 74 63 68"),
        (1, 0xA1, "1.3.6.1.2.1.2.2.1.8.8", "05 00", "82 00"),
        (1, 0xA0, "1.3.6.1.2.1.2.2.1.7.3", "05 00", "02 01 01"),
        (1, 0xA3, "1.3.6.1.2.1.2.2.1.7.3", "02 01 02", "07 03 02 01 02"),
    ],
)
async def test_answers(
    switch: Twin[ManagedSwitch], version: int, kind: int, oid: str, value: str, tail: str
) -> None:
    request = message(version, b"private", kind, oid, bytes.fromhex(value))
    assert (await ask(switch.link, request)).hex(" ").endswith(tail)


@pytest.mark.parametrize(
    ("version", "community", "kind", "oid", "value", "status"),
    [
        (0, b"public", 0xA0, "1.3.6.1.2.1.9.9.0", "05 00", 2),
        (0, b"public", 0xA3, "1.3.6.1.2.1.2.2.1.7.3", "02 01 02", 2),
        (1, b"public", 0xA3, "1.3.6.1.2.1.2.2.1.7.3", "02 01 02", 6),
        (1, b"private", 0xA3, "1.3.6.1.2.1.2.2.1.8.3", "02 01 02", 17),
        (1, b"private", 0xA3, "1.3.6.1.2.1.2.2.1.7.3", "02 01 09", 10),
        (0, b"private", 0xA3, "1.3.6.1.2.1.2.2.1.7.3", "02 01 09", 3),
        (1, b"private", 0xA3, "1.3.6.1.2.1.2.2.1.7.99", "02 01 02", 17),
        (1, b"private", 0xA5, "1.3.6.1.2.1.1.5.0", "05 00", 5),
    ],
)
async def test_refusals(
    switch: Twin[ManagedSwitch],
    version: int,
    community: bytes,
    kind: int,
    oid: str,
    value: str,
    status: int,
) -> None:
    request = message(version, community, kind, oid, bytes.fromhex(value))
    answer = await ask(switch.link, request)
    assert bytes.fromhex(f"02 02 12 67 02 01 {status:02x} 02 01 01") in answer
    assert all(switch.device.up.values())


@pytest.mark.parametrize(
    "request_",
    [message(1, b"guess", 0xA0, NAME), message(3, b"public", 0xA0, NAME), b"hello", b"\x30\x7f"],
)
async def test_it_is_deaf_to_strangers_and_garbage(
    switch: Twin[ManagedSwitch], request_: bytes
) -> None:
    with pytest.raises(TimeoutError):
        await ask(switch.link, request_, within=0.1)
    assert await ask(switch.link, message(1, b"public", 0xA0, NAME))


async def test_long_values_and_large_parts_of_a_name() -> None:
    assert tlv(0x04, bytes(200))[:3] == b"\x04\x81\xc8"
    assert tlv(0x04, bytes(300))[:4] == b"\x04\x82\x01\x2c"
    assert integer(-1) == b"\x02\x01\xff"
    assert integer(128) == b"\x02\x02\x00\x80"
    assert write_oid("1.3.6.1.4.1.318") == bytes.fromhex("2b 06 01 04 01 82 3e")
    assert read_oid(write_oid("1.3.6.1.4.1.2097152.1")) == "1.3.6.1.4.1.2097152.1"


def port(link: str, **keys: Any) -> switch_port.SwitchPort:
    settings = switch_port.SwitchPortSettings(link, community="private", port=3, **keys)
    made = switch_port.DRIVER.make(settings, context("lan"))
    assert isinstance(made, switch_port.SwitchPort)
    return made


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_the_port_under_its_driver(world: World, version: str) -> None:
    links: list[tuple[int, bool]] = []
    device = ManagedSwitch(world.timeline, lambda port, up: links.append((port, up)))
    async with Twin(device, UdpWire()) as twin:
        async with port(twin.link, interface="gi3", version=version) as lan:
            await lan.cut()
            assert links == [(3, False)]
            assert await lan.is_cut()
            await lan.restore()
            assert not await lan.is_cut()
            await lan.cut()
        assert device.up[3]
        twin.faults.wrong_identity = True
        with pytest.raises(DeviceError, match="port 3 is 'eth3', expected 'gi3'"):
            await port(twin.link, interface="gi3").__aenter__()


@pytest.mark.parametrize("objects", ["rpdu", "rpdu2"])
async def test_the_pdu_under_its_driver(world: World, objects: Literal["rpdu", "rpdu2"]) -> None:
    outlets = [Outlet(world.timeline), Outlet(world.timeline, world.set_mains)]
    async with Twin(ApcPdu(outlets, generation=objects), UdpWire()) as twin:
        settings = apc.ApcSettings(
            twin.link, community="private", outlet=2, objects=objects, serial="ZA1234567890"
        )
        mains = apc.DRIVER.make(settings, context("mains"))
        assert isinstance(mains, apc.Apc)
        async with mains:
            await mains.switch_off()
            await world.until(lambda: not world.mains, within=DEADLINE)
            cycling = asyncio.ensure_future(mains.cycle(off_for=7.0))
            async with asyncio.timeout(DEADLINE):
                while twin.device.reboot_durations[1] != 7:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            cycling.cancel()
            await asyncio.gather(cycling, return_exceptions=True)
        await world.until(lambda: world.mains, within=DEADLINE)
        twin.faults.wrong_identity = True
        with pytest.raises(DeviceError, match="serial number 'ZA0000000000', expected"):
            await mains.__aenter__()


async def test_a_twin_that_is_unplugged_busy_or_silent(switch: Twin[ManagedSwitch]) -> None:
    async with port(switch.link) as lan:
        switch.faults.busy = 1
        with pytest.raises(DeviceError, match="genErr"):
            await lan.is_cut()
        switch.faults.silent = True
        with pytest.raises(DeviceTimeout, match="no answer to read"):
            await lan.is_cut()
        switch.faults.clear()
        await switch.disconnect()
        with pytest.raises(DeviceTimeout):
            await lan.is_cut()
        await switch.connect()
        assert not await lan.is_cut()
        switch.faults.truncated, switch.faults.answers = 3, 1
        assert not await lan.is_cut(), "asked again"

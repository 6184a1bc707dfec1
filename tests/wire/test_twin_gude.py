"""The GUDE twin by a real HTTP client, and under the real driver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from bench.errors import DeviceError
from drivers.gude import DRIVER, Gude, GudeSettings
from drivers.sim import gude
from drivers.sim.outlet import Outlet
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World
from tests.wire.responders import context

DEADLINE = 3.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.timeline.stop()


@pytest.fixture
async def twin(world: World) -> AsyncIterator[Twin[gude.Gude]]:
    outlets = [Outlet(world.timeline), Outlet(world.timeline, world.set_mains)]
    async with Twin(gude.Gude(outlets), TcpWire("http")) as twin:
        yield twin


async def get(link: str, path: str, auth: httpx.Auth | None = None) -> httpx.Response:
    async with httpx.AsyncClient(timeout=DEADLINE, auth=auth, trust_env=False) as client:
        return await client.get(link + path)


def made(link: str, **keys: str) -> Gude:
    device = DRIVER.make(GudeSettings(link, port=2, **keys), context("mains"))  # type: ignore[arg-type]
    assert isinstance(device, Gude)
    return device


async def test_the_makers_easy_switching_command(twin: Twin[gude.Gude], world: World) -> None:
    assert (await get(twin.link, "/ov.html?cmd=1&p=2&s=0")).status_code == 200
    await world.until(lambda: not world.mains, within=DEADLINE)
    outputs = (await get(twin.link, "/status.json?components=1")).json()["outputs"]
    assert [output["state"] for output in outputs] == [1, 0]
    assert (await get(twin.link, "/status.json?components=0&cmd=1&p=2&s=1")).json() == {}
    await world.until(lambda: world.mains, within=DEADLINE)


async def test_a_batch_comes_back_alone_and_can_be_cancelled(
    twin: Twin[gude.Gude], world: World
) -> None:
    await get(twin.link, "/?cmd=5&p=2&a1=0&a2=1&s=1")  # nothing: not a path of the interface
    await get(twin.link, "/ov.html?cmd=5&p=2&a1=0&a2=1&s=1")
    await world.until(lambda: world.outages == 1, within=DEADLINE)
    await world.until(lambda: world.mains, within=DEADLINE)
    await get(twin.link, "/ov.html?cmd=5&p=2&a1=0&a2=1&s=60")
    await get(twin.link, "/ov.html?cmd=2&p=2")
    assert not twin.device.outlets[1].on


@pytest.mark.parametrize(
    "query", ["cmd=1&p=3&s=0", "cmd=1&p=2&s=2", "cmd=1&p=2", "cmd=x&p=2&s=0", "cmd=5&p=2&a1=0"]
)
async def test_what_it_does_not_understand_changes_nothing(
    twin: Twin[gude.Gude], query: str
) -> None:
    assert (await get(twin.link, f"/ov.html?{query}")).status_code == 200
    assert [outlet.on for outlet in twin.device.outlets] == [True, True]


async def test_the_driver_on_the_twin(twin: Twin[gude.Gude], world: World) -> None:
    async with made(twin.link, serial="00:19:32:00:00:7A") as mains:
        assert (await mains.identify()).model == "Expert Power Control 8031-1"
        await mains.switch_off()
        await world.until(lambda: not world.mains, within=DEADLINE)
        await mains.cycle(off_for=0.5)
        await world.until(lambda: world.mains, within=DEADLINE)
        await mains.switch_off()
    await world.until(lambda: world.mains, within=DEADLINE)


async def test_the_driver_refuses_another_device(twin: Twin[gude.Gude]) -> None:
    twin.faults.wrong_identity = True
    with pytest.raises(DeviceError, match="serial number '00:19:32:00:00:FF', expected"):
        await made(twin.link, serial="00:19:32:00:00:7a").__aenter__()
    twin.faults.clear()
    twin.faults.truncated = 5
    with pytest.raises(DeviceError):
        await made(twin.link).__aenter__()


async def test_the_password(world: World) -> None:
    strip = gude.Gude([Outlet(world.timeline)] * 2, password="secret")
    async with Twin(strip, TcpWire("http")) as twin:
        with pytest.raises(DeviceError, match="user or password refused"):
            await made(twin.link).__aenter__()
        async with made(twin.link, user="admin", password="secret") as mains:
            assert await mains.is_on()

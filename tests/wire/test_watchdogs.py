"""What a device does by itself when nobody talks to it any more, at exactly the stated time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import toml
from drivers.ea_psb import DRIVER as EA_PSB
from drivers.pilot_box import DRIVER as PILOT_BOX
from drivers.renewal import Renewal
from drivers.sim.ea_psb import EaPsb
from drivers.sim.pilot_box import PilotBox
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World
from drivers.sim.yeti_ev import YetiEv
from drivers.yeti_ev import DRIVER as YETI_EV
from tests.wire.responders import context


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def driven(driver: Any, twin: Twin[Any], **keys: Any) -> AsyncIterator[Any]:
    """Open the driver; when it is left its link is cut, so that nothing is made safe."""
    async with twin:
        settings: Any = toml.parse(driver.settings, {"link": twin.link, **keys}, "bench.toml")
        device = driver.make(settings, context("dev"))
        await device.__aenter__()
        try:
            yield device
        finally:
            await twin.disconnect()
            await asyncio.gather(device.__aexit__(None, None, None), return_exceptions=True)


async def test_the_pilot_is_in_a_three_seconds_after_the_bench_has_died(tmp_path: Path) -> None:
    clock = Clock()
    world = World(clock=clock)
    connector = world.connectors[1]
    twin = Twin(PilotBox(connector, world.timeline), TcpWire("modbus-tcp"))
    async with twin:
        settings: Any = toml.parse(PILOT_BOX.settings, {"link": twin.link}, "bench.toml")
        box: Any = PILOT_BOX.make(settings, context("box"))
        async with box:
            await box.plug_in(1)
            await box.draw(1)
            clock.seconds += 0.02
            assert connector.pilot_state() == "C"
            await box._link.close()  # as when the process is killed
            clock.seconds += 2.9
            assert connector.pilot_state() == "C"
            clock.seconds += 0.13
            assert connector.pilot_state() == "A"
            assert not twin.device.is_closed("cp")
            await box._link.open()


async def test_a_load_is_off_two_seconds_after_the_bench_has_fallen_silent() -> None:
    clock = Clock()
    world = World(clock=clock)
    twin = Twin(EaPsb(lambda: 400.0, timeline=world.timeline), TcpWire("socket"))
    async with driven(EA_PSB, twin, max_current=16) as load:
        load._renewal._every = 60.0
        await load.draw(current=10)
        clock.seconds += 1.9
        world.timeline.now()
        assert twin.device.on
        assert await load.is_drawing()  # whatever is said counts
        clock.seconds += 1.9
        world.timeline.now()
        assert twin.device.on
        clock.seconds += 0.1
        world.timeline.now()
        assert not twin.device.on
        assert not await load.is_drawing()


async def test_the_boards_pilot_is_in_a_five_seconds_after_the_bench_has_died() -> None:
    clock = Clock()
    world = World(clock=clock)
    connector = world.connectors[1]
    board = YetiEv(connector, world.timeline, cable=32.0, period=0.02)
    twin = Twin(board, TcpWire("socket"))
    async with driven(YETI_EV, twin) as vehicle:
        await vehicle._renewal.stop()
        await vehicle.plug_in(1)
        clock.seconds += 4.9
        await vehicle.draw(1)
        while not board.allowed:
            await vehicle.read_pilot(1)
        clock.seconds += 4.9
        assert connector.pilot_state() == "C"
        await vehicle._link.close()
        clock.seconds += 0.1
        assert connector.pilot_state() == "A"
        assert not board.allowed
        assert not board.relays


@pytest.mark.parametrize(
    ("keys", "text"),
    [({"watchdog": -1}, "'watchdog' is -1"), ({"watchdog": 61}, "'watchdog' is 61")],
)
def test_wrong_times_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        EA_PSB.settings(link="socket://10.0.0.1:5025", max_current=1.0, **keys)


def test_over_modbus_the_watchdog_is_the_labs() -> None:
    with pytest.raises(ValueError, match=r"over Modbus the bench can't .*'watchdog = 0'"):
        EA_PSB.settings(link="modbus-tcp://10.0.0.1", max_current=1.0)


async def test_a_renewal_that_loses_its_cancellation_ends_all_the_same() -> None:
    """A library may swallow one; else the device would never notice that nobody is there."""
    renewing, lost = asyncio.Event(), asyncio.Event()

    async def renew() -> None:
        renewing.set()
        if not lost.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            lost.set()

    renewal = Renewal("load", renew, every=0.01)
    renewal.start()
    async with asyncio.timeout(20.0):
        await renewing.wait()
        await renewal.stop()
    assert lost.is_set()

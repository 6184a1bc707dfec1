"""Every device of the lab's bench.toml: the real driver on the twin, seen in the world.

Drivers and twins were written apart, from the same public protocols; here they meet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from bench.capability import End, Failure, PilotFault, Technology
from bench.config import load_bench
from bench.device import DriverContext, Operator
from bench.dut import load_dut
from bench.errors import DeviceError
from drivers import e3372_hilink, shelly
from drivers.sim.lab import Lab, open_lab
from drivers.sim.outlet import Outlet
from drivers.sim.shelly import Shelly
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from stations.hardware import CardRead, HardwareEvent
from tests.wire.stub_station import DEADLINE, Stub, stub_of


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, make_station=Stub) as lab:
        yield lab


def device(lab: Lab, name: str) -> Any:
    """Make the device of a [[device]] table, unopened."""
    (entry,) = [device for device in load_bench(lab.bench_file).devices if device.name == name]
    return entry.driver.make(entry.settings, context(name))


def context(name: str) -> DriverContext:
    return DriverContext(name, cast("Operator", None))


async def sensed(lab: Lab, kind: type[HardwareEvent]) -> HardwareEvent:
    async with asyncio.timeout(DEADLINE):
        while not isinstance(event := await stub_of(lab).sensed.get(), kind):
            pass
    return event


async def reached(lab: Lab, pilot_state: str, rating: float | None) -> None:
    """Wait for the relays, which take 10 ms longer than the board's answer."""
    connector = lab.world.connectors[1]
    await lab.world.until(
        lambda: (connector.pilot_state(), connector.cable_rating()) == (pilot_state, rating),
        within=DEADLINE,
    )


async def test_the_pilot_box(lab: Lab) -> None:
    connector = lab.world.connectors[1]
    async with device(lab, "pilot-box") as box:
        await box.plug_in(1)
        await reached(lab, "B", 32.0)
        assert await box.is_plugged_in(1)
        connector.offer(16)
        connector.close_contactor(True)
        await box.draw(1)
        await reached(lab, "C", 32.0)
        await lab.world.until(lambda: connector.meter().power > 0, within=DEADLINE)
        seen = await box.read_pilot(1)
        assert (seen.state, seen.pwm) == ("C", True)
        assert seen.duty == pytest.approx(26.67, abs=0.01)
        assert (seen.high, seen.low) == pytest.approx((5.995, -12.0), abs=0.001)
        await box.suspend(1)
        await reached(lab, "B", 32.0)
        await box.unplug(1, end=End.VEHICLE)
        await reached(lab, "A", 32.0)
        await box.plug_in(1)
    await reached(lab, "A", None)


@pytest.mark.parametrize(
    ("fault", "letter"),
    [
        (PilotFault.DIODE_SHORT, "E"),
        (PilotFault.CP_PE_SHORT, "E"),
        (PilotFault.CP_OPEN, "A"),
        (PilotFault.PE_OPEN, "A"),
    ],
)
async def test_faults_of_the_pilot(lab: Lab, fault: PilotFault, letter: str) -> None:
    lab.world.connectors[1].offer(16)
    async with device(lab, "pilot-box") as box:
        await box.plug_in(1)
        await box.set_fault(1, fault)
        await reached(lab, letter, 32.0)
        await box.set_fault(1, PilotFault.NONE)
        await reached(lab, "B", 32.0)
        await box.set_fault(1, PilotFault.PP_OPEN)
        await reached(lab, "B", None)


async def test_the_card_changer(lab: Lab) -> None:
    dut = await asyncio.to_thread(load_dut, lab.dut_file)
    async with device(lab, "card-changer") as changer:
        for name in ("valid", "invalid", "valid"):
            card = dut.pixit.card(name)
            await changer.present(card)
            assert await sensed(lab, CardRead) == CardRead(card.id_tag, 1)
            assert not lab.world.cards()
    assert stub_of(lab).sensed.empty()


async def test_the_meter(lab: Lab) -> None:
    connector = lab.world.connectors[1]
    connector.plug_in()
    connector.offer(10)
    connector.draw()
    connector.close_contactor(True)
    await lab.world.until(lambda: connector.contactor_closed, within=DEADLINE)
    await lab.twins["meter"].restart()  # Its next own reading may be 1 s away.
    async with device(lab, "meter") as meter:
        reading = await meter.read()
    assert [quantity.value for quantity in reading.current] == [10, 10, 10]
    assert [quantity.value for quantity in reading.voltage] == [230, 230, 230]
    assert reading.power.value == 6900
    assert 0 < reading.energy_import.value <= sum(connector.energy())


async def test_the_netio(lab: Lab) -> None:
    async with device(lab, "mains") as mains:
        assert await mains.is_on()
        await mains.switch_off()
        await lab.world.until(lambda: not lab.world.mains, within=DEADLINE)
        await mains.switch_on()
        await lab.world.until(lambda: lab.world.mains, within=DEADLINE)
        await mains.cycle(off_for=0.1)
        await lab.world.until(lambda: lab.world.outages == 2, within=DEADLINE)
    assert (await stub_of(lab).life.get(), await stub_of(lab).life.get()) == ("boots", "dies")


@pytest.mark.parametrize("password", [None, "secret"])
async def test_the_shelly(lab: Lab, password: str | None) -> None:
    outlet = Outlet(lab.world.timeline, lab.world.set_mains)
    async with Twin(Shelly(outlet, password=password), TcpWire("http")) as twin:
        settings = shelly.ShellySettings(link=twin.link, password=password or "")
        made: Any = shelly.DRIVER.make(settings, context("plug"))
        async with made as plug:
            await plug.switch_off()
            assert not await plug.is_on()
            await lab.world.until(lambda: not lab.world.mains, within=DEADLINE)
            await plug.switch_on()
            assert await plug.is_on()


async def test_the_modem(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e3372_hilink, "_EVERY", 0.02)
    async with device(lab, "modem") as modem:
        await modem.set_technology(Technology.G2)
        await modem.set_data(on=True)
        signal = await modem.read_signal()
    assert (signal.technology, signal.connected) == (Technology.G2, True)
    assert lab.twins["modem"].device.mode == "00"


async def test_the_service_port(lab: Lab) -> None:
    async with device(lab, "service-port") as service:
        await service.provoke(Failure.LOCK_BLOCKED, 1)
        assert not lab.world.connectors[1].lock(True)
        await service.relieve(Failure.LOCK_BLOCKED, 1)
        assert lab.world.connectors[1].lock(True)
        await service.provoke(Failure.LOCAL_LIST_FAILURE, 0)
        assert not lab.world.list_storage_works
    assert lab.world.list_storage_works


@pytest.mark.parametrize(
    "name", ["pilot-box", "card-changer", "meter", "load", "mains", "modem", "service-port"]
)
async def test_a_device_that_is_not_there_is_named(lab: Lab, name: str) -> None:
    await lab.twins[name].disconnect()
    async with AsyncExitStack() as stack:
        with pytest.raises(DeviceError, match=name):
            async with asyncio.timeout(3 * DEADLINE):
                await stack.enter_async_context(device(lab, name))

"""Both personalities of the dongle: what the driver does is what the radio of the twin shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import Modem, Technology
from bench.errors import DeviceError, DeviceTimeout
from drivers.sim.radio import CELLS
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of

MODEMS = offering(Modem)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


@MODEMS
async def test_each_technology_is_what_the_radio_uses_and_the_signal_tells(rig: Rig) -> None:
    radio = rig.twin.device.radio
    async with rig.device as modem:
        for technology in (Technology.G4, Technology.G3, Technology.G2):
            await modem.set_technology(technology)
            assert radio.technology == technology
            signal = await modem.read_signal()
            assert (signal.technology, signal.rssi.unit) == (technology, "dBm")
            assert signal.rssi.value == CELLS[technology].rssi
            await modem.set_data(on=True)
            assert radio.connected


@MODEMS
async def test_leaving_lets_it_choose_by_itself_without_data(rig: Rig) -> None:
    radio = rig.twin.device.radio
    async with rig.device as modem:
        await modem.set_technology(Technology.G2)
        await modem.set_data(on=True)
    assert (radio.technology, radio.connected, radio.data) == ("4G", False, False)


@MODEMS
async def test_what_was_left_by_a_dead_bench_is_gone_after_entering(rig: Rig) -> None:
    radio = rig.twin.device.radio
    await rig.device.__aenter__()
    await rig.device.set_technology(Technology.G3)
    await rig.device.set_data(on=True)
    await rig.device._link.close()  # the engine died here
    async with rig.opened():
        assert (radio.technology, radio.connected) == ("4G", False)


@MODEMS
async def test_no_network_is_told_and_data_gives_up_in_time(rig: Rig) -> None:
    del rig.twin.device.radio.cells["3G"]
    async with rig.device as modem:
        await modem.set_technology(Technology.G3)
        signal = await modem.read_signal()
        assert (signal.registered, signal.technology, signal.rssi) == (False, None, None)
        with pytest.raises(DeviceTimeout, match=r"^dev\b.* after 0.8 s"):
            await modem.set_data(on=True)
        await modem.set_technology(Technology.G4)
        await modem.set_data(on=True)


@MODEMS
async def test_a_cancelled_call_leaves_it_usable(rig: Rig) -> None:
    radio = rig.twin.device.radio
    async with rig.device as modem:
        radio.dialling = 60.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await modem.set_data(on=True)
        radio.dialling = 0.0
        await modem.make_safe()
        await modem.set_technology(Technology.G2)
        await modem.set_data(on=True)
        assert (await modem.read_signal()).connected


@MODEMS
async def test_a_setting_that_does_not_take_is_named(rig: Rig) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as modem:
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b.* reads '00', commanded '02'"):
            await modem.set_technology(Technology.G3)

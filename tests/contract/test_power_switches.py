"""What every power switch promises, seen in the world behind its twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import PowerSwitch
from bench.errors import DeviceError
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of

SWITCHES = offering(PowerSwitch)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


async def mains(rig: Rig, on: bool) -> None:
    """Wait for the contacts, which take some milliseconds longer than the answer."""
    await rig.world.until(lambda: rig.world.mains is on, within=DEADLINE)


@SWITCHES
async def test_it_switches_as_often_as_told_and_reads_back(rig: Rig) -> None:
    async with rig.device as switch:
        assert await switch.is_on()
        for on in (False, False, True, True):
            await (switch.switch_on() if on else switch.switch_off())
            assert await switch.is_on() is on
            await mains(rig, on)
    assert rig.world.outages == 1


@SWITCHES
async def test_the_supply_is_safe_when_it_is_entered_and_when_it_is_left(rig: Rig) -> None:
    async with rig.device as switch:
        await switch.switch_off()
        await mains(rig, False)
    await mains(rig, True)
    async with rig.device as switch:
        await switch.switch_off()
        await mains(rig, False)
        await switch.make_safe()
        assert await switch.is_on()
        await mains(rig, True)


@SWITCHES
async def test_a_self_test_does_not_take_the_supply_away(rig: Rig) -> None:
    async with rig.device as switch:
        await switch.self_test()
    assert rig.world.outages == 0


@SWITCHES
async def test_a_stuck_relay_is_an_error_that_names_the_device(rig: Rig) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as switch:
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b.*commanded off"):
            await switch.switch_off()
        assert await switch.is_on()


@SWITCHES
async def test_a_cancelled_command_leaves_it_usable(rig: Rig) -> None:
    async with rig.device as switch:
        with rig.misbehaving(silent=True), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await switch.switch_off()
        await switch.make_safe()
        await mains(rig, True)
        await switch.switch_off()
        await mains(rig, False)
    await mains(rig, True)

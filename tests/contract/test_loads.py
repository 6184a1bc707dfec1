"""What every load promises, seen at its terminals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import Load
from bench.errors import DeviceError
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of

LOADS = offering(Load)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


@LOADS
async def test_it_draws_and_releases_as_often_as_told(rig: Rig) -> None:
    async with rig.device as load:
        assert not await load.is_drawing()
        for _ in range(2):
            await load.draw(current=10)
            assert await load.is_drawing()
            assert rig.twin.device.drawn() == pytest.approx(10)
        assert (await load.read()).current.value == pytest.approx(10)
        for _ in range(2):
            await load.release()
            assert not await load.is_drawing()
            assert rig.twin.device.drawn() == 0


@LOADS
async def test_nothing_is_drawn_once_it_is_safe_or_left(rig: Rig) -> None:
    async with rig.device as load:
        await load.draw(current=10)
        async with asyncio.timeout(1.0):
            await load.make_safe()
        assert rig.twin.device.drawn() == 0
        await load.draw(current=10)
    assert rig.twin.device.drawn() == 0


@LOADS
async def test_what_is_beyond_its_limit_is_refused(rig: Rig) -> None:
    async with rig.device as load:
        for current in (0.0, -1.0, 1000.0):
            with pytest.raises(ValueError, match=r"^dev: "):
                await load.draw(current=current)
        assert not await load.is_drawing()


@LOADS
async def test_a_stuck_power_stage_is_an_error_that_names_the_device(rig: Rig) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as load:
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b.*commanded on"):
            await load.draw(current=10)


@LOADS
async def test_a_cancelled_command_leaves_it_usable(rig: Rig) -> None:
    async with rig.device as load:
        with rig.misbehaving(silent=True), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await load.draw(current=10)
        async with asyncio.timeout(1.0):
            await load.make_safe()
        assert rig.twin.device.drawn() == 0
        await load.draw(current=10)
        assert rig.twin.device.drawn() == pytest.approx(10)

"""What every modem promises, seen in the radio of its twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import Modem, Technology
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of

MODEMS = offering(Modem)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


@MODEMS
async def test_it_takes_a_technology_as_often_as_told_and_registers_with_it(rig: Rig) -> None:
    async with rig.device as modem:
        for technology in (Technology.G4, Technology.G4, Technology.G3, Technology.G2):
            await modem.set_technology(technology)
            signal = await modem.read_signal()
            assert (signal.technology, signal.registered) == (technology, True)
            assert signal.rssi is not None


@MODEMS
async def test_data_goes_on_and_off_as_often_as_told(rig: Rig) -> None:
    async with rig.device as modem:
        for on in (True, True, False, False, True):
            await modem.set_data(on=on)
            assert (await modem.read_signal()).connected is on


@MODEMS
async def test_it_may_use_any_network_again_once_it_is_safe(rig: Rig) -> None:
    async with rig.device as modem:
        best = (await modem.read_signal()).technology
        await modem.set_technology(Technology.G2)
        await modem.make_safe()
        assert (await modem.read_signal()).technology is best
        await modem.set_technology(Technology.G2)
    async with rig.device as modem:
        assert (await modem.read_signal()).technology is best

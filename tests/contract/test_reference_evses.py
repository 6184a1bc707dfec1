"""What every reference EVSE promises, seen on the connector of the world; by hand, in prompts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bench.capability import EvseReading, ReferenceEvse
from bench.device import Action
from bench.errors import DeviceError, Unverifiable
from drivers.manual_reference import MANUAL_REFERENCE
from tests.contract.operator import Person
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of
from tests.contract.test_manual import made

EVSES = offering(ReferenceEvse)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


@EVSES
async def test_it_offers_and_withdraws_as_often_as_told(rig: Rig) -> None:
    connector = rig.world.connectors[1]
    async with rig.device as evse:
        assert await evse.read() == EvseReading("A", False, 100.0, None)
        connector.plug_in(rating=32.0)
        assert await evse.read() == EvseReading("B", False, 100.0, 32.0)
        for current, duty in ((16.0, 27.0), (16.0, 27.0), (32.0, 53.0)):
            await evse.offer(current=current)
            assert await evse.read() == EvseReading("B", True, duty, 32.0)
        for _ in range(2):
            await evse.withdraw()
            assert not (await evse.read()).pwm


@EVSES
async def test_the_contactor_follows_the_vehicle_while_it_is_released(rig: Rig) -> None:
    connector = rig.world.connectors[1]
    connector.plug_in()
    async with rig.device as evse:
        connector.draw()
        assert (await evse.read()).state == "C"
        assert not connector.live
        await evse.offer(current=10.0)
        await rig.world.until(lambda: connector.live, within=DEADLINE)
        assert connector.current()[0] == pytest.approx(10.0)
        await evse.make_safe()
        await rig.world.until(lambda: not connector.live, within=DEADLINE)


@EVSES
async def test_it_offers_nothing_once_it_is_left(rig: Rig) -> None:
    connector = rig.world.connectors[1]
    connector.plug_in()
    async with rig.device as evse:
        await evse.offer(current=16.0)
        await rig.world.until(lambda: connector.levels().pwm, within=DEADLINE)
    await rig.world.until(lambda: not connector.levels().pwm, within=DEADLINE)


@EVSES
async def test_what_was_left_by_a_dead_bench_is_withdrawn_on_entering(rig: Rig) -> None:
    connector = rig.world.connectors[1]
    connector.plug_in()
    await rig.device.__aenter__()
    await rig.device.offer(current=16.0)
    await rig.die()
    assert connector.levels().pwm
    async with rig.device:
        assert not connector.levels().pwm


@EVSES
async def test_a_stuck_controller_is_an_error_that_names_it(rig: Rig) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as evse:
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b.*commanded"):
            await evse.offer(current=20.0)


@EVSES
@pytest.mark.parametrize("current", [0.0, 5.9, 80.1, float("nan")])
async def test_a_current_that_no_pilot_can_offer_is_refused(rig: Rig, current: float) -> None:
    async with rig.device as evse:
        with pytest.raises(ValueError, match="expected 6 to 80"):
            await evse.offer(current=current)


def by_hand(person: Person) -> Any:
    return made(MANUAL_REFERENCE, person)


async def test_the_operator_is_asked_once_for_each_change() -> None:
    person = Person()
    hand = by_hand(person)
    await hand.withdraw()
    await hand.offer(current=16.0)
    await hand.offer(current=16.0)
    assert person.texts == ["Let the reference EVSE offer 16 A and release charging."]
    assert person.last.action == Action("ReferenceEvse", "offer", {"current": 16.0})
    await hand.make_safe()
    await hand.make_safe()
    assert person.texts[1:] == ["Let the reference EVSE offer nothing (no release of charging)."]
    with pytest.raises(ValueError, match="expected 6 to 80"):
        await hand.offer(current=5.0)


async def test_a_prompt_that_was_interrupted_is_undone_and_a_refused_one_told_once() -> None:
    person = Person(asyncio.CancelledError, False)
    hand = by_hand(person)
    with pytest.raises(asyncio.CancelledError):
        await hand.offer(current=16.0)
    with pytest.raises(Unverifiable, match="could not do it"):
        await hand.make_safe()
    await hand.make_safe()
    assert len(person.prompts) == 2


async def test_the_operator_reads_what_it_shows() -> None:
    assert await by_hand(Person("b2", "26.7", "32")).read() == EvseReading("B", True, 26.7, 32.0)
    person = Person("A", "a1", "0")
    assert await by_hand(person).read() == EvseReading("A", False, 100.0, None)
    assert person.texts[1].startswith("“A” is no status. Read the reference EVSE")

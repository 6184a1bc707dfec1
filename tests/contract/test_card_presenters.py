"""What every card presenter promises, seen by the reader of the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import Card, CardPresenter
from bench.errors import DeviceError
from stations.hardware import CardRead
from tests.contract.rigs import DEADLINE, UID, Rig, Row, offering, rig_of

PRESENTERS = offering(CardPresenter)
CARD = Card("valid", UID, uid=UID)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


@PRESENTERS
async def test_each_presentation_is_read_once_and_ends(rig: Rig) -> None:
    async with rig.device as cards:
        for _ in range(2):
            await cards.present(CARD)
            assert not rig.world.cards()
            assert await rig.world.next_event() == CardRead(UID, 1)
        await cards.withdraw()
        await cards.withdraw()


@PRESENTERS
async def test_a_card_that_it_does_not_have_is_an_error(rig: Rig) -> None:
    async with rig.device as cards:
        with pytest.raises(DeviceError, match=r"^dev: .*lost"):
            await cards.present(Card("lost", "LOST"))
        assert not rig.world.cards()


@PRESENTERS
async def test_a_cancelled_presentation_takes_the_card_away(rig: Rig) -> None:
    async with rig.device as cards:
        presenting = asyncio.create_task(cards.present(CARD))
        await rig.world.until(lambda: bool(rig.world.cards()), within=DEADLINE)
        presenting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await presenting
        await rig.world.until(lambda: not rig.world.cards(), within=DEADLINE)
        await cards.make_safe()
        await cards.present(CARD)


@PRESENTERS
async def test_what_was_left_by_a_dead_bench_is_gone_after_entering(rig: Rig) -> None:
    await rig.device.__aenter__()
    presenting = asyncio.create_task(rig.device.present(CARD))
    await rig.world.until(lambda: bool(rig.world.cards()), within=DEADLINE)
    await rig.die()
    presenting.cancel()
    await asyncio.gather(presenting, return_exceptions=True)
    assert rig.world.cards()
    async with rig.device:
        assert not rig.world.cards()


@PRESENTERS
async def test_a_stuck_mechanism_is_an_error_that_names_the_device(rig: Rig) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as cards:
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b.*commanded"):
            await cards.present(CARD)


@PRESENTERS
async def test_a_self_test_presents_no_card(rig: Rig) -> None:
    async with rig.device as cards:
        await cards.self_test()
        assert not rig.world.cards()
        await cards.present(CARD)
        assert await rig.world.next_event() == CardRead(UID, 1)
        await cards.self_test()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):  # the reader takes 0.05 s
            await rig.world.next_event()

"""What every means to provoke failures promises, seen in the world behind its twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.capability import Failure, Provocation
from bench.errors import DeviceError
from tests.contract.rigs import DEADLINE, Rig, Row, offering, rig_of

MEANS = offering(Provocation)
FAILURES = pytest.mark.parametrize("what", list(Failure))


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


def broken(rig: Rig) -> set[Failure]:
    """List what fails in the world."""
    found = {Failure.LOCK_BLOCKED} if rig.world.connectors[1].lock_blocked else set()
    return found if rig.world.list_storage_works else found | {Failure.LOCAL_LIST_FAILURE}


@MEANS
@FAILURES
async def test_it_provokes_and_relieves_as_often_as_told(rig: Rig, what: Failure) -> None:
    async with rig.device as means:
        for provoked in (True, True, False, False):
            await (means.provoke if provoked else means.relieve)(what, 1)
            assert broken(rig) == ({what} if provoked else set())


@MEANS
async def test_everything_is_relieved_on_entering_making_safe_and_leaving(rig: Rig) -> None:
    rig.world.connectors[1].lock_blocked = True
    rig.world.list_storage_works = False
    async with rig.device as means:
        assert broken(rig) == set()
        for what in Failure:
            await means.provoke(what, 1)
        assert broken(rig) == set(Failure)
        await means.make_safe()
        assert broken(rig) == set()
        await means.provoke(Failure.LOCK_BLOCKED, 1)
    assert broken(rig) == set()


@MEANS
@FAILURES
async def test_what_does_not_follow_is_an_error_that_names_it(rig: Rig, what: Failure) -> None:
    assert rig.row.jam is not None
    async with rig.opened() as means:
        rig.row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=rf"^dev\b.*{what}"):
            await means.provoke(what, 1)
        assert broken(rig) == set()


@MEANS
async def test_a_cancelled_provocation_is_relieved_by_making_safe(rig: Rig) -> None:
    async with rig.device as means:
        with rig.misbehaving(late=0.1), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await means.provoke(Failure.LOCK_BLOCKED, 1)
        await means.make_safe()
        assert broken(rig) == set()

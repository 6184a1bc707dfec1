"""The operator who provokes failures: what is asked, and what is not asked twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench.capability import Failure
from bench.device import Action
from bench.errors import Unverifiable
from drivers.manual import ManualSettings
from drivers.manual_provocation import MANUAL_PROVOCATION
from tests.contract.operator import Person

LOCK, LIST = Failure.LOCK_BLOCKED, Failure.LOCAL_LIST_FAILURE
BLOCK = (
    "Block the cable lock of connector 2 in the position that it is in, as the vendor has shown: "
    "it must not be able to move."
)
FREE = "Free the cable lock of connector 2: it must move again."


def made(person: Person) -> Any:
    return MANUAL_PROVOCATION.make(ManualSettings(), person.context())


async def test_a_failure_is_asked_for_once_and_relieved_once() -> None:
    person = Person()
    async with made(person) as means:
        await means.relieve(LOCK, 2)
        assert not person.prompts
        await means.provoke(LOCK, 2)
        await means.provoke(LOCK, 2)
        assert person.last.action == Action(
            "Provocation", "provoke", {"what": "lock-blocked", "connector": 2}
        )
        await means.relieve(LOCK, 2)
        await means.relieve(LOCK, 2)
    assert person.texts == [BLOCK, FREE]
    assert person.last.action == Action(
        "Provocation", "relieve", {"what": "lock-blocked", "connector": 2}
    )


async def test_leaving_relieves_all_that_is_left() -> None:
    person = Person()
    async with made(person) as means:
        await means.provoke(LOCK, 2)
        await means.provoke(LIST, 0)
    assert person.texts[2:] == [
        FREE,
        "Let the charging station store a local authorization list again, as the vendor has shown.",
    ]


async def test_what_was_refused_needs_no_undoing() -> None:
    person = Person(False)
    async with made(person) as means:
        with pytest.raises(Unverifiable, match="the operator could not do it"):
            await means.provoke(LIST, 0)
    assert len(person.prompts) == 1


async def test_what_was_interrupted_is_undone() -> None:
    person = Person(asyncio.CancelledError)
    means = made(person)
    with pytest.raises(asyncio.CancelledError):
        await means.provoke(LOCK, 2)
    await means.make_safe()
    await means.make_safe()
    assert person.texts == [BLOCK, FREE]


async def test_what_the_operator_can_not_undo_is_asked_once() -> None:
    person = Person(True, False)
    means = made(person)
    await means.provoke(LOCK, 2)
    with pytest.raises(Unverifiable, match="the operator could not do it"):
        await means.make_safe()
    await means.make_safe()
    assert person.texts == [BLOCK, FREE]


async def test_an_interrupted_relief_is_asked_again() -> None:
    person = Person(True, asyncio.CancelledError)
    means = made(person)
    await means.provoke(LOCK, 2)
    with pytest.raises(asyncio.CancelledError):
        await means.relieve(LOCK, 2)
    await means.make_safe()
    assert person.texts == [BLOCK, FREE, FREE]

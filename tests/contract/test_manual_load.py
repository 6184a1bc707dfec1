"""The manual load: what it asks, in which words, and what it does not ask twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench.capability import LoadReading
from bench.device import Action
from bench.errors import Unverifiable
from bench.metrology import Quantity
from drivers.manual_load import MANUAL_LOAD, ManualLoad, ManualLoadSettings
from tests.contract.operator import Person


def made(person: Person, **keys: Any) -> ManualLoad:
    device = MANUAL_LOAD.make(ManualLoadSettings(**keys), person.context("load"))
    assert isinstance(device, ManualLoad)
    return device


async def test_what_is_asked_and_what_is_not_asked_twice() -> None:
    person = Person()
    async with made(person) as load:
        assert not await load.is_drawing()
        await load.release()
        assert not person.prompts
        await load.draw(current=16)
        await load.draw(current=16.0)
        assert await load.is_drawing()
        assert person.texts == ["Set the load to 16 A and switch it on."]
        assert person.last.action == Action("Load", "draw", {"current": 16})
        await load.draw(current=6.5)
    assert person.texts[1:] == ["Set the load to 6.5 A and switch it on.", "Switch the load off."]
    assert person.last.action == Action("Load", "release", {})


async def test_reading() -> None:
    person = Person("400,5", "-2")
    reading = await made(person).read()
    expected = LoadReading(Quantity(400.5, "V"), Quantity(-2.0, "A"), Quantity(-801.0, "W"))
    assert reading == expected
    assert person.texts == ["Read the load: voltage in V.", "Read the load: current in A."]


async def test_what_was_refused_is_not_done() -> None:
    person = Person(False)
    async with made(person) as load:
        with pytest.raises(Unverifiable, match="load: the operator could not do it"):
            await load.draw(current=6)
        assert not await load.is_drawing()
    assert len(person.prompts) == 1


async def test_what_was_interrupted_is_undone() -> None:
    person = Person(asyncio.CancelledError)
    load = made(person)
    with pytest.raises(asyncio.CancelledError):
        await load.draw(current=6)
    person.answers = ["yes"]
    assert await load.is_drawing()
    assert person.last.text == "Is the load switched on?"
    await load.make_safe()
    assert person.last.text == "Switch the load off."
    assert not await load.is_drawing()


async def test_a_refused_release_is_not_put_again() -> None:
    person = Person(True, False)
    load = made(person)
    await load.draw(current=6)
    with pytest.raises(Unverifiable):
        await load.make_safe()
    await load.make_safe()
    assert len(person.prompts) == 2


@pytest.mark.parametrize("current", [0.0, -6.0, 16.5])
async def test_a_current_that_the_load_is_not_made_for(current: float) -> None:
    person = Person()
    with pytest.raises(ValueError, match=r"^load: current is .*, at most 16 A$"):
        await made(person, max_current=16.0).draw(current=current)
    assert not person.prompts
    with pytest.raises(ValueError, match="'max_current' is 0, expected more than 0"):
        ManualLoadSettings(max_current=0.0)

"""The manual modem: what it asks, and what it does not ask twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench.capability import Technology
from bench.device import Action
from bench.errors import Unverifiable
from bench.metrology import Quantity
from drivers.manual import ManualSettings
from drivers.manual_modem import MANUAL_MODEM
from tests.contract.operator import Person


def made(person: Person) -> Any:
    return MANUAL_MODEM.make(ManualSettings(), person.context())


async def test_a_technology_is_asked_for_once_and_undone_on_leaving() -> None:
    person = Person()
    async with made(person) as modem:
        await modem.set_technology(Technology.G4)
        await modem.set_technology(Technology.G4)
    assert person.texts == [
        "Let the modem use 4G only (network mode, in its settings).",
        "Let the modem choose between 2G, 3G and 4G by itself (network mode, in its settings).",
    ]
    assert person.last.action == Action("Modem", "set_technology", {"technology": "auto"})


async def test_nothing_is_undone_that_was_not_done() -> None:
    person = Person()
    async with made(person) as modem:
        await modem.set_technology(Technology.AUTO)
        await modem.set_data(on=True)
        await modem.set_data(on=True)
    assert len(person.prompts) == 2
    assert person.last.action == Action("Modem", "set_data", {"on": True})


async def test_what_was_interrupted_is_undone() -> None:
    person = Person(asyncio.CancelledError)
    modem = made(person)
    with pytest.raises(asyncio.CancelledError):
        await modem.set_technology(Technology.G2)
    await modem.make_safe()
    await modem.make_safe()
    assert len(person.prompts) == 2


async def test_what_the_operator_can_not_undo_is_asked_once() -> None:
    person = Person(True, False)
    modem = made(person)
    await modem.set_technology(Technology.G2)
    with pytest.raises(Unverifiable, match="the operator could not do it"):
        await modem.make_safe()
    await modem.make_safe()
    assert len(person.prompts) == 2


async def test_a_change_of_network_drops_data() -> None:
    person = Person()
    modem = made(person)
    for technology in (Technology.G3, Technology.G4):
        await modem.set_technology(technology)
        await modem.set_data(on=True)
    await modem.restart()
    await modem.set_data(on=True)
    assert len(person.prompts) == 6


async def test_the_signal_is_read_from_the_modem() -> None:
    person = Person(True, True, "yes", "-81")
    modem = made(person)
    await modem.set_technology(Technology.G4)
    await modem.set_data(on=True)
    signal = await modem.read_signal()
    assert (signal.technology, signal.registered, signal.connected) == (Technology.G4, True, True)
    assert signal.rssi == Quantity(-81.0, "dBm")
    assert signal.rsrp is None
    assert signal.source == "operator"


async def test_without_network_there_is_no_level_to_read() -> None:
    person = Person("no")
    signal = await made(person).read_signal()
    assert (signal.registered, signal.technology, signal.rssi) == (False, None, None)
    assert len(person.prompts) == 1

"""The manual card reader: what it asks, in which words, and what it does not ask twice."""

from __future__ import annotations

import pytest

from bench.capability import CardReading
from bench.device import Action
from bench.errors import Unverifiable
from drivers.manual_card_reader import (
    MANUAL_CARD_READER,
    ManualCardReader,
    ManualCardReaderSettings,
)
from tests.contract.operator import Person

TAKE = (
    "Take a card and enter its UID as it is printed on it, or as a telephone with NFC shows it "
    "(8, 14 or 20 hexadecimal digits)."
)


def made(person: Person) -> ManualCardReader:
    device = MANUAL_CARD_READER.make(ManualCardReaderSettings(), person.context("reader"))
    assert isinstance(device, ManualCardReader)
    return device


async def test_what_is_asked_and_what_is_not_asked_twice() -> None:
    person = Person(" 04:a1:b2:c3:d4:e5:f6 ")
    async with made(person) as reader:
        assert await reader.read_card() is None
        await reader.await_removal(within=5)
        assert not person.prompts
        expected = CardReading("04A1B2C3D4E5F6")
        assert await reader.await_card(within=5) == expected
        assert await reader.await_card(within=5) == expected
        assert await reader.read_card() == expected
        assert person.texts == [TAKE]
        assert person.last.action == Action("CardReader", "await_card", {"within": 5})
        await reader.await_removal(within=7)
        assert person.last.text == "Put the card with the UID 04A1B2C3D4E5F6 away."
        assert person.last.action == Action("CardReader", "await_removal", {"within": 7})
        assert await reader.read_card() is None
    assert len(person.prompts) == 2


async def test_what_is_no_uid_is_asked_for_once_more() -> None:
    person = Person("dead", "DEADBEEF")
    assert (await made(person).await_card(within=5)).uid == "DEADBEEF"
    assert person.last.text == f"'dead' has 2 bytes, expected 4, 7 or 10. {TAKE}"
    person = Person("08112233", "a card")
    with pytest.raises(Unverifiable, match=r"^reader: 'a card', expected hexadecimal digits"):
        await made(person).await_card(within=5)
    assert "is a random number, which the chip changes" in person.last.text


async def test_a_card_that_was_not_put_away_is_still_at_hand() -> None:
    person = Person("DEADBEEF", False)
    reader = made(person)
    await reader.await_card(within=5)
    with pytest.raises(Unverifiable, match="the operator could not do it"):
        await reader.await_removal(within=5)
    assert await reader.read_card() is not None

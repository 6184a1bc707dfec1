"""The operator as a card reader: a person who writes down what is printed on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.capability import CardReader, CardReading
from bench.cards import uid_bytes
from bench.device import Driver, DriverContext
from bench.pictures import Picture
from drivers.hand import Hand, ManualDevice

_ENTER = (
    "enter its UID as it is printed on it, or as a telephone with NFC shows it "
    "(8, 14 or 20 hexadecimal digits)"
)


@dataclass(frozen=True, slots=True)
class ManualCardReaderSettings:
    """A card reader that is a person has no keys of its own."""


class ManualCardReader(ManualDevice, CardReader):
    """The operator reads the lab's cards."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, CardReader)
        self._card: CardReading | None = None
        """The card in the operator's hand."""

    async def make_safe(self) -> None:
        """Do nothing: a card in a hand does no harm."""

    async def read_card(self) -> CardReading | None:
        """Tell from memory."""
        return self._card

    async def await_card(self, *, within: float) -> CardReading:
        """Ask for the UID of a card, unless one is at hand; the prompt has its own deadline."""
        if self._card is None:
            text = f"Take a card and {_ENTER}."
            self._card = await self._hand.writes(
                text, _reading, "await_card", Picture.READ_CARD, within=within
            )
        return self._card

    async def await_removal(self, *, within: float) -> None:
        """Ask to put the card away, if one is at hand; the prompt has its own deadline."""
        if self._card is not None:
            text = f"Put the card with the UID {self._card.uid} away."
            await self._hand.does(text, "await_removal", within=within)
            self._card = None


def _reading(value: Any) -> CardReading:
    return CardReading(uid_bytes(str(value).strip()).hex().upper())


MANUAL_CARD_READER = Driver(
    settings=ManualCardReaderSettings,
    offers=(CardReader,),
    make=lambda settings, context: ManualCardReader(context),
    by_hand=True,
)

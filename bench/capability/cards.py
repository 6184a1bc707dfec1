"""What a test needs of RFID cards."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the lab's inventory, as `dut.toml` names it."""

    name: str
    """What is written on it, for example `valid` or `invalid`."""
    id_tag: str
    """The idTag that the DUT makes of it (OCPP 1.6 type IdToken, at most 20 characters)."""
    status: str = "Accepted"
    """What the CSMS answers for it (AuthorizationStatus)."""
    parent: str | None = None
    """The parentIdTag, if it belongs to a group."""
    slot: str | None = None
    """Where the card presenter holds it; the name when None."""
    uid: str | None = None
    """The chip's number in hexadecimal digits, if `dut.toml` gives it; to emulate the card."""


class CardPresenter(Protocol):
    """Hold a card to the station's reader and take it away."""

    @abstractmethod
    async def present(self, card: Card, *, connector: int = 1) -> None:
        """Hold the card to the reader of a connector long enough to be read, then take it away."""

    @abstractmethod
    async def withdraw(self) -> None:
        """Take every card away from the reader."""


@dataclass(frozen=True, slots=True)
class CardReading:
    """What a reader of the lab tells about the card that lies on it."""

    uid: str
    """The chip's number in upper-case hexadecimal digits, 4, 7 or 10 bytes."""
    atr: str = ""
    """Answer to reset in hexadecimal digits (ISO/IEC 7816-3); empty when nothing tells it."""
    kind: str = ""
    """Card type in words, for people; empty when nothing tells it."""


class CardReader(Protocol):
    """Read the lab's own cards, so that nobody types a UID into the inventory."""

    @abstractmethod
    async def read_card(self) -> CardReading | None:
        """Read the card that lies on the reader now; None when there is none.

        Raises `Unverifiable` for a card that does not tell its UID.
        """

    @abstractmethod
    async def await_card(self, *, within: float) -> CardReading:
        """Wait for a card, or read the one that is there already.

        Raises `Unverifiable` when none comes within some s, or one does not tell its UID.
        """

    @abstractmethod
    async def await_removal(self, *, within: float) -> None:
        """Wait until no card lies on the reader; raises `Unverifiable` after `within` s."""

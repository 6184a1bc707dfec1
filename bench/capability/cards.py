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

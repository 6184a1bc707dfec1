"""A PC/SC card reader: tells the UID of the cards that are laid on it.

Source: PC/SC workgroup, part 3 (public): command FF CA 00 00 00 asks a contactless reader for the
UID. On Linux the service is pcscd.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import CardReader, CardReading
from bench.cards import UID_LENGTHS
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import Unverifiable
from drivers.card_type import card_type
from drivers.lifecycle import enter, leave
from drivers.link import address
from drivers.link.pcsc import SCHEMES, PcscLink, scan
from drivers.link.pcsc_watch import InsertedCard

_GET_UID = bytes.fromhex("FFCA000000")
_DONE = b"\x90\x00"


@dataclass(frozen=True, slots=True)
class PcscReaderSettings:
    """Keys of a PC/SC reader in `bench.toml`."""

    link: str = "pcsc:"
    """`pcsc:` for the only reader, or `pcsc:NAME` as `pilotbench devices --scan` lists it; the
    numbers behind the name may be left out."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)


class PcscReader(Device, CardReader):
    """A reader for the lab's cards."""

    def __init__(self, name: str, link: PcscLink) -> None:
        self._name = name
        self._link = link

    async def __aenter__(self) -> Self:
        """Find the reader."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the reader alone."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Tell the reader's name; it has no other identity."""
        return Identity("", (await self._link.look()).reader)

    async def make_safe(self) -> None:
        """Do nothing: a reader only reads."""

    async def self_test(self) -> str:
        """Look whether a card lies on it, and say which."""
        sight = await self._link.look()
        if sight.card is None:
            return "reads, no card lies on it"
        reading = self._read(sight.card)
        return f"reads, on it lies {reading.kind or 'a card'} {reading.uid}"

    async def read_card(self) -> CardReading | None:
        """Read the card that lies on the reader, if one does."""
        sight = await self._link.look()
        return None if sight.card is None else self._read(sight.card)

    async def await_card(self, *, within: float) -> CardReading:
        """Wait for a card and read it."""
        sight = await self._link.until(lambda sight: sight.card is not None, within=within)
        if sight.card is None:
            raise Unverifiable(f"{self._name}: no card was laid on the reader within {within:g} s")
        return self._read(sight.card)

    async def await_removal(self, *, within: float) -> None:
        """Wait until the card is gone."""
        sight = await self._link.until(lambda sight: sight.card is None, within=within)
        if sight.card is not None:
            raise Unverifiable(f"{self._name}: the card still lies there after {within:g} s")

    def _read(self, card: InsertedCard) -> CardReading:
        if card.trouble:
            raise Unverifiable(f"{self._name}: {card.trouble}")
        uid, status = card.answer[:-2], card.answer[-2:]
        if status != _DONE:
            raise Unverifiable(
                f"{self._name}: the card does not tell its UID, "
                f"the reader answered {card.answer.hex(' ').upper() or 'nothing'}, expected 90 00"
            )
        if len(uid) not in UID_LENGTHS:
            expected = ", ".join(map(str, UID_LENGTHS))
            raise Unverifiable(
                f"{self._name}: the card has a UID of {len(uid)} bytes "
                f"({uid.hex().upper() or 'none'}), expected one of {expected}"
            )
        return CardReading(uid.hex().upper(), card.atr.hex().upper(), card_type(card.atr))


def _make(settings: PcscReaderSettings, context: DriverContext) -> PcscReader:
    link = PcscLink(address.parse(settings.link, *SCHEMES), context.name, first=_GET_UID)
    return PcscReader(context.name, link)


DRIVER = Driver(settings=PcscReaderSettings, offers=(CardReader,), make=_make, scan=scan)

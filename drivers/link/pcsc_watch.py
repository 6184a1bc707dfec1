"""The thread that waits in the PC/SC service for what happens to one card reader.

It outlives everything that can happen to a reader: it is unplugged, and the PC/SC service ends or
starts again. It waits in the service and not in a loop; four times a second it tells that the
service still answers.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from smartcard import scard

_TICK = 0.25
"""Longest wait in the service in s: how late the thread may notice that it is to end."""

_AGAIN = 0.5
"""Pause in s before the service is tried again."""

_PLUG = "\\\\?PnP?\\Notification"
"""The service's name for readers that come and go."""

_TIMEOUT, _NO_READERS, _UNKNOWN_READER = 0x8010000A, 0x8010002E, 0x80100009
_NO_SERVICE = (0x8010001D, 0x8010001E)
_TOO_SHORT = (0x80100069, 0x8010000C, 0x80100068)
"""Removed card, no card, card was reset: it lay on the reader for too short a time."""

_TROUBLE = {
    0x8010000F: "the card's answer to reset makes no sense",
    0x8010000B: "another program holds the card",
    0x80100066: "the card does not answer: it lies badly, or there are two",
    0x80100067: "the card gets no power: it lies badly, or there are two",
    **dict.fromkeys(_TOO_SHORT, "the card was taken away too soon"),
}

_NUMBERS = re.compile(r" [0-9A-F]{2} [0-9A-F]{2}$")
"""What the service writes behind a reader's name: number of the reader, which changes with each
plugging in, and of the slot."""


@dataclass(frozen=True, slots=True)
class InsertedCard:
    """A card in the slot."""

    number: int
    """How many cards the reader has seen."""
    atr: bytes
    answer: bytes
    """What it answered to the first command; empty when `trouble` says why not."""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the thread has seen last."""

    reader: str = ""
    lost: str = ""
    """Why there is no reader; empty when there is."""
    card: InsertedCard | None = None


class ServiceFailure(Exception):
    """The service refused, with a code of its own."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code & 0xFFFFFFFF

    def __str__(self) -> str:
        if self.code in _NO_SERVICE:
            return "no PC/SC service runs; start pcscd"
        return f"the PC/SC service says {scard.SCardGetErrorMessage(self.code)} ({self.code:#x})"


class Watch(threading.Thread):
    """Waits in the PC/SC service for what happens to one reader."""

    def __init__(self, wanted: str, first: bytes, tell: Callable[[Watch, Sight], None]) -> None:
        super().__init__(name=f"pcsc {wanted}", daemon=True)
        self._wanted = wanted
        self._first = list(first)
        self._tell = tell
        self._ending = threading.Event()

    def stop(self) -> None:
        """Ask it to end."""
        self._ending.set()

    def run(self) -> None:
        """Watch until the end; begin anew when the service fails."""
        try:
            while not self._ending.is_set():
                try:
                    self._watch_service()
                except ServiceFailure as failure:
                    self._tell(self, Sight(lost=str(failure)))
                    self._ending.wait(_AGAIN)
        except RuntimeError:
            return  # The event loop is gone, and nobody listens any more.

    def _watch_service(self) -> None:
        context = checked(*scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))
        try:
            self._watch_reader(context)
        finally:
            scard.SCardReleaseContext(context)

    def _watch_reader(self, context: Any) -> None:
        reader, state = "", scard.SCARD_STATE_UNAWARE
        card: InsertedCard | None = None
        while not self._ending.is_set():
            name, lost = choose(list_readers(context), self._wanted)
            if name != reader:
                reader, state, card = name, scard.SCARD_STATE_UNAWARE, None
            watched = [(reader, state)] if reader else []
            code, *seen = scard.SCardGetStatusChange(
                context, int(_TICK * 1000), [*watched, (_PLUG, scard.SCARD_STATE_UNAWARE)]
            )
            code &= 0xFFFFFFFF
            if code == _UNKNOWN_READER:
                self._ending.wait(_TICK)  # Unplugged since it was listed.
                continue
            if code not in (0, _TIMEOUT):
                raise ServiceFailure(code)
            if reader and code == 0:
                _, event, atr = seen[0][0]
                state = event & ~scard.SCARD_STATE_CHANGED
                card = self._card(context, reader, event, bytes(atr), card)
            self._tell(self, Sight(reader, lost, card))

    def _card(
        self, context: Any, reader: str, event: int, atr: bytes, known: InsertedCard | None
    ) -> InsertedCard | None:
        """Tell which card an event means; a new one is given its first command."""
        number = event >> 16
        if not event & scard.SCARD_STATE_PRESENT:
            return None
        if known is not None and known.number == number:
            return known
        if event & scard.SCARD_STATE_MUTE:
            return InsertedCard(number, atr, b"", _TROUBLE[0x80100066])
        for last in (False, True):
            try:
                return InsertedCard(number, atr, self._exchange(context, reader))
            except ServiceFailure as failure:
                if last or failure.code not in _TOO_SHORT:
                    trouble = _TROUBLE.get(failure.code, str(failure))
                    return InsertedCard(number, atr, b"", trouble)
        return None

    def _exchange(self, context: Any, reader: str) -> bytes:
        both = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, handle, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, both)
        checked(code, None)
        try:
            pci = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
            return bytes(checked(*scard.SCardTransmit(handle, pci, self._first)))
        finally:
            scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)


def choose(readers: Sequence[str], wanted: str) -> tuple[str, str]:
    """Choose a reader by its full name, or without the numbers behind it, or the only one.

    Returns its full name, or an empty one and the reason why none could be chosen.
    """
    if wanted in readers:
        return wanted, ""
    bare = _NUMBERS.sub("", wanted)
    fitting = [name for name in readers if wanted in ("", _NUMBERS.sub("", name))]
    if not fitting and bare != wanted:
        # Plugged in anew, it has another number; that of the slot stays.
        fitting = [
            name for name in readers if _NUMBERS.sub("", name) == bare and name[-2:] == wanted[-2:]
        ]
    if len(fitting) == 1:
        return fitting[0], ""
    if fitting:
        return "", f"there are several such readers, name one of {', '.join(fitting)}"
    if wanted and readers:
        return "", f"the reader is not plugged in; there is {', '.join(readers)}"
    return "", "no reader is plugged in, or the PC/SC service does not see it"


def list_readers(context: Any) -> list[str]:
    """List the names of all readers."""
    try:
        code, readers = scard.SCardListReaders(context, [])
    except SystemError:
        # What the library raises when the service has ended.
        raise ServiceFailure(_NO_SERVICE[0]) from None
    if code & 0xFFFFFFFF == _NO_READERS:
        return []
    return list(checked(code, readers))


def checked(code: int, value: Any) -> Any:
    """Return what the service gave; raises `ServiceFailure` for a code that is not 0."""
    if code:
        raise ServiceFailure(code)
    return value

"""Twin of a contactless card on a PC/SC reader: what vsmartcard's virtual reader asks of it.

The reader is a TCP server in the PC/SC daemon and the card its client: connected is laid on the
reader. Every message has its length in 16 bits, high byte first; one of one byte is for the card's
supply (0 off, 1 on, 2 reset) or asks for the answer to reset (4), a longer one is a command.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from contextlib import suppress
from functools import reduce

from drivers.sim.faults import Faults
from drivers.sim.wire import Line

_GIVE_ATR = 0x04
_DONE, _NOT_SUPPORTED, _WRONG_LENGTH, _UNKNOWN = (
    bytes.fromhex(status) for status in ("9000", "6A81", "6700", "6D00")
)


def storage_atr(name: int) -> bytes:
    """Make the answer to reset that readers give for a storage card (PC/SC part 3)."""
    body = bytes.fromhex("8F8001804F0CA00000030603") + name.to_bytes(2, "big") + bytes(4)
    return b"\x3b" + body + bytes((reduce(lambda left, right: left ^ right, body),))


CLASSIC_1K = storage_atr(0x0001)
ULTRALIGHT = storage_atr(0x0003)
DESFIRE = bytes.fromhex("3B8180018080")


class SmartCard:
    """A card as a contactless reader shows it."""

    def __init__(self, uid: bytes, atr: bytes = CLASSIC_1K, *, random: bool = False) -> None:
        self.uid = uid
        self.atr = atr
        self.random = random
        """Whether it makes a new number at each reading, as telephones do."""
        self.commands: list[bytes] = []
        """What it was told."""

    async def converse(self, line: Line) -> None:
        """Answer the reader until it hangs up."""
        while True:
            (size,) = struct.unpack(">H", await line.reader.readexactly(2))
            message = await line.reader.readexactly(size)
            if size > 1:
                self.commands.append(message)
                await self._answer(line, self.answer(message))
            elif message[0] == _GIVE_ATR:
                line.emit(_framed(self.atr))

    @staticmethod
    async def _answer(line: Line, answer: bytes) -> None:
        """Answer with what the faults make of it; the frame around it is sound."""
        await asyncio.sleep(line.faults.late)
        if spoiled := line.faults.spoil(answer):
            line.emit(_framed(spoiled))

    def answer(self, command: bytes) -> bytes:
        """Answer a command."""
        match command[:4]:
            case b"\xff\xca\x00\x00":
                if len(command) != 5:
                    return _WRONG_LENGTH
                if self.random:
                    self.uid = b"\x08" + secrets.token_bytes(3)
                return self.uid + _DONE
            case b"\xff\xca\x01\x00":
                return _NOT_SUPPORTED
            case _:
                return _UNKNOWN


class CardSlot:
    """A slot of a virtual reader, where cards are laid and taken away."""

    def __init__(self, port: int) -> None:
        """Make an empty slot; `port` is where the virtual reader listens."""
        self.faults = Faults()
        """What is wrong with the card that lies there."""
        self._port = port
        self._card: asyncio.Task[None] | None = None

    async def lay(self, card: SmartCard) -> None:
        """Lay a card on the reader, in place of the one that lies there."""
        await self.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._card = asyncio.create_task(self._serve(card, reader, writer))

    async def clear(self) -> None:
        """Take the card away; does nothing when there is none."""
        task, self._card = self._card, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _serve(
        self, card: SmartCard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await card.converse(Line(reader, writer.write, self.faults))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The daemon has ended.
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def _framed(message: bytes) -> bytes:
    return struct.pack(">H", len(message)) + message

"""The bench's side of a pseudo terminal, byte by byte, without any serial library."""

from __future__ import annotations

import asyncio
import os
import termios

import pytest

DEADLINE = 2.0


class Serial:
    """An opened terminal."""

    def __init__(self, link: str) -> None:
        path = link.split(":", 1)[1].split("?")[0]
        self.reader = asyncio.StreamReader()
        self._file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        assert not termios.tcgetattr(self._file)[3] & termios.ICANON, "a twin's line is raw"
        asyncio.get_running_loop().add_reader(self._file, self._receive)

    def _receive(self) -> None:
        try:
            data = os.read(self._file, 4096)
        except OSError:
            data = b""
        if data:
            self.reader.feed_data(data)
        else:
            asyncio.get_running_loop().remove_reader(self._file)
            self.reader.feed_eof()

    def write(self, data: bytes) -> None:
        """Send."""
        os.write(self._file, data)

    async def ask(self, request: bytes, count: int) -> bytes:
        """Send a request and read `count` bytes."""
        self.write(request)
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readexactly(count)

    async def ask_hex(self, request: str, answer: str) -> None:
        """Send a request and check the whole answer."""
        expected = bytes.fromhex(answer)
        got = await self.ask(bytes.fromhex(request), len(expected))
        assert got.hex(" ") == expected.hex(" ")

    async def silence(self, *, during: float = 0.06) -> None:
        """Check that nothing comes for `during` s."""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(during):
                await self.reader.readexactly(1)

    def close(self) -> None:
        """Close the terminal."""
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)

"""The station's end of FTP: passive mode, one file per connection."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import SplitResult, unquote

import aioftp


class TooLarge(ValueError):
    """A file has more bytes than there is room for."""


class _Client(aioftp.Client):
    """Keeps its data connection in mind, as the library forgets it when a command is refused."""

    data: asyncio.StreamWriter | None = None

    async def get_passive_connection(self, *args: Any, **options: Any) -> Any:
        pair = await super().get_passive_connection(*args, **options)
        self.data = pair[1]
        return pair

    def close(self) -> None:
        super().close()
        if self.data is not None:
            self.data.close()


async def transfer(place: SplitResult, content: bytes | None, most: int) -> bytes:
    """Fetch a file of at most `most` bytes, or put one with this content.

    Raises `OSError`, `aioftp.AIOFTPException` or `TooLarge`.
    """
    user, password = place.username or "anonymous", place.password or ""
    path = unquote(place.path).lstrip("/")
    received = bytearray()
    client = _Client()
    try:
        await client.connect(place.hostname or "", place.port or 21)
        await client.login(unquote(user), unquote(password))
        if content is not None:
            async with client.upload_stream(path) as stream:
                await stream.write(content)
        else:
            async with client.download_stream(path) as stream:
                async for block in stream.iter_by_block():
                    received += block
                    if len(received) > most:
                        raise TooLarge(f"more than {most} bytes")
        await client.quit()
    finally:
        client.close()
    return bytes(received)

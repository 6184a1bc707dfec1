"""The bench's FTP server (passive mode), for one case and one user."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aioftp
from aioftp.pathio import defend_file_methods, universal_exception

from bench.transfer.shelf import Direction, Passage, Shelf

# What is transferred is recorded; whether a session ends with QUIT is nobody's concern.
logging.getLogger("aioftp.server").setLevel(logging.CRITICAL)

_PARTING = 1.0
"""Seconds that the sessions have to end."""
_PATIENCE = 10.0
"""Seconds in which the DUT has to open its data connection."""


class _Tally(aioftp.PathIO):
    """Files of the system whose reading and writing is counted."""

    def __init__(self, *args: Any, shelf: Shelf, **options: Any) -> None:
        super().__init__(*args, **options)
        self._shelf = shelf
        self._passages: dict[int, Passage] = {}

    @universal_exception
    async def _open(self, path: Path, *args: Any, **options: Any) -> Any:
        file = await super()._open(path, *args, **options)
        mode = str(options.get("mode") or (args[0] if args else "rb"))
        direction: Direction = "download" if mode == "rb" else "upload"
        self._passages[id(file)] = Passage(direction, "FTP", path, self._remote())
        return file

    def _remote(self) -> str:
        connection = self.connection
        return f"{connection.client_host}:{connection.client_port}" if connection else ""

    @universal_exception
    @defend_file_methods
    async def write(self, file: io.BytesIO, data: Any) -> int:
        passage = self._passages[id(file)]
        passage.count(data)
        if passage.size > self._shelf.most:
            raise OSError(f"{passage.path.name}: more than {self._shelf.most} bytes")
        return file.write(data)

    @universal_exception
    @defend_file_methods
    async def read(self, file: io.BytesIO, n: int = -1) -> bytes:
        data = file.read(n)
        self._passages[id(file)].count(data)
        return data

    @universal_exception
    @defend_file_methods
    async def close(self, file: io.BytesIO) -> None:
        passage = self._passages.pop(id(file))
        file.close()
        size = passage.path.stat().st_size
        whole = passage.size == size and size <= self._shelf.most
        self._shelf.ended(passage, complete=whole)


@asynccontextmanager
async def serving(
    shelf: Shelf,
    *,
    host: str,
    port: int,
    address: str,
    passive_ports: tuple[int, ...],
    user: str,
    password: str,
) -> AsyncIterator[int]:
    """Serve a shelf while the context lasts; the port is the value. Raises `OSError`.

    `address` is where the DUT reaches the passive ports, if not at `host`.
    """
    rights = [aioftp.Permission("/", readable=True, writable=True)]
    owner = aioftp.User(user, password, base_path=shelf.root, permissions=rights)
    server = aioftp.Server(
        [owner],
        path_io_factory=partial(_Tally, shelf=shelf),  # type: ignore[arg-type]
        wait_future_timeout=_PATIENCE,
        data_ports=passive_ports or None,
        ipv4_pasv_forced_response_address=address or None,
    )
    await server.start(host, port)
    try:
        yield server.server_port
    finally:
        await _hang_up(server)
        await server.close()


async def _hang_up(server: aioftp.Server) -> None:
    """End the sessions in good order: one that the library cancels is logged as an error."""
    sessions = [connection._dispatcher for connection in server.connections.values()]  # noqa: SLF001
    for stream in tuple(server.connections):
        stream.close()
    if sessions:
        await asyncio.wait(sessions, timeout=_PARTING)

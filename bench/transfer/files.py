"""The file servers as a case sees them: what is offered, what came, what was transferred."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.errors import BenchError, Unverifiable
from bench.events import FileTransferred, Noted
from bench.ocpp.message import Observed
from bench.ocpp.predicate import ABSENT
from bench.stream import Stream
from bench.transfer.shelf import Direction, Shelf

_NOWHERE = {"FTP": "ftp://127.0.0.1:21", "HTTP": "http://127.0.0.1:9"}
"""The DUT itself, where nobody serves files: its own web pages would be at port 80."""

ENDING = 30.0
"""Seconds that a server gets to end, beside what its clients get."""


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Table `[files]` of `bench.toml`: where the DUT fetches firmware and brings diagnostics."""

    host: str = "127.0.0.1"
    """The address that the servers listen at."""
    address: str = ""
    """The host that the DUT is told, if it reaches the servers at another one than `host`."""
    ftp_port: int = 0
    """Port for FTP; 0 lets the system choose."""
    http_port: int = 0
    """Port for HTTP; 0 lets the system choose."""
    passive_ports: tuple[int, ...] = ()
    """Ports for the data connections of FTP; empty: the system chooses."""
    most: int = 268_435_456
    """Bytes that an upload may have."""

    def __post_init__(self) -> None:
        for port in (self.ftp_port, self.http_port, *self.passive_ports):
            if not 0 <= port <= 65535:
                raise ValueError(f"port {port}, expected 0 to 65535")


class Files:
    """The bench's side of the file transfers of one case; its servers start when they are used."""

    def __init__(self, stream: Stream, settings: FileSettings, protocols: Any, run: Path) -> None:
        """Serve by the first protocol of the PICS that the bench has; keep uploads below `run`."""
        self._stream = stream
        self._settings = settings
        self._claimed = ("FTP",) if protocols is None else tuple(protocols)
        self._run = run
        self._stack = AsyncExitStack()
        self._shelf: Shelf | None = None
        self._base = ""
        self._last: dict[tuple[str, str], FileTransferred] = {}

    @property
    def protocol(self) -> str:
        """`FTP` or `HTTP`; raises `Unverifiable` when the product has neither."""
        for name in self._claimed:
            if name in _NOWHERE:
                return str(name)
        claimed = ", ".join(self._claimed) or "none"
        raise Unverifiable(f"the bench serves files by FTP and HTTP, the PICS claim {claimed}")

    async def offer(self, path: Path) -> str:
        """Let the DUT fetch a file; returns its URL."""
        shelf = await self._serve()
        try:
            inside = shelf.offer(path)
        except OSError as error:
            raise Unverifiable(f"{path}: {error.strerror}") from error
        return f"{self._base}/{quote(inside)}"

    async def take(self) -> str:
        """Let the DUT bring files; returns the URL of the folder that it puts them in."""
        shelf = await self._serve()
        return f"{self._base}/{shelf.place}/"

    def nowhere(self, name: str) -> str:
        """Return a URL at which nobody serves anything."""
        return f"{_NOWHERE[self.protocol]}/{name}"

    def transferred(self, direction: Direction, name: str, field: str) -> Observed:
        """Observe a field of the last whole transfer of a file; `ABSENT` when there was none."""
        source = {"kind": "transfer", "direction": direction, "name": name, "field": field}
        event = self._last.get((direction, name))
        return Observed(ABSENT if event is None else getattr(event, field), source)

    async def close(self) -> None:
        """End the servers, if they run; a client that holds on to one does not hold the run."""
        try:
            async with asyncio.timeout(ENDING):
                await self._stack.aclose()
        except TimeoutError:
            self._stream.emit(Noted(f"the file server did not end within {ENDING:g} s"))

    async def _serve(self) -> Shelf:
        """Start the server of the protocol, once."""
        if self._shelf is not None:
            return self._shelf
        settings, protocol = self._settings, self.protocol
        root = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pilotbench-"))
        shelf = Shelf(Path(root), self._run, settings.most, self._record)
        host = settings.address or settings.host
        try:
            if protocol == "FTP":
                from bench.transfer import ftp

                user, password = secrets.token_hex(6), secrets.token_hex(12)
                port = await self._stack.enter_async_context(
                    ftp.serving(
                        shelf,
                        host=settings.host,
                        port=settings.ftp_port,
                        address=settings.address,
                        passive_ports=settings.passive_ports,
                        user=user,
                        password=password,
                    )
                )
                self._base = f"ftp://{user}:{password}@{host}:{port}"
            else:
                from bench.transfer import http

                port = await self._stack.enter_async_context(
                    http.serving(shelf, host=settings.host, port=settings.http_port)
                )
                self._base = f"http://{host}:{port}"
        except OSError as error:
            where = f"[files] {settings.host}, {protocol}"
            raise BenchError(f"{where}: {error.strerror or error}") from error
        self._shelf = shelf
        return shelf

    def _record(self, event: FileTransferred) -> None:
        self._stream.emit(event)
        if event.complete:
            self._last[event.direction, event.name] = event

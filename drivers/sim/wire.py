"""The device's end of a wire: a listening TCP port, or the far side of a pseudo terminal."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import tty
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from drivers.sim.faults import Faults


class Line:
    """One conversation on a wire, as the device hears and answers it."""

    def __init__(
        self, reader: asyncio.StreamReader, write: Callable[[bytes], None], faults: Faults
    ) -> None:
        self.reader = reader
        self.faults = faults
        self._write = write

    async def send(self, answer: bytes) -> None:
        """Answer, with what the faults of the moment make of it."""
        if self.faults.late:
            await asyncio.sleep(self.faults.late)
        self.emit(self.faults.spoil(answer))

    def emit(self, data: bytes) -> None:
        """Put bytes on the wire as they are."""
        if data:
            self._write(data)


Talk = Callable[[Line], Awaitable[None]]


class Wire(Protocol):
    """Where a bench can reach a device."""

    @property
    @abstractmethod
    def link(self) -> str:
        """The link URL that stands in `bench.toml`; the same after the wire was closed."""

    @abstractmethod
    async def open(self, talk: Talk, faults: Faults) -> None:
        """Let a bench connect; `talk` serves each conversation."""

    @abstractmethod
    async def close(self) -> None:
        """Break every conversation and let nobody connect."""

    @abstractmethod
    def emit(self, data: bytes) -> None:
        """Send bytes that nobody asked for."""


class TcpWire(Wire):
    """A listening port; port 0 lets the system choose, once."""

    def __init__(self, scheme: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._scheme = scheme
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def link(self) -> str:
        """The link URL, for example `modbus-tcp://127.0.0.1:40123`."""
        return f"{self._scheme}://{self._host}:{self._port}"

    async def open(self, talk: Talk, faults: Faults) -> None:
        """Listen."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._conversations[task] = writer
            try:
                await talk(Line(reader, writer.write, faults))
            except (asyncio.IncompleteReadError, ConnectionError):
                pass  # The bench has hung up.
            except asyncio.CancelledError:
                pass  # The wire was closed; asyncio's callback takes a cancelled task for an error.
            finally:
                del self._conversations[task]
                writer.close()
                with suppress(ConnectionError, asyncio.CancelledError):
                    await writer.wait_closed()

        self._server = await asyncio.start_server(serve, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Reset every connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        conversations = dict(self._conversations)
        for task, writer in conversations.items():
            # Lingering for 0 s makes the system send a reset and no orderly end.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)

    def emit(self, data: bytes) -> None:
        """Send bytes on every connection."""
        for writer in self._conversations.values():
            writer.write(data)


class PtyWire(Wire):
    """A pseudo terminal; with a `path`, a symbolic link that stays while the terminal changes."""

    def __init__(self, scheme: str, *, path: Path | None = None, baudrate: int = 9600) -> None:
        self._scheme = scheme
        self._path = path
        self._baudrate = baudrate
        self._device = ""
        self._ends: tuple[int, int] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def link(self) -> str:
        """The link URL, for example `serial:/dev/pts/3?baudrate=9600`."""
        return f"{self._scheme}:{self._path or self._device}?baudrate={self._baudrate}"

    async def open(self, talk: Talk, faults: Faults) -> None:
        """Make the terminal.

        The twin keeps the bench's side open too, so that a bench which comes and goes is not the
        end of the device.
        """
        device, bench = self._ends = os.openpty()
        tty.setraw(bench)
        os.set_blocking(device, False)
        self._device = os.ttyname(bench)
        if self._path is not None:
            await asyncio.to_thread(_point, self._path, self._device)
        reader = asyncio.StreamReader()
        asyncio.get_running_loop().add_reader(device, self._receive, device, reader)
        self._task = asyncio.create_task(self._serve(talk, Line(reader, self.emit, faults)))

    async def close(self) -> None:
        """Hang up: the bench's side reads the end, or an error."""
        if self._ends is None or self._task is None:
            return
        device, bench = self._ends
        self._ends = None
        asyncio.get_running_loop().remove_reader(device)
        self._task.cancel()
        try:
            with suppress(asyncio.CancelledError):
                await self._task
        finally:
            os.close(device)
            os.close(bench)
            if self._path is not None:
                await asyncio.to_thread(self._path.unlink, missing_ok=True)

    def emit(self, data: bytes) -> None:
        """Send bytes; what the terminal can't take is lost, as on a line that nobody reads."""
        if self._ends is not None:
            with suppress(BlockingIOError):
                os.write(self._ends[0], data)

    @staticmethod
    async def _serve(talk: Talk, line: Line) -> None:
        with suppress(asyncio.IncompleteReadError):
            await talk(line)

    @staticmethod
    def _receive(device: int, reader: asyncio.StreamReader) -> None:
        try:
            reader.feed_data(os.read(device, 4096))
        except BlockingIOError:
            return


def _point(path: Path, device: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(device)

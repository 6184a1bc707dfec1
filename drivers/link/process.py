"""The process link: a program of the bench's own that answers numbered requests, line by line."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import count

from bench.errors import DeviceError, DeviceTimeout, LinkError

_ENDING = 3.0
"""Deadline in s for the program's end after its input has ended."""


class ProcessLink:
    """A program on this machine, spoken to on its standard input and output."""

    def __init__(self, name: str, command: Sequence[str], *, within: float = 3.0) -> None:
        """Make the link, unopened; `within` is the deadline of one answer in s."""
        self._label = f"{name} ({command[0]})"
        self._command = command
        self._within = within
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._numbers = count(1)

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Start the program; raises `LinkError` with the cause."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                # Ctrl-C is for the bench, which makes the lab safe through this program.
                start_new_session=True,
            )
        except OSError as error:
            raise LinkError(f"{self}: can't start: {error.strerror or error}") from error

    async def close(self) -> None:
        """End the program's input and wait for its end; does nothing when not open."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_ENDING):
                # What it still says is read, so that it can end.
                await process.communicate()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                process.kill()

    async def ask(self, request: str) -> str:
        """Send a request and return what its answer says after `ok`.

        Raises `DeviceError` with what it says after `error`.
        """
        process = self._process
        if process is None:
            raise LinkError(f"{self}: not open")
        assert process.stdin is not None
        async with self._turn:
            number = str(next(self._numbers))
            try:
                async with asyncio.timeout(self._within):
                    process.stdin.write(f"{number} {request}\n".encode())
                    await process.stdin.drain()
                    kind, _, text = (await self._answer(process, number)).partition(" ")
            except TimeoutError as error:
                text = f"{self}: no answer to {request!r} within {self._within:g} s"
                raise DeviceTimeout(text) from error
            except OSError as error:
                raise LinkError(f"{self}: it has ended{await _last_words(process)}") from error
        if kind != "ok":
            raise DeviceError(f"{self}: {request}: {text or kind}")
        return text

    async def _answer(self, process: asyncio.subprocess.Process, number: str) -> str:
        """Read the answer of that number; one to an abandoned request is passed over."""
        assert process.stdout is not None
        while line := await process.stdout.readline():
            first, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if first == number:
                return rest
        raise BrokenPipeError


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    try:
        async with asyncio.timeout(0.5):
            said = " ".join((await process.stderr.read()).decode("utf-8", "replace").split())
    except TimeoutError:
        said = ""
    return f": {said}" if said else ""

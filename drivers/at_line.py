"""AT commands over a byte link: one at a time, with unsolicited lines kept apart.

Source: 3GPP TS 27.007; result words and unsolicited lines of Huawei's AT command descriptions.
"""

from __future__ import annotations

import asyncio
import csv
import logging

from bench.errors import DeviceError, DeviceTimeout
from drivers.link.stream import ByteLink

_log = logging.getLogger(__name__)

_QUERY = 3.0
"""Deadline in s for a command that only asks."""

_THERE = 1.0
"""Deadline in s for a modem to say that it is there."""

_DRAIN = 0.2
"""Silence in s after which nothing more of an abandoned command is expected."""

_DRAIN_AT_MOST = 2.0
"""Time in s after which a modem that goes on talking is taken as it is."""

_TRIES = 3
"""How often a modem is asked whether it is there."""

_FAILURES = ("ERROR", "COMMAND NOT SUPPORT", "NO CARRIER", "TOO MANY PARAMETERS")
_CODED_FAILURES = ("+CME ERROR:", "+CMS ERROR:")
_UNSOLICITED = ("RING",)


class AtRefused(DeviceError):
    """The modem answered a command with an error."""


class AtLine:
    """A modem's command line."""

    def __init__(self, link: ByteLink) -> None:
        self._link = link
        self._queue = asyncio.Lock()
        self._uncertain = False
        """Whether a command was sent whose result has not been seen."""

    async def ask(
        self, command: str, *, prefix: str | None = None, within: float | None = None
    ) -> list[str]:
        """Send a command and return its answer lines.

        With a prefix (`+CSQ`) those are the lines that begin with it, without it; else the lines
        that are no report of their own. Raises `AtRefused` when the result is an error.
        """
        async with self._queue:
            if self._uncertain:
                await self._settle()
            self._uncertain = True
            await self._link.write(f"{command}\r".encode("ascii"))
            answer, result = await self._listen(
                command, prefix, _QUERY if within is None else within
            )
            self._uncertain = False
        if result != "OK":
            raise AtRefused(f"{self._link}: {command} answered {result}")
        return answer

    async def one(self, command: str, prefix: str | None = None) -> str:
        """Send a command whose answer is one line; of several the last counts.

        A modem may report the same thing by itself while it is asked.
        """
        lines = await self.ask(command, prefix=prefix)
        if not lines:
            what = "a line" if prefix is None else f"a line {prefix}:"
            raise DeviceError(f"{self._link}: {command} answered OK alone, expected {what}")
        return lines[-1]

    async def _listen(
        self, command: str, prefix: str | None, within: float
    ) -> tuple[list[str], str]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        answer: list[str] = []
        while True:
            try:
                line = await self._line(max(0.0, deadline - loop.time()))
            except DeviceTimeout as error:
                raise DeviceTimeout(
                    f"{self._link}: no result of {command} within {within:g} s, got {answer}"
                ) from error
            if not line or line == command:
                continue
            if line == "OK" or line in _FAILURES or line.startswith(_CODED_FAILURES):
                return answer, line
            head, colon, rest = line.partition(":")
            if prefix is not None and colon and head.upper() == prefix.upper():
                answer.append(rest.strip())
            elif prefix is None and not line.startswith(("^", "+", *_UNSOLICITED)):
                answer.append(line)
            else:
                _log.debug("%s: unsolicited: %s", self._link, line)

    async def _settle(self) -> None:
        """Let a late answer pass, and see that the next one is the next command's."""
        await self._drain()
        for _ in range(_TRIES):
            await self._link.write(b"AT\r")
            try:
                _, result = await self._listen("AT", None, _THERE)
            except DeviceTimeout:
                continue
            if result == "OK":
                await self._drain()
                return
        raise DeviceTimeout(f"{self._link}: no OK to AT, {_TRIES} tries")

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _DRAIN_AT_MOST
        while loop.time() < deadline:
            try:
                await self._line(_DRAIN)
            except DeviceTimeout:
                break
        self._link.discard()

    async def _line(self, within: float) -> str:
        data = await self._link.read_until(b"\n", within=within)
        return data.decode("ascii", "replace").strip()


def fields_of(line: str) -> list[str]:
    """Split the values of an answer; the quotes go."""
    return [field.strip() for field in next(csv.reader([line], skipinitialspace=True), [""])]

"""The PC/SC link: one card reader, and the card on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from smartcard import scard

from bench.errors import DeviceTimeout, LinkError
from drivers.link.address import Address
from drivers.link.pcsc_watch import ServiceFailure, Sight, Watch, checked, list_readers

SCHEMES = ("pcsc",)

_OPENING = 2.0
_ANSWER_WITHIN = 0.8
"""Deadlines in s for the first and for every further sign of life."""


class PcscLink:
    """A reader, and the card on it."""

    def __init__(self, address: Address, name: str, *, first: bytes) -> None:
        """Make the link, unopened; `first` is the command that every card is given at once."""
        self._label = f"{name} ({address})"
        self._wanted = address.named
        self._first = first
        self._watch: Watch | None = None
        self._sight = Sight(lost="not open")
        self._beat = asyncio.Event()

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Find the reader; raises `LinkError` when there is none or no service."""
        loop = asyncio.get_running_loop()

        def tell(watch: Watch, sight: Sight) -> None:
            loop.call_soon_threadsafe(self._heard, watch, sight)

        self._watch = Watch(self._wanted, self._first, tell)
        self._watch.start()
        try:
            await self._next(_OPENING)
            self._check()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let the thread end; does nothing when not open.

        A thread that the service does not let go ends when it does.
        """
        watch, self._watch = self._watch, None
        self._sight = Sight(lost="not open")
        if watch is None:
            return
        watch.stop()
        # The pool's thread only waits, and no longer than the deadline.
        await asyncio.to_thread(watch.join, _ANSWER_WITHIN)

    async def look(self) -> Sight:
        """Tell what is seen now; raises `LinkError` without a reader, else as `until`."""
        self._check()
        await self._next(_ANSWER_WITHIN)
        self._check()
        return self._sight

    async def until(self, shows: Callable[[Sight], bool], *, within: float) -> Sight:
        """Watch until it shows or `within` s are over; return what was seen last.

        Raises `LinkError` when reader or service are lost, `DeviceTimeout` when the service does
        not answer.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        sight = await self.look()
        while not shows(sight) and loop.time() < deadline:
            sight = await self.look()
        return sight

    async def _next(self, within: float) -> None:
        """Wait for the thread's next sign of life."""
        self._beat.clear()
        try:
            async with asyncio.timeout(within):
                await self._beat.wait()
        except TimeoutError as error:
            raise DeviceTimeout(
                f"{self}: the PC/SC service or the card did not answer within {within:g} s"
            ) from error

    def _check(self) -> None:
        if self._sight.lost:
            raise LinkError(f"{self}: {self._sight.lost}")

    def _heard(self, watch: Watch, sight: Sight) -> None:
        if watch is self._watch:
            self._sight = sight
            self._beat.set()


async def scan() -> list[str]:
    """List the readers that are plugged in, as links; raises `LinkError` without a service."""

    def ask() -> list[str]:
        context = checked(*scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))
        try:
            return list_readers(context)
        finally:
            scard.SCardReleaseContext(context)

    try:
        return [f"{SCHEMES[0]}:{name}" for name in await asyncio.to_thread(ask)]
    except ServiceFailure as failure:
        raise LinkError(str(failure)) from failure

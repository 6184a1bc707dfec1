"""The bench while no run goes on: what the operator does by hand, and that one thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from bench import toml
from bench.actuators import Actuators, InUse
from bench.bench import Bench
from bench.cancellation import cancelling
from bench.checkup import Finding, check_up
from bench.config import BenchConfig
from bench.dut import Pixit
from bench.errors import BenchError, ConfigError
from bench.events import DeviceChecked
from bench.operator import PromptDesk
from bench.scan import scan, scan_modbus
from bench.wiring import described

T = TypeVar("T")


class Busy(BenchError):
    """The bench is taken."""


class Workplace:
    """The devices of a bench for acts, checks and scans by hand, and who has the bench now."""

    def __init__(
        self,
        config: BenchConfig,
        desk: PromptDesk,
        pixit: Callable[[], Pixit],
        run: Callable[[], str | None],
    ) -> None:
        """`run` tells why a run, or the end of the engine, keeps everything else from the bench."""
        self._config = config
        self._stream = desk.stream
        self._run = run
        self.actuators = Actuators(config, pixit, desk)
        self.checked: dict[str, tuple[datetime, Finding]] = {}
        """What the last check of each device came to, and when."""
        self.taken: str | None = None
        """What keeps everything else from the bench, beside a run."""
        self._errands: set[asyncio.Task[Any]] = set()
        """What is being done."""

    def refuse_when_busy(self) -> None:
        """Raise `Busy` unless the bench is free."""
        reason = self._run() or self.taken
        if reason is not None:
            raise Busy(reason)

    def devices(self, of_runs: Bench | None) -> list[dict[str, Any]]:
        """Describe the devices for front ends, whoever has them open: a run, or the actuators."""
        states = {one.name: described(one) for one in self._config.devices}
        benches = [] if of_runs is None else [of_runs]
        if self.actuators.are_open:
            benches.append(self.actuators.bench)
        for bench in benches:
            states |= {one["name"]: one for one in bench.states}
        return list(states.values())

    @asynccontextmanager
    async def taking(self, doing: str) -> AsyncIterator[None]:
        """Take the whole bench, with every device safe and closed; raises `Busy`."""
        self.refuse_when_busy()
        self.taken = doing
        try:
            # Somebody may have left the cable in.
            await self.actuators.release()
            yield
        except InUse as error:
            raise Busy(str(error)) from error
        finally:
            self.taken = None

    async def act(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the actuators do something; raises `Busy` while a run goes on.

        The end of the engine cuts it short.
        """
        try:
            self.refuse_when_busy()
            return await self._errand(work)
        finally:
            work.close()

    async def make_safe(self) -> dict[str, str]:
        """Cut short what is being done, make every device safe, and say what failed, by device.

        Raises `Busy` while a run goes on, whose end is safe by itself. What comes meanwhile is
        refused.
        """
        self.refuse_when_busy()
        self.taken = "the lab is made safe"
        try:
            await self.end()
            return await self._errand(self.actuators.make_safe())
        finally:
            self.taken = None

    async def check_up(self, devices: Sequence[str] = (), *, test: bool) -> list[Finding]:
        """Open devices by themselves, all when none is named, and test them if asked.

        Raises `Busy`, or `ConfigError` for a name that no device has.
        """
        names = [one.name for one in self._config.devices]
        for name in devices:
            if name not in names:
                raise ConfigError(f"there is no device {name!r}{toml.near(name, names)}")
        chosen = [one for one in self._config.devices if not devices or one.name in devices]
        config = replace(self._config, devices=tuple(chosen))
        return await self._examine("the devices are being checked", self._check_up(config, test))

    async def _check_up(self, config: BenchConfig, test: bool) -> list[Finding]:
        found = []
        async for one in check_up(config, test=test):
            record = self._stream.emit(DeviceChecked(one.name, one.driver, one.state, one.message))
            self.checked[one.name] = record.utc, one
            found.append(one)
        return found

    async def scan(self, links: Sequence[str], units: Sequence[int]) -> list[Finding]:
        """List what is plugged in, and the Modbus units that answer on links.

        Raises `Busy`, or `ConfigError` for a link that is none.
        """
        return await self._examine("the bench is being scanned", self._scan(links, units))

    async def _scan(self, links: Sequence[str], units: Sequence[int]) -> list[Finding]:
        scans = [scan(), *(scan_modbus(link, units) for link in links)]
        return [finding for each in scans async for finding in each]

    async def _examine(self, doing: str, work: Coroutine[Any, Any, T]) -> T:
        """Do what suffers nothing beside it, as `act`."""
        try:
            async with self.taking(doing):
                return await self._errand(work)
        finally:
            work.close()

    async def _errand(self, work: Coroutine[Any, Any, T]) -> T:
        errand = asyncio.create_task(work)
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)
        try:
            await asyncio.wait([errand])
        except asyncio.CancelledError:
            cancelling(errand)()
            await asyncio.wait([errand])
            raise
        if errand.cancelled():
            raise Busy(self._run() or "the lab is made safe")
        return errand.result()

    def cut_short(self) -> None:
        """End what is being done."""
        for errand in self._errands:
            cancelling(errand)()

    async def end(self) -> None:
        """End what is being done, and return when it is over."""
        self.cut_short()
        if self._errands:
            await asyncio.wait(self._errands)

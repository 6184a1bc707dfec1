"""Read what devices observe while a run goes on, without getting in the way of the test.

One poll is under way at a time on each link, none begins while the test uses the device, and as
long as a poll took, so long is the pause after it at least: a call of the test waits for one poll
at most. A device that fails to be read is noted once.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.cancellation import cancelling
from bench.capability import (
    Load,
    LoadReading,
    MeterReading,
    Modem,
    PilotReading,
    PowerMeter,
    Signal,
    VehicleEmulator,
)
from bench.clock import monotonic
from bench.config import BenchConfig, DeviceEntry, SampleSettings
from bench.errors import BenchError, JournalError, LinkError, Unverifiable
from bench.events import Noted
from bench.metrology import Quantity
from bench.stream import Stream

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a poll may take; what a device has not answered by then, it has not."""
ENDING = 1.0
"""Seconds that polls under way get to end before the devices are closed."""

Values = list[tuple[str, Quantity]]


@dataclass(frozen=True, slots=True)
class Poll:
    """What is read of a device again and again."""

    device: str
    turn: asyncio.Lock
    """Held while the device's link is used by a poll."""
    connector: int | None
    rate: float
    """Hz."""
    read: Callable[[], Awaitable[Values]]


class Polling:
    """Polls the devices of one bench."""

    def __init__(
        self,
        config: BenchConfig,
        stream: Stream,
        devices: Mapping[str, Any],
        is_lost: Callable[[str], bool],
        lose: Callable[[str, LinkError], None],
    ) -> None:
        """`lose` notes that a device is gone, which no more is polled then."""
        self._config = config
        self._stream = stream
        self._devices = devices
        self._is_lost = is_lost
        self._lose = lose
        self._in_use: Counter[str] = Counter()
        self._uses: Counter[str] = Counter()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._noted: set[str] = set()

    @contextmanager
    def held_off(self, device: str) -> Iterator[None]:
        """Begin no poll of a device while the context lasts: the test uses it."""
        self._in_use[device] += 1
        self._uses[device] += 1
        try:
            yield
        finally:
            self._in_use[device] -= 1

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Poll the opened devices while the context lasts, if a run is recorded."""
        self._noted.clear()
        polls = list(self._polls()) if self._stream.samples.is_recording else []
        ending = asyncio.Event()
        tasks = [
            asyncio.create_task(self._go_on(poll, ending), name=f"polling of {poll.device}")
            for poll in polls
        ]
        try:
            yield
        finally:
            ending.set()
            if tasks:
                await asyncio.wait(tasks, timeout=ENDING)
                for task in tasks:
                    cancelling(task)()
                await asyncio.wait(tasks)

    def _polls(self) -> Iterator[Poll]:
        settings = self._config.samples
        for entry in self._config.devices:
            closed = entry.name not in self._devices
            if closed or entry.driver.by_hand or entry.name in settings.without:
                continue
            for capability in entry.driver.offers:
                rate = _rate(settings, capability)
                if rate > 0:
                    yield from self._reading(entry, capability, rate)

    def _reading(self, entry: DeviceEntry, capability: type, rate: float) -> Iterator[Poll]:
        device = self._devices[entry.name]
        turn = self._turns[str(getattr(entry.settings, "link", entry.name))]
        if capability is VehicleEmulator:
            for connector in getattr(entry.settings, "connectors", (1,)):
                yield Poll(entry.name, turn, connector, rate, partial(_pilot, device, connector))
        else:
            yield Poll(entry.name, turn, None, rate, partial(_READ[capability], device))

    async def _go_on(self, poll: Poll, ending: asyncio.Event) -> None:
        while not ending.is_set():
            began = monotonic()
            async with poll.turn:
                started = monotonic()
                if not (ending.is_set() or self._in_use[poll.device] or self._is_lost(poll.device)):
                    await self._poll(poll)
                took = monotonic() - started
            pause = max(1 / poll.rate - (monotonic() - began), took)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await ending.wait()

    async def _poll(self, poll: Poll) -> None:
        uses = self._uses[poll.device]
        try:
            async with asyncio.timeout(PATIENCE):
                values = await poll.read()
        except Unverifiable:
            return  # there is nothing to be seen just now, or never
        except Exception as error:  # noqa: BLE001 - no defect of a driver may end a run here
            # What fails while the test acts on the device, say restarts it, tells nothing.
            if uses == self._uses[poll.device]:
                self._failed(poll.device, error)
            return
        now = monotonic()
        for name, quantity in values:
            if math.isfinite(quantity.value) and name not in self._config.samples.without:
                self._stream.samples.add(
                    name,
                    quantity.unit,
                    poll.device,
                    [now],
                    [quantity.value],
                    connector=poll.connector,
                    register=name == "energy",
                )

    def _failed(self, device: str, error: Exception) -> None:
        with suppress(JournalError):
            if isinstance(error, LinkError):
                self._lose(device, error)  # which records it
            elif device not in self._noted:
                self._noted.add(device)
                if not isinstance(error, BenchError | TimeoutError):
                    log.error("polling %s failed", device, exc_info=error)
                text = str(error) or f"no answer within {PATIENCE:g} s"
                named = text if text.startswith(device) else f"{device}: {text}"
                self._stream.emit(Noted(f"samples are missing: {named}"))


def _rate(settings: SampleSettings, capability: type) -> float:
    rates: dict[type, float] = {
        VehicleEmulator: settings.pilot,
        PowerMeter: settings.meters,
        Load: settings.loads,
        Modem: settings.modem,
    }
    return rates.get(capability, 0.0)


async def _pilot(device: VehicleEmulator, connector: int) -> Values:
    seen: PilotReading = await device.read_pilot(connector)
    return [
        ("pilot-high", Quantity(seen.high, "V")),
        ("pilot-low", Quantity(seen.low, "V")),
        ("pilot-duty", Quantity(seen.duty, "%")),
    ]


async def _meter(device: PowerMeter) -> Values:
    seen: MeterReading = await device.read()
    values = [(f"voltage-l{phase}", one) for phase, one in enumerate(seen.voltage, 1)]
    values += [(f"current-l{phase}", one) for phase, one in enumerate(seen.current, 1)]
    values += [("power", seen.power), ("energy", seen.energy_import)]
    return values if seen.temperature is None else [*values, ("temperature", seen.temperature)]


async def _load(device: Load) -> Values:
    seen: LoadReading = await device.read()
    return [("voltage", seen.voltage), ("current", seen.current), ("power", seen.power)]


async def _signal(device: Modem) -> Values:
    seen: Signal = await device.read_signal()
    levels = {"rssi": seen.rssi, "rsrp": seen.rsrp, "rsrq": seen.rsrq, "sinr": seen.sinr}
    return [(name, level) for name, level in levels.items() if isinstance(level, Quantity)]


_READ: Mapping[type, Callable[[Any], Awaitable[Values]]] = {
    PowerMeter: _meter,
    Load: _load,
    Modem: _signal,
}

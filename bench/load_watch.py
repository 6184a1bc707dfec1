"""Loads that are on: each is watched until it is off, and switched off when it must not be on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.cancellation import cancelling
from bench.capability import PilotReading, VehicleCoupler, VehicleEmulator
from bench.config import DeviceEntry
from bench.errors import DeviceError, LinkError, Unverifiable
from bench.events import Interlocked
from bench.loading import (
    Bound,
    bounds,
    excess_at_load,
    excess_at_meter,
    lowest,
    not_live,
    not_ready,
)
from bench.observers import Observers
from bench.stream import Stream

EVERY = 0.2
"""Pause in s between two looks at a load that is on."""
SETTLING = 1.0
"""Time in s in which a load may still draw what it drew before it was told to draw less."""
BLIND = 1.0
"""Time in s for which a load may stay on while a device that watches it does not answer."""


@dataclass(slots=True)
class Drawing:
    """A load that is on, or may be."""

    entry: DeviceEntry
    connector: int
    current: float
    """What it was last told to draw, in A."""
    sure: bool = False
    """Whether it did what it was told, and was not told to be off since."""
    since: float = 0.0
    """When it was told, by the event loop's clock."""


class LoadWatch:
    """The loads of one bench that are on."""

    def __init__(
        self,
        stream: Stream,
        devices: Mapping[str, Any],
        observers: Observers,
        make_safe: Callable[[str], Awaitable[str | None]],
    ) -> None:
        """`make_safe` brings one device to its safe state and says what failed."""
        self._stream = stream
        self._devices = devices
        self._observers = observers
        self._make_safe = make_safe
        self.on: dict[str, Drawing] = {}
        self.turn = asyncio.Lock()
        """Whoever changes what is on, or rests on it, takes a turn."""
        self._watches: dict[str, asyncio.Task[None]] = {}
        self.tripped: Callable[[DeviceError], None] = lambda error: None
        """Told why a load had to be switched off in an emergency: the running case is over."""

    def begin(self, drawing: Drawing) -> None:
        """Watch a load that was told to draw."""
        drawing.since = asyncio.get_running_loop().time()
        name = drawing.entry.name
        if name in self._watches and not self._watches[name].done():
            return  # it looks at whatever is drawn under that name
        self._watches[name] = asyncio.create_task(self._watching(name), name=f"watch over {name}")

    def is_off(self, name: str) -> None:
        """Note that a load is known to be off."""
        self.on.pop(name, None)

    async def close(self) -> None:
        """End every watch."""
        watches = list(self._watches.values())
        for watch in watches:
            cancelling(watch)()
        if watches:
            await asyncio.wait(watches)

    def bounds(
        self, drawing: Drawing, pilot: PilotReading | None, volts: float | None
    ) -> list[Bound]:
        """List what limits a load's current at this moment; raises `Unverifiable`."""
        return bounds(
            self._observers.limits,
            device=getattr(drawing.entry.settings, "max_current", None),
            cable=self._observers.cable(drawing.connector),
            pilot=pilot,
            volts=volts,
        )

    async def switch_off(self, drawing: Drawing, reason: str) -> None:
        """Switch a load off and record why; raises when it stays on."""
        name = drawing.entry.name
        drawing.sure = False
        await self._observers.told(name, self._devices[name].release())
        self.is_off(name)
        self._stream.emit(Interlocked(name, "switched off", reason))

    async def _watching(self, name: str) -> None:
        """Look at a load until it is off; the watch ends with the load, or ends the load."""
        loop = asyncio.get_running_loop()
        seen = loop.time()
        while (drawing := self.on.get(name)) is not None:
            try:
                reason = await self._look(drawing)
                seen = loop.time()
            except (LinkError, OSError) as error:
                reason = f"lost while the load was on: {error}"
            except (DeviceError, Unverifiable) as error:
                reason = None if loop.time() - seen < BLIND else f"not watched any more: {error}"
            except Exception as error:  # noqa: BLE001 - no defect may leave a load unwatched
                reason = f"not watched any more: {error!r}"
            if reason is not None and self.on.get(name) is drawing:
                await self._trip(drawing, reason)
                return
            await asyncio.sleep(EVERY)

    async def _look(self, drawing: Drawing) -> str | None:
        """Follow the station's offer; say what makes this load an emergency, None when nothing."""
        told, limits, name = self._observers.told, self._observers.limits, drawing.entry.name
        pilot = await self._observers.pilot(drawing.connector)
        reading = None
        if not drawing.entry.driver.by_hand:
            if not await told(name, self._devices[name].is_drawing()):
                if drawing.sure and self.on.get(name) is drawing:
                    return f"{name} switched itself off"
                self.is_off(name)
                return None
            reading = await told(name, self._devices[name].read())
        for meter in self._observers.meters(drawing.connector):
            seen = await told(meter, self._devices[meter].read())
            if reason := excess_at_meter(seen, limits):
                return f"{meter}: {reason}"
        volts = None if reading is None else reading.voltage.value
        allowed = lowest(self.bounds(drawing, _offering(pilot), volts))
        async with self.turn:
            if self.on.get(name) is not drawing:
                return None
            if pilot is not None and (reason := not_ready(pilot)):
                await self.switch_off(drawing, reason)
            elif reading is not None and (reason := not_live(reading, limits)):
                await self.switch_off(drawing, reason)
            elif drawing.current > allowed.current:
                await self._reduce(drawing, allowed)
            elif reading is not None:
                most = Bound(drawing.current, "it was told to draw")
                if asyncio.get_running_loop().time() < drawing.since + SETTLING:
                    most = lowest(self.bounds(drawing, None, volts))
                if reason := excess_at_load(reading, most, limits):
                    return f"{name}: {reason}"
        return None

    async def _reduce(self, drawing: Drawing, allowed: Bound) -> None:
        name = drawing.entry.name
        await self._observers.told(name, self._devices[name].draw(current=allowed.current))
        reason = f"from {drawing.current:g} A: {allowed}"
        drawing.current, drawing.since = allowed.current, asyncio.get_running_loop().time()
        self._stream.emit(Interlocked(name, "reduced", reason))

    async def _trip(self, drawing: Drawing, reason: str) -> None:
        """Load off, pilot to A, running case over."""
        name = drawing.entry.name
        vehicles = self._observers.serving(drawing.connector, VehicleCoupler, VehicleEmulator)
        for device in dict.fromkeys([name, *(entry.name for entry in vehicles)]):
            failed = await self._make_safe(device)
            if failed is not None:
                reason += f"; {device} is not safe: {failed}"
        self.is_off(name)
        error = DeviceError(f"interlock: {name} was switched off: {reason}")
        try:
            self._stream.emit(Interlocked(name, "switched off", reason))
        finally:
            self.tripped(error)


def _offering(pilot: PilotReading | None) -> PilotReading | None:
    """Leave a pilot out that offers nothing; that is for another rule."""
    return None if pilot is None or not_ready(pilot) else pilot

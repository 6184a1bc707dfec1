"""Interlocks: no load without a vehicle that asks and a station that offers, and never too much.

They stand behind every capability call, so that no procedure can go past them. A load that is on
is watched; what an electrician would switch off, they switch off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.capability import (
    Load,
    PilotReading,
    PowerMeter,
    PowerSwitch,
    VehicleCoupler,
    VehicleEmulator,
)
from bench.config import BenchConfig, DeviceEntry
from bench.errors import BenchError, DeviceError, LinkError, Unverifiable
from bench.events import Interlocked, Noted
from bench.loading import (
    SMALLEST_CABLE,
    Bound,
    bounds,
    excess_at_load,
    excess_at_meter,
    lowest,
    not_live,
    not_ready,
)
from bench.stream import Stream

EVERY = 0.2
"""Pause in s between two looks at a load that is on."""
SETTLING = 1.0
"""Time in s in which a load may still draw what it drew before it was told to draw less."""
BLIND = 1.0
"""Time in s for which a load may stay on while a device that watches it does not answer."""

_MOVES: Mapping[type, tuple[str, ...]] = {
    VehicleCoupler: ("plug_in", "unplug"),
    VehicleEmulator: ("suspend", "set_fault"),
    PowerSwitch: ("switch_off", "cycle"),
}
"""What interrupts the current: never under load."""


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


class Interlocks:
    """The interlocks of one bench, and the state of its loads."""

    def __init__(
        self,
        config: BenchConfig,
        stream: Stream,
        devices: Mapping[str, Any],
        make_safe: Callable[[str], Awaitable[str | None]],
        lose: Callable[[str, LinkError], None],
    ) -> None:
        """`make_safe` brings one device to its safe state and says what failed."""
        self._config = config
        self._stream = stream
        self._devices = devices
        self._make_safe = make_safe
        self._lose = lose
        self._on: dict[str, Drawing] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._noted: set[str] = set()
        self.tripped: Callable[[DeviceError], None] = lambda error: None
        """Told why a load had to be switched off in an emergency: the running case is over."""

    @asynccontextmanager
    async def around(
        self,
        entry: DeviceEntry,
        capability: type,
        method: str,
        arguments: Mapping[str, Any],
        connector: int,
    ) -> AsyncIterator[None]:
        """Do what has to be done before and after a capability is used.

        Raises `DeviceError` for an act that is refused, `Unverifiable` when nobody can tell whether
        it is safe.
        """
        if capability is Load and method == "draw":
            async with self._turn:
                drawing = Drawing(entry, connector, arguments["current"])
                await self._check(drawing)
                # From here on it may be on, whatever becomes of the command.
                before = self._on.get(entry.name)
                self._on[entry.name] = drawing
                try:
                    yield
                except ValueError as error:
                    self.is_off(entry.name)
                    if before is not None:
                        self._on[entry.name] = before
                    raise self._refused(entry.name, str(error)) from error
                else:
                    drawing.sure = True
                finally:
                    drawing.since = asyncio.get_running_loop().time()
                    self._watch(drawing)
        elif capability is Load and method == "release":
            if entry.name in self._on:
                self._on[entry.name].sure = False
            yield
            self.is_off(entry.name)
        elif method in _MOVES.get(capability, ()):
            async with self._turn:
                await self._unload(arguments.get("connector"), f"{entry.name}: {method}")
                yield
        elif capability is VehicleEmulator and method == "draw" and self._on:
            async with self._turn:
                if not await self._shows(arguments["connector"], arguments["ventilation"]):
                    await self._unload(arguments["connector"], f"{entry.name}: {method}")
                yield
        else:
            yield

    def is_off(self, name: str) -> None:
        """Note that a load is known to be off."""
        self._on.pop(name, None)

    async def close(self) -> None:
        """End every watch."""
        watches = list(self._watches.values())
        for watch in watches:
            watch.cancel()
        if watches:
            await asyncio.wait(watches)

    # Before a load is switched on

    async def _check(self, wanted: Drawing) -> None:
        name = wanted.entry.name
        volts = None
        pilot = await self._pilot_for(wanted)
        if pilot is not None and (reason := not_ready(pilot)):
            raise self._refused(name, reason)
        if not wanted.entry.driver.by_hand:
            reading = await self._devices[name].read()
            volts = reading.voltage.value
            if reason := not_live(reading, self._config.limits):
                raise self._refused(name, reason)
        try:
            found = self._bounds(wanted, pilot, volts)
        except Unverifiable as error:
            raise self._refused(name, str(error), Unverifiable) from error
        if not wanted.current <= lowest(found).current:
            ordered = sorted(found, key=lambda bound: bound.current)
            listed = ", ".join(str(bound) for bound in ordered)
            raise self._refused(name, f"{wanted.current:g} A is too much: {listed}")

    async def _pilot_for(self, wanted: Drawing) -> PilotReading | None:
        """Read the pilot before a load is switched on; None when its operator has to look."""
        blind = f"no device of the bench observes the control pilot of connector {wanted.connector}"
        try:
            pilot = await self._pilot(wanted.connector)
        except Unverifiable as error:
            blind, pilot = str(error), None
        if pilot is None:
            if not wanted.entry.driver.by_hand:
                raise self._refused(wanted.entry.name, blind, Unverifiable)
            self._note(f"{blind}: the operator answers for {wanted.entry.name}")
        return pilot

    def _bounds(
        self, drawing: Drawing, pilot: PilotReading | None, volts: float | None
    ) -> list[Bound]:
        return bounds(
            self._config.limits,
            device=getattr(drawing.entry.settings, "max_current", None),
            cable=self._cable(drawing.connector),
            pilot=pilot,
            volts=volts,
        )

    def _cable(self, connector: int) -> float:
        """Tell what the cable is coded for (PP); the smallest there is when nobody knows."""
        ratings = [
            float(entry.settings.cable)
            for entry in self._serving(connector, VehicleCoupler, VehicleEmulator)
            if getattr(entry.settings, "cable", None) is not None
        ]
        if ratings:
            return min(ratings)
        self._note(
            f"no device of the bench knows the cable of connector {connector}: "
            f"it counts as one for {SMALLEST_CABLE:g} A"
        )
        return SMALLEST_CABLE

    async def _pilot(self, connector: int) -> PilotReading | None:
        """Measure the control pilot; None without a device that does."""
        for entry in self._serving(connector, VehicleEmulator):
            if not entry.driver.by_hand:
                pilot: PilotReading = await self._told(
                    entry.name, self._devices[entry.name].read_pilot(connector)
                )
                return pilot
        return None

    async def _told(self, name: str, reading: Awaitable[Any]) -> Any:
        """Wait for what a device tells; note that it is lost when its link is gone."""
        try:
            return await reading
        except LinkError as error:
            self._lose(name, error)
            raise

    def _serving(self, connector: int, *capabilities: type) -> Iterator[DeviceEntry]:
        for entry in self._config.devices:
            here = connector in getattr(entry.settings, "connectors", (connector,))
            if (
                here
                and entry.name in self._devices
                and set(capabilities) & set(entry.driver.offers)
            ):
                yield entry

    def _refused(self, name: str, reason: str, kind: type[BenchError] = DeviceError) -> BenchError:
        self._stream.emit(Interlocked(name, "refused", reason))
        return kind(f"interlock: {name} is not switched on: {reason.removeprefix(f'{name}: ')}")

    def _note(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._stream.emit(Noted(text))

    # Before the current path is interrupted

    async def _unload(self, connector: int | None, act: str) -> None:
        """Switch off what draws at a connector (None: at any); raises when it stays on."""
        for name, drawing in list(self._on.items()):
            if connector in (None, drawing.connector):
                await self._release(drawing)
                reason = f"before {act}: nothing is interrupted under load"
                self._stream.emit(Interlocked(name, "switched off", reason))

    async def _shows(self, connector: int, ventilation: bool) -> bool:
        """Tell whether the vehicle shows already what it is to show; no when nobody can see."""
        try:
            pilot = await self._pilot(connector)
        except (Unverifiable, DeviceError):
            return False
        return pilot is not None and pilot.state == ("D" if ventilation else "C")

    async def _release(self, drawing: Drawing) -> None:
        name = drawing.entry.name
        drawing.sure = False
        await self._told(name, self._devices[name].release())
        self.is_off(name)

    # While a load is on

    def _watch(self, drawing: Drawing) -> None:
        name = drawing.entry.name
        if name in self._watches and not self._watches[name].done():
            return  # it looks at whatever is drawn under that name
        self._watches[name] = asyncio.create_task(self._watching(name), name=f"watch over {name}")

    async def _watching(self, name: str) -> None:
        """Look at a load until it is off; the watch ends with the load, or ends the load."""
        loop = asyncio.get_running_loop()
        seen = loop.time()
        while (drawing := self._on.get(name)) is not None:
            try:
                reason = await self._look(drawing)
                seen = loop.time()
            except (LinkError, OSError) as error:
                reason = f"lost while the load was on: {error}"
            except (DeviceError, Unverifiable) as error:
                reason = None if loop.time() - seen < BLIND else f"not watched any more: {error}"
            except Exception as error:  # noqa: BLE001 - no defect may leave a load unwatched
                reason = f"not watched any more: {error!r}"
            if reason is not None and self._on.get(name) is drawing:
                await self._trip(drawing, reason)
                return
            await asyncio.sleep(EVERY)

    async def _look(self, drawing: Drawing) -> str | None:
        """Follow the station's offer; say what makes this load an emergency, None when nothing."""
        limits, name = self._config.limits, drawing.entry.name
        pilot = await self._pilot(drawing.connector)
        reading = None
        if not drawing.entry.driver.by_hand:
            if not await self._told(name, self._devices[name].is_drawing()):
                if drawing.sure and self._on.get(name) is drawing:
                    return f"{name} switched itself off"
                self.is_off(name)
                return None
            reading = await self._told(name, self._devices[name].read())
        for meter in self._meters(drawing.connector):
            seen = await self._told(meter, self._devices[meter].read())
            if reason := excess_at_meter(seen, limits):
                return f"{meter}: {reason}"
        volts = None if reading is None else reading.voltage.value
        allowed = lowest(self._bounds(drawing, _offering(pilot), volts))
        async with self._turn:
            if self._on.get(name) is not drawing:
                return None
            if pilot is not None and (reason := not_ready(pilot)):
                await self._switched_off(drawing, reason)
            elif reading is not None and (reason := not_live(reading, limits)):
                await self._switched_off(drawing, reason)
            elif drawing.current > allowed.current:
                await self._reduce(drawing, allowed)
            elif reading is not None:
                most = Bound(drawing.current, "it was told to draw")
                if asyncio.get_running_loop().time() < drawing.since + SETTLING:
                    most = lowest(self._bounds(drawing, None, volts))
                if reason := excess_at_load(reading, most, limits):
                    return f"{name}: {reason}"
        return None

    def _meters(self, connector: int) -> list[str]:
        """Name the meters that watch over limits of the lab, if there are such limits."""
        limits = self._config.limits
        if limits.current is limits.power is limits.temperature is None:
            return []
        serving = self._serving(connector, PowerMeter)
        return [entry.name for entry in serving if not entry.driver.by_hand]

    async def _switched_off(self, drawing: Drawing, reason: str) -> None:
        await self._release(drawing)
        self._stream.emit(Interlocked(drawing.entry.name, "switched off", reason))

    async def _reduce(self, drawing: Drawing, allowed: Bound) -> None:
        name = drawing.entry.name
        await self._told(name, self._devices[name].draw(current=allowed.current))
        reason = f"from {drawing.current:g} A: {allowed}"
        drawing.current, drawing.since = allowed.current, asyncio.get_running_loop().time()
        self._stream.emit(Interlocked(name, "reduced", reason))

    async def _trip(self, drawing: Drawing, reason: str) -> None:
        """Load off, pilot to A, running case over."""
        name = drawing.entry.name
        vehicles = self._serving(drawing.connector, VehicleCoupler, VehicleEmulator)
        for device in dict.fromkeys([name, *(entry.name for entry in vehicles)]):
            failed = await self._make_safe(device)
            if failed is not None:
                reason += f"; {device} is not safe: {failed}"
        self._on.pop(name, None)
        error = DeviceError(f"interlock: {name} was switched off: {reason}")
        try:
            self._stream.emit(Interlocked(name, "switched off", reason))
        finally:
            self.tripped(error)


def _offering(pilot: PilotReading | None) -> PilotReading | None:
    """Leave a pilot out that offers nothing; that is for another rule."""
    return None if pilot is None or not_ready(pilot) else pilot

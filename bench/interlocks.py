"""Interlocks: no load without a vehicle that asks and a station that offers, and never too much.

They stand behind every capability call, so that no procedure can go past them. A load that is on
is watched; what an electrician would switch off, they switch off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
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
from bench.events import Interlocked
from bench.load_watch import Drawing, LoadWatch
from bench.loading import lowest, not_live, not_ready
from bench.observers import Observers
from bench.stream import Stream

_MOVES: Mapping[type, tuple[str, ...]] = {
    VehicleCoupler: ("plug_in", "unplug"),
    VehicleEmulator: ("suspend", "set_fault"),
    PowerSwitch: ("switch_off", "cycle"),
}
"""What interrupts the current: never under load."""


class Interlocks:
    """The interlocks of one bench."""

    def __init__(
        self,
        config: BenchConfig,
        stream: Stream,
        devices: Mapping[str, Any],
        absence: Callable[[str], str | None],
        make_safe: Callable[[str], Awaitable[str | None]],
        lose: Callable[[str, LinkError], None],
    ) -> None:
        """`absence` says why a device is absent; `make_safe` brings one to its safe state."""
        self._stream = stream
        self._devices = devices
        self._absence = absence
        self._observers = Observers(config, stream, devices, lose)
        self.watch = LoadWatch(stream, devices, self._observers, make_safe)

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
        watch = self.watch
        self._heed_absent(entry, capability, method, arguments, connector)
        if capability is Load and method == "draw":
            async with watch.turn:
                drawing = Drawing(entry, connector, arguments["current"])
                await self._check(drawing)
                # From here on it may be on, whatever becomes of the command.
                before = watch.on.get(entry.name)
                watch.on[entry.name] = drawing
                try:
                    yield
                except ValueError as error:
                    watch.is_off(entry.name)
                    if before is not None:
                        watch.on[entry.name] = before
                    raise self._refused(entry.name, str(error)) from error
                else:
                    drawing.sure = True
                finally:
                    watch.begin(drawing)
        elif capability is Load and method == "release":
            if entry.name in watch.on:
                watch.on[entry.name].sure = False
            yield
            watch.is_off(entry.name)
        elif method in _MOVES.get(capability, ()):
            async with watch.turn:
                await self._unload(arguments.get("connector"), f"{entry.name}: {method}")
                yield
        elif capability is VehicleEmulator and method == "draw" and watch.on:
            async with watch.turn:
                if not await self._shows(arguments["connector"], arguments["ventilation"]):
                    await self._unload(arguments["connector"], f"{entry.name}: {method}")
                yield
        else:
            yield

    # What has to be known

    def rests_on(self, capability: type, connector: int | None) -> Iterator[DeviceEntry]:
        """List what has to be there, beside the device, for some use of a capability to be safe.

        A load needs whoever watches it; whatever interrupts the current, the loads, as one that
        is absent may be on. `connector` None: at any.
        """
        if capability is Load:
            watching = (PowerMeter,) if self._observers.heeds_meters else ()
            yield from self._observers.wired(connector, VehicleCoupler, VehicleEmulator, *watching)
        elif capability in _MOVES:
            yield from self._observers.wired(connector, Load)

    def _heed_absent(
        self,
        entry: DeviceEntry,
        capability: type,
        method: str,
        arguments: Mapping[str, Any],
        connector: int,
    ) -> None:
        """Refuse what rests on a device that is absent."""
        if capability is Load and method == "draw":
            where: int | None = connector
        elif method in _MOVES.get(capability, ()) or (
            capability is VehicleEmulator and method == "draw"
        ):
            where = arguments.get("connector")
        else:
            return
        for one in self.rests_on(capability, where):
            if (why := self._absence(one.name)) is not None:
                reason = f"{one.name} is absent: {why.removeprefix(f'{one.name}: ')}"
                self._stream.emit(Interlocked(entry.name, "refused", reason))
                raise DeviceError(f"interlock: {entry.name}: {method} is refused: {reason}")

    # Before a load is switched on

    async def _check(self, wanted: Drawing) -> None:
        name, limits = wanted.entry.name, self._observers.limits
        volts = None
        pilot = await self._pilot_for(wanted)
        if pilot is not None and (reason := not_ready(pilot)):
            raise self._refused(name, reason)
        if not wanted.entry.driver.by_hand:
            reading = await self._devices[name].read()
            volts = reading.voltage.value
            if reason := not_live(reading, limits):
                raise self._refused(name, reason)
        try:
            found = self.watch.bounds(wanted, pilot, volts)
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
            pilot = await self._observers.pilot(wanted.connector)
        except Unverifiable as error:
            blind, pilot = str(error), None
        if pilot is None:
            if not wanted.entry.driver.by_hand:
                raise self._refused(wanted.entry.name, blind, Unverifiable)
            self._observers.note(f"{blind}: the operator answers for {wanted.entry.name}")
        return pilot

    def _refused(self, name: str, reason: str, kind: type[BenchError] = DeviceError) -> BenchError:
        self._stream.emit(Interlocked(name, "refused", reason))
        return kind(f"interlock: {name} is not switched on: {reason.removeprefix(f'{name}: ')}")

    # Before the current path is interrupted

    async def _unload(self, connector: int | None, act: str) -> None:
        """Switch off what draws at a connector (None: at any); raises when it stays on."""
        for drawing in list(self.watch.on.values()):
            if connector in (None, drawing.connector):
                reason = f"before {act}: nothing is interrupted under load"
                await self.watch.switch_off(drawing, reason)

    async def _shows(self, connector: int, ventilation: bool) -> bool:
        """Tell whether the vehicle shows already what it is to show; no when nobody can see."""
        try:
            pilot = await self._observers.pilot(connector)
        except (Unverifiable, DeviceError):
            return False
        return pilot is not None and pilot.state == ("D" if ventilation else "C")

"""The relays of a pilot box: commanded in runs of coils, read back, held for a time."""

from __future__ import annotations

import asyncio
from itertools import groupby

from bench.errors import DeviceError, DeviceTimeout
from drivers.link.modbus import ModbusLink
from drivers.profile_pilot_box import Coil, PilotBoxProfile
from drivers.readback import until
from drivers.timed_relays import TimedRelays

_RELAYS_WITHIN = 0.8
"""Deadline in s for the relays' read-back: they move in 5 to 10 ms."""

_SAFE_WITHIN = 0.45
"""Deadline in s for each relay board when making safe."""

_EVERY = 0.02
"""Pause between two read-backs in s."""

_HELD = ("cp", "diode_bypass", "cp_pe_short", "pe_open")
"""What must not outlive the bench: the pilot line, and the faults that close a relay."""


class BoxRelays:
    """The relays of one box, by the names that its profile gives them."""

    def __init__(self, name: str, link: ModbusLink, profile: PilotBoxProfile) -> None:
        self._name = name
        self._link = link
        self._settling = profile.timing.settle
        self._relays = profile.relays.by_name()
        self._runs = _runs(self._relays)
        self._timed: TimedRelays | None = None
        if profile.hold is not None:
            held = {relay: self._relays[relay] for relay in _HELD}
            self._timed = TimedRelays(name, link, held, profile.hold)
        self._open = False
        """All relays read open, and their contacts have settled."""

    async def stop(self) -> None:
        """Hold nothing closed any more."""
        if self._timed is not None:
            await self._timed.stop()

    async def open_all(self) -> None:
        """Open all relays and read them back."""
        were_open, self._open = self._open, False
        if self._timed is not None:
            self._timed.let_go(self._timed.names)
        errors: list[DeviceError] = []
        for unit, first, names in self._runs:
            # A mute board must not keep the other one from being made safe in time.
            try:
                async with asyncio.timeout(_SAFE_WITHIN):
                    await self._link.write_coils(unit, first, [False] * len(names))
            except TimeoutError:
                errors.append(
                    DeviceTimeout(
                        f"{self._name}: unit {unit} did not open its relays "
                        f"within {_SAFE_WITHIN:g} s"
                    )
                )
            except DeviceError as error:
                errors.append(error)
        if errors:
            raise type(errors[0])("; ".join(str(error) for error in errors))
        await self.show(frozenset())
        if not were_open:
            await self._settle()
        self._open = True

    async def command(self, closed: frozenset[str]) -> None:
        """Close these relays and open all others; their contacts have settled then."""
        self._open = False
        runs, held = self._runs, frozenset[str]()
        if self._timed is not None:
            held = closed & self._timed.names
            self._timed.let_go(self._timed.names - held)
            runs = _runs({name: coil for name, coil in self._relays.items() if name not in held})
        for unit, first, names in runs:
            await self._link.write_coils(unit, first, [name in closed for name in names])
        if self._timed is not None:
            await self._timed.hold(held)
        await self._settle()

    async def confirm(self, closed: frozenset[str]) -> None:
        """Read back what was commanded last."""
        await self.show(closed)
        self._open = not closed

    async def show(self, closed: frozenset[str]) -> None:
        """Wait until these relays read closed and all others open; raises `DeviceError`."""
        await until(
            self.read,
            lambda now: now == closed,
            within=_RELAYS_WITHIN,
            every=_EVERY,
            otherwise=lambda now: f"{self._name}: {self._difference(now, closed)}",
        )

    async def read(self) -> frozenset[str]:
        """Read which relays are closed."""
        closed: set[str] = set()
        for unit, first, names in self._runs:
            values = await self._link.read_coils(unit, first, len(names))
            closed.update(name for name, value in zip(names, values, strict=True) if value)
        return frozenset(closed)

    async def _settle(self) -> None:
        # The boards read back what was commanded; a contact moves some milliseconds later.
        await asyncio.sleep(self._settling)

    def _difference(self, closed: frozenset[str], wanted: frozenset[str]) -> str:
        parts = []
        for name in sorted(closed ^ wanted):
            coil = self._relays[name]
            reads, commanded = ("closed", "open") if name in closed else ("open", "closed")
            parts.append(
                f"relay {name} (unit {coil.unit}, coil {coil.coil}) "
                f"reads {reads}, commanded {commanded}"
            )
        return ", ".join(parts)


def _runs(relays: dict[str, Coil]) -> list[tuple[int, int, list[str]]]:
    """Group the relays into runs of neighbouring coils: unit, first coil, names in order."""
    places = sorted((coil.unit, coil.coil, name) for name, coil in relays.items())
    runs = []
    for _, group in groupby(enumerate(places), key=lambda item: (item[1][0], item[1][1] - item[0])):
        run = [place for _, place in group]
        runs.append((run[0][0], run[0][1], [name for _, _, name in run]))
    return runs

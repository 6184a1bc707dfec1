"""The physical truth of the simulated lab: mains, connectors, cards at the reader, energy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from drivers.sim.connector import PHASES, Connector, Contactor
from drivers.sim.timeline import Timeline, Timer
from stations.hardware import (
    CardRead,
    HardwareEvent,
    PlugChanged,
    StationHardware,
    SupplyFailed,
)


@dataclass(frozen=True, slots=True)
class Supply:
    """What flows into the station on each phase: V, A, Wh."""

    voltage: tuple[float, ...]
    current: tuple[float, ...]
    energy: tuple[float, ...]

    @property
    def power(self) -> tuple[float, ...]:
        """Active power of each phase in W."""
        return tuple(u * i for u, i in zip(self.voltage, self.current, strict=True))


class World(StationHardware):
    """The lab without its electronics: to the station its hardware, to the twins what they touch.

    Time comes from `clock` (seconds, monotonic; default: the event loop's). Every change takes
    effect at once or at a time that is known when it starts; nothing polls.
    """

    def __init__(
        self,
        *,
        connectors: int = 1,
        clock: Callable[[], float] | None = None,
        voltage: float = 230.0,
        contactor: Contactor | None = None,
        fixed_cable: float | None = None,
        mode12: bool = False,
        readers: bool = True,
        read_time: float = 0.05,
        register: float = 0.0,
    ) -> None:
        self.timeline = Timeline(clock)
        self.outages = 0
        """How often the mains went away."""
        self._mains = False
        self._readers = readers
        self._read_time = read_time
        self._voltage = voltage
        self._fields: dict[int, dict[str, Timer]] = {}
        self._events: asyncio.Queue[HardwareEvent] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._connectors = {
            number: Connector(
                number,
                self.timeline,
                self._on_change,
                voltage=voltage,
                contactor=contactor or Contactor(),
                fixed_cable=fixed_cable,
                mode12=mode12,
                register=register,
            )
            for number in range(1, connectors + 1)
        }
        self.set_mains(True)

    @property
    def connectors(self) -> Mapping[int, Connector]:
        """The connectors by number, 1 to N."""
        return MappingProxyType(self._connectors)

    async def next_event(self) -> HardwareEvent:
        """Wait for the next change that the station can sense."""
        return await self._events.get()

    async def until(self, condition: Callable[[], bool], *, within: float | None = None) -> None:
        """Wait until `condition` holds; raises `TimeoutError` after `within` s of loop time."""
        async with asyncio.timeout(within):
            while not condition():
                await self._changed.wait()

    @property
    def mains(self) -> bool:
        """Tell whether the station has its supply."""
        return self._mains

    def set_mains(self, on: bool) -> None:
        """Switch the supply of the station."""
        self.timeline.now()
        if on == self._mains:
            return
        self._mains = on
        if not on:
            self.outages += 1
        for connector in self._connectors.values():
            connector.supply(on)
        # What a dead station did not sense is gone; a booting one reads the state by itself.
        while not self._events.empty():
            self._events.get_nowait()
        if not on:
            self._events.put_nowait(SupplyFailed())
        self._wake()

    def present(self, id_tag: str, *, reader: int = 1) -> None:
        """Bring a card into the field of a reader; it is read once if it stays long enough."""
        field = self._fields.setdefault(reader, {})
        if id_tag in field:
            return

        def read() -> None:
            # Two cards in one field disturb each other.
            if self._readers and self._mains and len(field) == 1:
                self._events.put_nowait(CardRead(id_tag, reader))

        field[id_tag] = self.timeline.after(self._read_time, read)
        self._wake()

    def withdraw(self, id_tag: str, *, reader: int = 1) -> None:
        """Take a card out of the field of a reader."""
        self.timeline.now()
        timer = self._fields.get(reader, {}).pop(id_tag, None)
        if timer is not None:
            timer.cancel()
            self._wake()

    def cards(self, *, reader: int = 1) -> frozenset[str]:
        """List the cards in the field of a reader."""
        return frozenset(self._fields.get(reader, ()))

    def supply(self) -> Supply:
        """Measure what flows into the station, upstream of its power switch."""
        connectors = self._connectors.values()
        return Supply(
            voltage=(self._voltage,) * PHASES,
            current=_per_phase([connector.current() for connector in connectors]),
            energy=_per_phase([connector.energy() for connector in connectors]),
        )

    def _on_change(self, connector: int, sensed: bool) -> None:
        if sensed and self._mains:
            self._events.put_nowait(PlugChanged(connector))
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _per_phase(values: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(map(sum, zip(*values, strict=True)))

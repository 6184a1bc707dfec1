"""The mobile network that a simulated modem finds: cells by technology, registration in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from drivers.sim.timeline import Timeline, Timer

OPERATOR, PLMN = "Pilot Mobile", "00101"
"""A test network's number (3GPP TS 23.003)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is received of a network, in dBm and dB."""

    rssi: float
    rsrp: float | None = None
    rsrq: float | None = None
    sinr: float | None = None


CELLS: Mapping[str, Cell] = MappingProxyType(
    {
        "4G": Cell(-71, rsrp=-101, rsrq=-9, sinr=8),
        "3G": Cell(-79),
        "2G": Cell(-85),
    }
)


class Radio:
    """A modem's radio; it registers some time after each change, with the best that it may use."""

    def __init__(
        self,
        timeline: Timeline,
        *,
        cells: Mapping[str, Cell] = CELLS,
        registration: float = 0.0,
        dialling: float = 0.0,
        reconnects: bool = False,
    ) -> None:
        self.cells = dict(cells)
        self.registration = registration
        """Seconds until it is registered."""
        self.dialling = dialling
        """Seconds until data flows, once asked for."""
        self.technology: str | None = None
        """What it is registered with."""
        self.connected = False
        self.data = False
        """Whether data is asked for."""
        self._timeline = timeline
        self._reconnects = reconnects
        self._timers: list[Timer] = []

    @property
    def cell(self) -> Cell | None:
        """What it receives of its network."""
        self._timeline.now()
        return None if self.technology is None else self.cells[self.technology]

    def use(self, technologies: Sequence[str]) -> None:
        """Leave the network and look for another, in this order."""
        for timer in self._timers:
            timer.cancel()
        self.technology, self.connected = None, False
        self.data = self.data and self._reconnects

        def register() -> None:
            self.technology = next((name for name in technologies if name in self.cells), None)
            if self.data:
                self.dial(True)

        self._timers = []
        self._later(self.registration, register)

    def dial(self, on: bool) -> None:
        """Ask for data, or no longer."""
        self.data = on
        if on and self.technology is not None:
            self._later(self.dialling, self._connect)
        elif not on:
            self.connected = False

    def _connect(self) -> None:
        self.connected = self.data and self.technology is not None

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        self._timers.append(self._timeline.after(delay, action))

"""What a station measures, and how it says it in sampled values."""

from __future__ import annotations

import math
from collections.abc import Iterable

from stations.hardware import ChipMeter
from stations.messages import Payload
from stations.storage import Store

REGISTER = "Energy.Active.Import.Register"
"""The measurand that an empty list of measurands means."""

MOST_SAMPLES = 100
"""Most meter values in a StopTransaction."""

_LINES = ("L1", "L2", "L3")
_UNITS = {
    REGISTER: "Wh",
    "Power.Active.Import": "W",
    "Power.Offered": "W",
    "Current.Import": "A",
    "Current.Offered": "A",
    "Voltage": "V",
}
_PHASES = {"Current.Import": _LINES, "Voltage": tuple(f"{line}-N" for line in _LINES)}

MEASURANDS = frozenset(_UNITS) | {
    f"{measurand}.{phase}" for measurand, phases in _PHASES.items() for phase in phases
}
"""What may be configured: a measurand, or one phase of it."""


def sampled_values(
    names: Iterable[str], meter: ChipMeter, *, energy: int, offered: float, context: str
) -> list[Payload]:
    """Write a reading as sampled values, one per measurand and phase.

    `energy` is the register of the station's log in Wh, `offered` the current in A per phase.
    """
    values: list[Payload] = []
    for name in names:
        measurand = name if name in _UNITS else name.rpartition(".")[0]
        for phase, number in _numbers(measurand, meter, energy, offered):
            if measurand != name and not name.endswith(f".{phase}"):
                continue
            value = {"value": number, "context": context, "measurand": measurand}
            if phase is not None:
                value["phase"] = phase
            values.append(value | {"unit": _UNITS[measurand]})
    return values


def _numbers(
    measurand: str, meter: ChipMeter, energy: int, offered: float
) -> list[tuple[str | None, str]]:
    match measurand:
        case "Power.Active.Import":
            return [(None, f"{meter.power:.0f}")]
        case "Power.Offered":
            return [(None, f"{offered * sum(meter.voltage):.0f}")]
        case "Current.Offered":
            return [(None, f"{offered:.1f}")]
        case "Current.Import":
            return _by_phase(measurand, meter.current)
        case "Voltage":
            return _by_phase(measurand, meter.voltage)
        case _:
            return [(None, str(energy))]


def _by_phase(measurand: str, numbers: tuple[float, ...]) -> list[tuple[str | None, str]]:
    return [(phase, f"{n:.1f}") for phase, n in zip(_PHASES[measurand], numbers, strict=True)]


class EnergyLog:
    """The energy registers that the station reports: whole Wh that never fall.

    A meter chip that begins anew, because it was replaced or lost its memory, continues here.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[str, int] = store.read("registers") or {}
        self._offsets: dict[str, float] = {}

    def register(self, connector: int, meter: ChipMeter) -> int:
        """Return the register of a connector in Wh and remember it."""
        name = str(connector)
        last = self._last.get(name, 0)
        if name not in self._offsets:
            self._offsets[name] = max(0.0, last - meter.energy)
        energy = max(last, math.floor(meter.energy + self._offsets[name]))
        if energy != last:
            self._last[name] = energy
            self._store.write("registers", self._last)
        return energy

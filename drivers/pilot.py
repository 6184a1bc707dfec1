"""The pilot circuit (IEC 61851-1 Annex A): what it shows, and which relays make a vehicle of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.capability import PilotFault, PilotReading
from bench.errors import DeviceError, Unverifiable
from drivers.readback import poll

_LEVELS = (("A", 12.0), ("B", 9.0), ("C", 6.0), ("D", 3.0), ("E", 0.0), ("F", -12.0))
"""Nominal high level in V of each state, with a tolerance of 1 V (IEC 61851-1 table A.3)."""


def state_of(high: float) -> str | None:
    """Tell the pilot state of a high level in V, None between two states."""
    for letter, level in _LEVELS:
        if abs(high - level) <= 1.0:
            return letter
    return None


def known_state(name: str, high: float) -> str:
    """Tell the pilot state of a high level in V; raises `Unverifiable` between two states."""
    state = state_of(high)
    if state is None:
        text = f"{name}: the control pilot is at {high:.2f} V"
        raise Unverifiable(f"{text}, in no state of IEC 61851-1 table A.3")
    return state


def check_open(high: float) -> None:
    """Refuse a self-test at a pilot that no station feeds, or that something loads."""
    if state_of(high) != "A":
        text = f"the open control pilot is at {high:.2f} V, expected 12 V"
        raise Unverifiable(f"{text}: is the station on and its plug in place?")


async def check_shown(
    name: str,
    read: Callable[[], Awaitable[PilotReading]],
    letter: str,
    *,
    within: float,
    every: float,
) -> None:
    """Check that the pilot follows to a commanded state within some s; raises `DeviceError`."""
    seen = await poll(read, lambda reading: reading.state == letter, within=within, every=every)
    if seen.state != letter:
        raise DeviceError(
            f"{name}: the control pilot is at {seen.high:.2f} V "
            f"(state {seen.state}), commanded state {letter}"
        )


def check_connectors(connectors: Collection[int]) -> None:
    """Refuse a key `connectors` of `bench.toml` that names none."""
    if not connectors:
        raise ValueError("'connectors' is empty, expected at least one number")


def check_connector(name: str, connectors: Collection[int], connector: int) -> None:
    """Refuse a connector that a plug is not in, by `bench.toml`."""
    if connector not in connectors:
        numbers = ", ".join(map(str, connectors))
        raise DeviceError(f"{name}: its plug serves connector {numbers}, not connector {connector}")


def check_vehicle(name: str, plugged: bool, what: str, connector: int) -> None:
    """Refuse what takes a vehicle while none is plugged in."""
    if not plugged:
        raise DeviceError(f"{name}: {what}: no vehicle is plugged in at {connector}")


def check_no_limit(what: str, current: float, offer: float | None, more: str = "") -> None:
    """Refuse a current in A below the offer to a vehicle of resistors, which can't limit it.

    Raises `Unverifiable`, which begins with `what` the vehicle is and ends with `more`.
    """
    if offer is None or current < offer:
        offered = "no current yet" if offer is None else f"{offer:.1f} A"
        raise Unverifiable(
            f"{what} can't limit the current to {current:g} A; the station offers {offered}{more}"
        )


Shown = Literal["B", "C", "D"]
"""What a vehicle that is plugged in asks for: nothing, energy, energy and ventilation."""

_LOADS: Mapping[Shown, set[str]] = {"B": {"r2"}, "C": {"r2", "r3"}, "D": {"r2", "r4"}}
"""Relays of the resistors that show a state (IEC 61851-1 Annex A)."""


def asking(ventilation: bool) -> Literal["C", "D"]:
    """Name the state of a vehicle that asks for energy, with ventilation or without."""
    return "D" if ventilation else "C"


_FAULT_RELAYS = {
    PilotFault.DIODE_SHORT: "diode_bypass",
    PilotFault.CP_PE_SHORT: "cp_pe_short",
    PilotFault.PE_OPEN: "pe_open",
}
"""Faults that close a relay; CP_OPEN and PP_OPEN keep one open."""


@dataclass(frozen=True, slots=True)
class Position:
    """What the box is commanded to be."""

    cable: bool = False
    """The station end is plugged in."""
    vehicle: bool = False
    """The vehicle end is plugged in too."""
    shows: Shown = "B"
    """What a vehicle that is plugged in shows."""
    fault: PilotFault = PilotFault.NONE

    def closed(self, rating: int) -> frozenset[str]:
        """Name the relays that are closed."""
        relays = set()
        if self.cable:
            relays.add(f"pp_{rating}")
            if self.fault is not PilotFault.PP_OPEN:
                relays.add("pp")
        if self.vehicle:
            relays |= _LOADS[self.shows]
            if self.fault is not PilotFault.CP_OPEN:
                relays.add("cp")
        if self.fault in _FAULT_RELAYS:
            relays.add(_FAULT_RELAYS[self.fault])
        return frozenset(relays)


UNPLUGGED = Position()

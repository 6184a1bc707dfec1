"""Twin of an EV emulator, made of the profile that the driver reads: a dry run of a lab's map.

It acts when it has heard all steps of a role in order, and then tells what the role `shows`. The
profile's patterns must be of one group between plain texts, so that an answer can be made of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from dataclasses import replace
from typing import Any

from bench.capability import PilotFault
from drivers.profile_ev_map import (
    PILOT,
    EvProfile,
)
from drivers.profile_ev_requests import (
    Action,
    Range,
    Step,
    Value,
)
from drivers.sim.connector import Connector
from drivers.sim.faults import Faults
from drivers.sim.pilot import CABLE_CODES, R2, R3, R4, UNPLUGGED, Circuit, parallel
from drivers.sim.twin import Wired


class Emulator(Wired):
    """What all wires have in common: roles that are heard, a circuit, signals that are told."""

    def __init__(self, profile: EvProfile, connector: Connector, own: dict[str, Value]) -> None:
        self.roles: list[str] = []
        """What was played, in order."""
        self.stuck = False
        """Requests are answered, but nothing happens."""
        self.profile = profile
        self._connector = connector
        self._own = own
        self._told: dict[str, Value] = {}
        self._circuit = UNPLUGGED
        self._fault = PilotFault.NONE
        self._scripts: dict[str, Action] = {**profile.actions, **profile.faults}
        longest = max(len(action.steps) for action in self._scripts.values())
        self._recent: deque[Any] = deque(maxlen=longest)

    def power_up(self) -> None:
        """Start safe."""
        self._play("safe", None)
        self.roles.clear()

    def signal(self, name: str, faults: Faults) -> Value:
        """Tell the value of a signal, in the unit of the profile."""
        if name in self._own:
            return "something else" if faults.wrong_identity else self._own[name]
        if name in PILOT:
            value: float = getattr(self._connector.levels(), name)
            return value
        return self._told.get(name, 0)

    def hear(self, request: Any) -> Step | None:
        """Take a request in; play the role whose steps are complete; return the step it was."""
        self._recent.append(request)
        found: tuple[int, str, float | None] | None = None
        known: Step | None = None
        for role, action in self._scripts.items():
            for step in action.steps:
                if self._match(step, request) is not None:
                    known = known or step
            tail = list(self._recent)[-len(action.steps) :]
            if len(tail) < len(action.steps):
                continue
            matches = [
                self._match(step, each) for step, each in zip(action.steps, tail, strict=True)
            ]
            if all(match is not None for match in matches):
                current = next((match for match in matches if match), None)
                found = max(found or (0, "", None), (len(tail), role, current), key=_length)
        if found is not None and not self.stuck:
            self._play(found[1], found[2])
        return known

    @abstractmethod
    def _match(self, step: Any, request: Any) -> float | None:
        """Compare a request with a step: None when it is another, else the current in it, or 0."""

    def _play(self, role: str, current: float | None) -> None:
        self.roles.append(role)
        shows = self._scripts[role].shows
        self._told |= {name: value for name, value in shows.items() if not isinstance(value, Range)}
        if current:
            self._connector.limit_vehicle(current)
        plugged = Circuit(connected=True, load=R2, proximity=CABLE_CODES[32.0])
        match role:
            case "plug_in" | "suspend":
                self._circuit = plugged
            case "draw":
                self._circuit = replace(plugged, load=parallel(R2, R3))
            case "draw_ventilated":
                self._circuit = replace(plugged, load=parallel(R2, R4))
            case "unplug_vehicle":
                self._circuit = Circuit(proximity=self._circuit.proximity)
            case "unplug" | "unplug_station":
                self._circuit = UNPLUGGED
            case "safe":
                self._circuit, self._fault = UNPLUGGED, PilotFault.NONE
            case fault:
                self._fault = PilotFault(fault)
        self._connector.wire(self._faulty())

    def _faulty(self) -> Circuit:
        circuit = self._circuit
        match self._fault:
            case PilotFault.DIODE_SHORT:
                return replace(circuit, diode_shorted=True)
            case PilotFault.CP_PE_SHORT:
                return replace(circuit, pilot_shorted=True)
            case PilotFault.CP_OPEN:
                return replace(circuit, connected=False)
            case PilotFault.PE_OPEN:
                return replace(circuit, earth_open=True)
            case PilotFault.PP_OPEN:
                return replace(circuit, proximity=UNPLUGGED.proximity)
            case PilotFault.NONE:
                return circuit


def _length(found: tuple[int, str, float | None]) -> int:
    return found[0]

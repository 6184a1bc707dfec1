"""One connector of the simulated station, seen from the station and from the vehicle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isinf

from bench.capability import End
from bench.errors import BenchError
from drivers.sim import pilot
from drivers.sim.pilot import CABLE_CODES, DEAD, R2, R3, R4, UNPLUGGED, Circuit, Levels, parallel
from drivers.sim.timeline import Timeline, Timer
from drivers.sim.vehicle import Vehicle
from stations.hardware import ChipMeter, EvseHardware

PHASES = 3


IN_CABLE = 10.0
"""Current in A that the box in a Mode 2 cable offers, on the one phase of a household socket."""


class PlugLocked(BenchError):
    """A hand can't take the plug out of the socket or put it in, as the bolt is in the way."""


@dataclass(frozen=True, slots=True)
class Contactor:
    """How fast the contactor moves, in s after its coil was switched."""

    closing: float = 0.1
    opening: float = 0.05


class Connector(EvseHardware):
    """Socket, contactor, lock and meter, with whatever vehicle is plugged in.

    The station's side is `EvseHardware`. The vehicle's side is a `Circuit` (`wire`), the vehicle's
    limits, and what can be measured at the plug. Energy is integrated from event to event.

    With `mode12` it is a household socket (IEC 61851-1 Modes 1 and 2): a box in the cable makes the
    pilot while it is fed, and the station senses no more than the plug and that a vehicle is there.
    """

    def __init__(
        self,
        number: int,
        timeline: Timeline,
        on_change: Callable[[int, bool], None],
        *,
        voltage: float,
        contactor: Contactor,
        fixed_cable: float | None = None,
        mode12: bool = False,
        register: float = 0.0,
    ) -> None:
        self.number = number
        self.lock_blocked = False
        """The lock's bolt can't move, and no end switch confirms a position."""
        self._timeline = timeline
        self._on_change = on_change
        self._contactor = contactor
        self._fixed_cable = fixed_cable
        self._mode12 = mode12
        self._voltage = voltage
        self._register = register
        self._energy = [0.0] * PHASES
        self._since = timeline.now()
        self._supplied = False
        self._circuit = UNPLUGGED
        self._offer: float | None = None
        self._refused = False
        self._coil = False
        self._closed = False
        self._moving: Timer | None = None
        self._locked = False
        self._vehicle = Vehicle()
        self._vehicle_changes: Timer | None = None
        self._load = 0.0
        self._current = (0.0, 0.0, 0.0)
        self._sensed = self._sense()

    # The vehicle's side

    @property
    def circuit(self) -> Circuit:
        """What hangs on the socket."""
        return self._circuit

    def wire(self, circuit: Circuit) -> None:
        """Change what hangs on the socket, in one instant."""
        self._timeline.now()
        if self._keeps_out(circuit):
            return
        self._circuit = circuit
        self._update()

    def _keeps_out(self, circuit: Circuit) -> bool:
        """Tell whether the bolt is in the way of a plug that is not in the socket yet."""
        comes = isinf(self._circuit.proximity) and not isinf(circuit.proximity)
        return self._locked and comes

    def plug_in(self, *, rating: float = 32.0, vehicle: Vehicle | None = None) -> None:
        """Plug a vehicle in by hand, with a cable of 13, 20, 32 or 63 A; it does not ask yet.

        None: the vehicle that was there before. One that gets full stops asking by itself.

        Raises `PlugLocked` when the bolt keeps the plug out.
        """
        if self._keeps_out(Circuit(proximity=CABLE_CODES[rating])):
            raise PlugLocked(f"connector {self.number}: the lock keeps the plug out")
        if vehicle is not None:
            self._integrate()
            self._vehicle = vehicle
        self.wire(Circuit(connected=True, load=R2, proximity=CABLE_CODES[rating]))

    def draw(self, *, ventilation: bool = False) -> None:
        """Let the vehicle ask for energy (state C), or for energy and `ventilation` (state D)."""
        self.wire(replace(self._circuit, load=parallel(R2, R4 if ventilation else R3)))

    def suspend(self) -> None:
        """Let the vehicle stop asking (state B)."""
        self.wire(replace(self._circuit, load=R2))

    def unplug(self, end: End = End.BOTH) -> None:
        """Unplug by hand; raises `PlugLocked` when the station holds its end."""
        if end is not End.VEHICLE and self._locked:
            raise PlugLocked(f"connector {self.number}: the plug is locked")
        if end is End.BOTH:
            self.wire(UNPLUGGED)
        elif end is End.VEHICLE:
            self.wire(Circuit(proximity=self._circuit.proximity))
        else:
            self.wire(replace(self._circuit, connected=False, proximity=UNPLUGGED.proximity))

    def limit_vehicle(self, current: float, *, phases: int = PHASES) -> None:
        """Let the vehicle take at most `current` A on each of 1 to 3 phases."""
        self._integrate()
        self._vehicle.current, self._vehicle.phases = current, phases
        self._update()

    def load(self, current: float) -> None:
        """Let a load of the bench draw on one phase in place of the vehicle; 0: the vehicle."""
        self._timeline.now()
        self._load = current
        self._update()

    @property
    def live(self) -> bool:
        """Tell whether there is voltage behind the contactor."""
        return self._supplied and self.contactor_closed

    def levels(self) -> Levels:
        """Measure the pilot at the plug."""
        self._timeline.now()
        return self._levels()

    @property
    def contactor_closed(self) -> bool:
        """Tell whether the contactor is closed."""
        self._timeline.now()
        return self._closed

    @property
    def locked(self) -> bool:
        """Tell whether the plug is locked."""
        return self._locked

    # The station's side

    def pilot_state(self) -> str:
        """Read the control pilot as state letter A to F; of a household socket C or A.

        There, C means that a plug is in and a vehicle behind it, whether it asks or not.
        """
        if not self._mode12:
            return pilot.state(self.levels())
        plugged = not isinf(self._circuit.proximity)
        return "C" if self._supplied and plugged and self._circuit.connected else "A"

    def cable_rating(self) -> float | None:
        """Read the proximity contact, or the rating of a fixed cable."""
        if self._mode12:
            return None
        return self._fixed_cable or pilot.cable_rating(self._circuit.proximity)

    def offer(self, current: float | None) -> None:
        """Offer `current` A per phase by PWM, or hold the pilot steady when None."""
        if current is not None:
            pilot.duty_of(current)
        self._timeline.now()
        self._offer = current
        self._update()

    def refuse(self, refused: bool) -> None:
        """Hold the pilot at -12 V (state F), whatever is offered, or no longer."""
        self._timeline.now()
        self._refused = refused
        self._update()

    def close_contactor(self, closed: bool) -> None:
        """Switch the contactor's coil; the contacts follow after the contactor's delay."""
        self._timeline.now()
        if closed and not self._supplied:
            return
        if closed == self._coil:
            return
        self._coil = closed
        if self._moving is not None:
            self._moving.cancel()
        delay = self._contactor.closing if closed else self._contactor.opening
        self._moving = self._timeline.after(delay, self._move)

    def lock(self, locked: bool) -> bool:
        """Move the bolt; returns whether it reached the position."""
        self._timeline.now()
        if self.lock_blocked:
            return False
        self._locked = locked
        self._update()
        return True

    def meter(self) -> ChipMeter:
        """Read the connector's meter now."""
        first, second, third = self.current()
        volts = self._voltage if self._supplied else 0.0
        return ChipMeter(
            energy=self._register + sum(self.energy()),
            power=(first + second + third) * volts,
            current=(first, second, third),
            voltage=(volts, volts, volts),
        )

    # What an instrument in the supply line sees

    def current(self) -> tuple[float, float, float]:
        """Measure the current of each phase in A."""
        self._timeline.now()
        return self._current

    def energy(self) -> tuple[float, ...]:
        """Measure the energy that has flowed on each phase in Wh."""
        self._integrate()
        return tuple(self._energy)

    def supply(self, on: bool) -> None:
        """Give mains, or take it: the coil drops, the pilot is dead, the bolt stays."""
        self._timeline.now()
        if not on:
            self.close_contactor(False)
            self._offer = None
        self._supplied = on
        self._update()

    # Inside

    def _move(self) -> None:
        self._closed = self._coil
        self._update()

    def _levels(self) -> Levels:
        if not self._supplied:
            return DEAD
        if self._mode12:
            fed = pilot.levels(self._circuit, pilot.duty_of(IN_CABLE))
            return fed if self._closed else DEAD
        if self._refused:
            return pilot.levels(self._circuit, 0.0)
        duty = 100.0 if self._offer is None else pilot.duty_of(self._offer)
        return pilot.levels(self._circuit, duty)

    def _integrate(self) -> None:
        present = self._timeline.now()
        seconds = present - self._since
        self._since = present
        for phase, current in enumerate(self._current):
            self._energy[phase] += current * self._voltage * seconds / 3600
        self._vehicle.pass_time(seconds, self._voltage)

    def _update(self) -> None:
        """Account for the time until now, then let the new state take effect."""
        self._integrate()
        if self._vehicle.full and self._circuit.connected:
            self._circuit = replace(self._circuit, load=R2)
        self._current = self._flow()
        self._await_vehicle()
        before, self._sensed = self._sensed, self._sense()
        self._on_change(self.number, self._sensed != before)

    def _await_vehicle(self) -> None:
        """Come back when the vehicle changes what it takes by itself."""
        if self._vehicle_changes is not None:
            self._vehicle_changes.cancel()
        wait = self._vehicle.next_change(self._voltage)
        self._vehicle_changes = (
            None if wait is None else self._timeline.after(max(wait, 1e-6), self._update)
        )

    def _flow(self) -> tuple[float, float, float]:
        """Tell what flows now in A on each phase, and let the vehicle take what it may."""
        allowed = 0.0 if self._load else self._allowed()
        phases = 1 if self._mode12 else self._vehicle.phases
        current = self._vehicle.allow(allowed, phases)
        if self._load and self._allowed():
            # It is a machine: what station and cable allow is no limit.
            return self._load, 0.0, 0.0
        return current, current if phases > 1 else 0.0, current if phases > 2 else 0.0

    def _allowed(self) -> float:
        seen = self._levels()
        rating = IN_CABLE if self._mode12 else self.cable_rating()
        if not (self._supplied and self._closed and seen.pwm and rating):
            return 0.0
        if pilot.state(seen) not in ("C" if self._mode12 else "CD"):
            return 0.0
        return min(pilot.current_of(seen.duty), rating)

    def _sense(self) -> tuple[str, float | None]:
        return self.pilot_state(), self.cable_rating()

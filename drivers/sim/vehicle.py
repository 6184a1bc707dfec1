"""An electric vehicle as the station's supply sees it: its charger and its battery."""

from __future__ import annotations

from math import inf, isinf

_STEP = 1.0
"""Current in A by which a rising charger moves at once."""


class Vehicle:
    """A charger that follows what it is allowed, and a battery that is full one day.

    It has no clock: whoever couples it tells how much time has passed, and asks when something
    will change by itself.
    """

    def __init__(
        self,
        *,
        current: float = 16.0,
        phases: int = 3,
        ramp: float = inf,
        battery: float = inf,
        charged: float = 0.0,
    ) -> None:
        """Make a vehicle that takes at most `current` A on each of 1 to 3 phases.

        `ramp` is how fast it takes more, in A/s; less it takes at once. `battery` is what the
        battery holds and `charged` what is in it, in Wh from the socket.
        """
        self.current = current
        self.phases = phases
        self.charged = charged
        self.drawn = 0.0
        """What it takes now, in A on each phase."""
        self._ramp = ramp
        self._battery = battery
        self._target = 0.0
        self._used = phases

    @property
    def full(self) -> bool:
        """Tell whether the battery takes nothing more."""
        return self.charged >= self._battery - 1e-6

    def allow(self, current: float, phases: int) -> float:
        """Let it take so many A on each of so many phases; returns the A that it takes at once."""
        self._used = min(phases, self.phases)
        self._target = 0.0 if self.full else min(current, self.current)
        if isinf(self._ramp) or self._target < self.drawn:
            self.drawn = self._target
        return self.drawn

    def pass_time(self, seconds: float, voltage: float) -> None:
        """Charge for a while with what it takes, then take more if it may."""
        self.charged += self._power(voltage) * seconds / 3600
        if self.drawn < self._target:
            self.drawn = min(self._target, self.drawn + self._ramp * seconds)

    def next_change(self, voltage: float) -> float | None:
        """Return in how many s it changes what it takes by itself; None: it does not."""
        waits = []
        if self.drawn < self._target:
            waits.append(min(_STEP, self._target - self.drawn) / self._ramp)
        power = self._power(voltage)
        if power and not isinf(self._battery):
            waits.append(max(0.0, self._battery - self.charged) * 3600 / power)
        return min(waits, default=None)

    def _power(self, voltage: float) -> float:
        return self.drawn * self._used * voltage

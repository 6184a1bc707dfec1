"""What one connector does to its hardware: the pilot, the contactor, the lock."""

from __future__ import annotations

from stations.hardware import EvseHardware
from stations.settings import StationSettings


class Outputs:
    """Drive the hardware, in the order that spares the contactor, and only when it changes."""

    def __init__(self, hardware: EvseHardware, settings: StationSettings) -> None:
        self._hardware = hardware
        self._settings = settings
        self._driven: tuple[float | None, bool] = (None, False)

    def power_up(self) -> None:
        """Switch everything off and release the plug, whatever was before."""
        self._hardware.offer(None)
        self._hardware.close_contactor(False)
        self._driven = (None, False)
        self.release()

    def drive(self, *, offers: bool, closed: bool, limit: float) -> float:
        """Offer at most `limit` A per phase and close the contactor, or not; returns the offer."""
        offer = min(limit, self._current()) if offers else None
        if (offer, closed) != self._driven:
            self._driven = (offer, closed)
            if closed:
                self._hardware.offer(offer)
                self._hardware.close_contactor(True)
            else:
                self._hardware.close_contactor(False)
                self._hardware.offer(offer)
        return offer or 0.0

    def hold(self) -> bool:
        """Lock the plug; false when the lock is stuck. A fixed cable needs no lock."""
        return self._settings.fixed_cable or self._hardware.lock(True)

    def release(self) -> bool:
        """Release the plug; false when the lock is stuck."""
        return self._settings.fixed_cable or self._hardware.lock(False)

    def block(self, blocked: bool) -> None:
        """Keep plugs out of an empty socket, or let one in."""
        self._hardware.lock(blocked)

    def _current(self) -> float:
        rating = self._hardware.cable_rating()
        return self._settings.current if rating is None else min(self._settings.current, rating)

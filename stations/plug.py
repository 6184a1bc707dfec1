"""What hangs on a connector: a plug in its socket, a vehicle on its control pilot."""

from __future__ import annotations

from stations.hardware import EvseHardware
from stations.settings import StationSettings
from stations.status import Status


class Plug:
    """What the hardware sensed last of plug and vehicle."""

    def __init__(self, hardware: EvseHardware, settings: StationSettings) -> None:
        self.pilot = "A"
        """State of the control pilot (IEC 61851-1 table A.3)."""
        self.in_socket = False
        self._hardware = hardware
        self._settings = settings

    def sense(self) -> None:
        """Take in what the pilot and the proximity contact say now."""
        self.pilot = self._hardware.pilot_state()
        rating = self._hardware.cable_rating()
        self.in_socket = rating is not None and not self._settings.fixed_cable

    @property
    def connected(self) -> bool:
        """Tell whether a vehicle hangs on the control pilot."""
        return self.pilot in ("B", "C", "D")

    @property
    def occupied(self) -> bool:
        """Tell whether a plug is in the socket, or a vehicle at the fixed cable."""
        return self.in_socket or self.connected

    @property
    def pulled(self) -> bool:
        """Tell whether there is a socket, with nothing in it."""
        return not self.in_socket and not self._settings.fixed_cable

    @property
    def served(self) -> bool:
        """Tell whether a vehicle, or a fault where one was, gets a PWM signal.

        The offer stands while the pilot is at fault: only with PWM can the fault be seen to pass.
        Where there is no ventilation, state D is offered nothing (IEC 61851-1 Annex A).
        """
        return self.pilot != "A" and (self.pilot != "D" or self._settings.ventilated)

    @property
    def draws(self) -> bool:
        """Tell whether the vehicle asks for energy in a way that is served."""
        return self.pilot in ("C", "D") and self.served

    @property
    def fault(self) -> Status | None:
        """What a StatusNotification says of a pilot at fault, None of any other."""
        if self.pilot not in ("E", "F"):
            return None
        return Status("Faulted", "OtherError", f"control pilot in state {self.pilot}")

"""Twin of an APC switched rack PDU (maker's PowerNet-MIB): both generations of its objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from drivers.sim.faults import Faults
from drivers.sim.outlet import Outlet
from drivers.sim.snmp import NOT_WRITABLE, WRONG_VALUE, Agent, SnmpError, Value

_ENTERPRISE = "1.3.6.1.4.1.318.1.1"
_PLACES = {
    "rpdu": ("12.3.3.1.1.4", "12.3.4.1.1.6", "12.1.5.0", "12.1.6.0", "12.1.3.0", 7),
    "rpdu2": ("26.9.2.4.1.5", "26.9.2.1.1.7", "26.2.1.8.1", "26.2.1.9.1", "26.2.1.6.1", 8),
}
"""Control, reboot duration, model, serial number, firmware; and the number that cancels."""

_ON, _OFF, _REBOOT = 1, 2, 3


class ApcPdu(Agent):
    """The PDU; `outlets` keep their state while its controller restarts."""

    def __init__(
        self, outlets: Sequence[Outlet], *, generation: Literal["rpdu", "rpdu2"] = "rpdu2"
    ) -> None:
        super().__init__()
        self.outlets = outlets
        self.reboot_durations = [5] * len(outlets)
        """In s, 5 to 60."""
        *places, self._cancel = _PLACES[generation]
        self._control, self._duration, self._model, self._serial, self._firmware = (
            f"{_ENTERPRISE}.{place}" for place in places
        )

    def objects(self, faults: Faults) -> Mapping[str, Value]:
        """Tell every object and its value now."""
        values: dict[str, Value] = {
            self._model: b"AP7921B",
            self._serial: b"ZA0000000000" if faults.wrong_identity else b"ZA1234567890",
            self._firmware: b"v6.5.6",
        }
        for number, outlet in enumerate(self.outlets, start=1):
            values[f"{self._control}.{number}"] = _ON if outlet.on else _OFF
            values[f"{self._duration}.{number}"] = self.reboot_durations[number - 1]
        return values

    def write(self, oid: str, number: int) -> None:
        """Command an outlet, or configure how long its reboot takes."""
        column, _, outlet = oid.rpartition(".")
        if column == self._control:
            self._command(int(outlet), number)
        elif column == self._duration:
            if not 5 <= number <= 60:
                raise SnmpError(WRONG_VALUE)
            self.reboot_durations[int(outlet) - 1] = number
        else:
            raise SnmpError(NOT_WRITABLE)

    def _command(self, number: int, command: int) -> None:
        outlet = self.outlets[number - 1]
        if command in (_ON, _OFF):
            outlet.switch(command == _ON)
        elif command == _REBOOT:
            outlet.switch(False, back_after=float(self.reboot_durations[number - 1]))
        elif command == self._cancel:
            outlet.switch(outlet.on)
        else:
            raise SnmpError(WRONG_VALUE)

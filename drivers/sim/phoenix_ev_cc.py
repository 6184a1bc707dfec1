"""Twin of a Phoenix Contact EV Charge Control Basic: the station's side of a connector.

That it wakes a vehicle in B2 once, and not every 30 s, is a guess: the source does not say.
"""

from __future__ import annotations

import struct

from drivers.sim import pilot
from drivers.sim.connector import Connector
from drivers.sim.faults import Faults
from drivers.sim.modbus import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, ModbusError, Unit
from drivers.sim.modbus import words as two_words
from drivers.sim.timeline import Timeline

_STEP = 0.05
"""How often the controller looks at the pilot, in s."""

_OPEN, _SHORTED = 0, 0xFFFF

_SLEEPS_AFTER, _WAKES_FOR = 30.0, 3.0
"""A vehicle that stays in B2 for so many s is woken by state F for so many s."""


class PhoenixEvCc(Unit):
    """The controller of one connector: it senses the pilot, offers, and moves the contactor."""

    def __init__(self, connector: Connector, timeline: Timeline, *, address: int = 1) -> None:
        self.address = address
        self.released_by = 3
        self.stuck = False
        """What is written is confirmed, but not taken."""
        self.status: int | None = None
        """What stands in the status register in place of the state."""
        self._connector = connector
        self._timeline = timeline
        self._released = False
        self._current = 16
        self._waits_since: float | None = None
        """Since when the vehicle has been in B2."""

    def power_up(self) -> None:
        """Start without a release."""
        self._released = False
        self._look()

    def _look(self) -> None:
        """Do what pilot and release ask for, now and again."""
        self._act()
        self._timeline.after(_STEP, self._look)

    def _act(self) -> None:
        self._connector.refuse(self._wakes(self._connector.pilot_state()))
        state = self._connector.pilot_state()
        offers = self._released and state in "BCD"
        self._connector.offer(float(self._current) if offers else None)
        self._connector.close_contactor(offers and state in "CD")

    def _wakes(self, state: str) -> bool:
        """Tell whether a vehicle is being woken that has let an offer wait."""
        now = self._timeline.now()
        if not (self._released and state in "BF"):
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        waited = 0.0 if self._waits_since is None else now - self._waits_since
        return _SLEEPS_AFTER <= waited < _SLEEPS_AFTER + _WAKES_FOR

    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Read and write coils and registers of the public map."""
        self._act()
        first, second = two_words(request)
        match request[0]:
            case 0x01:
                if (first, second) != (20000, 1):
                    raise ModbusError(ILLEGAL_ADDRESS)
                return bytes((0x01, 1, self._released))
            case 0x03:
                return self._read(0x03, self._holding(), first, second)
            case 0x04:
                return self._read(0x04, _names(faults), first, second)
            case 0x05:
                if first != 20000:
                    raise ModbusError(ILLEGAL_ADDRESS)
                if second not in (0x0000, 0xFF00):
                    raise ModbusError(ILLEGAL_VALUE)
                if not self.stuck:
                    self._released = second == 0xFF00
            case 0x06:
                if first != 22000:
                    raise ModbusError(ILLEGAL_ADDRESS)
                if not 6 <= second <= 80:
                    raise ModbusError(ILLEGAL_VALUE)
                if not self.stuck:
                    self._current = second
            case _:
                raise ModbusError(ILLEGAL_FUNCTION)
        self._act()
        return request

    def _holding(self) -> dict[int, int]:
        seen = self._connector.levels()
        letter = pilot.state(seen)
        status = ord(letter) << 8 | ord("2" if seen.pwm else "1")
        proximity = self._connector.circuit.proximity
        cable = _SHORTED if proximity < 75 else int(pilot.cable_rating(proximity) or _OPEN)
        return {
            4000: self.released_by,
            22000: self._current,
            24000: status if self.status is None else self.status,
            24001: cable,
            24002: round(seen.duty) if seen.pwm else 0,
            24003: self._current if seen.pwm else 0,
        }

    @staticmethod
    def _read(function: int, registers: dict[int, int], start: int, count: int) -> bytes:
        wanted = range(start, start + count)
        if not 1 <= count <= 125 or not set(wanted) <= registers.keys():
            raise ModbusError(ILLEGAL_ADDRESS)
        values = [registers[number] for number in wanted]
        return struct.pack(f">BB{count}H", function, 2 * count, *values)


def _names(faults: Faults) -> dict[int, int]:
    """Name, serial number and version, as far as is public."""
    text = (
        b"" if faults.wrong_identity else b"EV-CC-AC1-M3-CBC-SER-HS\0" + b"4711\0\0\0\0" + b"1.13\0"
    )
    return dict(enumerate(struct.unpack(">34H", text.ljust(68, b"\0")), start=1000))

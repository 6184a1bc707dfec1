"""Twin of an EA-PSB bidirectional DC source on its SCPI port (maker's programming guide)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from drivers.sim.faults import Faults
from drivers.sim.timeline import Timeline, Timer
from drivers.sim.twin import Wired
from drivers.sim.wire import Line

VOLTAGE, CURRENT, POWER = 1000.0, 40.0, 15_000.0
"""Nominal values in V, A, W."""

_NO_ERROR = '0,"No error"'
_UNKNOWN = '-100,"Command error"'
_RANGE = '-222,"Data out of range"'
_CONFLICT = '-221,"Settings conflict"'
_BUSY = '-200,"Execution error"'

_SET = {
    "VOLT": VOLTAGE,
    "CURR": CURRENT,
    "POW": POWER,
    "SINK:CURR": CURRENT,
    "SINK:POW": POWER,
}
"""What can be set, and its nominal value; up to 102 % are taken."""

_UNITS = {"VOLT": "V", "CURR": "A", "POW": "W"}


class EaPsb(Wired):
    """The device at a DC line of `voltage()` V; `take` is told the current that it draws in A."""

    def __init__(
        self,
        voltage: Callable[[], float],
        take: Callable[[float], None] = lambda current: None,
        *,
        timeline: Timeline | None = None,
        user_text: str = "",
    ) -> None:
        self.local = False
        """Whether the front panel refuses remote control."""
        self.on = False
        self.locked = False
        self.stuck = False
        """Whether the power stage doesn't follow."""
        self.monitored = False
        """Whether silence switches it off."""
        self.monitor_broken = False
        """Whether the interface monitoring does nothing."""
        self.values = dict.fromkeys(_SET, 0.0)
        self._line_voltage = voltage
        self._take = take
        self._user_text = user_text
        self._errors: deque[str] = deque(maxlen=5)
        self._timeline = timeline or Timeline()
        self._silence = 5
        """Seconds after which silence counts."""
        self._silent: Timer | None = None

    def power_up(self) -> None:
        """Start: off, local, nothing set."""
        self._switch(False)
        self.locked = False
        self.monitored = False
        self.values = dict.fromkeys(_SET, 0.0)
        self._errors.clear()
        self._hear()

    def alarm(self) -> None:
        """Switch off by itself, as on over-temperature."""
        self._switch(False)

    async def converse(self, line: Line) -> None:
        """Execute commands, a line each; queries are answered."""
        while True:
            text = (await line.reader.readuntil(b"\n")).decode("utf-8", "replace").strip()
            self._timeline.now()  # Silence that was long enough must not be broken afterwards.
            self._hear()
            for command in filter(None, text.split(";")):
                answer = self._execute(command.strip().removeprefix(":"), line.faults)
                if answer is not None:
                    await line.send(f"{answer}\n".encode())

    def _hear(self) -> None:
        """Start counting the silence anew."""
        if self._silent is not None:
            self._silent.cancel()
        self._silent = None
        if self.monitored:
            self._silent = self._timeline.after(self._silence, self._fall_silent)

    def _fall_silent(self) -> None:
        if not self.monitor_broken:
            self._switch(False)

    def drawn(self) -> float:
        """Tell the current into the device in A."""
        volts = self._line_voltage()
        if not self.on or volts <= self.values["VOLT"]:
            return 0.0
        return min(self.values["SINK:CURR"], self.values["SINK:POW"] / volts)

    def _execute(self, command: str, faults: Faults) -> str | None:
        head, _, argument = command.upper().partition(" ")
        if head.endswith("?"):
            answer = self.query(head[:-1], faults)
            if answer is None:
                self._errors.append(_UNKNOWN)
            return answer
        if head == "*CLS":
            self._errors.clear()
            return None
        error = _BUSY if faults.take_busy() else self.command(head, argument.strip())
        if error is not None:
            self._errors.append(error)
        return None

    def query(self, name: str, faults: Faults) -> str | None:
        """Answer what is asked; None when nobody knows it."""
        if name == "*IDN":
            serial = "2000000000" if faults.wrong_identity else "2538170001"
            maker = "EA Elektro-Automatik GmbH & Co. KG"
            return f"{maker}, PSB 11000-40, {serial}, V3.02, {self._user_text}"
        if name == "SYST:ERR":
            return self._errors.popleft() if self._errors else _NO_ERROR
        if name == "SYST:LOCK:OWN":
            return "LOCAL" if self.local else "REMOTE" if self.locked else "NONE"
        if name == "OUTP":
            return "ON" if self.on else "OFF"
        quantity = name.rpartition(":")[2]
        unit = _UNITS.get(quantity, "")
        if name.startswith("SYST:NOM:") and unit:
            return f"{_SET[quantity]:.2f} {unit}"
        if name.startswith("MEAS:") and unit:
            volts, amperes = self._line_voltage(), -self.drawn()
            return f"{ {'V': volts, 'A': amperes, 'W': volts * amperes}[unit]:.2f} {unit}"
        return f"{self.values[name]:.2f} {unit}" if name in self.values else None

    def command(self, name: str, argument: str) -> str | None:
        """Do what is asked; return the error that it makes."""
        if name == "SYST:LOCK" and argument in ("ON", "OFF"):
            if self.local and argument == "ON":
                return _CONFLICT
            self.locked = argument == "ON"
            return None
        if name.startswith("SYST:COMM:MON:"):
            return self._monitor(name.rpartition(":")[2], argument)
        if name not in ("OUTP", *_SET):
            return _UNKNOWN
        if not self.locked:
            return _CONFLICT
        if name == "OUTP":
            if argument not in ("ON", "OFF"):
                return _UNKNOWN
            self._switch(argument == "ON")
            return None
        try:
            number = float(argument)
        except ValueError:
            return _UNKNOWN
        if not 0 <= number <= 1.02 * _SET[name]:
            return _RANGE
        self.values[name] = number
        self._take(self.drawn())
        return None

    def _monitor(self, name: str, argument: str) -> str | None:
        """Set the interface monitoring: its time in whole s, and whether it is active."""
        if name == "TIM" and argument.isdigit():
            if not 1 <= int(argument) <= 36_000:
                return _RANGE
            self._silence = int(argument)
        elif name == "ACT" and argument in ("ON", "OFF"):
            self.monitored = argument == "ON"
        else:
            return _UNKNOWN
        self._hear()
        return None

    def _switch(self, on: bool) -> None:
        if not self.stuck:
            self.on = on
            self._take(self.drawn())

"""Twin of a digital multimeter that is told lines of SCPI (makers' programming guides)."""

from __future__ import annotations

import asyncio
from collections import deque

from drivers.sim.faults import Faults
from drivers.sim.twin import Wired
from drivers.sim.wire import Line

_OVERLOAD = 9.9e37
_OVERRANGE = 1.2
"""How far a reading may go beyond its range."""

_RANGES = {
    "VOLT:DC": (0.1, 1.0, 10.0, 100.0, 1000.0),
    "VOLT:AC": (0.1, 1.0, 10.0, 100.0, 750.0),
    "RES": (100.0, 1e3, 10e3, 100e3, 1e6, 10e6, 100e6),
    "FRES": (100.0, 1e3, 10e3, 100e3, 1e6, 10e6, 100e6),
    "FREQ": (300e3,),
}
"""Functions and their ranges in V, Ω and Hz."""

_NO_ERROR = '+0,"No error"'
_OVERFLOW = '-350,"Error queue overflow"'
_UNKNOWN = '-113,"Undefined header"'
_RANGE = '-222,"Data out of range"'
_WRONG = '-104,"Data type error"'
_BUSY = '-200,"Execution error"'
_LOCAL = '-203,"Command protected"'


class Multimeter(Wired):
    """An instrument with something at its terminals."""

    def __init__(
        self,
        *,
        maker: str = "Keysight Technologies",
        model: str = "34465A",
        needs_remote: bool = False,
        reading_time: float = 0.02,
    ) -> None:
        self.inputs = dict.fromkeys(_RANGES, 0.0)
        """What is at the terminals, by function."""
        self.remote = False
        self.broken = False
        """Whether its own test fails."""
        self.deaf = False
        """Whether it goes on with a range of its own, whatever it is told."""
        self.function = "VOLT:DC"
        self._range: float | None = None
        self._needs_remote = needs_remote
        self._maker, self._model = maker, model
        self._reading_time = reading_time
        self._errors: deque[str] = deque()

    def power_up(self) -> None:
        """Start: local, DC voltage, the range as it fits."""
        self.remote = False
        self._errors.clear()
        self._reset()

    async def converse(self, line: Line) -> None:
        """Execute commands, a line each; queries are answered."""
        while True:
            text = (await line.reader.readuntil(b"\n")).decode("ascii", "replace").strip()
            for command in filter(None, text.split(";")):
                answer = await self._execute(command.strip().removeprefix(":"), line.faults)
                if answer is not None:
                    await line.send(f"{answer}\n".encode())

    async def _execute(self, command: str, faults: Faults) -> str | None:
        head, _, argument = command.upper().partition(" ")
        if head.endswith("?"):
            answer = await self._query(head[:-1], faults)
            if answer is None:
                self._fail(_UNKNOWN)
            return answer
        error = _BUSY if head != "*CLS" and faults.take_busy() else self._command(head, argument)
        if error is not None:
            self._fail(error)
        return None

    async def _query(self, name: str, faults: Faults) -> str | None:
        match name:
            case "*IDN":
                serial = "MY00000000" if faults.wrong_identity else "MY57501234"
                return f"{self._maker},{self._model},{serial},A.03.01-03.15-03.01-00.52-03-02"
            case "*OPC":
                return "1"
            case "*TST":
                return "+1" if self.broken else "+0"
            case "SYST:ERR":
                return self._errors.popleft() if self._errors else _NO_ERROR
            case "READ":
                await asyncio.sleep(self._reading_time)
                return f"{self._reading():+.8E}"
        function = name.removesuffix(":RANG")
        if function != name and function in _RANGES:
            return f"{self._used():+.8E}"
        return None

    def _command(self, name: str, argument: str) -> str | None:
        """Do what is asked; return the error that it makes."""
        if name == "*CLS":
            self._errors.clear()
            return None
        if name in ("SYST:REM", "SYST:LOC"):
            self.remote = name == "SYST:REM"
            return None
        function = name.removeprefix("CONF:")
        if name != "*RST" and (function == name or function not in _RANGES):
            return _UNKNOWN
        if self._needs_remote and not self.remote:
            return _LOCAL
        self.remote = True
        if name == "*RST":
            self._reset()
            return None
        return self._configure(function, argument)

    def _configure(self, function: str, argument: str) -> str | None:
        wanted: float | None = None
        if argument not in ("", "DEF"):
            try:
                wanted = float(argument)
            except ValueError:
                return _WRONG
            if not 0 <= wanted <= _RANGES[function][-1]:
                return _RANGE
        self.function = function
        self._range = None if wanted is None or self.deaf else self._fitting(wanted)
        return None

    def _reset(self) -> None:
        self.function, self._range = "VOLT:DC", None

    def _used(self) -> float:
        if self._range is not None:
            return self._range
        return self._fitting(abs(self.inputs[self.function]) / _OVERRANGE)

    def _fitting(self, value: float) -> float:
        ranges = _RANGES[self.function]
        return next((each for each in ranges if each >= value), ranges[-1])

    def _reading(self) -> float:
        value = self.inputs[self.function]
        if abs(value) <= _OVERRANGE * self._used():
            return value
        return _OVERLOAD if value > 0 else -_OVERLOAD

    def _fail(self, error: str) -> None:
        if len(self._errors) < 20:
            self._errors.append(error)
        else:
            self._errors[-1] = _OVERFLOW

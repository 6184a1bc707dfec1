"""Twin of `ev_sim` (github.com/nsayer/ev_sim): letters in, status frames out, three firmwares."""

from __future__ import annotations

import asyncio
from typing import Literal

from drivers.sim.connector import Connector
from drivers.sim.faults import Faults
from drivers.sim.pilot import CABLE_CODES, UNPLUGGED, Circuit, Levels, parallel
from drivers.sim.twin import Wired
from drivers.sim.wire import Line

Form = Literal["readme", "adc", "comparator"]

_LOADS = {
    "B": 2700.0,
    "C": parallel(2700.0, 1300.0),
    "D": parallel(2700.0, 1300.0, 330.0),
}
"""The simulator's resistors in ohm."""

_PERIODS = {"readme": 1.0, "adc": 0.5, "comparator": 0.5}
_SAMPLES_PER_SECOND = 19231
"""Of the converter: 16 MHz / 64 / 13."""
_TICKS_PER_SECOND = 16_000_000


class EvSim(Wired):
    """The simulator at one connector.

    Lowest and highest level are those since the last frame, so that a frame may be of two states.
    `cable` in A is how the plug's proximity contact is wired; None at a fixed cable. `period` in s
    replaces the firmware's own.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        form: Form = "adc",
        cable: float | None = None,
        period: float | None = None,
    ) -> None:
        self.state = "A"
        """The letter that is applied."""
        self.deaf = False
        """Letters are not heard, the frames go on."""
        self._connector = connector
        self._form = form
        self._proximity = UNPLUGGED.proximity if cable is None else CABLE_CODES[cable]
        self._period = _PERIODS[form] if period is None else period
        self._seen: list[Levels] = []

    def power_up(self) -> None:
        """Start in state A."""
        self._apply("A")

    async def converse(self, line: Line) -> None:
        """Send frames and obey letters until the other side hangs up."""
        frames = asyncio.create_task(self._report(line))
        try:
            while True:
                letter = (await line.reader.readexactly(1)).decode("latin-1").upper()
                if letter in "ABCD" and not self.deaf and not line.faults.take_busy():
                    self._apply(letter)
        finally:
            frames.cancel()

    async def _report(self, line: Line) -> None:
        while True:
            await asyncio.sleep(self._period)
            await line.send(self.frame(line.faults))

    def frame(self, faults: Faults) -> bytes:
        """Make the frame of the time since the last one."""
        now = self._connector.levels()
        seen, self._seen = [*self._seen, now], []
        low, high = (min(level.low for level in seen), max(level.high for level in seen))
        if faults.wrong_identity:
            return b"$GPGGA,,,,,,0,,,,,,,,*66\r\n"
        if self._form == "readme":
            return (
                (
                    f"{{ state={self.state}, {self._counts(now, 1.0)}, "
                    f"low_adc: {_adc(low)}, high_adc: {_adc(high)} }}\r\n"
                )
                .replace(": ", "=")
                .encode()
            )
        return (
            f'{{ state: "{self.state}", {self._counts(now, 0.5)}, '
            f"min_volts: {_volts(low)}, max_volts: {_volts(high)} }}\r\n"
        ).encode()

    def _counts(self, now: Levels, seconds: float) -> str:
        changes = round(2 * now.frequency * seconds)
        if self._form == "comparator":
            total = round(_TICKS_PER_SECOND / now.frequency) if now.pwm else 0
        else:
            total = round(_SAMPLES_PER_SECOND * seconds)
        share = now.duty / 100 if now.pwm else float(now.high > 0)
        high = round(total * share)
        return f"state_changes: {changes}, low_count: {total - high}, high_count: {high}"

    def _apply(self, letter: str) -> None:
        self._seen.append(self._connector.levels())
        self.state = letter
        if letter == "A":
            circuit = Circuit(proximity=self._proximity)
        else:
            circuit = Circuit(connected=True, load=_LOADS[letter], proximity=self._proximity)
        self._connector.wire(circuit)


def _adc(volts: float) -> int:
    return round(volts / 0.032) + 556


def _volts(volts: float) -> str:
    """Print as the firmware does: whole volts with sign, then the rest, so -0.7 becomes 0.700."""
    whole, rest = divmod(abs(round(volts * 1000)), 1000)
    sign = "-" if volts < 0 and whole else ""
    return f"{sign}{whole}.{rest:03d}"

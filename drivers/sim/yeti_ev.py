"""Twin of the EVerest Yeti EV board: commands in, keep-alives, measurements and events out."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from drivers.sim.connector import Connector
from drivers.sim.pilot import CABLE_CODES, R2, R3, R4, UNPLUGGED, Circuit, parallel
from drivers.sim.timeline import Timeline, Timer
from drivers.sim.twin import Wired
from drivers.sim.wire import Line
from drivers.sim.yeti_wire import command, framed, message, real, text, whole

HOST_WITHIN = 5.0
"""Without a keep-alive of the host for so many s the board shows A and opens its relays."""

_LOADS = {"B": R2, "C": parallel(R2, R3), "D": parallel(R2, R4)}

_ENABLE, _DISABLE, _ALLOW_POWER_ON, _RESET, _SET_STATE = 6, 7, 21, 23, 25
"""Numbers of the host's messages, beside the keep-alive."""

_ALIVE, _MEASUREMENTS, _EVENT, _RESET_DONE = 3, 5, 6, 7
"""Numbers of the board's messages."""

_RELAYS_ON, _RELAYS_OFF = 10, 11
"""Numbers of events."""


class YetiEv(Wired):
    """The board at one connector.

    `cable` in A is how the plug's proximity contact is wired; None at a fixed cable. `period` in s
    is that of the measurements, two of which make that of the keep-alives.
    """

    def __init__(
        self,
        connector: Connector,
        timeline: Timeline,
        *,
        cable: float | None = None,
        period: float = 0.5,
        host_within: float = HOST_WITHIN,
    ) -> None:
        self.state = "A"
        self.allowed = False
        """The host lets the relays close."""
        self.enabled = False
        self.deaf = False
        """Commands are not obeyed, the messages go on."""
        self._connector = connector
        self._proximity = UNPLUGGED.proximity if cable is None else CABLE_CODES[cable]
        self._period = period
        self._timeline = timeline
        self._host_within = host_within
        self._death: Timer | None = None
        self._told_relays = False

    @property
    def relays(self) -> bool:
        """Whether the load relays are closed: allowed, asked for, and mains on the plug."""
        return self.allowed and self.state in "CD" and self._connector.live

    def power_up(self) -> None:
        """Start in state A, not enabled."""
        self._hear_host()
        self.enabled = self.allowed = self._told_relays = False
        self._apply("A")

    async def converse(self, line: Line) -> None:
        """Send messages and obey frames until the other side hangs up."""
        telling = asyncio.create_task(self._tell(line))
        try:
            while True:
                frame = await line.reader.readuntil(b"\x00")
                heard = command(frame)
                if heard is None or self.deaf or line.faults.take_busy():
                    continue
                self._hear_host()
                await self._obey(line, *heard)
        finally:
            telling.cancel()

    async def _obey(self, line: Line, kind: int, value: int) -> None:
        if kind == _RESET:
            self.power_up()
            await line.send(framed(message(_RESET_DONE)))
        elif kind in (_ENABLE, _DISABLE):
            self.enabled = kind == _ENABLE
            if not self.enabled:
                self.allowed = False
                self._apply("A")
        elif kind == _ALLOW_POWER_ON:
            self.allowed = bool(value)
        elif kind == _SET_STATE and self.enabled and value < 5:
            self._apply("ABCDE"[value])

    def _hear_host(self) -> None:
        if self._death is not None:
            self._death.cancel()
        self._death = self._timeline.after(self._host_within, self._lose_host)

    def _lose_host(self) -> None:
        self.allowed = False
        self._apply("A")

    async def _tell(self, line: Line) -> None:
        turn = 0
        while True:
            if line.faults.wrong_identity:
                await line.send(b"$GPGGA,,,,,,0,,,,,,,,*66\r\n\x00")
            elif turn % 2 == 0:
                await line.send(self.keep_alive(turn))
            await line.send(self.measurements())
            if self.relays != self._told_relays:
                self._told_relays = self.relays
                event = _RELAYS_ON if self.relays else _RELAYS_OFF
                await line.send(framed(message(_EVENT, whole(1, event))))
            await asyncio.sleep(self._period)
            turn += 1

    def keep_alive(self, turn: int) -> bytes:
        """Say who the board is: type 2, revision 1, protocol 0.1, 6 to 32 A on 1 to 3 phases."""
        numbers = {1: turn, 2: 2, 3: 1, 5: 1}
        fields = [whole(number, value) for number, value in numbers.items()]
        limits = [real(7, 32.0), real(8, 6.0), whole(9, 3), whole(10, 1), whole(11, 1)]
        return framed(message(_ALIVE, *fields, text(6, "1.4"), *limits))

    def measurements(self) -> bytes:
        """Say what the pilot is like now, and where the relays stand."""
        seen = self._connector.levels()
        levels = [real(1, seen.duty), real(2, seen.high), real(3, seen.low)]
        flags = [whole(4, seen.pwm), whole(5, self.relays)]
        return framed(message(_MEASUREMENTS, *levels, *flags))

    def _apply(self, letter: str) -> None:
        self.state = letter
        if letter == "A":
            circuit = Circuit(proximity=self._proximity)
        elif letter == "E":
            circuit = replace(self._connector.circuit, pilot_shorted=True)
        else:
            circuit = Circuit(connected=True, load=_LOADS[letter], proximity=self._proximity)
        self._connector.wire(circuit)

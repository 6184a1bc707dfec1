"""Twin of the EVerest Yeti EV board: commands in, keep-alives, measurements and events out."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from drivers.sim.connector import Connector
from drivers.sim.pilot import CABLE_CODES, R2, R3, R4, UNPLUGGED, Circuit, parallel
from drivers.sim.timeline import Timeline, Timer
from drivers.sim.twin import Wired
from drivers.sim.wire import Line
from drivers.yeti_frames import (
    ALIVE,
    ALLOW_POWER_ON,
    DISABLE,
    ENABLE,
    EVENT,
    KEEP_ALIVE,
    MEASUREMENTS,
    RESET,
    RESET_DONE,
    SET_STATE,
    Field,
    pack,
    unpack,
)

HOST_WITHIN = 5.0
"""Without a keep-alive of the host for so many s the board shows A and opens its relays."""

_LOADS = {"B": R2, "C": parallel(R2, R3), "D": parallel(R2, R4)}

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
                message = unpack(frame)
                if message is None or self.deaf or line.faults.take_busy():
                    continue
                self._hear_host()
                kind, fields = message
                await self._obey(line, kind, int(fields.get(1, 0)))
        finally:
            telling.cancel()

    async def _obey(self, line: Line, kind: int, value: int) -> None:
        if kind == RESET:
            self.power_up()
            await line.send(pack(RESET_DONE))
        elif kind in (ENABLE, DISABLE):
            self.enabled = kind == ENABLE
            if not self.enabled:
                self.allowed = False
                self._apply("A")
        elif kind == ALLOW_POWER_ON:
            self.allowed = bool(value)
        elif kind == SET_STATE and self.enabled and value < 5:
            self._apply("ABCDE"[value])
        elif kind != KEEP_ALIVE:
            return  # a message that this board does not know

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
                await line.send(pack(EVENT, {1: _RELAYS_ON if self.relays else _RELAYS_OFF}))
            await asyncio.sleep(self._period)
            turn += 1

    def keep_alive(self, turn: int) -> bytes:
        """Say who the board is: type 2, revision 1, protocol 0.1, 6 to 32 A on 1 to 3 phases."""
        told: dict[int, Field] = {1: turn, 2: 2, 3: 1, 4: 0, 5: 1, 6: b"1.4"}
        told |= {7: 32.0, 8: 6.0, 9: 3, 10: 1, 11: 1}
        return pack(ALIVE, told)

    def measurements(self) -> bytes:
        """Say what the pilot is like now, and where the relays stand."""
        seen = self._connector.levels()
        values = {1: seen.duty, 2: seen.high, 3: seen.low, 4: int(seen.pwm), 5: int(self.relays)}
        return pack(MEASUREMENTS, values)

    def _apply(self, letter: str) -> None:
        self.state = letter
        if letter == "A":
            circuit = Circuit(proximity=self._proximity)
        elif letter == "E":
            circuit = replace(self._connector.circuit, pilot_shorted=True)
        else:
            circuit = Circuit(connected=True, load=_LOADS[letter], proximity=self._proximity)
        self._connector.wire(circuit)

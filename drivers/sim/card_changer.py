"""Twin of the card changer: servos on a Pololu Maestro (user's guide 5.e), a card on each."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from drivers.sim.timeline import Timer
from drivers.sim.twin import Wired
from drivers.sim.wire import Line
from drivers.sim.world import World

CHANNELS = 6
"""Of the Micro Maestro."""
AT_READER = 8000
"""Pulse, in quarters of a microsecond, at which a finger holds its card to the reader."""
REACH = 400
"""How far from there, in the same unit, the reader still reads the card."""

_POLOLU_PROTOCOL = 0xAA
_DATA_BYTES = {
    0x84: 3,  # set target: channel, low and high 7 bits
    0x87: 3,  # set speed
    0x89: 3,  # set acceleration
    0x90: 1,  # get position: channel
    0x93: 0,  # get moving state
    0xA1: 0,  # get errors
    0xA2: 0,  # go home
}
PARKED = 4000
"""Pulse at which a finger stands when the lab starts."""

_PROTOCOL_ERROR = 1 << 4
_DEVICE_NUMBER = 12

_SPEED_UNIT = 100.0
"""Quarter microseconds per second in one unit of speed (0.25 us per 10 ms)."""
_ACCELERATION_UNIT = 1250.0
"""Quarter microseconds per s² in one unit of acceleration (0.25 us per 10 ms per 80 ms)."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A move from rest to rest; `speed` and `acceleration` are infinite when not limited."""

    start: float
    end: float
    began: float
    speed: float = math.inf
    acceleration: float = math.inf

    @property
    def _ramp(self) -> tuple[float, float]:
        """Distance and duration of each of the two ramps."""
        if math.isinf(self.acceleration):
            return 0.0, 0.0
        distance = min(
            self.speed**2 / self.acceleration / 2 if math.isfinite(self.speed) else math.inf,
            abs(self.end - self.start) / 2,
        )
        return distance, math.sqrt(2 * distance / self.acceleration)

    def time_to(self, distance: float) -> float:
        """Return when, in s after the start, `distance` is travelled."""
        whole = abs(self.end - self.start)
        ramp, ramp_time = self._ramp
        if distance < ramp:
            return math.sqrt(2 * distance / self.acceleration)
        if distance <= whole - ramp:
            return ramp_time + (distance - ramp) / self.speed
        rest = math.sqrt(2 * max(0.0, whole - distance) / self.acceleration)
        return 2 * ramp_time + (whole - 2 * ramp) / self.speed - rest

    @property
    def ends(self) -> float:
        """The moment of arrival."""
        return self.began + self.time_to(abs(self.end - self.start))

    def position(self, moment: float) -> float:
        """Return where the move is at `moment`, to the precision of a pulse."""
        if moment >= self.ends:
            return self.end
        elapsed, low, high = moment - self.began, 0.0, abs(self.end - self.start)
        while high - low > 0.5:
            middle = (low + high) / 2
            low, high = (middle, high) if self.time_to(middle) <= elapsed else (low, middle)
        return self.start + math.copysign(low, self.end - self.start)


class Finger:
    """A servo with a card; its card is in the reader's field while the finger is in reach."""

    def __init__(self, world: World, id_tag: str | None) -> None:
        self.speed = 0
        self.acceleration = 0
        self._world = world
        self._id_tag = id_tag
        self._pulse = False
        self._motion = Motion(PARKED, PARKED, -math.inf)
        self._timers: list[Timer] = []

    @property
    def position(self) -> int:
        """The pulse that the servo is given, 0 when it is off."""
        return round(self._motion.position(self._world.timeline.now())) if self._pulse else 0

    @property
    def is_moving(self) -> bool:
        """Tell whether a limit of speed or acceleration still holds the pulse from its target."""
        return self._pulse and self._world.timeline.now() < self._motion.ends

    def move(self, target: int) -> None:
        """Go to a pulse; 0 switches the pulse off, and the finger stays where it is."""
        now = self._world.timeline.now()
        here = self._motion.position(now)
        # Without a pulse before, the controller does not know where the servo is: it jumps.
        limited = self._pulse and target != 0
        speed = self.speed * _SPEED_UNIT if limited and self.speed else math.inf
        ramp = self.acceleration * _ACCELERATION_UNIT if limited and self.acceleration else math.inf
        self._pulse = target != 0
        self._motion = Motion(here, target or here, now, speed=speed, acceleration=ramp)
        self._watch_card()

    def _watch_card(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        if self._id_tag is not None:
            for distance, change in self._crossings():
                delay = self._motion.time_to(distance)
                self._timers.append(self._world.timeline.after(delay, change))

    def _crossings(self) -> list[tuple[float, Callable[[], None]]]:
        """List where on the way the card comes into the field and where it leaves."""
        start, end = self._motion.start, self._motion.end
        way = math.copysign(1.0, end - start)
        entry, leave = ((AT_READER - start) * way + offset for offset in (-REACH, REACH))
        id_tag = self._id_tag or ""
        crossings: list[tuple[float, Callable[[], None]]] = []
        if 0 < entry <= abs(end - start):
            crossings.append((entry, partial(self._world.present, id_tag)))
        if 0 <= leave < abs(end - start):
            crossings.append((leave, partial(self._world.withdraw, id_tag)))
        return crossings


class CardChanger(Wired):
    """The controller with a card, named by its idTag, on the finger of some channels."""

    def __init__(self, world: World, cards: Mapping[int, str]) -> None:
        self.fingers = [Finger(world, cards.get(channel)) for channel in range(CHANNELS)]
        self._errors = 0

    def power_up(self) -> None:
        """Start without pulses and without limits."""
        self._errors = 0
        for finger in self.fingers:
            finger.speed = finger.acceleration = 0
            finger.move(0)

    async def converse(self, line: Line) -> None:
        """Execute commands of the compact and the Pololu protocol."""
        packet = bytearray()
        while True:
            byte = (await line.reader.readexactly(1))[0]
            if byte & 0x80 and packet:
                # 0xAA alone only shows the controller the rate.
                if packet[0] != _POLOLU_PROTOCOL or len(packet) > 1:
                    self._fail()
                packet.clear()
            packet.append(byte)
            command = _command(packet)
            if command is None:
                continue
            if command.code not in _DATA_BYTES:
                self._fail()
                packet.clear()
            elif len(command.data) == _DATA_BYTES[command.code]:
                packet.clear()
                if command.device == _DEVICE_NUMBER:
                    await self._execute(command, line)

    async def _execute(self, command: Command, line: Line) -> None:
        faults = line.faults
        if faults.take_busy():
            return
        channel = command.data[0] if command.data else 0
        if channel >= CHANNELS:
            self._fail()
            return
        finger = self.fingers[channel]
        value = command.data[1] | command.data[2] << 7 if len(command.data) == 3 else 0
        match command.code:
            case 0x84:
                finger.move(value)
            case 0x87:
                finger.speed = value
            case 0x89:
                finger.acceleration = value
            case 0x90:
                await self._reply(line, struct.pack("<H", finger.position))
            case 0x93:
                await self._reply(line, bytes((any(f.is_moving for f in self.fingers),)))
            case 0xA1:
                errors, self._errors = self._errors, 0
                await self._reply(line, struct.pack("<H", errors))
            case 0xA2:
                self._go_home()

    @staticmethod
    async def _reply(line: Line, answer: bytes) -> None:
        # The protocol has no identity: another device on the port is noticed by its answers.
        await line.send(b"\r\nERROR\r\n" if line.faults.wrong_identity else answer)

    def _fail(self) -> None:
        """Note a protocol error; every error sends all servos home."""
        self._errors |= _PROTOCOL_ERROR
        self._go_home()

    def _go_home(self) -> None:
        for finger in self.fingers:
            finger.move(0)


@dataclass(frozen=True, slots=True)
class Command:
    """What has come of a command so far."""

    code: int
    """With bit 7 set, as in the compact protocol."""
    device: int
    data: bytes


def _command(packet: bytearray) -> Command | None:
    if packet[0] != _POLOLU_PROTOCOL:
        return Command(packet[0], _DEVICE_NUMBER, bytes(packet[1:]))
    if len(packet) < 3:
        return None
    return Command(packet[2] | 0x80, packet[1], bytes(packet[3:]))

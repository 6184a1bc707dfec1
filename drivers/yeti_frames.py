"""Frames of the EVerest Yeti EV board: protocol buffers with a checksum, stuffed, ended by a zero.

Source: EVerest/everest-core, driver of the MicroMega EV board. A frame is COBS of message and
checksum (JAMCRC, little-endian), then 00. Each message has one field, which says what it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.pilot import state_of

Field = int | float | bytes
"""A varint, a 32-bit float, or the bytes of a text or of an inner message."""

ENABLE, DISABLE, KEEP_ALIVE, ALLOW_POWER_ON, RESET, SET_STATE = 6, 7, 13, 21, 23, 25
"""What the host says."""

ALIVE, MEASUREMENTS, EVENT, RESET_DONE = 3, 5, 6, 7
"""What the board says."""

ASKING = ("C", "D")
"""The states in which the load relays may close."""

_DEAD = 1.0
"""V: a pilot between this and its negative is fed by no station, or shorted."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Measured:
    """What the board measures: V, V, percent, and whether its load relays are closed."""

    high: float
    low: float
    duty: float
    """100 without PWM."""
    relays: bool

    @property
    def pwm(self) -> bool:
        """Tell whether the station modulates the pilot."""
        return self.high - self.low > 2 * _DEAD and 0 < self.duty < 100

    @property
    def dead(self) -> bool:
        """Tell whether no station feeds the pilot, or something shorts it."""
        return abs(self.high) < _DEAD and not self.pwm

    @property
    def state(self) -> str | None:
        """The pilot state, None between two."""
        return state_of(self.high)

    def shows(self, letter: str) -> bool:
        """Tell whether the pilot, and the relays, are as in a commanded state A to E."""
        if letter not in ASKING and self.relays:
            return False
        if letter in "AE" and self.dead:
            return True
        return self.state == letter

    def __str__(self) -> str:
        relays = "closed" if self.relays else "open"
        return f"the control pilot is at {self.high:.2f} V, the relays are {relays}"


def measured(fields: Mapping[int, Field]) -> Measured | None:
    """Read measurements, None when they have other fields than a Yeti EV's.

    A duty cycle up to 1 is a share, above it percent.
    """
    duty, high, low = (fields.get(number, 0.0) for number in (1, 2, 3))
    if isinstance(duty, float) and isinstance(high, float) and isinstance(low, float):
        return Measured(high, low, 100 * duty if duty <= 1 else duty, bool(fields.get(5, 0)))
    return None


def pack(kind: int, fields: Mapping[int, Field] | None = None) -> bytes:
    """Make the frame of a message; a field that is 0 is left out (proto3)."""
    body = b"".join(_field(number, value) for number, value in (fields or {}).items() if value)
    message = _field(kind, body)
    return _stuffed(message + struct.pack("<I", _checksum(message))) + b"\x00"


def unpack(frame: bytes) -> tuple[int, dict[int, Field]] | None:
    """Read a frame with or without its final 00; None when it is damaged."""
    data = _unstuffed(frame.removesuffix(b"\x00"))
    if data is None or len(data) < 6:
        return None
    message, checksum = data[:-4], struct.unpack("<I", data[-4:])[0]
    if checksum != _checksum(message):
        return None
    try:
        ((kind, body),) = _fields(message).items()
        return (kind, _fields(body)) if isinstance(body, bytes) else None
    except (ValueError, IndexError, struct.error):
        return None


def _checksum(data: bytes) -> int:
    return zlib.crc32(data) ^ 0xFFFFFFFF


def _field(number: int, value: Field) -> bytes:
    if isinstance(value, bytes):
        return _varint(number << 3 | _BYTES) + _varint(len(value)) + value
    if isinstance(value, float):
        return _varint(number << 3 | _FIXED32) + struct.pack("<f", value)
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def _fields(data: bytes) -> dict[int, Field]:
    """Take a message apart; raises `ValueError`, `IndexError` or `struct.error` for none."""
    fields: dict[int, Field] = {}
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            fields[number], at = _read_varint(data, at)
        elif kind == _FIXED32:
            (fields[number],) = struct.unpack_from("<f", data, at)
            at += 4
        elif kind == _FIXED64:
            (fields[number],) = struct.unpack_from("<d", data, at)
            at += 8
        elif kind == _BYTES:
            length, at = _read_varint(data, at)
            if at + length > len(data):
                raise ValueError("the message ends in a field")
            fields[number], at = data[at : at + length], at + length
        else:
            raise ValueError(f"field of kind {kind}")
    return fields


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] > 0x7F:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return value | data[at] << shift, at + 1


def _stuffed(data: bytes) -> bytes:
    """Replace each 00 by the distance to the next one (COBS)."""
    out = bytearray()
    for block in data.split(b"\x00"):
        rest = block
        while len(rest) >= 254:
            out += b"\xff" + rest[:254]
            rest = rest[254:]
        out += bytes((len(rest) + 1,)) + rest
    return bytes(out)


def _unstuffed(data: bytes) -> bytes | None:
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if not code or len(block) != code - 1:
            return None
        out += block
        at += code
        if code < 0xFF and at < len(data):
            out.append(0)
    return bytes(out)

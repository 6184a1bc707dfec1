"""How the Yeti EV board puts messages on its line, written apart from the driver.

COBS over a message of protocol buffers and its CRC-32 without final inversion, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0xEDB88320 if _byte & 1 else 0)
    _TABLE.append(_byte)


def framed(message: bytes) -> bytes:
    """Put a message on the line."""
    out, start = bytearray(b"\x00"), 0
    for byte in message + struct.pack("<I", _crc(message)):
        if byte:
            out.append(byte)
        if not byte or len(out) - start == 255:
            out[start] = len(out) - start
            start = len(out)
            out.append(0)
    out[start] = len(out) - start
    return bytes(out) + b"\x00"


def command(line: bytes) -> tuple[int, int] | None:
    """Read a command of the host: its number and its one small value, 0 when left out."""
    data, left, zero = bytearray(), 0, False
    for byte in line[:-1]:
        if left:
            data.append(byte)
            left -= 1
            continue
        if zero:
            data.append(0)
        left, zero = byte - 1, byte < 0xFF
    # The checksum over a message and its checksum is 0.
    if left or len(data) < 6 or _crc(data):
        return None
    head = data[0] if data[0] < 0x80 else data[0] & 0x7F | data[1] << 7
    body = data[1 if data[0] < 0x80 else 2 : -4]
    if head & 7 != 2 or body[0] != len(body) - 1:
        return None
    return head >> 3, body[2] if len(body) == 3 and body[1] == 0x08 else 0


def message(number: int, *fields: bytes) -> bytes:
    """Make a message of its fields; numbers up to 15 alone, as the board's are."""
    body = b"".join(fields)
    return bytes((number << 3 | 2, len(body))) + body


def whole(number: int, value: int) -> bytes:
    """Make a field of a whole number; nothing for 0."""
    out = bytearray((number << 3,))
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out) if value else b""


def real(number: int, value: float) -> bytes:
    """Make a field of a 32-bit float; nothing for 0."""
    return struct.pack("<Bf", number << 3 | 5, value) if value else b""


def text(number: int, value: str) -> bytes:
    """Make a field of a text."""
    return bytes((number << 3 | 2, len(value))) + value.encode()


def _crc(data: Iterable[int]) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc

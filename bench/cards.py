"""The number of a card's chip (UID), and the idTags that stations make of it."""

from __future__ import annotations

from typing import Literal

Notation = Literal[
    "hex",
    "reversed",
    "reversed-padded",
    "first4",
    "last4",
    "first4-reversed",
    "decimal",
    "decimal-reversed",
]
"""How a station writes a UID: hexadecimal digits or a decimal number; bytes in the order in which
the chip sends them or reversed; all of them, four, or filled up with zeros to eight."""

UID_LENGTHS = (4, 7, 10)
"""Bytes of a UID (ISO/IEC 14443-3 clause 6.5.4)."""
_CASCADE_TAG = 0x88
_RANDOM = 0x08


def uid_bytes(text: str) -> bytes:
    """Read a UID of 4, 7 or 10 bytes (ISO/IEC 14443-3 clause 6.5.4), with or without separators.

    Raises ValueError for what can't be a card's lasting number.
    """
    try:
        uid = bytes.fromhex(text.replace(":", " ").replace("-", " "))
    except ValueError:
        raise ValueError(f"{text!r}, expected hexadecimal digits") from None
    if len(uid) not in UID_LENGTHS:
        raise ValueError(f"{text!r} has {len(uid)} bytes, expected 4, 7 or 10")
    if len(uid) == 4 and uid[0] == _RANDOM:
        raise ValueError(f"{text!r} is a random number, which the chip changes at each reading")
    if len(uid) == 4 and uid[0] == _CASCADE_TAG:
        raise ValueError(f"{text!r} begins with a cascade tag: the first part of a longer UID")
    return uid


def id_tag_of(uid: bytes, notation: Notation) -> str:
    """Write a UID as an idTag; stations compare hexadecimal digits without regard to case."""
    match notation:
        case "hex":
            written = uid
        case "reversed":
            written = uid[::-1]
        case "reversed-padded":
            written = uid[::-1].ljust(8, b"\0")
        case "first4":
            written = uid[:4]
        case "last4":
            written = uid[-4:]
        case "first4-reversed":
            written = uid[3::-1]
        case "decimal":
            return str(int.from_bytes(uid, "big"))
        case "decimal-reversed":
            return str(int.from_bytes(uid, "little"))
    return written.hex().upper()

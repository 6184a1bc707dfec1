"""Read a card's type out of its answer to reset, for people; no decision rests on it."""

from __future__ import annotations

from functools import reduce

_STORAGE = bytes.fromhex("3B8F8001804F0CA000000306")
"""How a reader announces a card that has no answer to reset of its own (PC/SC part 3 clause 3.1.3):
after it come the standard, the card's name in two bytes, four zeros, and the checksum."""

_NAMES = {
    0x0001: "MIFARE Classic 1K",
    0x0002: "MIFARE Classic 4K",
    0x0003: "MIFARE Ultralight or NTAG",
    0x0026: "MIFARE Mini",
}

_STANDARDS = {0x03: "ISO 14443 A storage card", 0x0B: "ISO 15693 storage card"}

_DESFIRE = bytes.fromhex("3B8180018080")


def card_type(atr: bytes) -> str:
    """Name the type of a card by its answer to reset; empty when it tells none."""
    if not atr:
        return ""
    if len(atr) < 2 or (atr[:1] == b"\x3b" and _has_checksum(atr) and _checksum(atr)):
        return "damaged answer to reset"
    if atr.startswith(_STORAGE) and len(atr) == 20:
        standard = _STANDARDS.get(atr[12], "storage card")
        return _NAMES.get(int.from_bytes(atr[13:15], "big"), standard)
    if atr == _DESFIRE:
        return "MIFARE DESFire"
    if atr[0] == 0x3B and atr[1] >> 4 == 0x8 and atr[2:4] == b"\x80\x01":
        return "ISO 14443-4 card"
    return "contact card"


def _checksum(atr: bytes) -> int:
    """Make the exclusive or of all but the first byte; 0 for a sound answer."""
    return reduce(lambda left, right: left ^ right, atr[1:])


def _has_checksum(atr: bytes) -> bool:
    """Tell whether the answer ends in a checksum: all that readers make up do."""
    return atr[1] >> 4 == 0x8 and atr[2:4] == b"\x80\x01"

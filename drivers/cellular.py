"""What mobile modems say about their network, read as technologies and levels.

Sources: 3GPP TS 27.007 clause 8.5 (+CSQ); Huawei's AT command and HiLink interface descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bench.capability import Level, Saturated, Signal, Technology
from bench.errors import DeviceError
from bench.metrology import Quantity

_FAMILIES = {
    Technology.G2: (1, 2, 3),
    Technology.G3: (4, 5, 6, 7, 8, 9, 17, 18, 41, 42, 43, 44, 45, 46),
    Technology.G4: (19, 101),
}
"""Network types and submodes of Huawei's firmware by technology; the two lists do not collide."""

_HCSQ_SCALES = {
    "rssi": (-121.0, 1.0, 96, "dBm"),
    "rsrp": (-141.0, 1.0, 97, "dBm"),
    "sinr": (-20.2, 0.2, 251, "dB"),
    "rsrq": (-20.0, 0.5, 34, "dB"),
}
"""Level of index 0, step, greatest index, unit."""

_HCSQ_ORDER = {"LTE": ("rssi", "rsrp", "sinr", "rsrq"), "WCDMA": ("rssi",), "GSM": ("rssi",)}
"""Which levels come first after each system mode."""

_HCSQ_UNKNOWN = 255

_LEVEL = re.compile(r"(>=|<=|>|<)?\s*([-+]?\d+(?:\.\d+)?)\s*(?:dBm|dB)?")


def technology_of(network: int) -> Technology | None:
    """Tell the technology of a network type or submode; None without network."""
    for technology, numbers in _FAMILIES.items():
        if network in numbers:
            return technology
    return None


def csq(index: int) -> Level:
    """Read the index of +CSQ, 0 to 31 in steps of 2 dBm; 99 is not known."""
    if not 0 <= index <= 31:
        return None
    level = Quantity(-113.0 + 2.0 * index, "dBm")
    return Saturated(level, above=index == 31) if index in (0, 31) else level


def hcsq(mode: str, indices: Sequence[int]) -> Mapping[str, Level]:
    """Read the indices of ^HCSQ after its system mode, by the fields of `Signal`."""
    names = _HCSQ_ORDER.get(mode.upper(), ())
    return {name: _hcsq(name, index) for name, index in zip(names, indices, strict=False)}


def _hcsq(name: str, index: int) -> Level:
    lowest, step, greatest, unit = _HCSQ_SCALES[name]
    if index == _HCSQ_UNKNOWN or not 0 <= index <= greatest:
        return None
    if index == 0:  # everything below the first step
        return Saturated(Quantity(round(lowest + step, 1), unit), above=False)
    level = Quantity(round(lowest + step * index, 1), unit)
    return Saturated(level, above=True) if index == greatest else level


def level(text: str, unit: str) -> Level:
    """Read a level as HiLink writes it: `-71dBm`, `>=-51dBm`, or nothing.

    Raises ValueError when it is something else.
    """
    text = text.strip()
    if not text:
        return None
    match = _LEVEL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r}, expected a level in {unit}")
    quantity = Quantity(float(match[2]), unit)
    return Saturated(quantity, above=match[1].startswith(">")) if match[1] else quantity


def check_connect_within(seconds: float) -> None:
    """Refuse a key `connect_within` of `bench.toml` that is no fit deadline."""
    if not 0 < seconds <= 600:
        text = f"'connect_within' is {seconds:g}, expected more than 0, at most 600 s"
        raise ValueError(text)


def check_model(link: object, model: str) -> None:
    """Refuse a dongle that is no E3372."""
    if not model.upper().startswith("E3372"):
        raise DeviceError(f"{link}: the model is {model!r}, expected an E3372")


def where_registered(signal: Signal) -> str:
    """Say with which network a modem is registered."""
    if not signal.registered:
        return "not registered with a network"
    return f"registered with {signal.operator} ({signal.plmn}), {signal.technology}"

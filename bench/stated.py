"""What the PICS states of a product's configuration keys, held against what it told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.configuration import ConfigurationKey
from bench.ocpp.predicate import ABSENT, absent, compare, matching, numeral, present, show

KEY_OF_FEATURE = (
    ("C-02", "AllowOfflineTxForUnknownId"),
    ("C-03", "MaxEnergyOnInvalidId"),
    ("C-04", "AuthorizationCacheEnabled"),
    ("C-05", "MinimumStatusDuration"),
)
"""A feature is claimed exactly when its key is there (OCPP 1.6 ed. 2 clause 9)."""

UNITS = {"A": ("Current",), "W": ("Power",), "Both": ("Current", "Power")}
"""What ChargingScheduleAllowedChargingRateUnit lists for each answer to SC-1."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One thing that the PICS says of a key: which part of it, and what that must be."""

    key: str
    part: str
    """`key`, `readonly` or `value`."""
    item: str
    expected: Any
    optional: bool = False
    """The station may do as it is stated and not have the key."""


def stated(pics: Mapping[str, Any]) -> Iterator[Stated]:
    """List what a product's PICS says of its configuration keys."""
    for item, key in KEY_OF_FEATURE:
        if item in pics:
            yield Stated(key, "key", item, present if pics[item] else absent)
    if pics.get("C-06") == "Both":
        yield Stated("StopTransactionOnEVSideDisconnect", "readonly", "C-06", False)
    elif pics.get("C-06") in ("Yes", "No"):
        wanted = "true" if pics["C-06"] == "Yes" else "false"
        key = "StopTransactionOnEVSideDisconnect"
        yield Stated(key, "value", "C-06", matching(wanted), optional=True)
    if pics.get("FP.SC") and pics.get("SC-1") in UNITS:
        yield Stated(
            "ChargingScheduleAllowedChargingRateUnit",
            "value",
            "SC-1",
            _list_of(UNITS[pics["SC-1"]]),
        )
    for item, answer in pics.items():
        found = re.fullmatch(r"CFG\.(\w+)(?:\.(rw|min|max))?", item, re.ASCII)
        if found is None:
            continue
        key, limit = found.groups()
        if limit == "rw":
            yield Stated(key, "readonly", item, not answer)
        else:
            # A range says how the key may be set, not that it is there.
            yield Stated(key, "value", item, _value(limit, answer), optional=limit is not None)


def _value(limit: str | None, answer: Any) -> Any:
    match limit, answer:
        case "min", _:
            return numeral(answer, None)
        case "max", _:
            return numeral(None, answer)
        case _, bool():
            return matching(str(answer))
        case _, int():
            return numeral(answer, answer)
        case _, list():
            return _list_of(answer)
        case _:
            return matching(re.escape(str(answer)))


def _list_of(words: Any) -> Any:
    """Match a comma separated list of exactly these words, in any order."""
    each = "".join(rf"(?=(.*,)?\s*{word}\s*(,|$))" for word in words)
    return matching(rf"{each}[^,]+(,[^,]+){{{len(words) - 1}}}" if words else r"\s*")


@dataclass(frozen=True, slots=True)
class Claim:
    """What the PICS states of a key, and whether it holds."""

    item: str
    part: str
    """`key` (whether it is there), `readonly` or `value`."""
    expected: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A key, as told and as stated."""

    key: str
    told: ConfigurationKey | None
    """None when the station did not tell it."""
    claims: tuple[Claim, ...]


def rows(pics: Mapping[str, Any], keys: Mapping[str, ConfigurationKey]) -> list[Row]:
    """Put what was told, by name in lower case, and what is stated together, by key."""
    claims: dict[str, list[Stated]] = {}
    for one in stated(pics):
        claims.setdefault(one.key.lower(), []).append(one)
    return [
        Row(
            keys[name].key if name in keys else claims[name][0].key,
            keys.get(name),
            tuple(_judged(claims.get(name, []), keys.get(name))),
        )
        for name in sorted({*keys, *claims})
    ]


def _judged(claims: list[Stated], told: ConfigurationKey | None) -> Iterator[Claim]:
    for one in claims:
        came = ABSENT if told is None else getattr(told, one.part)
        lacks = told is None and one.optional
        holds = lacks or not compare(one.expected, ABSENT if came is None else came, "")
        yield Claim(one.item, one.part, show(one.expected), holds)

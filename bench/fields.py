"""Whether the fields of an event read from JSON are of the types that it declares."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_SCALARS: Mapping[Any, frozenset[type]] = {
    str: frozenset({str}),
    int: frozenset({int}),
    bool: frozenset({bool}),
    # JSON has one kind of number, and what is none of them is written as null.
    float: frozenset({float, int, type(None)}),
    type(None): frozenset({type(None)}),
}


def first_wrong(event: object) -> str | None:
    """Say which field of an event is of another type than declared, None when none is."""
    kind = type(event)
    if kind not in _CHECKS:
        _CHECKS[kind] = _checks(kind)
    for name, fits, expected in _CHECKS[kind]:
        value = getattr(event, name)
        if not fits(value):
            return f"{name!r} is a {type(value).__name__}, expected {expected}"
    return None


_CHECKS: dict[type, tuple[tuple[str, Check, str], ...]] = {}
"""What was made of the annotations of a kind of event."""


def _checks(kind: Any) -> tuple[tuple[str, Check, str], ...]:
    hints = typing.get_type_hints(kind)
    found = ((one.name, _check(hints[one.name])) for one in dataclasses.fields(kind))
    return tuple(
        (name, check, str(getattr(hints[name], "__name__", hints[name])))
        for name, check in found
        if check is not None
    )


def _check(hint: Any) -> Check | None:
    """Make the check for an annotation, None for one that takes anything."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS:
        allowed = _SCALARS[hint]
        return lambda value: type(value) in allowed
    if origin in (types.UnionType, typing.Union):
        if all(one in _SCALARS for one in arguments):
            either = frozenset[type]().union(*(_SCALARS[one] for one in arguments))
            return lambda value: type(value) in either
        checks = [_check(one) for one in arguments]
        if None in checks:
            return None
        return lambda value: any(check(value) for check in checks if check is not None)
    if origin in (list, dict):
        inner = _check(arguments[-1])
        if inner is None:
            return lambda value: type(value) is origin
        if origin is list:
            return lambda value: type(value) is list and all(map(inner, value))
        return lambda value: type(value) is dict and all(map(inner, value.values()))
    return None

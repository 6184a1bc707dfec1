"""Where two JSON values differ, by path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final


class _Missing:
    """Stands for a value that one side does not have."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Unlike:
    """One place where two values differ; `MISSING` where a side has nothing."""

    path: str
    """As `cases[1].verdict`; empty for the values themselves."""
    first: Any
    second: Any


def unlike(first: Any, second: Any, path: str = "") -> Iterator[Unlike]:
    """Yield where two JSON values differ: members in the first's order, then those it lacks.

    Numbers are the same only when they are of the same type, as 1 and true are not.
    """
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            name = str(key)
            inner = f"{path}{'' if not path or name.startswith('[') else '.'}{name}"
            yield from unlike(first.get(key, MISSING), second.get(key, MISSING), inner)
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for index, pair in enumerate(zip(first, second, strict=True)):
            yield from unlike(*pair, f"{path}[{index}]")
    elif type(first) is not type(second) or first != second:
        yield Unlike(path, first, second)

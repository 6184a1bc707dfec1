"""The keys of `[pixit]` as the fields of a form, made from what `dut.toml` is parsed into."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bench import toml
from bench.answers import AnswerKind, OneOf
from bench.attributes import attribute_docstrings
from bench.errors import ConfigError
from bench.intake import shown


@dataclass(frozen=True, slots=True)
class Value:
    """What a key of a settings class may hold; an `AnswerKind` of its type hint."""

    kind: ClassVar[str] = "value"
    hint: Any

    def accepts(self, value: Any) -> bool:
        """Tell whether the engine would take a value's type."""
        try:
            toml.convert(self.hint, value, "")
        except ConfigError:
            return False
        return True

    def read(self, cell: str) -> Any:
        """Read a number or a text; raises `ValueError`."""
        words = cell.strip()
        for kind in _members(self.hint):
            if kind is int:
                return int(words)
            if kind is float:
                number = float(words)
                return int(number) if number.is_integer() else number
        return words

    def __str__(self) -> str:
        names = {int: "a whole number", float: "a number", str: "a text", Path: "a path"}
        return " or ".join(names[kind] for kind in _members(self.hint) if kind in names)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: where it stands, what it may hold and means, what counts without it."""

    path: tuple[str, ...]
    kind: AnswerKind
    default: str
    meaning: str

    @property
    def label(self) -> str:
        """Its name, as people read it."""
        words = self.path[-1].replace("_", " ")
        return words[0].upper() + words[1:]


def keys_of(settings: type, *path: str, but: tuple[str, ...] = ()) -> Iterator[Key]:
    """List the plain keys of a settings class that stands at `path`; tables in it are left out."""
    hints, meanings = typing.get_type_hints(settings), attribute_docstrings(settings)
    for one in dataclasses.fields(settings):
        hint = hints[one.name]
        options = [o for member in _members(hint, literals=True) for o in _options(member)]
        if one.name in but or not (options or str(Value(hint))):
            continue
        default = "" if one.default in (dataclasses.MISSING, None, "") else shown(one.default)
        kind: AnswerKind = Value(hint)
        if options and all(isinstance(option, str) for option in options):
            kind = OneOf(tuple(options))
        elif options:
            kind = Value(int)
        yield Key((*path, one.name), kind, default, meanings.get(one.name, ""))


def _members(hint: Any, *, literals: bool = False) -> list[Any]:
    """List what a union is made of; None aside."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return [one for one in typing.get_args(hint) if one is not type(None)]
    if typing.get_origin(hint) is typing.Literal:
        return [hint] if literals else [type(typing.get_args(hint)[0])]
    return [hint]


def _options(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()

"""Tables of the documentation, made of types and settings."""

from __future__ import annotations

import dataclasses
import json
import textwrap
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.attributes import attribute_docstrings

_SCALARS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    date: "date",
}


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a Markdown table; a row's last line breaks and bars are made harmless."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads)]
    lines += [[" ".join(cell.split()).replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def wrapped(text: str, **options: Any) -> str:
    """Break a text into lines of the documentation's width."""
    return textwrap.fill(text, 140, break_on_hyphens=False, break_long_words=False, **options)


def _type(hint: Any) -> str:
    """Say a type hint in words for people who write TOML or read JSON."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(f"`{json.dumps(option)}`" for option in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(one) for one in arguments if one is not type(None))
    if origin in (tuple, list):
        return f"list of {_type(arguments[0])}"
    if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        return f"table of {_type(arguments[1])}"
    if dataclasses.is_dataclass(hint):
        return "table"
    return _SCALARS.get(hint, "any")


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else "none"
    if dataclasses.is_dataclass(field.default):
        return "as below"
    if field.default in (None, "", ()):
        return "none"
    if isinstance(field.default, float):
        return f"`{field.default:g}`"
    return f"`{json.dumps(field.default)}`"


def keys(place: str) -> str:
    """Tabulate the keys of a settings class, given as `module:class`."""
    module, _, name = place.partition(":")
    return keys_of(getattr(import_module(module), name))


def keys_of(kind: Any) -> str:
    """Tabulate the keys of a settings class."""
    hints, meanings = typing.get_type_hints(kind), attribute_docstrings(kind)
    rows = [
        (f"`{field.name}`", _type(hints[field.name]), _default(field), meanings.get(field.name, ""))
        for field in dataclasses.fields(kind)
    ]
    return table(("key", "type", "default", "meaning"), rows) if rows else "It has no keys."


def json_type(hint: Any) -> str:
    """Say a type hint in the words of JSON."""
    text = _type(hint).replace("table of any", "object").replace("table", "object")
    return f"{text} or null" if type(None) in typing.get_args(hint) else text

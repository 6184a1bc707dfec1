"""Parse the files a lab edits into frozen dataclasses; every error names file, table and key."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from bench.errors import ConfigError

T = TypeVar("T")


def load(path: Path) -> dict[str, Any]:
    """Read a TOML file; raise `ConfigError` with file, line and column when it can't be read."""
    return loads(path, text_of(path))


def text_of(path: Path) -> str:
    """Read a file's text; raise `ConfigError` with the file when it can't be read."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error


def loads(path: Path, text: str) -> dict[str, Any]:
    """Read the text of a TOML file, as `load`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def check_tables(path: Path, document: Mapping[str, Any], *names: str) -> None:
    """Refuse a document with tables other than `names`, or without the first of them."""
    for key in document:
        if key not in names:
            raise ConfigError(f"{path}: unknown table [{key}]{near(key, names)}")
    if names[0] not in document:
        raise ConfigError(f"{path}: table [{names[0]}] is missing")


def parse(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """Make a dataclass of a table: keys are its fields, with `-` for `_` allowed.

    `where` is what an error names first, for example `bench.toml: table [ocpp]`. Unknown keys,
    missing keys and wrong types raise `ConfigError`.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: {show(table)}, expected a table")
    dataclass = typing.cast("Any", kind)
    known = {field.name: field for field in dataclasses.fields(dataclass)}
    hints = hints_of(dataclass)
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in known:
            raise ConfigError(f"{where}: unknown key {key!r}{near(key, known)}")
        values[name] = convert(hints[name], value, f"{where}, key {key!r}")
    for name, field in known.items():
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if required and name not in values:
            raise ConfigError(f"{where}: key {name!r} is missing")
    try:
        return kind(**values)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


@functools.cache
def hints_of(kind: type[Any]) -> Mapping[str, Any]:
    """Resolve the types of a dataclass's fields, which takes long, once for all files."""
    return typing.get_type_hints(kind)


def convert(hint: Any, value: Any, where: str) -> Any:
    """Check a value against a type hint and convert it (lists to tuples, tables to dataclasses)."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        return _convert_union(hint, value, where)
    if origin is typing.Literal:
        options = typing.get_args(hint)
        if value not in options:
            raise ConfigError(f"{where}: {show(value)}, expected one of {_list(options)}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: {show(value)}, expected a list")
        item = typing.get_args(hint)[0]
        return tuple(convert(item, part, f"{where}[{i}]") for i, part in enumerate(value))
    if origin in (dict, Mapping) or str(origin) == "<class 'collections.abc.Mapping'>":
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: {show(value)}, expected a table")
        item = typing.get_args(hint)[1]
        return {key: convert(item, part, f"{where}.{key}") for key, part in value.items()}
    if dataclasses.is_dataclass(hint):
        return parse(typing.cast("type[Any]", hint), value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        values = [one.value for one in hint]
        if value not in values:
            raise ConfigError(f"{where}: {show(value)}, expected one of {_list(values)}")
        return hint(value)
    return _convert_scalar(hint, value, where)


def _convert_union(hint: Any, value: Any, where: str) -> Any:
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    if value is None and len(options) < len(typing.get_args(hint)):
        return None
    tables = [option for option in options if dataclasses.is_dataclass(option)]
    if isinstance(value, dict) and len(tables) == 1:
        return convert(tables[0], value, where)
    errors = []
    for option in options:
        try:
            return convert(option, value, where)
        except ConfigError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    names = _list([getattr(option, "__name__", str(option)) for option in options])
    raise ConfigError(f"{where}: {show(value)}, expected one of the types {names}")


_TYPE_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a date such as 2026-03-02",
}


def _convert_scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ConfigError(f"{where}: expected a number of usual size") from None
    if hint is int and isinstance(value, bool):
        raise ConfigError(f"{where}: {show(value)}, expected a whole number")
    if hint is Path and isinstance(value, str):
        return Path(value)
    # A moment is a date to Python, but it can't be compared with one.
    if isinstance(hint, type) and isinstance(value, hint) and not isinstance(value, datetime):
        return value
    expected = _TYPE_NAMES.get(hint, getattr(hint, "__name__", str(hint)))
    raise ConfigError(f"{where}: {show(value)}, expected {expected}")


def show(value: Any) -> str:
    """Write a value as TOML people know it."""
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _list(options: Any) -> str:
    return ", ".join(f"{option}" for option in options)


def near(name: str, known: Iterable[str]) -> str:
    """Say what may have been meant by an unknown name, to end an error with."""
    names = sorted(known)
    close = difflib.get_close_matches(name.replace("-", "_"), names, n=1)
    close = close or difflib.get_close_matches(name, names, n=1)
    if close:
        return f", did you mean {close[0]!r}?"
    return f", expected one of {_list(names)}" if len(names) <= 20 else ""

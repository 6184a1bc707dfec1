"""Write into a `dut.toml`: comments and order stay, and no file ever holds what is not sound."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import toml
from bench.dut import DutConfig, parse_dut
from bench.errors import ConfigError


def put(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> DutConfig:
    """Let tables of a `dut.toml`, such as `pics`, hold these keys and no others.

    The file is replaced as a whole, or not at all. Raises `ConfigError` naming file, table and key.
    """
    for name, table in tables.items():
        _check(table, f"{path}: table [{name}]")
    before = toml.text_of(path)
    toml.loads(path, before)
    text = _changed(path, before, tables)
    config = parse_dut(path, text)
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(text, "utf-8")
        shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    return config


def fill(path: Path, answers: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Put answers into the table `[pics]` of a `dut.toml`, beside those that are there.

    Returns what changed, by item: the answer before (None when there was none) and after.
    """
    before = toml.load(path).get("pics", {})
    put(path, {"pics": {**before, **answers}})
    return {
        item: (before.get(item), answer)
        for item, answer in answers.items()
        if before.get(item) != answer
    }


def _changed(path: Path, before: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a file with other tables."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    for whole in (False, True):
        try:
            document = tomlkit.parse(before)
            for name, table in tables.items():
                if whole:
                    document.pop(name, None)
                _put(document, name, table)
            text = tomlkit.dumps(document)
            text.encode()
        except (TOMLKitError, ValueError, TypeError) as error:
            raise ConfigError(f"{path}: it can't be changed: {error}") from error
        written = toml.loads(path, text)
        if all(written.get(name, {}) == table for name, table in tables.items()):
            break
        # tomlkit does not write every change of dotted keys: such a table is written anew.
    return text


def _put(table: MutableMapping[str, Any], key: str, value: Any) -> None:
    """Let a key hold a value, and touch nothing that is right already."""
    there = table.get(key)
    if not isinstance(value, Mapping):
        if there is None or there != value or isinstance(there, bool) != isinstance(value, bool):
            table[key] = value
        return
    if not isinstance(there, MutableMapping):
        import tomlkit

        table[key] = tomlkit.table()
    inner = table[key]
    for name in [name for name in inner if name not in value]:
        del inner[name]
    for name, part in value.items():
        _put(inner, name, part)


def _check(value: Any, where: str) -> None:
    """Refuse what a program may send and no `dut.toml` can hold."""
    match value:
        case Mapping():
            for key, part in value.items():
                _check(part, f"{where}, key {key!r}")
        case list():
            for part in value:
                _check(part, where)
        case None:
            raise ConfigError(f"{where}: null, expected a value")
        case float() if not math.isfinite(value):
            raise ConfigError(f"{where}: {value}, expected a finite number")
        case int() if abs(value) >= 2**63:
            raise ConfigError(f"{where}: expected a number of usual size")

"""What is being edited of a `dut.toml`: the saved tables, and what differs from them."""

from __future__ import annotations

import copy
import re
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

_TABLE = re.compile(r"table \[(?P<table>[\w.]+)\]")
_KEY = re.compile(r"[,:] (?:unknown )?key '(?P<key>[^']+)'(?P<more>(?:\.[\w\-]+)*)")

Path = tuple[str, ...]
"""Where a value stands, as ("pixit", "timing", "response")."""


class Draft(QObject):
    """The tables `[pics]` and `[pixit]` as they would be saved."""

    changed = pyqtSignal()
    """One value is another."""
    replaced = pyqtSignal()
    """All values may be others: a form shows them anew."""

    def __init__(self) -> None:
        super().__init__()
        self._saved: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        self.unreadable: dict[Path, str] = {}
        """Fields whose text is no value at all, with what is wrong."""

    def load(self, pics: dict[str, Any], pixit: dict[str, Any]) -> None:
        """Begin with what is saved."""
        self._saved = {"pics": pics, "pixit": pixit}
        self.discard()

    def discard(self) -> None:
        """Go back to what is saved."""
        self._now = copy.deepcopy(self._saved)
        self.unreadable.clear()
        self.replaced.emit()
        self.changed.emit()

    def get(self, *path: str) -> Any:
        """Return a value, None when there is none."""
        return _at(self._now, path)

    def saved(self, *path: str) -> Any:
        """Return the value that is saved."""
        return _at(self._saved, path)

    def set(self, value: Any, *path: str) -> None:
        """Change a value; None takes it away."""
        self.unreadable.pop(path, None)
        table = self._now
        for name in path[:-1]:
            table = table.setdefault(name, {})
        if value is None:
            table.pop(path[-1], None)
        else:
            table[path[-1]] = value
        self.changed.emit()

    def refuse(self, why: str, *path: str) -> None:
        """Note that a field's text is no value."""
        self.unreadable[path] = why
        self.changed.emit()

    @property
    def differences(self) -> list[Path]:
        """Where the draft differs from what is saved."""
        return [*_different(self._saved, self._now, ()), *self.unreadable]

    @property
    def is_dirty(self) -> bool:
        """Tell whether anything is not saved."""
        return bool(self.differences)

    def to_json(self) -> dict[str, Any]:
        """Write both tables as the engine takes them."""
        return copy.deepcopy(self._now)


def place_of(problem: str) -> tuple[Path | None, str]:
    """Find the field that a sentence of the engine is about, and the words for beside the field.

    The place reads as `table [pixit], key 'cards'.valid, key 'id_tag'`; without one it is None.
    """
    found = _TABLE.search(problem)
    if found is None:
        return None, problem
    path, end = tuple(found["table"].split(".")), found.end()
    while named := _KEY.match(problem, end):
        # The items of [pics] have dots of their own.
        path += (named["key"],) if path == ("pics",) else tuple(named["key"].split("."))
        path += tuple(named["more"].split(".")[1:])
        end = named.end()
    return path, problem[end:].lstrip(":, ") or problem


def _at(table: Any, path: Path) -> Any:
    for name in path:
        table = table.get(name) if isinstance(table, dict) else None
    return table


def _different(before: Any, after: Any, path: Path) -> list[Path]:
    if isinstance(before, dict) and isinstance(after, dict):
        names = [*before, *(name for name in after if name not in before)]
        found = []
        for name in names:
            found += _different(before.get(name), after.get(name), (*path, name))
        return found
    # A table that holds nothing is as good as none.
    return [] if before == after or (not before and after == {}) else [path]

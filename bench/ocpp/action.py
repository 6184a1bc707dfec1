"""Actions of a protocol version: the words that procedures write messages and patterns with."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from bench.ocpp import schema
from bench.ocpp.match import CallPattern


@dataclass(frozen=True, slots=True)
class Action:
    """One action; calling it makes a pattern (to expect) or a request (to call) of its fields."""

    name: str
    version: str

    def __call__(self, **fields: Any) -> CallPattern:
        """Make a message of the wire's field names; raises `TypeError` on an unknown one."""
        unknown_fields = set(fields) - set(schema.fields(self.name, "request", self.version))
        if unknown_fields:
            names = ", ".join(sorted(unknown_fields))
            raise TypeError(f"{self.name} has no field {names} in OCPP {self.version}")
        return CallPattern(self.name, fields)

    def __str__(self) -> str:
        return self.name


def misspelt_fields(module: ModuleType, version: ModuleType) -> Iterator[str]:
    """Find calls `v16.Action(field=…)` in a module whose action or field no schema knows.

    Reads the source, so that a slip is found when the procedure is collected, not when it runs.
    """
    tree = ast.parse(inspect.getsource(module))
    prefix = version.__name__.rpartition(".")[2]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id == prefix and not hasattr(version, node.attr):
            yield f"{module.__name__}:{node.lineno}: {prefix} has no action {node.attr}"
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=action), keywords=words):
                if name != prefix or not isinstance(getattr(version, action, None), Action):
                    continue
                known = schema.fields(action, "request", getattr(version, action).version)
                for word in words:
                    if word.arg is not None and word.arg not in known:
                        where = f"{module.__name__}:{word.value.lineno}"
                        yield f"{where}: {action} has no field {word.arg}"

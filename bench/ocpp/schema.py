"""The published OCPP JSON schemas, compiled, with formats checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import jsonschema_rs

from bench.ocpp.frame import shorten

Side = Literal["request", "response"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a payload breaks its schema."""

    path: str
    """Where, as `meterValue[0].timestamp`; empty for the payload itself."""
    text: str
    """What was expected and what came."""
    keyword: str
    """The JSON schema keyword that is broken, such as `required` or `maxLength`."""

    @property
    def is_format(self) -> bool:
        """Tell whether only the format (date-time, uri) is wrong."""
        return self.keyword == "format"

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


@cache
def _documents(version: str) -> dict[str, dict[str, Any]]:
    folder = resources.files(f"ocpp.{version}") / "schemas"
    found: dict[str, dict[str, Any]] = {}
    for entry in folder.iterdir():
        if entry.name.endswith(".json"):
            found[entry.name.removesuffix(".json")] = json.loads(entry.read_text("utf-8-sig"))
    return found


@cache
def actions(version: str = "v16") -> frozenset[str]:
    """List the actions that the specification knows, with those of the security whitepaper."""
    return frozenset(name for name in _documents(version) if not name.endswith("Response"))


def fields(action: str, side: Side = "request", version: str = "v16") -> dict[str, Any]:
    """Return the schema's properties of a message: wire name to subschema."""
    return dict(_document(action, side, version).get("properties", {}))


def problems(
    action: str, payload: dict[str, Any], side: Side = "request", version: str = "v16"
) -> list[Problem]:
    """Check a payload against its schema; an empty list means that it conforms."""
    validator = _validator(action, side, version)
    if validator.is_valid(payload):
        return []
    return [_problem(error, payload) for error in validator.iter_errors(payload)]


def _document(action: str, side: Side, version: str) -> dict[str, Any]:
    name = action if side == "request" else f"{action}Response"
    try:
        return _documents(version)[name]
    except KeyError:
        raise KeyError(f"no OCPP {version} schema named {name}") from None


@cache
def _validator(action: str, side: Side, version: str) -> Any:
    document = _document(action, side, version)
    return jsonschema_rs.validator_for(document, validate_formats=True)


def _problem(error: Any, payload: Any) -> Problem:
    path = ""
    for part in error.instance_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    kind = error.kind.name
    text = _TEXTS.get(kind, _default_text)(error, _at(payload, error.instance_path))
    return Problem(path, text, kind)


def _at(payload: Any, path: Any) -> Any:
    for part in path:
        payload = payload[part]
    return payload


def _default_text(error: Any, value: Any) -> str:
    return f"{error.message}"


_TEXTS: dict[str, Any] = {
    "enum": lambda e, v: f"{shorten(v)}, expected one of {', '.join(map(str, e.kind.options))}",
    "type": lambda e, v: f"{shorten(v)}, expected a JSON {' or '.join(e.kind.types)}",
    "maxLength": lambda e, v: f"{len(v)} characters, expected at most {e.kind.limit}",
    "format": lambda e, v: f"{shorten(v)}, expected the format {e.kind.format}",
    "required": lambda e, v: f"field {e.kind.property} is missing",
    "additionalProperties": lambda e, v: f"unknown field {', '.join(map(str, e.kind.unexpected))}",
    "multipleOf": lambda e, v: f"{shorten(v)}, expected a multiple of {e.kind.multiple_of:g}",
}

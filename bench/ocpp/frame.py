"""OCPP-J frames, legal and broken (OCPP-J 1.6 clause 4.2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import orjson

CALL, CALLRESULT, CALLERROR = 2, 3, 4

MESSAGE_ID_MAX = 36
"""Longest legal message id in characters (OCPP-J 1.6 clause 4.1.4)."""

ERROR_CODES = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }
)
"""Legal error codes, spelled as OCPP-J 1.6 clause 4.2.3 spells them."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `[2, id, action, payload]`."""

    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallResult:
    """An answer: `[3, id, payload]`."""

    message_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallError:
    """A refusal: `[4, id, code, description, details]`."""

    message_id: str
    code: str
    description: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that is no legal frame: why, and the parts that could still be read."""

    reason: str
    message_id: str | None = None
    kind: int | None = None


Frame = Call | CallResult | CallError | Broken


def parse(raw: str | bytes) -> Frame:
    """Read a frame; whatever breaks OCPP-J 1.6 clause 4 becomes `Broken` with the reason."""
    if isinstance(raw, bytes):
        return Broken("a binary WebSocket message, expected a text message")
    try:
        parts = loads(raw)
    except ValueError as error:
        return Broken(f"not JSON: {error}")
    if not isinstance(parts, list):
        return Broken(f"a JSON {_json_type(parts)}, expected a list")
    if not parts:
        return Broken("an empty list, expected a message type number first")
    kind = parts[0]
    if not isinstance(kind, int) or isinstance(kind, bool):
        return Broken(f"message type {shorten(kind)}, expected the number 2, 3 or 4")
    if kind not in (CALL, CALLRESULT, CALLERROR):
        return Broken(f"message type {kind}, expected 2, 3 or 4", kind=kind)
    message_id = parts[1] if len(parts) > 1 else None
    known_id = message_id if isinstance(message_id, str) else None
    length = {CALL: 4, CALLRESULT: 3, CALLERROR: 5}[kind]
    if len(parts) != length:
        name = {CALL: "CALL", CALLRESULT: "CALLRESULT", CALLERROR: "CALLERROR"}[kind]
        return Broken(
            f"a {name} of {len(parts)} elements, expected {length}", message_id=known_id, kind=kind
        )
    if known_id is None:
        return Broken(f"message id {shorten(message_id)}, expected a string", kind=kind)
    if len(known_id) > MESSAGE_ID_MAX:
        return Broken(
            f"a message id of {len(known_id)} characters, expected at most {MESSAGE_ID_MAX}",
            message_id=known_id,
            kind=kind,
        )
    if kind == CALLERROR:
        return _call_error(known_id, *parts[2:])
    payload = parts[-1]
    if not isinstance(payload, dict):
        return Broken(
            f"a payload that is a JSON {_json_type(payload)}, expected an object",
            message_id=known_id,
            kind=kind,
        )
    if kind == CALLRESULT:
        return CallResult(known_id, payload)
    if not isinstance(parts[2], str):
        return Broken(f"action {shorten(parts[2])}, expected a string", known_id, kind)
    return Call(known_id, parts[2], payload)


def _call_error(message_id: str, code: Any, description: Any, details: Any) -> Frame:
    if not isinstance(code, str):
        return Broken(f"error code {shorten(code)}, expected a string", message_id, CALLERROR)
    if not isinstance(description, str):
        text = f"error description {shorten(description)}, expected a string"
        return Broken(text, message_id, CALLERROR)
    if not isinstance(details, dict):
        text = f"error details {shorten(details)}, expected an object"
        return Broken(text, message_id, CALLERROR)
    return CallError(message_id, code, description, details)


def encode(frame: Call | CallResult | CallError) -> str:
    """Write a frame as its JSON text."""
    match frame:
        case Call(message_id, action, payload):
            parts: list[Any] = [CALL, message_id, action, payload]
        case CallResult(message_id, payload):
            parts = [CALLRESULT, message_id, payload]
        case CallError(message_id, code, description, details):
            parts = [CALLERROR, message_id, code, description, details]
    return dumps(parts)


def loads(text: str | bytes) -> Any:
    """Parse JSON fast, or leniently what the fast parser refuses but a lab must still show."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            value = json.loads(text)
            json.dumps(value, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        except UnicodeEncodeError as error:
            raise ValueError("half a surrogate pair, which no text can hold") from error
        return value


def dumps(value: Any) -> str:
    """Write JSON without spaces; what the fast writer refuses is written by the slow, in ASCII."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"))


def shorten(value: Any, limit: int = 80) -> str:
    """Show a value as JSON in at most `limit` characters."""
    text = dumps(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _json_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "list"
        case _:
            return "object"

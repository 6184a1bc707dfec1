"""Ways to spoil what a station sends: filters for its CALLs and for its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stations.conduct import Replacement, Retort
from stations.messages import Answer, Payload

_HASTE = 0.3
"""Seconds by which an answer comes after what should follow it."""

When = Callable[[Payload], bool]
"""Tell whether a payload is meant."""


def has(**fields: Any) -> When:
    """Mean the payloads that have these fields."""
    return lambda payload: all(payload.get(name) == value for name, value in fields.items())


def drop(when: When) -> Replacement:
    """Do not send these CALLs."""
    return lambda payload: [] if when(payload) else [payload]


def put(when: When, **fields: Any) -> Replacement:
    """Send these CALLs with other fields."""
    return lambda payload: [payload | fields if when(payload) else payload]


def leave_out(when: When, *fields: str) -> Replacement:
    """Send these CALLs without some fields."""

    def spoil(payload: Payload) -> list[Payload]:
        kept = {name: value for name, value in payload.items() if name not in fields}
        return [kept if when(payload) else payload]

    return spoil


def edit(field: str, change: Callable[[Any], Any]) -> Replacement:
    """Change the value of a field wherever it is present."""

    def spoil(payload: Payload) -> list[Payload]:
        return [payload | {field: change(payload[field])} if field in payload else payload]

    return spoil


def precede(when: When, **fields: Any) -> Replacement:
    """Send a CALL more before these, with other fields."""
    return lambda payload: [payload | fields, payload] if when(payload) else [payload]


def follow(when: When, **fields: Any) -> Replacement:
    """Send a CALL more after these, with other fields."""
    return lambda payload: [payload, payload | fields] if when(payload) else [payload]


def retort(when: When, **fields: Any) -> Retort:
    """Answer these requests otherwise, and do nothing."""
    return lambda request, answer: Answer(dict(fields)) if when(request) else answer


def retort_status(before: str, status: str) -> Retort:
    """Answer one status in place of another, and do nothing."""
    return lambda request, answer: (
        Answer({"status": status}) if answer.payload.get("status") == before else answer
    )


def adjust_status(before: str, **changes: Any) -> Retort:
    """Change how a request is answered that is answered with this status (fields of `Answer`)."""
    return lambda request, answer: (
        replace(answer, **changes) if answer.payload.get("status") == before else answer
    )


def adjust(when: When, **changes: Any) -> Retort:
    """Change how these requests are answered (fields of `Answer`)."""
    return lambda request, answer: replace(answer, **changes) if when(request) else answer


def idle(when: When) -> Retort:
    """Answer these requests well, and do nothing."""
    return adjust(when, then=None)


def keys(
    name: str, change: Callable[[Payload], Payload | None], *, when_asked: bool = False
) -> Retort:
    """Change a key of the GetConfiguration answers; None removes it, and it is unknown then.

    With `when_asked` only when the request names keys.
    """

    def spoil(request: Payload, answer: Answer) -> Answer:
        asked = bool(request.get("key"))
        if answer.error or (when_asked and not asked):
            return answer
        before: list[Payload] = answer.payload["configurationKey"]
        after = [change(key) if key["key"] == name else key for key in before]
        payload = answer.payload | {"configurationKey": [key for key in after if key is not None]}
        if asked and None in after:
            payload["unknownKey"] = [*payload.get("unknownKey", ()), name]
        return replace(answer, payload=payload)

    return spoil


def without(field: str) -> Replacement:
    """Leave a field out wherever it is present."""
    return lambda payload: [{name: payload[name] for name in payload if name != field}]


def fail(when: When, code: str) -> Retort:
    """Answer these requests with a CALLERROR, and do nothing."""
    return lambda request, answer: Answer(error=code) if when(request) else answer


def early(when: When) -> Retort:
    """Do what follows from these requests before they are answered."""

    def spoil(request: Payload, answer: Answer) -> Answer:
        if not when(request) or answer.then is None:
            return answer
        answer.then()
        return replace(answer, then=None, delay=_HASTE)

    return spoil

"""What the parts of a station pass to each other: payloads, answers, failures, work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Payload = dict[str, Any]

Work = Callable[[], Awaitable[object]]
"""Something to await that happens beside everything else; a `CallFailed` ends it quietly."""

Spawn = Callable[[Work], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a CALL of the CSMS."""

    payload: Payload = field(default_factory=dict)
    error: str = ""
    """An error code makes it a CALLERROR."""
    description: str = ""
    then: Callable[[], None] | None = None
    """What the station does once the answer is sent."""
    copies: int = 1
    """How often it is sent."""
    delay: float = 0.0
    """Seconds until it is sent."""


Handler = Callable[[Payload], Answer]
"""Decide the answer to one action's CALL, at once; its payload fits the schema."""


class CallFailed(Exception):
    """A CALL of the station brought no result."""


class Offline(CallFailed):
    """There is no connection, or it was lost before the answer came."""


class NotAnswered(CallFailed):
    """The answer did not come in time, or was none."""


class Refused(CallFailed):
    """The CSMS answered with a CALLERROR."""

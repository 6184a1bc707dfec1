"""The operator: what was asked, who answered, and whether anybody is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OperatorLeft:
    """No operator is there: prompts are held, and wait without a deadline."""

    prompts: list[str]
    """Those that were open."""


@dataclass(frozen=True, slots=True)
class OperatorReturned:
    """An operator is there again: prompts go on with the time that was left to them."""

    deadlines: dict[str, str]
    """The new deadlines of the open prompts."""


@dataclass(frozen=True, slots=True)
class Prompted:
    """The operator was asked something (CONTRACT, "A prompt")."""

    prompt: str
    kind: str
    text: str
    options: list[str]
    deadline: str
    action: dict[str, Any] | None
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The operator answered; only the first answer counts."""

    prompt: str
    answer: Any
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class PromptWithdrawn:
    """A prompt ended without an answer."""

    prompt: str
    reason: str

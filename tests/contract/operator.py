"""An operator in software: answers prompts as a test says, and remembers them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.device import Action, Answer, DriverContext
from bench.errors import Unverifiable
from bench.pictures import Picture


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt as it was put."""

    kind: str
    text: str
    options: tuple[str, ...]
    action: Action | None
    picture: Picture | None = None


class Person:
    """Answers in order; when the answers are used up, `True`."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.prompts: list[Prompt] = []

    async def ask(
        self,
        kind: str,
        text: str,
        *,
        options: Sequence[str] = (),
        action: Action | None = None,
        within: float | None = None,
        picture: Picture | None = None,
    ) -> Answer:
        self.prompts.append(Prompt(kind, text, tuple(options), action, picture))
        answer = self.answers.pop(0) if self.answers else True
        if answer is Unverifiable:
            raise Unverifiable("not answered within 120 s")
        if answer is asyncio.CancelledError:
            raise asyncio.CancelledError
        return answer if isinstance(answer, Answer) else Answer(answer, by="Ada")

    @property
    def texts(self) -> list[str]:
        return [prompt.text for prompt in self.prompts]

    @property
    def last(self) -> Prompt:
        return self.prompts[-1]

    def context(self, name: str = "hand") -> DriverContext:
        return DriverContext(name=name, operator=self)

"""The operator's desk: what the bench asks its operator, as data that any front end can answer."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from bench.clock import iso, monotonic, now
from bench.device import Action, Answer, Operator
from bench.errors import BenchError, JournalError, Unverifiable
from bench.events import (
    Answered,
    OperatorLeft,
    OperatorReturned,
    Prompted,
    PromptWithdrawn,
)
from bench.ocpp.frame import shorten
from bench.pictures import Picture
from bench.stream import Stream

KINDS = ("confirm", "choose", "enter", "judge")
"""What can be asked (CONTRACT, "A prompt")."""
JUDGEMENTS = ("pass", "fail", "inconclusive")
"""The answers to a prompt of kind judge."""


class NoSuchPrompt(BenchError):
    """Nothing of this id was ever asked."""


class PromptClosed(BenchError):
    """The prompt was withdrawn: nobody waits for its answer any more."""


class AlreadyAnswered(PromptClosed):
    """Somebody else was first."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question to the operator."""

    id: str
    kind: str
    text: str
    options: tuple[str, ...]
    deadline: datetime
    asked: datetime
    action: Action | None = None
    picture: str | None = None
    """Name of a drawing of `bench.pictures`."""

    def to_json(self) -> dict[str, Any]:
        """Write the prompt as front ends get it (CONTRACT, "A prompt")."""
        return {
            "id": self.id,
            "kind": self.kind,
            "text": self.text,
            "picture": self.picture,
            "options": list(self.options),
            "deadline": iso(self.deadline),
            "action": None if self.action is None else dataclasses.asdict(self.action),
        }


class PromptDesk(Operator):
    """Puts prompts, keeps each open until its first answer or its deadline, records both."""

    def __init__(
        self, stream: Stream, *, within: float, refusing: bool = False, prefix: str = ""
    ) -> None:
        """Open the desk; `within` is the operator's deadline in s, `refusing` answers nothing.

        With a `prefix` of its own a desk's prompts can't be mistaken for those of another.
        """
        self._prefix = prefix
        self.stream = stream
        self._within = within
        self._usual_refusal = "refused" if refusing else None
        self._refusal = self._usual_refusal
        """Why every prompt is withdrawn at once, if it is."""
        self._asked = 0
        self._open: dict[str, tuple[Prompt, asyncio.Future[Answer | Unverifiable]]] = {}
        self._closed: dict[str, tuple[type[PromptClosed], str]] = {}
        """Why a prompt takes no answer any more."""
        self._change = asyncio.Event()
        self._pace = asyncio.Event()
        self._left: dict[str, timedelta] = {}
        """The time left to the prompts that were open when they were held."""
        self.held = False
        """True while no operator is there, and prompts wait without a deadline."""

    @property
    def open(self) -> tuple[Prompt, ...]:
        """The prompts that wait for an answer, oldest first."""
        return tuple(prompt for prompt, _ in self._open.values())

    async def changes(self) -> AsyncIterator[tuple[Prompt, ...]]:
        """Yield the open prompts now and after every change, so that no front end has to poll."""
        while True:
            change = self._change  # taken first: nothing is missed while the reader is at work
            yield self.open
            await change.wait()

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
        """Put a prompt and wait for its answer; `Unverifiable` when refused or not answered."""
        if kind not in KINDS or (kind == "choose") != bool(options):
            raise ValueError(f"can't ask {kind!r} with the options {options!r}")
        seconds = self._within if within is None else within
        moment = now().utc
        deadline = moment + timedelta(seconds=seconds)
        self._asked += 1
        name = f"{self._prefix}p{self._asked}"
        drawing = None if picture is None else picture.value
        prompt = Prompt(name, kind, text, tuple(options), deadline, moment, action, drawing)
        shown = prompt.to_json()
        self.stream.emit(
            Prompted(
                prompt=prompt.id,
                kind=kind,
                text=text,
                options=shown["options"],
                deadline=shown["deadline"],
                action=shown["action"],
                picture=prompt.picture,
            )
        )
        waiting = asyncio.get_running_loop().create_future()
        self._open[prompt.id] = prompt, waiting
        if self._refusal is not None:
            self.withdraw(prompt.id, self._refusal)
        else:
            self._notify()
        try:
            await self._wait(waiting, seconds)
        except asyncio.CancelledError:
            if not waiting.done():
                self.withdraw(prompt.id, "no longer needed")
            raise
        if not waiting.done():
            self.withdraw(prompt.id, f"not answered within {seconds:g} s")
        outcome: Answer | Unverifiable = waiting.result()
        if isinstance(outcome, Unverifiable):
            raise outcome
        return outcome

    async def _wait(self, waiting: asyncio.Future[Any], seconds: float) -> None:
        """Wait for an answer, for so many s; the time while prompts are held does not count."""
        while not waiting.done() and seconds > 0:
            began = monotonic()
            pace = asyncio.ensure_future(self._pace.wait())
            held = self.held
            try:
                await asyncio.wait(
                    [waiting, pace],
                    timeout=None if held else seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                pace.cancel()
            if not held:
                seconds -= monotonic() - began

    def hold(self) -> None:
        """Let prompts wait without a deadline, since no operator is there to see them."""
        if self.held:
            return
        self.held = True
        moment = now().utc
        self._left = {prompt.id: prompt.deadline - moment for prompt in self.open}
        self._keep_pace(OperatorLeft([prompt.id for prompt in self.open]))

    def release(self) -> None:
        """Let prompts go on with the time that was left to them."""
        if not self.held:
            return
        self.held = False
        moment = now().utc
        for prompt, waiting in list(self._open.values()):
            left = self._left.get(prompt.id, prompt.deadline - prompt.asked)
            self._open[prompt.id] = replace(prompt, deadline=moment + left), waiting
        self._keep_pace(OperatorReturned({one.id: iso(one.deadline) for one in self.open}))
        self._notify()

    def _keep_pace(self, event: OperatorLeft | OperatorReturned) -> None:
        self._pace.set()
        self._pace = asyncio.Event()
        with suppress(JournalError):
            self.stream.emit(event)

    def answer(self, prompt_id: str, answer: Any, *, comment: str = "", by: str = "") -> Answer:
        """Answer a prompt; the first answer wins.

        Raises `NoSuchPrompt`, `AlreadyAnswered`, `PromptClosed`, or ValueError, which says what was
        expected.
        """
        prompt, waiting = self._find(prompt_id)
        _check_recordable(prompt, answer, comment, by)
        _check(prompt, answer)
        self.stream.emit(Answered(prompt.id, answer, by, comment))
        who = f" by {by}" if by else ""
        self._close(prompt, AlreadyAnswered, f"prompt {prompt.id} was answered{who} already")
        accepted = Answer(answer, by, comment)
        waiting.set_result(accepted)
        return accepted

    def refuse(self, reason: str) -> None:
        """Withdraw the open prompts, and from now on every new one at once."""
        self._refusal = reason
        for prompt in self.open:
            with suppress(JournalError):
                self.withdraw(prompt.id, reason)

    def reopen(self) -> None:
        """Take new prompts as at first, after `refuse`."""
        self._refusal = self._usual_refusal

    def withdraw(self, prompt_id: str, reason: str) -> None:
        """End a prompt without an answer; who asked gets `Unverifiable`."""
        prompt, waiting = self._find(prompt_id)
        text = f"prompt {prompt.id} was withdrawn: {reason}"
        try:
            self.stream.emit(PromptWithdrawn(prompt.id, reason))
        finally:
            # Whether or not it could be recorded, nobody may go on waiting.
            self._close(prompt, PromptClosed, text)
            waiting.set_result(Unverifiable(f"{text} ({prompt.text})"))

    def _find(self, prompt_id: str) -> tuple[Prompt, asyncio.Future[Answer | Unverifiable]]:
        if prompt_id in self._closed:
            kind, text = self._closed[prompt_id]
            raise kind(text)
        if prompt_id not in self._open:
            raise NoSuchPrompt(f"there is no prompt {prompt_id!r}")
        return self._open[prompt_id]

    def _close(self, prompt: Prompt, kind: type[PromptClosed], text: str) -> None:
        del self._open[prompt.id]
        self._closed[prompt.id] = kind, text
        self._notify()

    def _notify(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


def _check(prompt: Prompt, answer: Any) -> None:
    """Refuse an answer that is none to this kind of prompt."""
    match prompt.kind:
        case "confirm":
            fits, expected = isinstance(answer, bool), "true or false"
        case "choose":
            fits = isinstance(answer, str) and answer in prompt.options
            expected = f"one of {', '.join(map(repr, prompt.options))}"
        case "judge":
            fits = isinstance(answer, str) and answer in JUDGEMENTS
            expected = f"one of {', '.join(map(repr, JUDGEMENTS))}"
        case _:
            fits = isinstance(answer, str | int | float) and not _is_nonsense(answer)
            expected = "a text, a number, true or false"
    if not fits:
        raise ValueError(f"prompt {prompt.id}: {shorten(answer)}, expected {expected}")


def _is_nonsense(answer: str | float) -> bool:
    return isinstance(answer, float) and not math.isfinite(answer)


def _check_recordable(prompt: Prompt, *parts: Any) -> None:
    """Refuse what JSON can't carry, such as half a surrogate pair."""
    try:
        orjson.dumps(parts)
    except TypeError as error:
        raise ValueError(f"prompt {prompt.id}: the answer can't be recorded: {error}") from error

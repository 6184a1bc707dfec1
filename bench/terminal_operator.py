"""The operator at the terminal: prompts are printed, answers are typed lines."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bench.errors import BenchError
from bench.operator import Prompt, PromptDesk

_WORDS: dict[str, dict[str, Any]] = {
    "confirm": {"y": True, "yes": True, "n": False, "no": False},
    "judge": {
        "p": "pass",
        "pass": "pass",
        "f": "fail",
        "fail": "fail",
        "i": "inconclusive",
        "inconclusive": "inconclusive",
    },
}
_HELP = {
    "confirm": "y (done) or n (could not be done), then a comment if you like",
    "choose": "the number or the text of an option",
    "enter": "a value",
    "judge": "p (pass), f (fail) or i (inconclusive), then a comment if you like",
}


@asynccontextmanager
async def answering(
    desk: PromptDesk, say: Callable[[str], None], *, source: int | None = None
) -> AsyncIterator[None]:
    """Put prompts on the terminal while the context lasts.

    `say` prints a line; answers are read from the file descriptor `source`, standard input when
    None. Once the input has ended, prompts are withdrawn as refused.
    """
    if source is None:
        source = -1 if sys.stdin is None else 0
    terminal = _Terminal(desk, say, source)
    following = asyncio.create_task(terminal.follow())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait([following])
        terminal.stop_reading()


class _Terminal:
    """Shows one prompt at a time, and reads lines only while one is shown."""

    def __init__(self, desk: PromptDesk, say: Callable[[str], None], source: int) -> None:
        self._desk = desk
        self._say = say
        self._source = source
        self._ended = source < 0
        self._reading = False
        self._typed = b""
        self._shown: Prompt | None = None
        self._name = _user()

    async def follow(self) -> None:
        """Keep what is shown in step with what is open."""
        async for prompts in self._desk.changes():
            if self._shown is not None and self._shown not in prompts:
                self._say(f"Prompt {self._shown.id} is closed.")
                self._shown = None
            if self._shown is None and prompts:
                self._show(prompts[0])
                self._listen()
            if self._shown is None:
                self.stop_reading()

    def stop_reading(self) -> None:
        """Leave the input alone."""
        if self._reading:
            asyncio.get_running_loop().remove_reader(self._source)
            self._reading = False

    def _show(self, prompt: Prompt) -> None:
        self._shown = prompt
        until = f"{prompt.deadline.astimezone():%H:%M:%S}"
        self._say(f"Prompt {prompt.id}, until {until}: {prompt.text}")
        for number, option in enumerate(prompt.options, start=1):
            self._say(f"  {number}) {option}")
        self._say(f"Answer with {_HELP[prompt.kind]}:")

    def _listen(self) -> None:
        if not self._ended and os.isatty(self._source):
            # What was typed before the question could be read answers nothing.
            termios.tcflush(self._source, termios.TCIFLUSH)
            self._typed = b""
        self._take_lines()
        if self._ended or self._reading:
            return
        try:
            asyncio.get_running_loop().add_reader(self._source, self._read)
            self._reading = True
        except OSError:
            # A file or /dev/null can't be waited for, but reading it does not block either.
            while self._shown is not None and not self._ended:
                self._read()

    def _read(self) -> None:
        try:
            came = os.read(self._source, 4096)
        except BlockingIOError:
            return
        except OSError:
            came = b""  # the terminal was hung up
        if not came:
            self._ended = True
            self.stop_reading()
        self._typed += came
        self._take_lines()

    def _take_lines(self) -> None:
        while self._shown is not None and b"\n" in self._typed:
            line, _, self._typed = self._typed.partition(b"\n")
            self._take(self._shown, line)
        if self._ended and self._shown is not None and self._typed:
            line, self._typed = self._typed, b""
            self._take(self._shown, line)
        if self._ended and self._shown in self._desk.open:
            self._desk.withdraw(self._shown.id, "refused: the input of the terminal has ended")

    def _take(self, prompt: Prompt, line: bytes) -> None:
        """Answer with a typed line; what is no answer is asked for again."""
        try:
            answer, comment = understood(prompt, line.decode("utf-8", "replace").strip())
        except ValueError:
            self._say(f"That is no answer. Answer with {_HELP[prompt.kind]}:")
            return
        self._shown = None
        try:
            self._desk.answer(prompt.id, answer, comment=comment, by=self._name)
        except BenchError as error:
            self._say(f"Not accepted: {error}")


def understood(prompt: Prompt, line: str) -> tuple[Any, str]:
    """Read an answer and its comment from a typed line; ValueError when it is none."""
    if prompt.kind == "enter":
        if not line:
            raise ValueError("nothing was entered")
        return line, ""
    if prompt.kind == "choose":
        return _option(prompt.options, line), ""
    word, _, comment = line.partition(" ")
    answers = _WORDS[prompt.kind]
    if word.lower() not in answers:
        raise ValueError(f"{word!r} is none of {', '.join(answers)}")
    return answers[word.lower()], comment.strip()


def _option(options: tuple[str, ...], line: str) -> str:
    for option in options:
        if option.lower() == line.lower():
            return option
    if line.isdecimal() and 1 <= int(line) <= len(options):
        return options[int(line) - 1]
    raise ValueError(f"{line!r} is no option")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return ""

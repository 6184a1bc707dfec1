"""The operator at the terminal, typed over a pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.device import Answer
from bench.errors import Unverifiable
from bench.operator import PromptDesk
from bench.stream import Stream
from bench.terminal_operator import answering


@dataclass
class Person:
    """Reads what the terminal says and types answers."""

    keyboard: int
    source: int
    desk: PromptDesk = field(default_factory=lambda: PromptDesk(Stream(), within=5.0))
    said: list[str] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, line: str) -> None:
        self.said.append(line)
        self.heard.set()

    async def hears(self, *lines: str) -> None:
        """Wait until the last thing said is these lines; forget all before."""
        async with asyncio.timeout(5):
            while self.said[-len(lines) :] != list(lines):
                self.heard.clear()
                await self.heard.wait()
        self.said.clear()

    async def hears_prompt(self) -> None:
        """Wait until a prompt has been put completely."""
        async with asyncio.timeout(5):
            while not self.said or not self.said[-1].startswith("Answer with "):
                self.heard.clear()
                await self.heard.wait()

    def types(self, text: str) -> None:
        os.write(self.keyboard, text.encode())

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with answering(self.desk, self.hear, source=self.source):
            yield

    async def answers(self, text: str, kind: str = "confirm", **keywords: Any) -> Answer:
        """Have a prompt put and answered with what is typed."""
        async with asyncio.timeout(5), self.at_work(), asyncio.TaskGroup() as group:
            asked = group.create_task(self.desk.ask(kind, "Say.", **keywords))
            await self.hears_prompt()
            self.types(text)
        return asked.result()


@pytest.fixture
def person() -> Iterator[Person]:
    keyboard, source = pty.openpty()
    try:
        yield Person(keyboard, source)
    finally:
        os.close(source)
        os.close(keyboard)


@pytest.fixture
def piped() -> Iterator[Person]:
    source, keyboard = os.pipe()
    person = Person(keyboard, source)
    try:
        yield person
    finally:
        os.close(source)
        if person.keyboard >= 0:
            os.close(person.keyboard)


@pytest.mark.parametrize(
    ("kind", "typed", "value", "comment"),
    [
        ("confirm", "y\n", True, ""),
        ("confirm", "YES\n", True, ""),
        ("confirm", "  n  no cable here \n", False, "no cable here"),
        ("judge", "p\n", "pass", ""),
        ("judge", "f lamp is red\n", "fail", "lamp is red"),
        ("judge", "inconclusive\n", "inconclusive", ""),
        ("enter", "3,5\n", "3,5", ""),
        ("enter", "größer als 1\n", "größer als 1", ""),
        ("choose", "1\n", "3 A", ""),
        ("choose", "green\n", "Green", ""),
        ("choose", "3\n", "red", ""),
    ],
)
async def test_a_typed_line_answers(
    person: Person, kind: str, typed: str, value: object, comment: str
) -> None:
    options = ("3 A", "Green", "red") if kind == "choose" else ()
    answer = await person.answers(typed, kind, options=options)
    assert (answer.value, answer.comment) == (value, comment)
    assert answer.by != ""


async def test_a_prompt_is_put_with_its_options_and_deadline(person: Person) -> None:
    await person.answers("1\n", "choose", options=("yes", "no"))
    first, *others = person.said
    assert first.startswith("Prompt p1, until ")
    assert first.endswith(": Say.")
    assert others == ["  1) yes", "  2) no", "Answer with the number or the text of an option:"]


@pytest.mark.parametrize(
    ("kind", "nonsense", "good"),
    [
        ("confirm", ["maybe", "", "yesterday", "1"], "y"),
        ("judge", ["ok", "", "perhaps"], "p"),
        ("choose", ["0", "3", "-1", "blue", "", "1 red", "9" * 5000], "red"),
        ("enter", ["", "   "], "5"),
    ],
)
async def test_nonsense_is_asked_for_again(
    person: Person, kind: str, nonsense: list[str], good: str
) -> None:
    tty.setraw(person.source)  # a line longer than the terminal's own line buffer
    options = ("red", "green") if kind == "choose" else ()
    async with asyncio.timeout(5), person.at_work(), asyncio.TaskGroup() as group:
        asked = group.create_task(person.desk.ask(kind, "Say.", options=options))
        await person.hears_prompt()
        help_text = person.said[-1]
        for line in nonsense:
            person.said.clear()
            await asyncio.to_thread(person.types, f"{line}\n")
            await person.hears(f"That is no answer. {help_text}")
        person.types(f"{good}\n")
    assert asked.result().value in (True, "pass", "red", "5")


async def test_what_was_typed_before_the_question_answers_nothing(person: Person) -> None:
    person.types("n\n")
    assert (await person.answers("y\n")).value is True


async def test_lines_of_a_pipe_answer_one_prompt_each(piped: Person) -> None:
    piped.types("y\nn too heavy\n")
    async with asyncio.timeout(5), piped.at_work():
        assert (await piped.desk.ask("confirm", "One.")).value is True
        assert (await piped.desk.ask("confirm", "Two.")).comment == "too heavy"


async def test_prompts_at_the_same_time_are_put_one_after_the_other(person: Person) -> None:
    async with asyncio.timeout(5), person.at_work(), asyncio.TaskGroup() as group:
        one = group.create_task(person.desk.ask("confirm", "One."))
        two = group.create_task(person.desk.ask("confirm", "Two."))
        await person.hears_prompt()
        assert person.said[0].endswith(": One.")
        person.said.clear()
        person.types("y\n")
        await person.hears_prompt()
        assert person.said[0].endswith(": Two.")
        person.types("n\n")
    assert (one.result().value, two.result().value) == (True, False)


async def test_a_prompt_that_somebody_else_answers_is_closed_here(person: Person) -> None:
    async with asyncio.timeout(5), person.at_work(), asyncio.TaskGroup() as group:
        asked = group.create_task(person.desk.ask("confirm", "One."))
        await person.hears_prompt()
        person.desk.answer("p1", True, by="Bob")
        await person.hears("Prompt p1 is closed.")
    assert asked.result().by == "Bob"


async def test_a_prompt_past_its_deadline_is_closed_and_the_next_one_put(person: Person) -> None:
    async with asyncio.timeout(5), person.at_work():
        with pytest.raises(Unverifiable, match="not answered"):
            await person.desk.ask("confirm", "One.", within=0.02)
        await person.hears("Prompt p1 is closed.")
        asked = asyncio.ensure_future(person.desk.ask("confirm", "Two."))
        await person.hears_prompt()
        person.types("y\n")
        assert (await asked).value is True


async def test_at_the_end_of_input_prompts_are_refused(piped: Person) -> None:
    async with asyncio.timeout(5), piped.at_work():
        asked = asyncio.ensure_future(piped.desk.ask("confirm", "One."))
        await piped.hears_prompt()
        os.close(piped.keyboard)
        piped.keyboard = -1
        with pytest.raises(Unverifiable, match="refused: the input of the terminal has ended"):
            await asked
        with pytest.raises(Unverifiable, match="refused: the input of the terminal has ended"):
            await piped.desk.ask("confirm", "Two.")


async def test_the_end_of_input_key_refuses(person: Person) -> None:
    with pytest.raises(ExceptionGroup) as errors:
        await person.answers("\x04")
    assert errors.group_contains(Unverifiable, match="refused: the input")


async def test_a_last_line_without_an_end_counts(piped: Person) -> None:
    piped.types("y")
    os.close(piped.keyboard)
    piped.keyboard = -1
    async with asyncio.timeout(5), piped.at_work():
        assert (await piped.desk.ask("confirm", "One.")).value is True


async def test_input_from_a_file_answers_and_then_refuses(tmp_path: Path) -> None:
    script = tmp_path / "answers"
    script.write_text("y\nwhat?\np all fine\n")
    source = os.open(script, os.O_RDONLY)
    person = Person(-1, source)
    try:
        async with asyncio.timeout(5), person.at_work():
            assert (await person.desk.ask("confirm", "One.")).value is True
            assert (await person.desk.ask("judge", "Two.")).comment == "all fine"
            with pytest.raises(Unverifiable, match="refused"):
                await person.desk.ask("judge", "Three.")
    finally:
        os.close(source)


async def test_no_input_at_all_refuses() -> None:
    person = Person(-1, -1)
    async with asyncio.timeout(5), person.at_work():
        with pytest.raises(Unverifiable, match="refused"):
            await person.desk.ask("confirm", "One.")


async def test_leaving_stops_reading_and_leaves_the_input_to_others(person: Person) -> None:
    async with person.at_work():
        asked = asyncio.ensure_future(person.desk.ask("confirm", "One."))
        await person.hears_prompt()
    assert not asyncio.get_running_loop().remove_reader(person.source)
    assert not asked.done()
    person.desk.withdraw("p1", "the run is over")
    with pytest.raises(Unverifiable, match="the run is over"):
        await asked

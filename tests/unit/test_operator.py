"""The operator's desk: first answer wins, every prompt ends, everything is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.clock import now
from bench.device import Action, Answer
from bench.errors import JournalError, Unverifiable
from bench.events import Answered, Event, Prompted, PromptWithdrawn
from bench.journal import JournalWriter, Record
from bench.operator import AlreadyAnswered, NoSuchPrompt, Prompt, PromptClosed, PromptDesk
from bench.pictures import Picture
from bench.stream import Stream

PLUG_IN = Action("VehicleCoupler", "plug_in", {"connector": 1})


@dataclass
class Desk:
    stream: Stream
    desk: PromptDesk
    events: list[Event] = field(default_factory=list)

    async def opened(self) -> Prompt:
        """Wait until a prompt is open."""
        async with asyncio.timeout(5):
            async for prompts in self.desk.changes():
                if prompts:
                    return prompts[0]
        raise AssertionError("the desk has closed")


@pytest.fixture
async def rig() -> AsyncIterator[Desk]:
    stream = Stream()
    rig = Desk(stream, PromptDesk(stream, within=5.0))

    def note(record: Record) -> None:
        rig.events.append(record.event)

    with stream.watched_by(note):
        yield rig


async def test_a_prompt_is_recorded_shown_and_answered(rig: Desk) -> None:
    asked = asyncio.ensure_future(
        rig.desk.ask("confirm", "Plug in.", action=PLUG_IN, picture=Picture.PLUG_IN)
    )
    prompt = await rig.opened()
    assert prompt.to_json() | {"deadline": ""} == {
        "id": "p1",
        "kind": "confirm",
        "text": "Plug in.",
        "picture": "plug-in",
        "options": [],
        "deadline": "",
        "action": {
            "capability": "VehicleCoupler",
            "method": "plug_in",
            "arguments": {"connector": 1},
        },
    }
    assert prompt.deadline - now().utc <= timedelta(seconds=5)
    accepted = rig.desk.answer("p1", True, comment="tight fit", by="Ada")
    assert accepted == await asked == Answer(True, "Ada", "tight fit")
    assert rig.desk.open == ()
    shown = prompt.to_json()
    assert rig.events == [
        Prompted("p1", "confirm", "Plug in.", [], shown["deadline"], shown["action"], "plug-in"),
        Answered("p1", True, "Ada", "tight fit"),
    ]


async def test_the_answer_is_recorded_before_the_asker_goes_on(rig: Desk) -> None:
    async def ask() -> list[str]:
        await rig.desk.ask("confirm", "Plug in.")
        return [type(event).__name__ for event in rig.events]

    asked = asyncio.ensure_future(ask())
    await rig.opened()
    rig.desk.answer("p1", True)
    assert not asked.done()
    assert await asked == ["Prompted", "Answered"]


@pytest.mark.parametrize(
    ("kind", "options", "good", "bad", "expected"),
    [
        ("confirm", (), [True, False], ["yes", 1, None], "expected true or false"),
        ("choose", ("red", "green"), ["green"], ["blue", 1, ["red"]], "one of 'red', 'green'"),
        ("judge", (), ["pass", "fail", "inconclusive"], ["ok", True], "'inconclusive'"),
        (
            "enter",
            (),
            ["", "3,5 kWh", 7, 3.5, False],
            [None, [1], {"a": 1}, float("nan"), float("inf")],
            "a text, a number, true or false",
        ),
    ],
)
async def test_an_answer_fits_its_kind_of_prompt(
    rig: Desk,
    kind: str,
    options: tuple[str, ...],
    good: list[Any],
    bad: list[Any],
    expected: str,
) -> None:
    for value in good:
        asked = asyncio.ensure_future(rig.desk.ask(kind, "Say.", options=options))
        prompt = await rig.opened()
        for nonsense in bad:
            with pytest.raises(ValueError, match=expected) as error:
                rig.desk.answer(prompt.id, nonsense)
            assert str(error.value).startswith(f"prompt {prompt.id}: ")
        rig.desk.answer(prompt.id, value)
        assert (await asked).value is value
    assert len([e for e in rig.events if isinstance(e, Answered)]) == len(good)


@pytest.mark.parametrize(
    ("answer", "comment"), [("\ud800", ""), (2**70, ""), ("fine", "half a pair: \udfff")]
)
async def test_what_no_journal_could_hold_is_refused(
    rig: Desk, answer: object, comment: str
) -> None:
    asked = asyncio.ensure_future(rig.desk.ask("enter", "Say."))
    prompt = await rig.opened()
    with pytest.raises(ValueError, match="can't be recorded"):
        rig.desk.answer(prompt.id, answer, comment=comment)
    rig.desk.answer(prompt.id, "fine")
    await asked


@pytest.mark.parametrize(("kind", "options"), [("choose", ()), ("confirm", ("a",)), ("ask", ())])
async def test_a_question_that_makes_no_sense_is_our_defect(
    rig: Desk, kind: str, options: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="can't ask"):
        await rig.desk.ask(kind, "Say.", options=options)
    assert rig.events == []


async def test_the_first_answer_wins(rig: Desk) -> None:
    asked = asyncio.ensure_future(rig.desk.ask("judge", "Is the lamp green?"))
    await rig.opened()
    rig.desk.answer("p1", "fail", by="Ada")
    with pytest.raises(AlreadyAnswered, match="prompt p1 was answered by Ada already"):
        rig.desk.answer("p1", "pass", by="Bob")
    assert (await asked).value == "fail"
    with pytest.raises(AlreadyAnswered):
        rig.desk.answer("p1", "pass", by="Bob")
    assert [event for event in rig.events if isinstance(event, Answered)] == [
        Answered("p1", "fail", "Ada", "")
    ]


async def test_an_unknown_prompt_is_named(rig: Desk) -> None:
    with pytest.raises(NoSuchPrompt, match="there is no prompt 'p7'"):
        rig.desk.answer("p7", True)


async def test_a_prompt_that_nobody_answers_is_withdrawn_at_its_deadline(rig: Desk) -> None:
    with pytest.raises(Unverifiable, match=r"p1 .*not answered within 0\.02 s \(Plug in\.\)"):
        await rig.desk.ask("confirm", "Plug in.", within=0.02)
    assert rig.desk.open == ()
    assert rig.events[1:] == [PromptWithdrawn("p1", "not answered within 0.02 s")]
    with pytest.raises(PromptClosed, match="withdrawn: not answered") as late:
        rig.desk.answer("p1", True)
    assert not isinstance(late.value, AlreadyAnswered)


async def test_the_bench_s_deadline_counts_when_none_is_given(rig: Desk) -> None:
    desk = PromptDesk(rig.stream, within=0.02)
    with pytest.raises(Unverifiable, match=r"within 0\.02 s"):
        await desk.ask("confirm", "Plug in.")


async def test_a_refusing_desk_refuses_at_once_and_records_it(rig: Desk) -> None:
    desk = PromptDesk(rig.stream, within=60.0, refusing=True)
    async with asyncio.timeout(1):
        with pytest.raises(Unverifiable, match=r"p1 was withdrawn: refused \(Plug in\.\)"):
            await desk.ask("confirm", "Plug in.", action=PLUG_IN)
    assert [type(event) for event in rig.events] == [Prompted, PromptWithdrawn]
    assert rig.events[1] == PromptWithdrawn("p1", "refused")
    assert desk.open == ()


async def test_a_cancelled_asker_withdraws_its_prompt(rig: Desk) -> None:
    asked = asyncio.ensure_future(rig.desk.ask("confirm", "Plug in."))
    await rig.opened()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert rig.desk.open == ()
    assert rig.events[1:] == [PromptWithdrawn("p1", "no longer needed")]


async def test_an_answer_stays_recorded_when_the_asker_is_cancelled_just_then(rig: Desk) -> None:
    asked = asyncio.ensure_future(rig.desk.ask("confirm", "Plug in."))
    await rig.opened()
    rig.desk.answer("p1", True)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert [type(event) for event in rig.events] == [Prompted, Answered]


async def test_an_asker_inside_a_deadline_of_its_own_is_told_so(rig: Desk) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await rig.desk.ask("confirm", "Plug in.")
    assert rig.events[1:] == [PromptWithdrawn("p1", "no longer needed")]


async def test_several_prompts_are_open_at_once_oldest_first(rig: Desk) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        first = group.create_task(rig.desk.ask("confirm", "One."))
        second = group.create_task(rig.desk.ask("confirm", "Two."))
        async for prompts in rig.desk.changes():
            if len(prompts) == 2:
                break
        assert [prompt.text for prompt in rig.desk.open] == ["One.", "Two."]
        rig.desk.answer("p2", False)
        rig.desk.answer("p1", True)
    assert first.result().value is True
    assert second.result().value is False


async def test_changes_merge_but_none_is_missed(rig: Desk) -> None:
    changes = rig.desk.changes()
    assert await anext(changes) == ()
    asked = asyncio.ensure_future(rig.desk.ask("confirm", "One."))
    (one,) = await anext(changes)
    # Both happen while the reader is busy with what it got.
    rig.desk.answer("p1", True)
    await asked
    again = asyncio.ensure_future(rig.desk.ask("confirm", "Two."))
    await rig.opened()
    (two,) = await anext(changes)
    assert (one.text, two.text) == ("One.", "Two.")
    rig.desk.answer(two.id, True)
    await again
    assert await anext(changes) == ()


async def test_a_lost_journal_leaves_nobody_waiting(rig: Desk, tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path / "journal.jsonl")
    rig.stream.journal = journal
    asked = asyncio.ensure_future(rig.desk.ask("confirm", "Plug in.", within=0.05))
    await rig.opened()
    journal.close()
    with pytest.raises(JournalError):
        rig.desk.answer("p1", True)
    with pytest.raises(Unverifiable, match="not answered"):
        await asked
    assert rig.desk.open == ()

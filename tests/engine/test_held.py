"""Without an operator a prompt waits; with one it goes on with the time that was left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from bench.errors import Unverifiable
from bench.events import OperatorLeft, OperatorReturned, Prompted, PromptWithdrawn
from bench.journal import Record
from bench.operator import PromptClosed, PromptDesk
from bench.stream import Stream
from drivers.sim.simulated_bench import run_virtually
from tests.engine.service import DEADLINE, TOKEN, idle_engine, served


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test of the desk alone, which needs no network, in no time."""

    @wraps(test)
    def run() -> None:
        run_virtually(test())

    return run


@in_virtual_time
async def test_the_time_while_held_does_not_count() -> None:
    stream = Stream()
    records: list[Record] = []
    desk = PromptDesk(stream, within=60)
    with stream.watched_by(records.append):
        asked = asyncio.ensure_future(desk.ask("confirm", "Plug in."))
        async for prompts in desk.changes():
            if prompts:
                break
        desk.hold()
        first = desk.open[0].deadline
        await asyncio.sleep(100)  # longer than the prompt's whole deadline
        assert not asked.done()
        desk.release()
        assert desk.open[0].deadline > first
        with pytest.raises(Unverifiable, match=r"not answered within 60 s"):
            await asked
    held = [one.event for one in records if isinstance(one.event, OperatorLeft | OperatorReturned)]
    assert isinstance(held[0], OperatorLeft)
    assert held[0].prompts == ["p1"]
    assert isinstance(held[1], OperatorReturned)
    assert list(held[1].deadlines) == ["p1"]


@in_virtual_time
async def test_a_held_prompt_is_answered_like_any_other() -> None:
    desk = PromptDesk(Stream(), within=60)
    desk.hold()
    asked = asyncio.ensure_future(desk.ask("confirm", "Plug in."))
    await asyncio.sleep(100)
    desk.answer("p1", True)
    assert (await asked).value is True


@in_virtual_time
async def test_a_held_prompt_ends_with_its_run() -> None:
    desk = PromptDesk(Stream(), within=60)
    desk.hold()
    asked = asyncio.ensure_future(desk.ask("confirm", "Plug in."))
    await asyncio.sleep(100)
    desk.refuse("the run was aborted")
    with pytest.raises(Unverifiable, match="aborted"):
        await asked


@in_virtual_time
async def test_a_held_prompt_keeps_nobody_beyond_a_deadline_of_its_own() -> None:
    # Such as that of a clean-up, or of making a device safe by hand.
    records: list[Record] = []
    desk = PromptDesk(Stream(), within=60)
    desk.hold()
    with desk.stream.watched_by(records.append):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await desk.ask("confirm", "Unplug.")
        assert desk.open == ()
        with pytest.raises(PromptClosed, match="no longer needed"):
            desk.answer("p1", True)
        desk.release()
    assert [type(one.event) for one in records] == [Prompted, PromptWithdrawn, OperatorReturned]


async def test_prompts_are_held_until_an_operator_comes(tmp_path: Path) -> None:
    engine = idle_engine(tmp_path, within=0.2)
    left = asyncio.Event()

    def note(record: Record) -> None:
        if isinstance(record.event, OperatorLeft):
            left.set()

    with engine.stream.watched_by(note):
        async with served(engine, tmp_path, absent_after=0.2) as bench:
            async with asyncio.timeout(DEADLINE):
                await left.wait()
            asked = asyncio.ensure_future(engine.desk.ask("confirm", "Plug in."))
            await asyncio.sleep(0.3)  # longer than the prompt's whole deadline
            assert not asked.done()
            async with bench.stream(token=TOKEN) as viewer:
                # Coming is a sign of the operator, and so is watching on.
                assert viewer.snapshot["held"] is False
                assert [one["id"] for one in viewer.snapshot["prompts"]] == ["p1"]
                assert engine.desk.held is False
                with pytest.raises(Unverifiable):
                    await asked
                await asyncio.sleep(0.3)  # longer than nobody may be there
                assert engine.desk.held is False
                left.clear()
            async with asyncio.timeout(DEADLINE):
                await left.wait()

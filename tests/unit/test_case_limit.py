"""The limit of a case's time: what counts towards it, and what does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench import case_limit
from bench.case import Case
from bench.case_limit import EVERY, TIMES, longest, overdue
from bench.control import Control
from bench.dut import Timing
from bench.events import Answered, Prompted, PromptWithdrawn
from bench.plan import load_suites
from bench.report import write_all
from bench.stream import Stream
from bench.verify import verify
from drivers.sim.simulated_bench import run_virtually
from tests.unit.recorded import one_case, record

WITHIN = 100.0


def _asked(prompt: str) -> Prompted:
    return Prompted(prompt, "confirm", "Plug in", [], "", None)


async def _took(*, asked: float = 0.0, paused: float = 0.0) -> float:
    """Tell when a case is overdue for whose operator it waited so long, in s."""
    stream, loop = Stream(), asyncio.get_running_loop()
    control, began = Control(stream), loop.time()
    over = asyncio.create_task(overdue(stream, control, WITHIN))
    await asyncio.sleep(10.0)
    if asked:
        stream.emit(_asked("p1"))
        stream.emit(_asked("p2"))
        stream.emit(PromptWithdrawn("p2", "not needed"))
        await asyncio.sleep(asked)
        stream.emit(Answered("p1", True, "", "somebody"))
    if paused:
        control.pause("somebody")
        await asyncio.sleep(paused)
        control.resume("somebody")
    assert f"within {WITHIN:g} s" in str(await over)
    return loop.time() - began


def test_only_the_case_s_own_time_counts() -> None:
    for waits in ({}, {"asked": 3600.0}, {"paused": 3600.0}, {"asked": 600.0, "paused": 600.0}):
        took = run_virtually(_took(**waits))
        assert abs(took - WITHIN - sum(waits.values())) <= 2 * EVERY


def test_the_limit_follows_the_deadlines_of_the_dut_and_the_waits_of_the_case() -> None:
    (suite,) = load_suites()
    assert longest([suite.reset], Timing()) == TIMES * 600.0 + Timing().quiet
    slow = Timing(boot=1200.0, long_reservation=86400.0)
    assert longest([suite.reset, suite.reset], slow) == TIMES * 1200.0 + 2 * slow.quiet


async def _endless(case: Case) -> None:
    """Wait for what never comes."""
    async with case.step("Wait"):
        case.check("all is well", actual=True)
        await asyncio.Event().wait()


def test_what_is_recorded_of_a_case_that_was_ended_bears_its_verdict_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_limit, "TIMES", 0.0001)
    outcome = asyncio.run(record(tmp_path, cases=[one_case(_endless)]))
    assert outcome.complete
    assert outcome.counts == {"error": 1}
    write_all(outcome.folder)
    assert verify(outcome.folder).faults == ()

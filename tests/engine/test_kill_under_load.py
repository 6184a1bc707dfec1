"""The engine dies at any moment of a run with a load: nothing stays on, whatever it was doing.

The moment is chosen by the number of answers that the devices have given, so a seed is a moment of
the run and not of a clock. The stated times (docs/explanation/safety.md) pass by putting the twins'
clock forward.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.journal import JournalReader
from drivers.sim.faults import Faults
from drivers.sim.pilot_box import PilotBox
from tests.engine.loaded import LoadedLab, loaded_lab
from tests.engine.programs import DEADLINE, ROOT

SEEDS = 208
CHUNKS = 8
LOAD_OFF = 2.0
"""Stated time in s from the death of the engine until the load is off."""
UNPOLLED = "[samples]\npilot = 0\nmeters = 0\nloads = 0\nmodem = 0\n"
"""What is polled by the clock would make a moment of a number of answers one of the clock."""
PILOT_A = 3.1
"""Stated time in s until the pilot is in A."""


class Answers(Faults):
    """Faults that do something at the n-th answer of all devices together."""

    count = 0
    at: Callable[[int], None] = staticmethod(lambda number: None)

    def spoil(self, answer: bytes) -> bytes:
        Answers.count += 1
        Answers.at(Answers.count)
        return super().spoil(answer)


class Engines:
    """The fork server, and the engine that runs now."""

    def __init__(self, process: asyncio.subprocess.Process, lab: LoadedLab) -> None:
        self._process = process
        self._lab = lab
        self.pid = 0

    async def start(self, out: Path) -> None:
        """Start an engine."""
        assert self._process.stdin is not None
        order = {
            "bench": str(self._lab.folder / "bench.toml"),
            "dut": str(self._lab.folder / "dut.toml"),
            "out": str(out),
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        word, pid = await self._words()
        assert word == "forked"
        self.pid = int(pid)

    async def ended(self) -> int:
        """Wait until the engine is dead and the devices know; return its exit code."""
        word, pid, code = await self._words()
        assert (word, int(pid)) == ("ended", self.pid)
        async with asyncio.timeout(DEADLINE):
            # What it said last is heard before the end of the connection.
            wires: list[Any] = [twin._wire for twin in self._lab.twins.values()]
            while any(wire._conversations for wire in wires):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return int(code)

    async def _words(self) -> list[str]:
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            return (await self._process.stdout.readline()).decode().split()


@asynccontextmanager
async def engines(folder: Path) -> AsyncIterator[tuple[LoadedLab, Engines]]:
    async with loaded_lab(folder) as lab:
        bench = lab.bench_file(f"[limits]\ncurrent = 25\n{UNPOLLED}")
        lab.dut_file()
        for twin in lab.twins.values():
            await twin.disconnect()
            twin.faults = Answers()
            await twin.connect()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.engine.fork_server", str(bench)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield lab, Engines(process, lab)
        finally:
            process.kill()
            await process.communicate()


async def run_of(lab: LoadedLab, running: Engines, out: Path) -> int:
    """Let an engine make its whole run; return how many answers that takes."""
    Answers.count, Answers.at = 0, staticmethod(lambda number: None)
    await running.start(out)
    assert await running.ended() == 0
    return Answers.count


async def die(
    lab: LoadedLab, running: Engines, out: Path, when: Callable[[int], bool], how: int
) -> bool | None:
    """Start an engine and end it at a moment of its run; tell whether the load was on then.

    None when the run was over before.
    """
    pending: list[bool] = []

    def at(number: int) -> None:
        if not pending and when(number):
            pending.append(lab.load.on)
            os.kill(running.pid, how)

    Answers.count, Answers.at = 0, staticmethod(at)
    await running.start(out)
    code = await running.ended()
    if not pending:
        assert code == 0
        return None
    # A run whose last answer is the moment may have ended by itself.
    assert code in ((-signal.SIGKILL,) if how == signal.SIGKILL else (130, 0))
    return pending[0]


def check_times(lab: LoadedLab) -> None:
    """Check, from the death of the engine on, that each device keeps its stated time."""
    lab.clock.put_forward(LOAD_OFF)
    lab.world.timeline.now()
    assert not lab.load.on, f"the load is on {LOAD_OFF:g} s after the engine's death"
    lab.clock.put_forward(PILOT_A - LOAD_OFF)
    lab.world.timeline.now()
    assert lab.pilot == "A", f"the pilot is in {lab.pilot} {PILOT_A:g} s after the engine's death"
    connector = lab.world.connectors[1]
    assert sum(connector.current()) == 0


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_a_dead_engine_leaves_load_off_and_pilot_in_a(chunk: int, tmp_path: Path) -> None:
    loaded = 0
    async with engines(tmp_path) as (lab, running):
        length = await run_of(lab, running, tmp_path / "whole")
        assert not lab.load.on
        for seed in range(chunk, SEEDS, CHUNKS):
            chance = random.Random(seed)
            moment = chance.randint(1, length - 5)
            how = chance.choices((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), (8, 1, 1))[0]
            out = tmp_path / f"{seed}"
            while (on := await die(lab, running, out, moment.__eq__, how)) is None:
                # How often a read-back is repeated is not the same in every run.
                moment, out = moment - 5, out.with_suffix(".again")
            loaded += on
            if how != signal.SIGKILL:
                # It could do it by itself, and did it before it ended.
                assert not lab.load.on, f"seed {seed}"
                assert not lab.twins["pilot-box"].device.is_closed("cp"), f"seed {seed}"
            check_times(lab)
            reader = JournalReader(out / "journal.jsonl")
            assert sum(1 for _ in reader) > 0
            assert reader.fault is None, f"seed {seed}: {reader.fault}"
    assert loaded >= SEEDS / CHUNKS / 8, "hardly ever was the load on"


async def test_a_frozen_engine_is_as_good_as_a_dead_one(tmp_path: Path) -> None:
    async with engines(tmp_path) as (lab, running):
        frozen = asyncio.Event()

        def freeze(number: int) -> None:
            if lab.load.on and not frozen.is_set():
                os.kill(running.pid, signal.SIGSTOP)
                frozen.set()

        Answers.count, Answers.at = 0, staticmethod(freeze)
        await running.start(tmp_path / "frozen")
        async with asyncio.timeout(DEADLINE):
            await frozen.wait()
        for _ in range(20):  # what it had said before is heard
            await asyncio.sleep(0.001)
        assert lab.load.on
        check_times(lab)
        os.kill(running.pid, signal.SIGKILL)
        assert await running.ended() == -signal.SIGKILL


def break_monitor(lab: LoadedLab) -> None:
    lab.load.monitor_broken = True


def break_pulses(lab: LoadedLab) -> None:
    box: PilotBox = lab.twins["pilot-box"].device
    for board in box.boards.values():
        board.pulses_stay = True


@pytest.mark.parametrize(
    ("breaks", "notices"),
    [(break_monitor, "the load is on 2 s"), (break_pulses, "the pilot is in C 3.1 s")],
)
async def test_a_watchdog_that_does_nothing_is_noticed(
    breaks: Callable[[LoadedLab], Any], notices: str, tmp_path: Path
) -> None:
    async with engines(tmp_path) as (lab, running):
        breaks(lab)
        out = tmp_path / "killed"
        assert await die(lab, running, out, lambda number: lab.load.on, signal.SIGKILL)
        with pytest.raises(AssertionError, match=notices):
            check_times(lab)

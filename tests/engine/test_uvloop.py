"""On uvloop, too, nothing is judged before its deadline, and stamps are those of the system."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bench.clock import compare, now
from bench.evidence import GRACE
from bench.report import write_all
from bench.server.loop import run_loop
from bench.verify import verify
from tests.procedures.simulated import simulated


def on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    async def checked() -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
        await work

    run_loop(checked())


def test_a_stamp_is_of_this_moment_not_of_the_loop_s_last_turn() -> None:
    async def stamps() -> None:
        before = time.monotonic()
        time.sleep(0.02)  # noqa: ASYNC251 - the loop must not turn meanwhile
        assert now().mono >= before + 0.02 - 1e-6
        offset, uncertainty = compare()
        assert abs(now().utc.timestamp() - now().mono - offset) < 0.05
        assert 0 <= uncertainty < 0.05

    on_uvloop(stamps())


def test_no_deadline_passes_early() -> None:
    async def deadlines() -> None:
        for _ in range(20):
            time.sleep(0.005)  # noqa: ASYNC251 - a loop that was busy, and knows an old time
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()
            assert time.monotonic() - began > 0.01 - GRACE

    on_uvloop(deadlines())


def test_a_whole_run_is_verified(tmp_path: Path) -> None:
    async def run() -> None:
        async with simulated(tmp_path) as bench:
            result = await bench.run("TC_003_CS", "TC_019_CS")
        assert result.counts == {"pass": 2}
        write_all(result.folder)
        assert verify(result.folder).faults == ()

    on_uvloop(run())

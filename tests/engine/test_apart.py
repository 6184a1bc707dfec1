"""What takes long is computed in another process, which nothing outlives and no signal ends."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bench.apart import Apart
from bench.errors import BenchError, ConfigError
from bench.report import rendering
from tests.engine.service import DEADLINE

GOLDEN = Path(__file__).parents[1] / "golden/refused-card"


async def call_on(apart: Apart) -> None:
    while True:
        await apart.call(os.getpid)


async def test_a_report_is_rendered_elsewhere_and_errors_come_back(tmp_path: Path) -> None:
    apart = Apart()
    try:
        other = await apart.call(os.getpid)
        assert other != os.getpid()
        assert await apart.call(rendering, GOLDEN, "html") == rendering(GOLDEN, "html")
        with pytest.raises(ConfigError, match="this is no run's folder"):
            await apart.call(rendering, tmp_path, "json")
        # Ctrl-C and the end of a service reach all processes; the engine decides when it ends.
        os.kill(other, signal.SIGINT)
        os.kill(other, signal.SIGTERM)
        assert await apart.call(os.getpid) == other
        assert await apart.call(os.sched_getscheduler, 0) == os.SCHED_OTHER
        os.kill(other, signal.SIGKILL)
        with pytest.raises(BenchError, match="has died"):
            await asyncio.wait_for(call_on(apart), DEADLINE)
        assert await apart.call(os.getpid) != other
    finally:
        await apart.close()
    await apart.close()


async def test_what_never_ends_is_ended_with_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.apart.PATIENCE", 0.1)
    apart = Apart()
    assert await apart.call(os.getpid) != os.getpid()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    endless = asyncio.create_task(apart.call(pipe.read_bytes))
    async with asyncio.timeout(DEADLINE):
        # This opens when the other end does, which then reads until this one is closed.
        writer = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)
        try:
            await apart.close()
            with pytest.raises(BenchError, match="has died"):
                await endless
        finally:
            os.close(writer)


async def test_it_ends_with_an_engine_that_is_killed() -> None:
    program = """
        import asyncio, os
        from bench.apart import Apart
        async def main():
            print(await Apart().call(os.getpid), flush=True)
            await asyncio.Event().wait()
        if __name__ == "__main__":
            asyncio.run(main())
        """
    engine = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=subprocess.PIPE
    )
    assert engine.stdout is not None
    async with asyncio.timeout(DEADLINE):
        other = int(await engine.stdout.readline())
        end = os.pidfd_open(other)
        engine.kill()
        # The other process holds the pipe as well: its end is the end of both.
        assert await engine.stdout.read() == b""
        await engine.wait()
        ended, _, _ = await asyncio.to_thread(select.select, [end], [], [], DEADLINE)
    os.close(end)
    assert ended

"""The engine as a process of its own, on a simulated lab that the test looks at from within."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.events import Event
from bench.journal import JournalReader, Record
from drivers.sim.lab import Lab
from drivers.sim.pilot import UNPLUGGED

E = TypeVar("E", bound=Event)

ROOT = Path(__file__).parents[2]
DEADLINE = 30.0
"""Longest wait in s for anything; only a defect makes a test wait so long."""
LOOKING = 0.002
"""Pause in s between two looks at a journal that another process writes."""


@dataclass(frozen=True)
class Ended:
    """What a program left when it ended."""

    code: int
    out: str
    errors: str

    @property
    def lines(self) -> list[str]:
        """The lines of its standard error."""
        return self.errors.splitlines()


@dataclass(frozen=True)
class Program:
    """A running `pilotbench`."""

    process: asyncio.subprocess.Process

    async def ended(self) -> Ended:
        """Wait until it ends."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE):
            out, errors = await asyncio.gather(
                self.process.stdout.read(), self.process.stderr.read()
            )
            code = await self.process.wait()
        return Ended(code, out.decode(), errors.decode())

    async def is_told(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()


@asynccontextmanager
async def running(
    *arguments: str | Path, largest_file: int | None = None
) -> AsyncIterator[Program]:
    """Run `pilotbench`, with files of at most `largest_file` bytes; kill it when the block ends."""

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", *arguments),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=limit,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def pilotbench(*arguments: str | Path) -> Ended:
    """Run `pilotbench` to its end."""
    async with running(*arguments) as program:
        return await program.ended()


def run_on(lab: Lab, out: Path, *cases: str, operator: str = "refuse") -> list[str | Path]:
    """Write the arguments of `pilotbench run` on a lab's bench."""
    files: list[str | Path] = ["--bench", lab.bench_file, "--dut", lab.dut_file, "--out", out]
    return ["run", *cases, *files, "--operator", operator]


async def recorded(
    folder: Path, kind: type[E], holds: Callable[[E], bool] = lambda event: True
) -> E:
    """Wait until the journal of a run that goes on holds such an event."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if (folder / "journal.jsonl").exists():
                for event in events(folder, kind):
                    if holds(event):
                        return event
            await asyncio.sleep(LOOKING)


def events(folder: Path, kind: type[E]) -> list[E]:
    """List a run's events of one kind."""
    return [record.event for record in records(folder) if isinstance(record.event, kind)]


def records(folder: Path) -> list[Record]:
    """Read a run's records up to the last whole one."""
    return list(JournalReader(folder / "journal.jsonl"))


def results(folder: Path) -> dict[str, Any]:
    """Read a run's `results.json`."""
    document: dict[str, Any] = json.loads((folder / "results.json").read_bytes())
    return document


def with_timing(dut_file: Path, **seconds: float) -> None:
    """Give waits in a `dut.toml` other lengths."""
    text = dut_file.read_text("utf-8")
    for name, value in seconds.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name} = ")]
        text = text.replace(f"\n{line}\n", f"\n{name} = {value}\n")
    dut_file.write_text(text, "utf-8")


async def becomes_safe(lab: Lab) -> None:
    """Wait until nothing is plugged in, nothing flows, and the station has its supply."""
    connector = lab.world.connectors[1]

    def is_safe() -> bool:
        return (
            connector.circuit == UNPLUGGED
            and connector.pilot_state() == "A"
            and not connector.contactor_closed
            and lab.world.mains
            and not lab.world.cards()
        )

    await lab.world.until(is_safe, within=DEADLINE)


async def becomes_live(lab: Lab) -> None:
    """Wait until energy can flow into a vehicle that asks for it."""
    connector = lab.world.connectors[1]

    def is_live() -> bool:
        # Not the current itself: it ramps up, and no change of the world tells that it does.
        return connector.contactor_closed and connector.pilot_state() == "C"

    await lab.world.until(is_live, within=DEADLINE)

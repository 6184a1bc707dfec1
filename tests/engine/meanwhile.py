"""Let something happen to the lab at a given moment of a run in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from bench.events import Event
from bench.journal import Record
from bench.report import write_all
from bench.session import RunResult
from bench.verify import verify
from tests.procedures.simulated import Simulated

E = TypeVar("E", bound=Event)


@asynccontextmanager
async def meanwhile(
    bench: Simulated,
    kind: type[E],
    holds: Callable[[E], bool],
    act: Callable[[], Awaitable[object]],
) -> AsyncIterator[None]:
    """Do `act` as soon as such an event was recorded; it must come while the context lasts."""
    came = asyncio.Event()

    def watch(record: Record) -> None:
        if isinstance(record.event, kind) and holds(record.event):
            came.set()

    async def acting() -> None:
        await came.wait()
        await act()

    with bench.session.stream.watched_by(watch):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(acting())
            yield
            assert came.is_set(), f"no such {kind.__name__} came"
            await task


def happened(bench: Simulated, kind: type[E]) -> list[E]:
    """List the events of one kind so far."""
    return [record.event for record in bench.records if isinstance(record.event, kind)]


def check_sound(result: RunResult) -> None:
    """Check that nothing recorded was lost or contradicts itself."""
    write_all(result.folder)
    assert verify(result.folder).faults == ()

"""A process of its own for what takes long to compute, so that no time stamp waits for it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any, ParamSpec, TypeVar

from bench.errors import BenchError

P = ParamSpec("P")
T = TypeVar("T")

NICE = 10
"""How much the process gives way to the engine."""


class Apart:
    """Calls functions in another process, one after the other; it is started at the first call."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def call(self, function: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T:
        """Call a function of a module with values that can be pickled; what it raises is raised.

        Raises `BenchError` when the process died of it.
        """
        if self._pool is None:
            # Spawned: a fork of a process with threads and an event loop is a gamble.
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin)
        future = self._pool.submit(function, *args, **keywords)
        try:
            return await asyncio.wrap_future(future)
        except BrokenProcessPool as error:
            self._pool = None
            raise BenchError("the process that renders and verifies has died") from error

    async def close(self) -> None:
        """End the process once it is done."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)


def _begin() -> None:
    """Prepare the process: the engine alone heeds signals, and it never outlives the engine."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(NICE)
    threading.Thread(target=_end_with_the_engine, daemon=True).start()


def _end_with_the_engine() -> None:
    parent: Any = parent_process()
    wait([parent.sentinel])
    os._exit(0)

"""A process of its own for what takes long to compute, so that no time stamp waits for it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any, ParamSpec, TypeVar

from bench.errors import BenchError

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that a call under way gets when the process is to end."""
NICE = 10
"""How much the process gives way to the engine."""


class Apart:
    """Calls functions in another process, one after the other; it is started at the first call."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._process: Future[int] | None = None
        """Its number."""

    async def call(self, function: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T:
        """Call a function of a module with values that can be pickled; what it raises is raised.

        Raises `BenchError` when the process died of it.
        """
        pool = self._pool
        if pool is None:
            # Spawned: a fork of a process with threads and an event loop is a gamble.
            pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin)
            self._pool = pool
        try:
            if self._process is None:
                self._process = await asyncio.to_thread(pool.submit, os.getpid)
            future = await asyncio.to_thread(pool.submit, function, *args, **keywords)
            return await asyncio.wrap_future(future)
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = self._process = None
            raise BenchError("the process that renders and verifies has died") from error

    async def close(self) -> None:
        """End the process; what it is at gets a few seconds."""
        pool, process = self._pool, self._process
        self._pool = self._process = None
        if pool is None:
            return
        ending = asyncio.create_task(asyncio.to_thread(pool.shutdown, cancel_futures=True))
        await asyncio.wait([ending], timeout=PATIENCE)
        if not ending.done() and process is not None and process.done():
            with suppress(ProcessLookupError):
                os.kill(process.result(), signal.SIGKILL)
        await ending


def _begin() -> None:
    """Prepare the process: the engine alone heeds signals, and it never outlives the engine."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        # An engine with real-time priority hands it down.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    with suppress(OSError):
        os.nice(NICE)
    threading.Thread(target=_end_with_the_engine, daemon=True).start()


def _end_with_the_engine() -> None:
    parent: Any = parent_process()
    wait([parent.sentinel])
    os._exit(0)

"""Cancellations that get lost on their way, and what keeps them.

Whoever cancels a task counts on its end. But `asyncio.wait_for` of Python 3.11 swallows a
cancellation that comes together with a result, and a task group one that comes while it ends by
an error of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

INSISTING = 0.5
"""Seconds after which a task that goes on in spite of its cancellation is cancelled again."""


def cancelling(task: asyncio.Future[Any]) -> Callable[[], None]:
    """Make what cancels a task, and does so until the task has ended."""

    def cancel() -> None:
        if not task.done():
            task.cancel()
            task.get_loop().call_later(INSISTING, cancel)

    return cancel


def heed_cancellation() -> None:
    """Raise the cancellation of the running task that something on its way has swallowed."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError

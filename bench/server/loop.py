"""The event loop of a service: uvloop where it is installed, for steadier time stamps."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


TURN = 0.0005
"""Seconds after which a thread that reads a file lets the event loop have its turn."""


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    # Else a frame that comes meanwhile waits 5 ms for its stamp.
    sys.setswitchinterval(TURN)
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def settle() -> None:
    """Leave all that is there by now to no later collection of garbage, which takes tens of ms.

    For the program that serves, once everything is loaded.
    """
    gc.collect()
    gc.freeze()

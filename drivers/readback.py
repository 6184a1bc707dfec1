"""Wait until a device's read-back shows what was commanded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bench.errors import DeviceTimeout

T = TypeVar("T")


async def poll(
    read: Callable[[], Awaitable[T]],
    shows: Callable[[T], bool],
    *,
    within: float,
    every: float,
) -> T:
    """Read until the value shows it or `within` s are over; return the last value."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    # A device that can't tell by itself has to be asked again and again.
    while not shows(value := await read()) and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(min(every, max(0.0, deadline - loop.time())))
    return value


async def until(
    read: Callable[[], Awaitable[T]],
    shows: Callable[[T], bool],
    *,
    within: float,
    every: float,
    otherwise: Callable[[T], str],
) -> T:
    """Read every `every` s until the value shows it.

    Raises `DeviceTimeout` with the text that `otherwise` makes of the last value.
    """
    value = await poll(read, shows, within=within, every=every)
    if not shows(value):
        raise DeviceTimeout(f"{otherwise(value)} after {within:g} s")
    return value

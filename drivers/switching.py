"""What switches of mains have in common: wait for the read-back, and watch a power cycle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bench.errors import DeviceError
from drivers.readback import until

_SWITCH_WITHIN = 0.8
"""Deadline in s for the read-back after a command."""

_EVERY = 0.05
"""Pause between two read-backs after a command in s."""

_EVERY_WHILE_OFF = 0.5
"""Longest pause between two read-backs in s while a device counts down by itself."""

_BACK_WITHIN = 3.0
"""How much later than commanded, in s, a device may switch on again by itself."""

_EARLY = 0.9
"""Part of the commanded time that a device must stay off; its clock is not the bench's."""


async def switched(
    name: str,
    is_on: Callable[[], Awaitable[bool]],
    on: bool,
    *,
    within: float | None = None,
    every: float = _EVERY,
) -> None:
    """Wait until the outlet reads on or off."""
    await until(
        is_on,
        lambda state: state is on,
        within=_SWITCH_WITHIN if within is None else within,
        every=every,
        otherwise=lambda state: f"{name}: outlet reads {_word(state)}, commanded {_word(on)},",
    )


async def cycled(
    name: str,
    start: Callable[[], Awaitable[None]],
    is_on: Callable[[], Awaitable[bool]],
    *,
    off_for: float,
    within: float | None = None,
) -> None:
    """Start a power cycle that the device finishes by itself, and see it go off and on.

    `within` s it must read off, for a device that is slower than others.
    """
    if off_for <= 0:
        raise ValueError(f"off_for is {off_for:g} s, expected more than 0")
    loop = asyncio.get_running_loop()
    started = loop.time()
    await start()
    within = _SWITCH_WITHIN if within is None else within
    await switched(name, is_on, False, within=min(within, off_for))
    every = min(_EVERY_WHILE_OFF, max(_EVERY, off_for / 20))
    await switched(name, is_on, True, within=off_for + _BACK_WITHIN, every=every)
    lasted = loop.time() - started
    if lasted < off_for * _EARLY:
        raise DeviceError(f"{name}: outlet was off for {lasted:.2f} s, commanded {off_for:g} s")


def _word(on: bool) -> str:
    return "on" if on else "off"

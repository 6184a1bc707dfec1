"""Enter and leave a device: what every driver over a link does in the same order."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from typing import Protocol

from bench.device import Device, Identity
from bench.errors import BenchError, DeviceError, DeviceTimeout

_log = logging.getLogger(__name__)

_LEAVING = 1.0
"""Deadline in s for making safe when leaving."""


class Link(Protocol):
    """What entering and leaving needs of a link."""

    @abstractmethod
    async def open(self) -> None:
        """Open it."""

    @abstractmethod
    async def close(self) -> None:
        """Close it."""


async def enter(device: Device, link: Link) -> None:
    """Open the link, identify the device, make it safe; close the link when any of it fails."""
    await link.open()
    try:
        await device.identify()
        await device.make_safe()
    except BaseException:
        await link.close()
        raise


async def leave(
    device: Device, link: Link, error: BaseException | None, *, within: float = _LEAVING
) -> None:
    """Make the device safe within some s if it still answers, and close the link.

    Raises `DeviceError` when it could not be made safe; a log line when `error` is under way.
    """
    try:
        async with asyncio.timeout(within):
            await device.make_safe()
    except TimeoutError:
        report(DeviceTimeout(f"not made safe within {within:g} s"), error)
    except DeviceError as failure:
        report(failure, error)
    finally:
        await link.close()


def report(failure: BenchError, error: BaseException | None) -> None:
    """Raise what failed on leaving a device, but not in place of the error that led there."""
    if error is None:
        raise failure
    _log.warning("not made safe on leaving: %s", failure)


def check_serial(name: str, identity: Identity, expected: str) -> None:
    """Refuse a device whose serial number is not the one that `bench.toml` gives, if it does."""
    if expected and identity.serial != expected:
        raise DeviceError(
            f"{name}: the device has serial number {identity.serial!r}, "
            f"expected {expected!r} as in bench.toml"
        )

"""The check of a bench's devices: each opened by itself, so that one can't hide the others."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.bench import MAKING_SAFE, OPENING
from bench.config import BenchConfig, DeviceEntry
from bench.device import Action, Answer, Device, DriverContext, Identity, Operator
from bench.errors import ConfigError, DeviceError, DeviceTimeout, LinkError, Unverifiable
from bench.pictures import Picture

SELF_TEST = 30.0
"""Deadline in s for one device's self-test."""

Rewire = Callable[[DeviceEntry], Awaitable[DeviceEntry]]
"""Puts something in the way of a device: a recorder, or a recording in its place."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check of one device came to."""

    name: str
    driver: str
    offers: tuple[str, ...]
    state: str
    """answers, sound (its self-test passed), untested, faulty, or absent; found by a scan."""
    message: str

    @property
    def good(self) -> bool:
        """Tell whether the device can be worked with as far as was seen."""
        return self.state not in ("faulty", "absent")


async def check_up(
    config: BenchConfig, *, test: bool, rewire: Rewire | None = None
) -> AsyncIterator[Finding]:
    """Open one device after the other, test it if asked, and leave it safe."""
    shared: dict[str, Any] = {}
    for entry in config.devices:
        context = DriverContext(
            name=entry.name,
            operator=_Nobody(),
            ocpp_listen=config.ocpp.listen,
            ocpp_upstream=_no_engine,
            shared=shared,
        )
        offers = tuple(capability.__name__ for capability in entry.driver.offers)
        try:
            wired = entry if rewire is None else await rewire(entry)
            state, message = await _examine(wired, context, test=test)
        except ConfigError as error:
            raise ConfigError(f"{config.path}: {error}") from error
        except DeviceError as error:
            state, message = "absent", str(error)
        yield Finding(entry.name, entry.driver_name, offers, state, message)


async def _examine(entry: DeviceEntry, context: DriverContext, *, test: bool) -> tuple[str, str]:
    device = entry.driver.make(entry.settings, context)
    try:
        async with asyncio.timeout(OPENING):
            await device.__aenter__()
    except TimeoutError:
        return "absent", f"did not answer within {OPENING:g} s"
    except (LinkError, DeviceTimeout) as error:
        return "absent", str(error)
    except DeviceError as error:
        return "faulty", str(error)
    left = "not left"
    try:
        state, message = await _ask(entry, device, test=test)
    finally:
        left = await _leave(device)
    return ("faulty", "; ".join(filter(None, (message, left)))) if left else (state, message)


async def _ask(entry: DeviceEntry, device: Device, *, test: bool) -> tuple[str, str]:
    try:
        async with asyncio.timeout(OPENING):
            who = _told(await device.identify())
    except TimeoutError:
        return "absent", f"did not answer within {OPENING:g} s"
    except DeviceError as error:
        return "faulty", str(error)
    if not test or entry.driver.by_hand:
        return "answers", who
    try:
        async with asyncio.timeout(SELF_TEST):
            seen = await device.self_test()
    except TimeoutError:
        return "faulty", f"{who}: its self-test did not end within {SELF_TEST:g} s"
    except DeviceError as error:
        return "faulty", str(error)
    except Unverifiable as error:
        return "untested", f"{who}: {error}"
    return "sound", f"{who}: {seen}"


async def _leave(device: Device) -> str:
    """Leave a device; return what went wrong with that."""
    try:
        async with asyncio.timeout(MAKING_SAFE):
            await device.__aexit__(None, None, None)
    except TimeoutError:
        return f"not left safe within {MAKING_SAFE:g} s"
    except (DeviceError, Unverifiable) as error:
        return f"not left safe: {error}"
    return ""


def _told(identity: Identity) -> str:
    parts = dataclasses.asdict(identity)
    labels = {"serial": "serial number ", "firmware": "firmware "}
    return " ".join(f"{labels.get(key, '')}{value}" for key, value in parts.items() if value)


def _no_engine() -> str:
    # An OSError, as for a connection that nobody takes: the DUT may knock while this goes on.
    raise ConnectionRefusedError("no engine runs while the devices are checked")


class _Nobody(Operator):
    async def ask(
        self,
        kind: str,
        text: str,
        *,
        options: Sequence[str] = (),
        action: Action | None = None,
        within: float | None = None,
        picture: Picture | None = None,
    ) -> Answer:
        """Ask nobody."""
        raise Unverifiable("nobody is asked while the devices are checked")

"""Look for Modbus devices on one line or connection: which units answer, and what they may be.

It only reads. A unit that refuses a request is there as well; one that answers is compared with
the shipped profiles of meters, and with what a relay board and a charging controller tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from bench.errors import DeviceError, DeviceTimeout, LinkError, Unverifiable
from drivers import profile
from drivers.link import address
from drivers.link.modbus import SCHEMES, ModbusLink
from drivers.phoenix_ev_cc import PhoenixEvCc, PhoenixEvCcSettings
from drivers.profile_meter import MeterProfile
from drivers.register_meter import RegisterMeter, RegisterMeterSettings

_ANSWER_WITHIN = 0.15
"""Deadline in s of one try, to which a serial line adds what the longest answer takes."""

_UNIT_WITHIN = 10.0
"""Deadline in s for finding out what a unit is."""

_BOARD_VERSION = 0x8000
"""Holding register of a relay board: version times 100."""


async def scan(
    link: str, units: Sequence[int], *, within: float = 60.0
) -> AsyncIterator[tuple[int, str]]:
    """Tell number and words of each unit that answers, and where the scan ended early.

    Raises ValueError for a link that is none, `LinkError` when it can't be opened.
    """
    bus = ModbusLink(address.parse(link, *SCHEMES), "scan", within=_ANSWER_WITHIN)
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    await bus.open()
    try:
        for unit in units:
            if loop.time() >= end:
                yield unit, f"not asked, nor those after it: {within:g} s are over"
                return
            if await _answers(bus, unit):
                yield unit, await _described(bus, link, unit)
    finally:
        await bus.close()


async def _answers(bus: ModbusLink, unit: int) -> bool:
    try:
        await bus.read_registers(unit, 0, 1, function=4)
    except DeviceTimeout:
        return False
    except LinkError:
        raise
    except DeviceError:
        return True  # it refuses, so it is there
    return True


async def _described(bus: ModbusLink, link: str, unit: int) -> str:
    try:
        async with asyncio.timeout(_UNIT_WITHIN):
            found = await _identified(bus, link, unit)
    except TimeoutError:
        return "answers, but too slowly to find out what it is"
    return "; ".join(found) if found else "answers, and is none that Pilotbench knows"


async def _identified(bus: ModbusLink, link: str, unit: int) -> list[str]:
    """Name what the unit says it is; else the profiles whose values make sense at it."""
    certain: list[str] = []
    likely: list[str] = []
    for path in profile.shipped():
        map_ = profile.check(path)
        if not isinstance(map_, MeterProfile):
            continue
        settings = RegisterMeterSettings(link, path.stem, unit)
        meter = RegisterMeter("scan", bus, map_, settings)
        try:
            identity = await meter.identify()
            await meter.self_test()
        except LinkError:
            raise
        except (DeviceError, Unverifiable):
            continue
        serial = f", serial number {identity.serial}" if identity.serial else ""
        known = map_.identify is not None and map_.identify.model is not None
        (certain if known else likely).append(f"profile {path.stem}{serial}")
    if certain or likely:
        return ["register-meter, " + " or ".join(certain or likely)]
    return await _other(bus, link, unit)


async def _other(bus: ModbusLink, link: str, unit: int) -> list[str]:
    controller = PhoenixEvCc("scan", bus, PhoenixEvCcSettings(link, unit))
    try:
        return [f"phoenix-ev-cc, {(await controller.identify()).model}"]
    except DeviceTimeout:
        return []
    except LinkError:
        raise
    except DeviceError:
        pass
    try:
        (version,) = await bus.read_registers(unit, _BOARD_VERSION, 1, function=3)
        await bus.read_coils(unit, 0, 8)
    except LinkError:
        raise
    except DeviceError:
        return []
    return [f"relay board of eight, version {version / 100:.2f}, as pilot-box has them"]

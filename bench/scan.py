"""The scan for what is plugged in, wired in a `bench.toml` or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from bench.checkup import Finding
from bench.config import package_of
from bench.errors import BenchError, ConfigError

WITHIN = 5.0
"""Deadline in s for one driver's scan."""

_BY_ID = Path("/dev/serial/by-id")


async def scan() -> AsyncIterator[Finding]:
    """List the serial ports, and what each driver finds by itself."""
    for finding in await asyncio.to_thread(_serial_ports):
        yield finding
    for point in sorted(entry_points(group="pilotbench.drivers"), key=lambda each: each.name):
        try:
            driver = point.load()
        except ModuleNotFoundError as error:
            text = f"not looked for, which needs the package {package_of(error)}"
            yield Finding(point.name, point.name, (), "unknown", text)
            continue
        if driver.scan is None:
            continue
        offers = tuple(capability.__name__ for capability in driver.offers)
        try:
            async with asyncio.timeout(WITHIN):
                found = await driver.scan()
        except TimeoutError:
            text = f"its scan did not end within {WITHIN:g} s"
            yield Finding(point.name, point.name, offers, "unknown", text)
        except BenchError as error:
            yield Finding(point.name, point.name, offers, "unknown", str(error))
        else:
            for text in found:
                yield Finding(point.name, point.name, offers, "found", text)


async def scan_modbus(link: str, units: Sequence[int]) -> AsyncIterator[Finding]:
    """List the Modbus units that answer on a link; only reads.

    Raises `ConfigError` for a link that is none.
    """
    (point,) = entry_points(group="pilotbench.scans", name="modbus")
    try:
        look = point.load()
    except ModuleNotFoundError as error:
        text = f"not looked for, which needs the package {package_of(error)}"
        yield Finding(link, "", (), "unknown", text)
        return
    try:
        async for unit, text in look(link, units):
            state = "unknown" if text.startswith("not asked") else "found"
            yield Finding(f"{link} unit {unit}", "", (), state, text)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except BenchError as error:
        yield Finding(link, "", (), "unknown", str(error))


def _serial_ports() -> list[Finding]:
    """List the serial ports by the name that stays when they are plugged in anew."""
    try:
        from serial.tools.list_ports import comports
    except ModuleNotFoundError:
        text = "not listed: package serial is missing, install pilotbench[modbus]"
        return [Finding("serial ports", "", (), "unknown", text)]
    stable = {link.resolve(): str(link) for link in sorted(_BY_ID.glob("*"))}
    return [
        Finding(
            stable.get(Path(port.device).resolve(), port.device),
            "",
            (),
            "found",
            f"serial port {port.device}: {port.description} ({port.hwid})",
        )
        for port in sorted(comports())
    ]

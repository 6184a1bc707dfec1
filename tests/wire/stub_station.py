"""A station that only senses, in place of the virtual one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from drivers.sim.lab import Lab
from stations.hardware import HardwareEvent, StationHardware
from stations.settings import StationSettings

DEADLINE = 5.0


class Stub:
    """A station that only senses."""

    def __init__(
        self,
        settings: StationSettings,
        hardware: StationHardware,
        folder: Path,
        defects: Sequence[str],
    ) -> None:
        self.settings = settings
        self.hardware = hardware
        self.folder = folder
        self.defects = defects
        self.life: asyncio.Queue[str] = asyncio.Queue()
        self.sensed: asyncio.Queue[HardwareEvent] = asyncio.Queue()

    async def run(self) -> None:
        """Sense until the power goes."""
        self.life.put_nowait("boots")
        try:
            while True:
                self.sensed.put_nowait(await self.hardware.next_event())
        finally:
            self.life.put_nowait("dies")


def stub_of(lab: Lab) -> Stub:
    """Return the station of a lab that was opened with `make_station=Stub`."""
    assert isinstance(lab.station, Stub)
    return lab.station


async def expect_life(lab: Lab, *events: str) -> None:
    """Wait for the next events of the station's life, no others."""
    async with asyncio.timeout(DEADLINE):
        assert [await stub_of(lab).life.get() for _ in events] == list(events)
    assert stub_of(lab).life.empty()

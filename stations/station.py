"""A charging station in software, as a product behaves: OCPP 1.6-J with feature profiles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Never

from stations.clock import Clock
from stations.conduct import Conduct
from stations.controller import Controller
from stations.defects import find
from stations.hardware import StationHardware
from stations.settings import StationSettings
from stations.storage import Store


class VirtualStation:
    """One station: its make, its electronics, its memory and, if wanted, its defects.

    The memory survives power cycles of this object, with a `folder` also those of the process.
    Raises `KeyError` for a defect that is not in `stations.defects`.
    """

    def __init__(
        self,
        settings: StationSettings,
        hardware: StationHardware,
        *,
        folder: Path | None = None,
        defects: Iterable[str] = (),
    ) -> None:
        self._settings = settings
        self._hardware = hardware
        self._store = Store(folder)
        self._conduct = Conduct(find(name) for name in defects)
        self._clock: Clock | None = None

    async def run(self) -> Never:
        """Run as long as there is power: cancelling is a power loss, running again a power-up."""
        if self._clock is None:
            self._clock = Clock(milliseconds=self._settings.milliseconds)
        after = "power"
        while True:
            after = await Controller(
                self._settings,
                self._hardware,
                self._store,
                self._clock,
                self._conduct,
                after=after,
            ).run()

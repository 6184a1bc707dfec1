"""What the devices of a bench see at a connector: control pilot, cable, meters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from bench.capability import PilotReading, PowerMeter, VehicleCoupler, VehicleEmulator
from bench.config import BenchConfig, DeviceEntry
from bench.errors import LinkError
from bench.events import Noted
from bench.loading import SMALLEST_CABLE
from bench.stream import Stream


class Observers:
    """The devices of one bench by what they observe; what nobody observes is noted once."""

    def __init__(
        self,
        config: BenchConfig,
        stream: Stream,
        devices: Mapping[str, Any],
        lose: Callable[[str, LinkError], None],
    ) -> None:
        """Make the observers of the opened `devices`; `lose` notes that one is gone."""
        self.limits = config.limits
        self._config = config
        self._stream = stream
        self._devices = devices
        self._lose = lose
        self._noted: set[str] = set()

    async def pilot(self, connector: int) -> PilotReading | None:
        """Measure the control pilot; None without a device that does."""
        for entry in self.serving(connector, VehicleEmulator):
            if not entry.driver.by_hand:
                pilot: PilotReading = await self.told(
                    entry.name, self._devices[entry.name].read_pilot(connector)
                )
                return pilot
        return None

    def cable(self, connector: int) -> float:
        """Tell what the cable is coded for (PP); the smallest there is when nobody knows."""
        ratings = [
            float(entry.settings.cable)
            for entry in self.serving(connector, VehicleCoupler, VehicleEmulator)
            if getattr(entry.settings, "cable", None) is not None
        ]
        if ratings:
            return min(ratings)
        self.note(
            f"no device of the bench knows the cable of connector {connector}: "
            f"it counts as one for {SMALLEST_CABLE:g} A"
        )
        return SMALLEST_CABLE

    @property
    def heeds_meters(self) -> bool:
        """Tell whether the lab has limits over which a meter watches."""
        limits = self.limits
        return not limits.current is limits.power is limits.temperature is None

    def meters(self, connector: int) -> list[str]:
        """Name the meters that watch over limits of the lab, if there are such limits."""
        if not self.heeds_meters:
            return []
        serving = self.serving(connector, PowerMeter)
        return [entry.name for entry in serving if not entry.driver.by_hand]

    def serving(self, connector: int, *capabilities: type) -> Iterator[DeviceEntry]:
        """List the opened devices at a connector that offer one of these."""
        for entry in self.wired(connector, *capabilities):
            if entry.name in self._devices:
                yield entry

    def wired(self, connector: int | None, *capabilities: type) -> Iterator[DeviceEntry]:
        """List the devices at a connector (None: at any) that offer one of these, open or not."""
        for entry in self._config.devices:
            here = getattr(entry.settings, "connectors", (connector,))
            if connector in (None, *here) and set(capabilities) & set(entry.driver.offers):
                yield entry

    async def told(self, name: str, reading: Awaitable[Any]) -> Any:
        """Wait for what a device tells; note that it is lost when its link is gone."""
        try:
            return await reading
        except LinkError as error:
            self._lose(name, error)
            raise

    def note(self, text: str) -> None:
        """Record a note, the first time."""
        if text not in self._noted:
            self._noted.add(text)
            self._stream.emit(Noted(text))

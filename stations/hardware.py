"""What a virtual station senses and moves; the simulated lab or a test implements it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ChipMeter:
    """The station's own meter of one connector at one moment."""

    energy: float
    """Imported active energy register in Wh; never falls."""
    power: float
    """Active power in W."""
    current: tuple[float, float, float]
    """Per phase in A."""
    voltage: tuple[float, float, float]
    """Phase to neutral in V."""


class EvseHardware(Protocol):
    """The electronics of one connector: control pilot, proximity, contactor, lock, meter."""

    @abstractmethod
    def pilot_state(self) -> str:
        """Read the control pilot as state letter A to F (IEC 61851-1 table A.3)."""

    @abstractmethod
    def cable_rating(self) -> float | None:
        """Read the proximity contact: cable current in A, None when no plug is in the socket."""

    @abstractmethod
    def offer(self, current: float | None) -> None:
        """Offer `current` A per phase by PWM, or hold the pilot steady when None."""

    @abstractmethod
    def close_contactor(self, closed: bool) -> None:
        """Close or open the contactor."""

    @abstractmethod
    def lock(self, locked: bool) -> bool:
        """Lock or release the plug; returns whether the lock reached the position."""

    @abstractmethod
    def meter(self) -> ChipMeter:
        """Read the connector's meter now."""


class StationHardware(Protocol):
    """All the electronics of one station."""

    list_storage_works: bool = True
    """Whether the memory of the local authorization list takes what is written."""

    @property
    @abstractmethod
    def connectors(self) -> Mapping[int, EvseHardware]:
        """The connectors by number, 1 to N."""

    @abstractmethod
    async def next_event(self) -> HardwareEvent:
        """Wait for the next change that the station can sense."""


@dataclass(frozen=True, slots=True)
class PlugChanged:
    """The pilot state or the cable rating of a connector changed."""

    connector: int


@dataclass(frozen=True, slots=True)
class CardRead:
    """The reader of a connector (the only reader: 1) has read a card."""

    id_tag: str
    connector: int = 1


@dataclass(frozen=True, slots=True)
class SupplyFailed:
    """The mains went away; a station with a buffered supply lives on for a moment."""


HardwareEvent = PlugChanged | CardRead | SupplyFailed

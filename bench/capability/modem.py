"""What a test needs of a mobile modem: the network it uses, and how well it hears it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bench.metrology import Quantity


class Technology(StrEnum):
    """A generation of mobile networks, or the modem's own choice."""

    AUTO = "auto"
    G2 = "2G"
    G3 = "3G"
    G4 = "4G"


@dataclass(frozen=True, slots=True)
class Saturated:
    """A level at the end of the modem's scale: known to lie beyond, no number for a mean value."""

    edge: Quantity
    above: bool
    """True: at least `edge`; False: at most."""


Level = Quantity | Saturated | None
"""A received level; None where the technology has none, or the modem does not know it."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Where a modem is registered, and what it receives."""

    technology: Technology | None
    """What it is registered with: 2G, 3G or 4G."""
    operator: str = ""
    """The network's name."""
    plmn: str = ""
    """The network's number: country and network code, for example 20404."""
    registered: bool = False
    connected: bool = False
    """Whether the data connection is up."""
    rssi: Level = None
    """dBm."""
    rsrp: Level = None
    """dBm, 4G alone."""
    rsrq: Level = None
    """dB, 4G alone."""
    sinr: Level = None
    """dB, 4G alone."""
    source: str = ""
    """What the levels were read with; firmware derives them in different ways."""


class Modem(Protocol):
    """Choose the mobile network of the bench, and measure how it is received."""

    @abstractmethod
    async def set_technology(self, technology: Technology) -> None:
        """Let the modem use one technology only, or any; returns when the setting reads back.

        The modem loses its network, and `read_signal` tells whether it finds another: that takes
        up to 120 s, and there may be none. `set_data` brings the data connection back.
        """

    @abstractmethod
    async def set_data(self, *, on: bool) -> None:
        """Connect or disconnect data; raises `DeviceTimeout` when there is no connection."""

    @abstractmethod
    async def read_signal(self) -> Signal:
        """Read registration and levels once."""

    @abstractmethod
    async def restart(self) -> None:
        """Restart the modem; returns when it answers again, registered or not."""

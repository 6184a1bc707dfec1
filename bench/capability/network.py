"""What a test needs of the network between the DUT and the engine."""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import Protocol


class Cut(StrEnum):
    """How a connection is lost."""

    DROP = "drop"
    """Silently: bytes vanish, connections stay open, new ones get no answer."""
    RESET = "reset"
    """Loudly: connections get a TCP reset, new ones are refused."""


class NetworkPath(Protocol):
    """Break, delay and mend the network path of the DUT."""

    @abstractmethod
    async def cut(self, how: Cut = Cut.RESET) -> None:
        """Break the path."""

    @abstractmethod
    async def restore(self) -> None:
        """Mend the path: no cut, no delay."""

    @abstractmethod
    async def delay(self, seconds: float) -> None:
        """Delay every byte in both directions by `seconds`, 0 to 60."""

    @abstractmethod
    async def is_cut(self) -> bool:
        """Tell whether the path is broken."""

"""What a test needs of the network between the DUT and the engine."""

from __future__ import annotations

import math
from abc import abstractmethod
from enum import StrEnum
from typing import Protocol


class Cut(StrEnum):
    """How a connection is lost."""

    DROP = "drop"
    """Silently: bytes vanish, connections stay open, new ones get no answer."""
    RESET = "reset"
    """Loudly: connections get a TCP reset, new ones are refused."""


LONGEST_DELAY = 60.0
"""In s."""


def check_delay(seconds: float) -> None:
    """Refuse a delay that no network path takes."""
    if not 0.0 <= seconds <= LONGEST_DELAY:
        raise ValueError(f"delay is {seconds:g} s, expected 0 to {LONGEST_DELAY:g}")


def check_limit(bytes_per_second: float | None) -> None:
    """Refuse a limit that no network path takes."""
    if bytes_per_second is not None and not 1 <= bytes_per_second < math.inf:
        raise ValueError(f"limit is {bytes_per_second:g} bytes/s, expected 1 or more, or None")


class NetworkPath(Protocol):
    """Break, delay, throttle and mend the network path of the DUT."""

    @abstractmethod
    async def cut(self, how: Cut = Cut.RESET) -> None:
        """Break the path."""

    @abstractmethod
    async def restore(self) -> None:
        """Mend the path: no cut, no delay, no limit."""

    @abstractmethod
    async def delay(self, seconds: float) -> None:
        """Delay every byte in both directions by `seconds`, 0 to 60."""

    @abstractmethod
    async def limit(self, bytes_per_second: float | None) -> None:
        """Let through so many bytes a second in each direction, at least 1; None: no limit."""

    @abstractmethod
    async def is_cut(self) -> bool:
        """Tell whether the path is broken."""

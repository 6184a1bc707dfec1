"""What a test needs of switched mains."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class PowerSwitch(Protocol):
    """Switch the supply of the DUT."""

    @abstractmethod
    async def switch_on(self) -> None:
        """Switch the supply on; returns when the read-back says so."""

    @abstractmethod
    async def switch_off(self) -> None:
        """Switch the supply off; returns when the read-back says so."""

    @abstractmethod
    async def cycle(self, *, off_for: float) -> None:
        """Switch off, wait `off_for` s, switch on."""

    @abstractmethod
    async def is_on(self) -> bool:
        """Read back whether the supply is on."""

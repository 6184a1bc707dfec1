"""A simulated device on its wire, and what a test can do to it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from drivers.sim.faults import Faults
from drivers.sim.wire import Line, Wire


class Wired(Protocol):
    """A device's logic, behind any wire."""

    @abstractmethod
    def power_up(self) -> None:
        """Start as after the device's supply came."""

    @abstractmethod
    async def converse(self, line: Line) -> None:
        """Serve one conversation until the other side hangs up."""


D = TypeVar("D", bound=Wired, covariant=True)


class Twin(Generic[D]):
    """A device and its wire, open between `async with` and its end."""

    def __init__(self, device: D, wire: Wire) -> None:
        self.device = device
        self.faults = Faults()
        self._wire = wire

    @property
    def link(self) -> str:
        """The link URL for `bench.toml`."""
        return self._wire.link

    async def __aenter__(self) -> Self:
        self.device.power_up()
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.disconnect()

    async def disconnect(self) -> None:
        """Pull the cable: TCP reset, terminal gone; the device itself goes on."""
        await self._wire.close()

    async def connect(self) -> None:
        """Put the cable back."""
        await self._wire.open(self.device.converse, self.faults)

    async def restart(self, *, down_for: float = 0.0) -> None:
        """Take the device's supply away for `down_for` s."""
        await self.disconnect()
        await asyncio.sleep(down_for)
        self.device.power_up()
        await self.connect()

    def emit(self, data: bytes) -> None:
        """Send bytes that nobody asked for, now."""
        self._wire.emit(data)

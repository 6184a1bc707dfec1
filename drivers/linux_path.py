"""A network interface of a Linux bench that the station's traffic goes through.

The kernel breaks and shapes the path: the interface's link, packets dropped or rejected by
nftables, delay and limit by queueing disciplines. That takes rights which this program does not
have: a small program of fixed words (`net_helper`) does it, and mends all when this one dies.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from bench.capability import Cut, NetworkPath, check_delay, check_limit
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, Unverifiable
from drivers.lifecycle import enter, leave
from drivers.link.process import ProcessLink

_LEAVING = 2.0
"""Deadline in s for mending when leaving: up to five commands of the helper."""


@dataclass(frozen=True, slots=True)
class LinuxPathSettings:
    """Keys of a Linux network path in `bench.toml`."""

    interface: str
    """The interface towards the station, for example `enp3s0`."""
    uplink: str = ""
    """The interface towards the engine, where the bench's computer routes between the two; needed
    to delay and to limit, as an interface shapes only what it sends."""
    loud: Literal["tcp", "link"] = "tcp"
    """What a loud cut is: TCP resets, or the interface taken down, for a station that hangs on it
    directly."""
    command: tuple[str, ...] = ("sudo", "-n", "/usr/local/sbin/pilotbench-net")
    """How to start the helper; the interfaces' names follow."""

    def __post_init__(self) -> None:
        if not self.interface:
            raise ValueError("'interface' is empty")
        if not self.command:
            raise ValueError("'command' is empty, expected a program")


@dataclass(frozen=True, slots=True)
class _State:
    """What the helper reads of the kernel."""

    link: str
    """up or down."""
    cut: str
    """none, drop or reset."""
    shaped: str
    """Queueing discipline of each interface, joined by commas."""


class LinuxPath(Device, NetworkPath):
    """The station's path through one interface of the bench's computer."""

    def __init__(self, name: str, link: ProcessLink, settings: LinuxPathSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings
        self._delay = 0.0
        self._limit: float | None = None

    async def __aenter__(self) -> Self:
        """Start the helper and mend the path."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Mend the path and end the helper."""
        await leave(self, self._link, error, within=_LEAVING)

    async def identify(self) -> Identity:
        """Check that the interface is there and that the helper may read it."""
        await self._state()
        return Identity("Linux", f"interface {self._settings.interface}")

    async def make_safe(self) -> None:
        """Mend the path."""
        await self.restore()

    async def self_test(self) -> str:
        """Drop packets and mend the path, reading back both."""
        try:
            await self.cut(Cut.DROP)
        finally:
            await self.restore()
        state = await self._state()
        return f"{self._settings.interface} is {state.link}, drops and carries again"

    async def cut(self, how: Cut = Cut.RESET) -> None:
        """Break the path: packets vanish (DROP); TCP is reset, or the link goes down (RESET)."""
        if how is Cut.RESET and self._settings.loud == "link":
            await self._link.ask("down")
            await self._reads("link", "down")
        else:
            await self._link.ask(how.value)
            await self._reads("cut", how.value)

    async def restore(self) -> None:
        """Mend the path: the interface up, no packet dropped, no delay, no limit."""
        await self._link.ask("clear")
        self._delay, self._limit = 0.0, None
        await self._reads("link", "up")
        await self._reads("cut", "none")
        await self._reads_shaped()

    async def delay(self, seconds: float) -> None:
        """Delay packets in both directions; `Unverifiable` without an uplink."""
        check_delay(seconds)
        self._check_uplink(seconds > 0, "delay")
        await self._link.ask(f"delay {round(seconds * 1000)}")
        self._delay = seconds
        await self._reads_shaped()

    async def limit(self, bytes_per_second: float | None) -> None:
        """Limit the packets' bytes, headers included; `Unverifiable` without an uplink."""
        check_limit(bytes_per_second)
        self._check_uplink(bytes_per_second is not None, "limit")
        await self._link.ask(f"limit {round(bytes_per_second or 0)}")
        self._limit = bytes_per_second
        await self._reads_shaped()

    async def is_cut(self) -> bool:
        """Tell whether the interface is down, or packets are dropped or rejected."""
        state = await self._state()
        return state.link != "up" or state.cut != "none"

    def _check_uplink(self, wanted: bool, what: str) -> None:
        if wanted and not self._settings.uplink:
            raise Unverifiable(
                f"{self._name}: can't {what} in both directions at one interface (key 'uplink')"
            )

    async def _state(self) -> _State:
        answer = await self._link.ask("state")
        words = answer.split()
        if len(words) != 3:
            raise DeviceError(f"{self._name}: the helper tells {answer!r}, expected three words")
        return _State(*words)

    async def _reads(self, what: str, wanted: str) -> None:
        found = getattr(await self._state(), what)
        if found != wanted:
            raise DeviceError(
                f"{self._name}: {what} of {self._settings.interface} reads {found}, "
                f"commanded {wanted}"
            )

    async def _reads_shaped(self) -> None:
        kind = "netem" if self._delay else "tbf" if self._limit else "none"
        await self._reads("shaped", ",".join([kind] * (2 if self._settings.uplink else 1)))


def _make(settings: LinuxPathSettings, context: DriverContext) -> LinuxPath:
    names = filter(None, (settings.interface, settings.uplink))
    program, *rest = settings.command
    command = (shutil.which(program) or program, *rest, *names)
    return LinuxPath(context.name, ProcessLink(context.name, command), settings)


DRIVER = Driver(settings=LinuxPathSettings, offers=(NetworkPath,), make=_make)

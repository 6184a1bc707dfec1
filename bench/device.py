"""What the bench expects of every device driver, and how a driver is declared."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from bench.pictures import Picture


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device says it is."""

    maker: str
    model: str
    serial: str = ""
    firmware: str = ""


class Device(Protocol):
    """One opened device: entering makes it safe, leaving makes it safe."""

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Connect, identify, make safe; raise `DeviceError` naming the device when that fails."""

    @abstractmethod
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make safe if the device still answers, and close the link."""

    @abstractmethod
    async def identify(self) -> Identity:
        """Read who the device is."""

    @abstractmethod
    async def make_safe(self) -> None:
        """Bring the device to its safe state from any state, within 1 s, idempotent."""

    async def self_test(self) -> str:
        """Try the opened device out, leave it safe, and say in one line what was seen.

        It takes no supply away from the DUT and presents no card. Raises `DeviceError` when the
        device does not do what it is told, `Unverifiable` when the lab does not let it show. A
        device that has nothing more to show is made safe once more.
        """
        await self.make_safe()
        return "made safe"


class Operator(Protocol):
    """The person at the bench, who answers prompts."""

    @abstractmethod
    async def ask(
        self,
        kind: str,
        text: str,
        *,
        options: Sequence[str] = (),
        action: Action | None = None,
        within: float | None = None,
        picture: Picture | None = None,
    ) -> Answer:
        """Put a prompt and wait for its answer; `Unverifiable` when refused or not answered.

        `kind` is confirm, choose, enter or judge (CONTRACT); `within` in s, None: the bench's
        operator deadline; `picture` shows what the text says.
        """


@dataclass(frozen=True, slots=True)
class Action:
    """The capability call that a prompt stands for, so that a program can act for the operator."""

    capability: str
    method: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the operator said."""

    value: Any
    by: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What the bench hands to a driver when it makes a device."""

    name: str
    """The device's name in `bench.toml`."""
    operator: Operator
    ocpp_listen: str = ""
    """HOST:PORT where the DUT connects (`[ocpp] listen`)."""
    ocpp_upstream: Callable[[], str] | None = None
    """HOST:PORT where the engine really listens when a device stands in between."""
    shared: dict[str, Any] = field(default_factory=dict)
    """What devices of one bench use together, such as a serial bus; one for the whole bench."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver, as an entry point of the group `pilotbench.drivers` declares it."""

    settings: type
    """Frozen dataclass whose fields are the keys of the `[[device]]` table."""
    offers: tuple[type, ...]
    """The capabilities that a device of this driver offers."""
    make: Callable[[Any, DriverContext], Device]
    """Make the device, unopened, of its settings and context."""
    scan: Callable[[], Awaitable[Sequence[str]]] | None = None
    """List what is plugged in that this driver could serve, if it can tell."""
    by_hand: bool = False
    """True when the operator is the device: its calls take as long as a prompt may stay open."""
    fronts_ocpp: bool = False
    """True for a device that stands between DUT and engine and takes over `[ocpp] listen`."""

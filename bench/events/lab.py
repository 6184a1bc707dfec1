"""The devices of the bench, what they did and observed, and the lab made safe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DeviceOpened:
    """A device of the bench answered and is safe."""

    device: str
    driver: str
    offers: list[str]
    identity: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device does not answer any more, or did not when something was to be done by hand."""

    device: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceClosed:
    """A device was made safe and its link closed."""

    device: str


@dataclass(frozen=True, slots=True)
class DeviceChecked:
    """A device was tried out while no run went on, and left safe."""

    device: str
    driver: str
    state: str
    """answers, sound (its self-test passed), untested, faulty, or absent."""
    message: str


@dataclass(frozen=True, slots=True)
class Acted:
    """A capability of a device was used."""

    device: str
    capability: str
    method: str
    arguments: dict[str, Any]
    result: Any
    error: str | None
    duration: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class ChannelDeclared:
    """Samples of a quantity follow: as bulk data in the run's samples, for viewers as summaries."""

    channel: int
    """Number of the channel, counted from 1 in each run."""
    name: str
    unit: str
    instrument: str
    """The device that observes it; OCPP for what the frames tell."""
    connector: int | None = None
    zero: float = 0.0
    """What viewers add to the values of binary frames, which are too coarse for registers."""


@dataclass(frozen=True, slots=True)
class FileAttached:
    """A file in the run's folder is complete."""

    file: str
    size: int
    """Bytes."""
    sha256: str
    samples: dict[str, int] = field(default_factory=dict)
    """How many samples it has, by channel."""


@dataclass(frozen=True, slots=True)
class Interlocked:
    """An interlock of the bench refused an act, reduced a load, or switched a load off."""

    device: str
    did: str
    """refused, reduced or switched off."""
    reason: str


@dataclass(frozen=True, slots=True)
class MadeSafe:
    """The lab was made safe; `failures` names devices that could not be."""

    failures: dict[str, str]

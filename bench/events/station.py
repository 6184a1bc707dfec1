"""What went between the bench and the DUT over its connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StationConnected:
    """The DUT opened its WebSocket connection."""

    connection: int
    identity: str
    path: str
    remote: str
    offered: list[str]
    """Subprotocols in the order offered."""


@dataclass(frozen=True, slots=True)
class StationRefused:
    """A connection attempt was refused."""

    path: str
    remote: str
    reason: str


@dataclass(frozen=True, slots=True)
class StationDisconnected:
    """The DUT's connection ended."""

    connection: int
    code: int | None
    reason: str

    @property
    def how(self) -> str:
        """Say how it ended, also where there was no close code."""
        if self.code is None:
            return self.reason or "without a close frame"
        return f"code {self.code} {self.reason}".rstrip()


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A WebSocket message was read from the DUT's socket; broken ones too."""

    connection: int
    text: str | None
    base64: str | None = None
    """The bytes of a message that is no text."""


@dataclass(frozen=True, slots=True)
class FrameSent:
    """A WebSocket message was handed to the DUT's socket."""

    connection: int
    text: str


@dataclass(frozen=True, slots=True)
class FrameLost:
    """A message recorded as sent could not be handed to the socket."""

    frame: int
    reason: str


@dataclass(frozen=True, slots=True)
class LeftUnanswered:
    """The CSMS side left a CALL of the DUT unanswered on purpose."""

    frame: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The procedure took all matching messages since `after`, so that no expectation sees them."""

    frames: list[int]
    pattern: dict[str, Any]
    after: int


@dataclass(frozen=True, slots=True)
class Instructed:
    """The procedure told the CSMS side how to behave in this case."""

    text: str


@dataclass(frozen=True, slots=True)
class FileTransferred:
    """The DUT fetched a file from the bench's FTP or HTTP server, or brought one."""

    direction: str
    """`download` to the DUT or `upload` from it."""
    protocol: str
    name: str
    size: int
    """Bytes that went over."""
    sha256: str
    complete: bool
    """Whether the whole file went over."""
    remote: str
    duration: float
    """Seconds."""
    attachment: str | None = None
    """Where the run's folder keeps what the DUT brought."""

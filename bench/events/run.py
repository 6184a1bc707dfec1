"""A run from its start to its end, and who watches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began: what will run on which bench and DUT, and what will not, with reasons."""

    run: str
    version: str
    schema: int
    bench: dict[str, Any]
    dut: dict[str, Any]
    cases: list[dict[str, Any]]
    """Planned cases in order: id, title, mark, group, waits (s that the case prescribes)."""
    not_run: list[dict[str, Any]]
    """All other procedures: id, outcome, reason."""
    pics: dict[str, Any]
    pixit: dict[str, Any]
    files: dict[str, str]
    """Copies in the run's folder by name, with their SHA-256."""
    monitors: list[str] = field(default_factory=list)
    """The rules that were watched all the time."""
    signer: dict[str, str] | None = None
    """With which key the run is signed when it ends: algorithm, public_key (base64 of the DER
    SubjectPublicKeyInfo), fingerprint (SHA-256 of that)."""
    timestamp: str | None = None
    """URL of the authority that is asked for a time stamp when the run ends."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run came to its end; `complete` is false when planned cases did not run."""

    complete: bool
    reason: str | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class EarlierResultsVoid:
    """The DUT is not what it was: earlier results do not count (Certification Document 2, 5.6)."""

    why: str
    runs: list[str]
    """Earlier runs of this DUT, newest first; the cases before in this run as well."""


@dataclass(frozen=True, slots=True)
class RunPaused:
    """The operator holds the run at the next step."""

    by: str


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The operator lets the run go on."""

    by: str


@dataclass(frozen=True, slots=True)
class AbortRequested:
    """Somebody or something asked to end the run."""

    by: str


@dataclass(frozen=True, slots=True)
class ClocksCompared:
    """The two clocks were read together: when a run or the engine starts, then every minute."""

    offset: float
    """UTC in seconds since 1970 less the monotonic clock in seconds."""
    uncertainty: float
    """Seconds by which `offset` can be off, as the two are read one after the other."""


@dataclass(frozen=True, slots=True)
class ViewerConnected:
    """An observer began to watch the stream."""

    viewer: int
    """Number of the connection, unique in one engine."""
    name: str
    """For whom the link was made."""
    share: str
    """Id of the link."""


@dataclass(frozen=True, slots=True)
class ViewerDisconnected:
    """An observer watches no more."""

    viewer: int
    name: str
    share: str
    reason: str

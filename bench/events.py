"""What can happen in a run: small frozen facts in the past tense, written to the journal."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

SCHEMA = 2
"""Version of the event vocabulary; a journal names the one it was written with.

A field or kind of event that is only added needs no new one as long as its absence means nothing.
"""


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


@dataclass(frozen=True, slots=True)
class OperatorLeft:
    """No operator is there: prompts are held, and wait without a deadline."""

    prompts: list[str]
    """Those that were open."""


@dataclass(frozen=True, slots=True)
class OperatorReturned:
    """An operator is there again: prompts go on with the time that was left to them."""

    deadlines: dict[str, str]
    """The new deadlines of the open prompts."""


@dataclass(frozen=True, slots=True)
class CaseStarted:
    """A case began."""

    case: str
    title: str
    mark: str
    group: str
    purpose: str
    refs: list[str]


@dataclass(frozen=True, slots=True)
class CaseEnded:
    """A case came to its verdict."""

    case: str
    verdict: str
    ended: str
    reason: str | None
    cause: str | None
    """Class of the exception that ended it, if one did."""
    phase: str
    """The phase in which it ended."""
    duration: float
    """Seconds."""
    unclaimed: list[int]
    """Records of the DUT's CALLs that no step expected."""
    traceback: str | None = None
    """For a defect of ours."""


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """The running case entered its preamble, body or postamble; a case begins in its body."""

    phase: str


@dataclass(frozen=True, slots=True)
class Retried:
    """The case begins once more: its preamble was not reached, and what it checked is void."""

    reason: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of a case began; the window of its expectations opens here."""

    step: int
    phase: str
    title: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step ended."""

    step: int
    verdict: str
    reason: str | None
    cause: str | None = None
    """Class of the exception that ended it, if one did."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Something was judged; `rule` holds what is needed to judge it again from the records."""

    text: str
    verdict: str
    expected: str
    actual: str
    frame: int | None
    """The record of the frame it was judged by, if one was."""
    rule: dict[str, Any]
    clause: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A value was measured; `verdict` is none without a limit."""

    name: str
    value: float
    unit: str
    uncertainty: float | None
    limit: list[float | None] | None
    verdict: str
    rule: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """The procedure or a person left a remark."""

    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Tabulated:
    """The procedure put together what it read, as a table for the report."""

    title: str
    heads: list[str]
    rows: list[list[str]]


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


@dataclass(frozen=True, slots=True)
class DeviceOpened:
    """A device of the bench answered and is safe."""

    device: str
    driver: str
    offers: list[str]
    identity: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device does not answer any more."""

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


@dataclass(frozen=True, slots=True)
class Prompted:
    """The operator was asked something (CONTRACT, "A prompt")."""

    prompt: str
    kind: str
    text: str
    options: list[str]
    deadline: str
    action: dict[str, Any] | None
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The operator answered; only the first answer counts."""

    prompt: str
    answer: Any
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class PromptWithdrawn:
    """A prompt ended without an answer."""

    prompt: str
    reason: str


Event = (
    RunStarted
    | RunEnded
    | EarlierResultsVoid
    | RunPaused
    | RunResumed
    | AbortRequested
    | ClocksCompared
    | ViewerConnected
    | ViewerDisconnected
    | OperatorLeft
    | OperatorReturned
    | CaseStarted
    | CaseEnded
    | PhaseEntered
    | Retried
    | StepStarted
    | StepEnded
    | Checked
    | Measured
    | Noted
    | Tabulated
    | StationConnected
    | StationRefused
    | StationDisconnected
    | FrameReceived
    | FrameSent
    | FrameLost
    | LeftUnanswered
    | Claimed
    | Instructed
    | FileTransferred
    | DeviceOpened
    | DeviceLost
    | DeviceClosed
    | DeviceChecked
    | Acted
    | ChannelDeclared
    | FileAttached
    | Interlocked
    | MadeSafe
    | Prompted
    | Answered
    | PromptWithdrawn
)

KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}


def to_data(event: Any) -> dict[str, Any]:
    """Write an event's fields as plain JSON data."""
    return {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}


def from_data(kind: str, data: Mapping[str, Any]) -> Event:
    """Read an event back; raises ValueError for a kind or field that this version does not know."""
    return one_of(KINDS, kind, data)


def one_of(kinds: Mapping[str, type[T]], kind: str, data: Mapping[str, Any]) -> T:
    """Read an event of any vocabulary back, likewise."""
    try:
        return kinds[kind](**data)
    except KeyError:
        raise ValueError(f"unknown kind of event {kind!r}") from None
    except TypeError as error:
        raise ValueError(f"event {kind}: {error}") from error

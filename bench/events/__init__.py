"""What can happen in a run: small frozen facts in the past tense, written to the journal."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from bench.events.case import (
    CaseEnded,
    CaseStarted,
    Checked,
    Measured,
    Noted,
    PhaseEntered,
    Retried,
    StepEnded,
    StepStarted,
    Tabulated,
)
from bench.events.lab import (
    Acted,
    ChannelDeclared,
    DeviceChecked,
    DeviceClosed,
    DeviceLost,
    DeviceOpened,
    FileAttached,
    Interlocked,
    MadeSafe,
)
from bench.events.operator import (
    Answered,
    OperatorLeft,
    OperatorReturned,
    Prompted,
    PromptWithdrawn,
)
from bench.events.run import (
    AbortRequested,
    ClocksCompared,
    EarlierResultsVoid,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    ViewerConnected,
    ViewerDisconnected,
)
from bench.events.station import (
    Claimed,
    FileTransferred,
    FrameLost,
    FrameReceived,
    FrameSent,
    Instructed,
    LeftUnanswered,
    StationConnected,
    StationDisconnected,
    StationRefused,
)

T = TypeVar("T")

SCHEMA = 2
"""Version of the event vocabulary; a journal names the one it was written with.

A field or kind of event that is only added needs no new one as long as its absence means nothing.
"""


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


__all__ = [
    "KINDS",
    "SCHEMA",
    "AbortRequested",
    "Acted",
    "Answered",
    "CaseEnded",
    "CaseStarted",
    "ChannelDeclared",
    "Checked",
    "Claimed",
    "ClocksCompared",
    "DeviceChecked",
    "DeviceClosed",
    "DeviceLost",
    "DeviceOpened",
    "EarlierResultsVoid",
    "Event",
    "FileAttached",
    "FileTransferred",
    "FrameLost",
    "FrameReceived",
    "FrameSent",
    "Instructed",
    "Interlocked",
    "LeftUnanswered",
    "MadeSafe",
    "Measured",
    "Noted",
    "OperatorLeft",
    "OperatorReturned",
    "PhaseEntered",
    "PromptWithdrawn",
    "Prompted",
    "Retried",
    "RunEnded",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "StationConnected",
    "StationDisconnected",
    "StationRefused",
    "StepEnded",
    "StepStarted",
    "Tabulated",
    "ViewerConnected",
    "ViewerDisconnected",
    "from_data",
    "one_of",
    "to_data",
]

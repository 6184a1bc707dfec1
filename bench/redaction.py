"""What observers get in place of a record that tells of others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from bench.events import Event, from_data, to_data

HIDDEN = "***"


def _refused(data: dict[str, Any]) -> None:
    """Another station knocked at the door: an observer learns that somebody did, not who."""
    data.update(path=HIDDEN, remote=HIDDEN, reason=HIDDEN)


def _viewer(data: dict[str, Any]) -> None:
    """Who else watches is the operator's business."""
    data.update(name=HIDDEN, share=HIDDEN)


def _void(data: dict[str, Any]) -> None:
    """Hide the ids of other runs: a link may be for a single one."""
    data.update(runs=[HIDDEN])


_REDACTIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "EarlierResultsVoid": _void,
    "StationRefused": _refused,
    "ViewerConnected": _viewer,
    "ViewerDisconnected": _viewer,
}
# Run, number and times come first in a frame, so nothing that a DUT says can look like it.
_EVENT = re.compile(
    rb'^\{"run":(?:null|"(?:[^"\\]|\\.)*"),"n":\d+,"utc":"[^"]*","mono":[^,]*,"event":"(\w+)"'
)


def for_observer(frame: bytes) -> bytes:
    """Write a frame of the stream as an observer may read it."""
    found = _EVENT.match(frame)
    if found is None:
        raise ValueError("not a frame of the stream")
    redact = _REDACTIONS.get(found[1].decode())
    if redact is None:
        return frame
    document = orjson.loads(frame)
    redact(document["data"])
    return orjson.dumps(document)


def event_for_observer(event: Event) -> Event:
    """Return an event as an observer may read it."""
    kind = type(event).__name__
    redact = _REDACTIONS.get(kind)
    if redact is None:
        return event
    data = to_data(event)
    redact(data)
    return from_data(kind, data)

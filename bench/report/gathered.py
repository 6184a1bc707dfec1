"""What a report needs of all messages of a run, gathered while its journal is read.

The view that a report is made of keeps a part of a long run's messages; what counts them all, such
as response times, is taken from each as it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.events import (
    AbortRequested,
    Acted,
    Answered,
    CaseEnded,
    CaseStarted,
    Noted,
    RunPaused,
    RunResumed,
    StationConnected,
    StationDisconnected,
)
from bench.journal import Record
from bench.ocpp.frame import Call, CallError, CallResult
from bench.runview import RunView
from bench.views import FrameView

MOVES = ("VehicleCoupler", "VehicleEmulator", "CardPresenter", "PowerSwitch", "NetworkPath")
"""Capabilities by which a person or a device makes the DUT send something of its own."""
OPEN = 100
"""Newest CALLs whose answers and consequences are awaited; a DUT may leave any number open."""


@dataclass(slots=True)
class Series:
    """Durations in s of one kind."""

    values: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        """Take one more."""
        self.values.append(seconds)

    @property
    def median(self) -> float | None:
        """The middle one, or the mean of the two in the middle."""
        ordered, half = sorted(self.values), len(self.values) // 2
        if not ordered:
            return None
        return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@dataclass(slots=True)
class _Awaited:
    """A CALL of the bench whose consequence is timed."""

    series: Series
    since: float | None
    """When it began to count; None until the CALL is answered."""
    is_it: Callable[[Call], bool]
    from_call: bool
    """Whether the time counts from the CALL, and not from its answer."""


class Gathered:
    """Folds the records of one run: identity as reported, response times, connections."""

    def __init__(self) -> None:
        self.boots: list[dict[str, Any]] = []
        """Payloads of BootNotification, each that differs from the one before."""
        self.answers: dict[str, Series] = {}
        """Times until the DUT answered, by action."""
        self.refused: dict[str, int] = {}
        """How often it answered by CALLERROR, by action."""
        self.triggered, self.start, self.stop = Series(), Series(), Series()
        self.connections: list[StationConnected] = []
        self.reconnected = 0
        self.people: set[str] = set()
        """Names under which somebody acted or answered."""
        self._sent: dict[str, tuple[float, Call]] = {}
        self._awaited: dict[str, _Awaited] = {}
        """By the message id of the CALL."""

    def take(self, record: Record, view: RunView) -> None:
        """Take the next record; the view has it already."""
        frame = view.frame(record.n)
        if frame is not None:
            self._frame(frame)
            return
        if isinstance(record.event, Answered | Noted | RunPaused | RunResumed | AbortRequested):
            self.people.add(record.event.by)
        match record.event:
            case CaseStarted() | CaseEnded() | StationDisconnected():
                self._awaited.clear()
                if isinstance(record.event, StationDisconnected):
                    self._sent.clear()
            case Acted(capability=capability) if capability in MOVES:
                # What comes now may be for another reason.
                self._awaited.clear()
            case StationConnected() as event:
                self.reconnected += bool(self.connections)
                if not self.connections or self.connections[-1].remote != event.remote:
                    self.connections = [*self.connections[-9:], event]
            case _:
                pass

    def _frame(self, view: FrameView) -> None:
        match view.frame:
            case Call(message_id) as call if not view.from_station:
                for open_ones in (self._sent, self._awaited):
                    if len(open_ones) >= OPEN:
                        del open_ones[next(iter(open_ones))]
                self._sent[message_id] = view.stamp.mono, call
                self._await(message_id, call, view.stamp.mono)
            case Call() as call:
                self._came(call, view.stamp.mono)
            case CallResult(message_id, payload) if view.from_station:
                self._answered(message_id, payload, view)
            case CallError(message_id) if view.from_station:
                self._answered(message_id, None, view)
            case _:
                pass

    def _answered(
        self, message_id: str, payload: Mapping[str, Any] | None, view: FrameView
    ) -> None:
        sent = self._sent.pop(message_id, None)
        if sent is None:
            return
        began, call = sent
        self.answers.setdefault(call.action, Series()).add(view.stamp.mono - began)
        if payload is None:
            self.refused[call.action] = self.refused.get(call.action, 0) + 1
        awaited = self._awaited.get(message_id)
        if awaited is None:
            return
        if payload is None or payload.get("status") != "Accepted":
            del self._awaited[message_id]
        elif not awaited.from_call:
            awaited.since = view.stamp.mono

    def _await(self, message_id: str, call: Call, mono: float) -> None:
        payload = call.payload
        match call.action:
            case "RemoteStartTransaction":
                tag = str(payload.get("idTag")).lower()
                self._awaited[message_id] = _Awaited(
                    self.start,
                    mono,
                    lambda came: (
                        came.action == "StartTransaction"
                        and str(came.payload.get("idTag")).lower() == tag
                    ),
                    from_call=True,
                )
            case "RemoteStopTransaction":
                number = payload.get("transactionId")
                self._awaited[message_id] = _Awaited(
                    self.stop,
                    mono,
                    lambda came: (
                        came.action == "StopTransaction"
                        and came.payload.get("transactionId") == number
                    ),
                    from_call=True,
                )
            case "TriggerMessage":
                wanted = payload.get("requestedMessage")
                self._follows(message_id, lambda came: came.action == wanted)
            case "ReserveNow" | "CancelReservation" | "ChangeAvailability":
                status = {"ReserveNow": "Reserved", "CancelReservation": "Available"}
                self._follows(
                    message_id,
                    _status(status.get(call.action), payload.get("connectorId") or None),
                )
            case _:
                pass

    def _follows(self, message_id: str, is_it: Callable[[Call], bool]) -> None:
        self._awaited[message_id] = _Awaited(self.triggered, None, is_it, from_call=False)

    def _came(self, call: Call, mono: float) -> None:
        if call.action == "BootNotification" and (not self.boots or self.boots[-1] != call.payload):
            self.boots = [*self.boots[:20], call.payload]
        for message_id, awaited in self._awaited.items():
            if awaited.is_it(call):
                # A message that overtook the answer does not tell the time from there on.
                if awaited.since is not None:
                    awaited.series.add(mono - awaited.since)
                del self._awaited[message_id]
                return


def _status(status: str | None, connector: int | None) -> Callable[[Call], bool]:
    """Recognise a StatusNotification, of any status and connector where None."""

    def is_it(call: Call) -> bool:
        return (
            call.action == "StatusNotification"
            and status in (None, call.payload.get("status"))
            and connector in (None, call.payload.get("connectorId"))
        )

    return is_it

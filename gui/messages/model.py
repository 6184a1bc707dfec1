"""The messages of a run as rows of a table, filtered, for a view that never waits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC
from enum import IntEnum, StrEnum
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt

from bench.clock import spoken
from bench.ocpp.frame import Broken, Call, CallError
from gui.messages.filter import Filter
from gui.messages.happenings import Message
from gui.messages.timeline import Timeline

ROLE = Qt.ItemDataRole
MESSAGE = ROLE.UserRole
"""The role under which a row gives its message."""


class Column(IntEnum):
    """What a row tells, in order."""

    TIME = 0
    DIRECTION = 1
    KIND = 2
    ACTION = 3
    CONTENT = 4
    ROUND_TRIP = 5
    CHECKS = 6
    STEP = 7
    MESSAGE_ID = 8


HEADS = (
    "Time",
    "Direction",
    "Kind",
    "Action",
    "Content",
    "Round trip",
    "Checks",
    "Step",
    "Message id",
)


class Times(StrEnum):
    """How the first column tells the time."""

    RUN = "run"
    """Seconds since the run began."""
    UTC = "UTC"
    DELTA = "delta"
    """Seconds since the marked row."""


class MessageModel(QAbstractTableModel):
    """The rows that pass the filter; new ones are inserted in batches."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self._timeline = timeline
        self._filter = Filter("", None)
        self._taken = 0
        self._frozen = False
        self.rows: list[Message] = []
        self.times = Times.RUN
        self.marked: Message | None = None
        """The row that `Times.DELTA` counts from."""
        timeline.begun.connect(self._anew)
        timeline.grown.connect(self._grow)
        timeline.changed.connect(self._change)
        self._anew()

    @property
    def frozen(self) -> bool:
        """Whether new messages wait outside while they are captured."""
        return self._frozen

    @property
    def waiting(self) -> int:
        """How many messages wait outside."""
        return len(self._timeline.messages) - self._taken

    def freeze(self, on: bool) -> None:
        """Let new messages wait outside, or let them all in."""
        self._frozen = on
        if not on:
            self._grow()

    def filter_by(self, wanted: Filter) -> None:
        """Show what passes another filter; the list is made anew at once."""
        self.beginResetModel()
        self._filter = wanted
        self.rows = wanted.of(self._timeline.messages[: self._taken])
        self.endResetModel()

    def tell_time(self, times: Times, marked: Message | None = None) -> None:
        """Tell the time otherwise; `marked` is the row that a delta counts from."""
        self.times, self.marked = times, marked
        if self.rows:
            last = self.index(len(self.rows) - 1, Column.TIME)
            self.dataChanged.emit(self.index(0, Column.TIME), last)

    def place(self, message: Message) -> int | None:
        """Return the row of a message, None where it is filtered out."""
        at = bisect_left(self.rows, message.n, key=_number)
        return at if at < len(self.rows) and self.rows[at] is message else None

    def nearest(self, moment: float) -> int:
        """Return the row of the last message up to a moment; -1 before the first."""
        return bisect_right(self.rows, moment, key=lambda one: one.moment) - 1

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Tell how many rows pass the filter."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Tell how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(Column)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = ROLE.DisplayRole
    ) -> Any:
        """Name a column."""
        if orientation is Qt.Orientation.Horizontal and role == ROLE.DisplayRole:
            return HEADS[section]
        return None

    def data(self, index: QModelIndex, role: int = ROLE.DisplayRole) -> Any:
        """Give the text of a cell, or under `MESSAGE` its message."""
        if role == ROLE.DisplayRole:
            return _TEXTS[index.column()](self, self.rows[index.row()])
        if role == MESSAGE:
            return self.rows[index.row()]
        return None

    def time_of(self, message: Message) -> str:
        """Tell when a message came, as the first column does."""
        if self.times is Times.UTC:
            return message.view.stamp.utc.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]
        if self.times is Times.DELTA and self.marked is not None:
            return f"{message.moment - self.marked.moment:+.3f}"
        return f"{message.moment - (self._timeline.begin or 0.0):.3f}"

    def _anew(self) -> None:
        self.beginResetModel()
        self.marked = None
        if self.times is Times.DELTA:
            self.times = Times.RUN
        self._taken = len(self._timeline.messages)
        self.rows = self._filter.of(self._timeline.messages)
        self.endResetModel()

    def _grow(self) -> None:
        if self._frozen:
            return
        fresh = self._filter.of(self._timeline.messages[self._taken :])
        self._taken = len(self._timeline.messages)
        if fresh:
            at = len(self.rows)
            self.beginInsertRows(QModelIndex(), at, at + len(fresh) - 1)
            self.rows += fresh
            self.endInsertRows()

    def _change(self, messages: list[Message]) -> None:
        """Show what became of earlier messages; some may now pass the filter, or no more."""
        last = self._timeline.messages[self._taken - 1].n if self._taken else -1
        for message in messages:
            if message.n > last:
                continue  # it waits outside
            place = self.place(message)
            passes = self._filter.passes(message)
            if place is not None and passes:
                end = self.index(place, Column.MESSAGE_ID)
                self.dataChanged.emit(self.index(place, 0), end)
            elif place is not None:
                self.beginRemoveRows(QModelIndex(), place, place)
                del self.rows[place]
                self.endRemoveRows()
            elif passes:
                at = bisect_left(self.rows, message.n, key=_number)
                self.beginInsertRows(QModelIndex(), at, at)
                self.rows.insert(at, message)
                self.endInsertRows()


def _number(message: Message) -> int:
    return message.n


def kind_of(message: Message) -> str:
    """Name the kind with its sign."""
    return f"{SIGNS[message.kind]} {message.kind}"


SIGNS = {"CALL": "▸", "CALLRESULT": "◃", "CALLERROR": "✕", "broken": "⚠"}
"""What tells the kinds apart beside their colour."""


def direction_of(message: Message) -> str:
    """Say whence it came."""
    return "← station" if message.view.from_station else "→ station"


def content_of(message: Message) -> str:
    """Say in one line what is in it."""
    match message.view.frame:
        case Broken(reason):
            return reason
        case CallError(_, code, description):
            return f"{code} {description}".rstrip()
        case frame:
            return ", ".join(f"{key}={_brief(value)}" for key, value in frame.payload.items())


def _brief(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}={_brief(part)}" for key, part in value.items()) + "}"
        case list():
            return f"[{_brief(value[0])}{', …' if len(value) > 1 else ''}]" if value else "[]"
        case True | False | None:
            return {True: "true", False: "false", None: "null"}[value]
        case _:
            return str(value)


def round_trip_of(message: Message) -> str:
    """Say how long the answer took, or why there is none."""
    if message.view.lost is not None:
        return "not sent"
    if message.round_trip is not None:
        return spoken(message.round_trip) if message.round_trip >= 0.001 else "< 1 ms"
    if message.view.left_unanswered:
        return "left alone"
    return "no answer" if isinstance(message.view.frame, Call) else ""


def _checks(_: MessageModel, message: Message) -> str:
    if message.view.checks:
        return message.verdict
    return "unexpected" if message.is_unclaimed else ""


_TEXTS: tuple[Callable[[MessageModel, Message], str], ...] = (
    MessageModel.time_of,
    lambda _, message: direction_of(message),
    lambda _, message: kind_of(message),
    lambda _, message: message.view.action or "–",
    lambda _, message: content_of(message),
    lambda _, message: round_trip_of(message),
    _checks,
    lambda _, message: message.step.label if message.step is not None else "",
    lambda _, message: message.message_id,
)

"""Payloads: schemas and time stamps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bench.clock import from_iso
from bench.ocpp import schema
from bench.ocpp.frame import Call, CallResult, Frame, shorten
from bench.ocpp.message import Received
from bench.ocpp.rules.finding import Finding, Rule

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Schemas(Rule):
    """The JSON schemas of OCPP 1.6, for the DUT's CALLs and its answers."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        """Our CALLs not answered yet: message id to action."""

    def connected(self) -> None:
        """Forget what the last connection left open."""
        self._ours.clear()

    def sent(self, frame: Frame, mono: float) -> None:
        """Note what is asked, as an answer does not name its action."""
        if isinstance(frame, Call):
            self._ours[frame.message_id] = frame.action

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge the payload of a CALL or CALLRESULT."""
        match message.frame:
            case Call(action=action) if action not in schema.actions():
                yield Finding(
                    "schema",
                    "A CALL has an action of OCPP 1.6",
                    "a known action",
                    shorten(action),
                    message.n,
                    "OCPP-J 1.6 clause 4.2.1",
                )
            case Call(action=action, payload=payload):
                yield from self._conforms(message.n, action, payload, "request")
            case CallResult(message_id, payload):
                asked = self._ours.pop(message_id, "")
                if asked in schema.actions():
                    yield from self._conforms(message.n, asked, payload, "response")

    def _conforms(
        self, n: int, action: str, payload: dict[str, Any], side: schema.Side
    ) -> Iterator[Finding]:
        name = action if side == "request" else f"{action} answer"
        for problem in schema.problems(action, payload, side):
            if problem.is_format and "date-time" in problem.text:
                continue  # the timestamp rule says it better
            actual, _, expected = problem.text.partition(", expected ")
            where = f"{name} {problem.path}".rstrip()
            yield Finding(
                "schema",
                f"{name} conforms to its JSON schema",
                expected or "a payload that conforms",
                f"{where}: {actual}",
                n,
                "OCPP 1.6 JSON schema",
            )


class Timestamps(Rule):
    """OCPP 1.6 ed. 2 clause 3.15: their format, and a clock that follows the CSMS."""

    def __init__(self, deviation: float) -> None:
        self._deviation = deviation
        self._boots: set[str] = set()
        self._synchronised = False
        self._since: datetime | None = None
        """When the DUT was told the time on this connection, or sent its first message."""

    def connected(self) -> None:
        """Begin a connection: what is older than it may have waited for it."""
        self._since = None

    def sent(self, frame: Frame, mono: float) -> None:
        """Note when the DUT was told the time."""
        if isinstance(frame, CallResult) and frame.message_id in self._boots:
            self._synchronised = True

    def received(self, message: Received) -> Iterator[Finding]:
        """Judge every time stamp of a CALL."""
        call = message.frame
        if not isinstance(call, Call) or call.action not in schema.actions():
            return
        if call.action == "BootNotification":
            self._boots.add(call.message_id)
            self._since = None
        self._since = self._since or message.stamp.utc
        for path, text in _find_timestamps(call.payload, ""):
            where = f"{call.action} {path}"
            try:
                if not _DATE_TIME.fullmatch(text):
                    raise ValueError(text)
                moment = from_iso(text)
            except ValueError:
                yield Finding(
                    "timestamp-format",
                    "Time stamps are ISO 8601 with a time zone",
                    "such as 2017-09-28T12:00:00Z",
                    f"{where}: {shorten(text)}",
                    message.n,
                    "OCPP 1.6 ed. 2 clause 3.15, errata sheet 4.0 clause 3.10",
                )
                continue
            ahead = (moment - message.stamp.utc).total_seconds()
            if self._synchronised and ahead > self._deviation:
                yield Finding(
                    "timestamp-drift",
                    "The station's clock follows the CSMS",
                    f"at most {self._deviation:g} s ahead",
                    f"{where} is {ahead:.1f} s ahead",
                    message.n,
                    "OCPP 1.6 ed. 2 clause 3.15",
                )
            elif self._lags(path, moment, ahead):
                yield Finding(
                    "timestamp-lag",
                    "What happens while the station is connected is reported at once",
                    f"at most {self._deviation:g} s ago",
                    f"{where} is {-ahead:.1f} s ago",
                    message.n,
                    "OCPP 1.6 ed. 2 clause 3.15",
                    # A queue that is slow to empty looks the same.
                    warning=True,
                )

    def _lags(self, path: str, moment: datetime, ahead: float) -> bool:
        if path != "timestamp" or not self._synchronised or self._since is None:
            return False
        return -ahead > self._deviation and moment >= self._since


def _find_timestamps(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            inner = f"{path}.{key}" if path else key
            if key in ("timestamp", "expiryDate", "currentTime") and isinstance(part, str):
                yield inner, part
            else:
                yield from _find_timestamps(part, inner)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _find_timestamps(part, f"{path}[{index}]")

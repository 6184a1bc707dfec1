"""The status of the connectors, and who tells the CSMS about it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Never

from stations.clock import Clock
from stations.conduct import Behaviour
from stations.connection import Connection
from stations.messages import CallFailed, Offline, Payload


@dataclass(frozen=True, slots=True)
class Status:
    """What a StatusNotification says of a connector."""

    status: str
    error_code: str = "NoError"
    info: str = ""


@dataclass(frozen=True, slots=True)
class _Change:
    connector: int
    status: Status
    timestamp: str


class StatusReporter:
    """Tell the CSMS every change while online; after a time offline only what is different."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        online: asyncio.Event,
        current: Mapping[int, Callable[[], Status]],
        behaviour: Behaviour,
    ) -> None:
        self.idle = asyncio.Event()
        """Set while nothing is left to tell."""
        self.idle.set()
        self._connection = connection
        self._clock = clock
        self._online = online
        self._current = current
        self._behaviour = behaviour
        self._known: dict[int, Status] = {}
        self._changes: deque[_Change] = deque()
        self._changed = asyncio.Event()

    def changed(self, connector: int, status: Status) -> None:
        """Note a change; what happens offline is looked up when the connection is back."""
        if self._online.is_set():
            self._add(connector, status)

    def report(self, connector: int) -> None:
        """Tell the present status of a connector, whether it is known or not."""
        self._add(connector, self._current[connector]())

    def assume_known(self) -> None:
        """Take the present statuses as reported."""
        self._known = {connector: status() for connector, status in self._current.items()}

    def came_online(self) -> None:
        """Tell what is different from what was told last."""
        self._changes.clear()
        if self._known and not self._behaviour.tells_offline_changes:
            return
        first = 0 if self._known else self._behaviour.first_reported
        for connector, status in self._current.items():
            if connector >= first and self._known.get(connector) != status():
                self._add(connector, status())

    async def run(self) -> Never:
        """Report until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._report_all()

    def _add(self, connector: int, status: Status) -> None:
        self._changes.append(_Change(connector, status, self._clock.stamp()))
        self.idle.clear()
        self._changed.set()

    async def _report_all(self) -> None:
        while self._changes:
            change = self._changes[0]
            try:
                await self._connection.call("StatusNotification", _payload(change))
            except Offline:
                return
            except CallFailed:
                pass  # the next change tells more than a repetition
            self._known[change.connector] = change.status
            if self._changes and self._changes[0] is change:
                self._changes.popleft()
        self.idle.set()


def _payload(change: _Change) -> Payload:
    payload: Payload = {
        "connectorId": change.connector,
        "errorCode": change.status.error_code,
        "status": change.status.status,
        "timestamp": change.timestamp,
    }
    if change.status.info:
        payload["info"] = change.status.info
    return payload

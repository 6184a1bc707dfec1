"""The status of a long work, told to the CSMS as it changes and when it asks."""

from __future__ import annotations

import asyncio
import logging

from stations.connection import Connection
from stations.messages import Answer, CallFailed, Spawn

_log = logging.getLogger(__name__)


class Progress:
    """Tell one kind of status notification; what is asked for between two works is Idle."""

    def __init__(
        self, action: str, connection: Connection, online: asyncio.Event, spawn: Spawn
    ) -> None:
        self._action = action
        self._connection = connection
        self._online = online
        self._spawn = spawn
        self._status = "Idle"

    async def report(self, status: str) -> None:
        """Tell a status that the work goes on from, once there is a connection."""
        self._status = status
        await self._online.wait()
        try:
            await self._tell()
        except CallFailed as error:
            _log.info("%s %s: %s", self._action, status, error)

    async def end(self, status: str) -> None:
        """Tell the status in which the work has ended."""
        await self.report(status)
        self._status = "Idle"

    def trigger(self) -> Answer:
        """Tell the present status because the CSMS asks for it."""
        return Answer({"status": "Accepted"}, then=lambda: self._spawn(self._tell))

    async def _tell(self) -> None:
        await self._connection.call(self._action, {"status": self._status})

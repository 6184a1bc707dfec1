"""Delivering diagnostics (OCPP 1.6 ed. 2 clauses 4.4 and 5.9), part of FirmwareManagement."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from bench.ocpp.frame import dumps
from stations.clock import Clock, read
from stations.conduct import Behaviour
from stations.connection import Connection
from stations.messages import Answer, Handler, Payload, Spawn
from stations.progress import Progress
from stations.settings import StationSettings
from stations.storage import Store
from stations.transfer import TransferFailed, deliver, persist

_ROOM = 500
"""Entries of the log."""
_log = logging.getLogger(__name__)


class Diagnostics:
    """Keep a log, and bring the part of it that the CSMS asks for where it says."""

    def __init__(
        self,
        settings: StationSettings,
        store: Store,
        clock: Clock,
        connection: Connection,
        online: asyncio.Event,
        behaviour: Behaviour,
        *,
        spawn: Spawn,
    ) -> None:
        self.handlers: dict[str, Handler] = {"GetDiagnostics": self._wanted}
        self.progress = Progress("DiagnosticsStatusNotification", connection, online, spawn)
        self._settings = settings
        self._store = store
        self._clock = clock
        self._behaviour = behaviour
        self._spawn = spawn
        self._entries: deque[list[str]] = deque(store.read("log") or (), maxlen=_ROOM)

    def note(self, text: str) -> None:
        """Write down what happened."""
        self._entries.append([self._clock.stamp(), text])

    def save(self) -> None:
        """Let the log survive the software."""
        self._store.write("log", list(self._entries))

    def _wanted(self, payload: Payload) -> Answer:
        entries = self._between(payload.get("startTime"), payload.get("stopTime"))
        if not entries:
            return Answer()
        content = "".join(dumps({"at": at, "what": what}) + "\n" for at, what in entries).encode()
        stamp = self._clock.stamp().replace(":", "").replace(".", "")
        name = f"diagnostics-{self._settings.serial}-{stamp}.jsonl"
        return Answer(
            {"fileName": name},
            then=lambda: self._spawn(lambda: self._upload(payload, name, content)),
        )

    def _between(self, start: str | None, stop: str | None) -> list[list[str]]:
        first, last = read(start or ""), read(stop or "")

        def meant(entry: list[str]) -> bool:
            at = read(entry[0])
            assert at is not None
            return (first is None or at >= first) and (last is None or at <= last)

        return [entry for entry in self._entries if meant(entry)]

    async def _upload(self, wish: Payload, name: str, content: bytes) -> None:
        await self.progress.report("Uploading")
        within = self._settings.transfer_timeout
        try:
            if self._behaviour.delivers_diagnostics:
                await persist(
                    lambda: deliver(wish["location"], name, content, within=within),
                    wish,
                    self._settings,
                )
        except TransferFailed as error:
            _log.info("%s: no upload: %s", self._settings.identity, error)
            await self.progress.end("UploadFailed")
        else:
            await self.progress.end("Uploaded")

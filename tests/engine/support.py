"""A CSMS side that listens on loopback, and a raw peer that sends it anything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.capability import Card
from bench.events import Checked, Event
from bench.journal import Record
from bench.ocpp.csms import Book, Csms
from bench.ocpp.dialogue import Dialogue
from bench.ocpp.monitors import Monitors
from bench.ocpp.rules.finding import Finding
from bench.ocpp.server import OcppServer
from bench.ocpp.station import Station
from bench.stream import Stream

IDENTITY = "CP/1 å"
PATH = "/ocpp/CP%2F1%20%C3%A5"
CARDS = {
    "card1": Card("valid", "CARD1", parent="GROUP"),
    "bad": Card("invalid", "BAD", status="Invalid"),
}


@dataclass
class Verdicts:
    """A judge for tests: remembers what was judged and found."""

    stream: Stream
    window: int = 0
    checks: list[tuple[str, bool, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def judged(self, text: str, holds: bool, *, reason: str, **_: Any) -> None:
        from bench.errors import CheckFailed

        self.checks.append((text, holds, reason))
        if not holds:
            raise CheckFailed(reason)

    def found(self, finding: Finding) -> None:
        self.findings.append(finding)

    def step(self) -> None:
        """Open the window of a new step here."""
        self.window = self.stream.last


@dataclass
class Rig:
    """One CSMS side under test, with everything recorded."""

    address: str
    dialogue: Dialogue
    csms: Csms
    station: Station
    judge: Verdicts
    records: list[Record]

    def events(self, kind: type[Event]) -> list[Any]:
        return [record.event for record in self.records if isinstance(record.event, kind)]

    def found(self) -> list[str]:
        """Name the monitors that found something, in order."""
        return [finding.monitor for finding in self.judge.findings]

    def checked(self) -> list[Checked]:
        return self.events(Checked)

    def connect(self, path: str = PATH, subprotocols: tuple[str, ...] = ("ocpp1.6",)) -> connect:
        offered = [Subprotocol(name) for name in subprotocols] or None
        return connect(f"ws://{self.address}{path}", subprotocols=offered, ping_interval=None)


@asynccontextmanager
async def rig(
    *, response: float = 1.0, triggered: float = 1.0, max_frame: int = 4_194_304
) -> AsyncIterator[Rig]:
    """Open a CSMS side on a port of the system's choice."""
    stream = Stream()
    records: list[Record] = []
    csms = Csms(Book(CARDS, heartbeat_interval=60), lambda _: None)
    dialogue = Dialogue(stream, Monitors(connectors=2, deviation=4.0), csms)
    judge = Verdicts(stream)
    station = Station(dialogue, judge, response=response, triggered=triggered)
    dialogue.listener = station
    server = OcppServer(dialogue, identity=IDENTITY, max_frame=max_frame)
    with stream.watched_by(records.append):
        async with server.listening("127.0.0.1", 0) as address:
            yield Rig(address, dialogue, csms, station, judge, records)


class Peer:
    """A scripted station over a raw WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._number = 0

    async def call(self, action: str, **payload: Any) -> list[Any]:
        """Send a CALL and return the answer frame."""
        self._number += 1
        await self.send([2, f"m{self._number}", action, payload])
        return await self.receive()

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def lives(self) -> None:
        """Give the sign of life that the bench asks for after a case."""
        _, message_id, action, _ = await self.receive()
        assert action == "GetConfiguration"
        await self.send([3, message_id, {}])

    async def receive(self) -> list[Any]:
        frame: list[Any] = json.loads(await self.socket.recv())
        return frame


BOOT = {"chargePointVendor": "Peer", "chargePointModel": "Raw"}

"""A scripted CSMS, electronics in memory, and a station between them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bench.clock import Stamp, utc
from bench.ocpp.frame import Call, CallError, CallResult, Frame, encode, parse
from bench.ocpp.message import Received
from bench.ocpp.monitors import Monitors
from bench.ocpp.rules.finding import Finding
from stations.hardware import (
    CardRead,
    ChipMeter,
    EvseHardware,
    HardwareEvent,
    PlugChanged,
    StationHardware,
    SupplyFailed,
)
from stations.settings import StationSettings
from stations.station import VirtualStation

Payload = dict[str, Any]
WITHIN = 90.0
"""Virtual seconds that the rig waits for anything."""

VISA, AMEX, STRANGER, FRIEND = "04A1B2C3", "04D4E5F6", "0BADBAD0", "04FFEEDD"


class Evse(EvseHardware):
    """A socket that can be plugged into; a vehicle asks for energy once it is offered."""

    def __init__(self, number: int, changed: Callable[[int], None]) -> None:
        self.number = number
        self.lock_blocked = False
        self.locked = False
        self.closed = False
        self.offered: float | None = None
        self.fault = ""
        self._changed = changed
        self._cable: float | None = None
        self._vehicle = False
        self._wants = True
        self.ventilation = False
        self._energy = 1000.0
        self._since = asyncio.get_running_loop().time()

    def plug_in(self, *, wants: bool = True) -> None:
        self._cable, self._vehicle, self._wants = 32.0, True, wants
        self._changed(self.number)

    def want(self, wants: bool) -> None:
        self._integrate()
        self._wants = wants
        self._changed(self.number)

    def ask_for_ventilation(self, ventilation: bool) -> None:
        self._integrate()
        self.ventilation = ventilation
        self._changed(self.number)

    def unplug_vehicle(self) -> None:
        self._integrate()
        self._vehicle = False
        self._changed(self.number)

    def unplug(self) -> None:
        assert not self.locked, "the plug is locked"
        self._integrate()
        self._vehicle, self._cable = False, None
        self._changed(self.number)

    def break_pilot(self, letter: str) -> None:
        self._integrate()
        self.fault = letter
        self._changed(self.number)

    def lose_power(self) -> None:
        self._integrate()
        self.offered, self.closed = None, False

    def pilot_state(self) -> str:
        if self.fault:
            return self.fault
        if not self._vehicle:
            return "A"
        if self.ventilation:
            return "D"
        return "C" if self._wants and self.offered is not None else "B"

    def cable_rating(self) -> float | None:
        return self._cable

    def offer(self, current: float | None) -> None:
        self._integrate()
        before, self.offered = self.pilot_state(), current
        if self.pilot_state() != before:
            self._changed(self.number)

    def close_contactor(self, closed: bool) -> None:
        self._integrate()
        self.closed = closed

    def lock(self, locked: bool) -> bool:
        if not self.lock_blocked:
            self.locked = locked
        return self.locked == locked

    def meter(self) -> ChipMeter:
        self._integrate()
        amps = self._current
        return ChipMeter(self._energy, amps * 690, (amps,) * 3, (230.0,) * 3)

    @property
    def _current(self) -> float:
        return min(self.offered or 0.0, 16.0) if self.closed else 0.0

    def _integrate(self) -> None:
        now = asyncio.get_running_loop().time()
        self._energy += self._current * 690 * (now - self._since) / 3600
        self._since = now


class Electronics(StationHardware):
    """The connectors and the reader of a station."""

    def __init__(self, connectors: int = 1) -> None:
        self._events: asyncio.Queue[HardwareEvent] = asyncio.Queue()
        self._evses = {
            n: Evse(n, lambda n: self._events.put_nowait(PlugChanged(n)))
            for n in range(1, connectors + 1)
        }

    @property
    def connectors(self) -> Mapping[int, Evse]:
        return MappingProxyType(self._evses)

    async def next_event(self) -> HardwareEvent:
        return await self._events.get()

    def present(self, id_tag: str, connector: int = 1) -> None:
        self._events.put_nowait(CardRead(id_tag, connector))

    def fail_supply(self) -> None:
        self._events.put_nowait(SupplyFailed())


class VirtualClock:
    """UTC as it would be if virtual time was real."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._origin = utc() - timedelta(seconds=loop.time())

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=asyncio.get_running_loop().time())

    def text(self) -> str:
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Heard:
    """A frame of the station, when it came (virtual s) and over which connection."""

    frame: Frame
    at: float
    connection: int
    raw: str | bytes = ""

    @property
    def payload(self) -> Payload:
        assert isinstance(self.frame, Call | CallResult)
        return self.frame.payload


Reply = Payload | CallError | None | Callable[[Payload], Any]


@dataclass
class Csms:
    """A CSMS that answers well unless told otherwise; `answers` by action overrules."""

    port: int = 0
    connectors: int = 1
    interval: int = 100_000
    answers: dict[str, Reply] = field(default_factory=dict)
    cards: dict[str, Payload] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    silent: bool = False
    """Reads, but answers no CALL."""
    unreachable: bool = False
    """Refuses new connections."""

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.connections = 0
        self.lost = asyncio.Event()
        self.socket: ServerConnection | None = None
        self.paths: list[str] = []
        self._monitors = Monitors(connectors=self.connectors, deviation=4.0)
        self._news = asyncio.Condition()
        self._claimed: set[int] = set()
        self._ids = itertools.count(1)
        self._transactions = itertools.count(501)
        self.cards = {tag: {"status": "Accepted"} for tag in (VISA, AMEX, FRIEND)} | self.cards

    # Talking

    async def call(self, action: str, **payload: Any) -> Payload:
        """Send a CALL and return the payload of its CALLRESULT."""
        frame = await self.exchange(action, payload)
        assert isinstance(frame, CallResult), frame
        return frame.payload

    async def status_of(self, action: str, **payload: Any) -> str:
        return str((await self.call(action, **payload))["status"])

    async def error_of(self, action: str, **payload: Any) -> str:
        frame = await self.exchange(action, payload)
        assert isinstance(frame, CallError), frame
        return frame.code

    async def exchange(self, action: str, payload: Payload) -> CallResult | CallError:
        call = Call(f"csms-{next(self._ids)}", action, payload)
        await self.send(call)

        def answers(heard: Heard) -> bool:
            frame = heard.frame
            return isinstance(frame, CallResult | CallError) and frame.message_id == call.message_id

        frame = (await self._find(answers, f"an answer to {action}", WITHIN)).frame
        assert isinstance(frame, CallResult | CallError)
        return frame

    async def send(self, frame: Call | CallResult | CallError) -> None:
        assert self.socket is not None
        self._monitors.sent(frame, asyncio.get_running_loop().time())
        await self.socket.send(encode(frame))

    async def configure(self, **keys: str) -> None:
        for key, value in keys.items():
            assert await self.status_of("ChangeConfiguration", key=key, value=value) == "Accepted"

    async def value(self, key: str) -> str:
        answer = await self.call("GetConfiguration", key=[key])
        return str(answer["configurationKey"][0]["value"])

    # Listening

    async def expect(self, action: str, *, within: float = WITHIN, **fields: Any) -> Heard:
        """Wait for a CALL with these fields that was not expected before; later ones may follow."""

        def fits(heard: Heard) -> bool:
            call = heard.frame
            return (
                isinstance(call, Call)
                and call.action == action
                and all(call.payload.get(name) == value for name, value in fields.items())
            )

        return await self._find(fits, f"{action} {fields}", within)

    async def status(self, connector: int, status: str, **fields: Any) -> Heard:
        return await self.expect(
            "StatusNotification", connectorId=connector, status=status, **fields
        )

    async def nothing(self, *actions: str, during: float) -> None:
        """See that the station sends no CALL (of these actions) for some virtual seconds."""
        count = len(self.heard)
        await asyncio.sleep(during)
        frames = [heard.frame for heard in self.heard[count:]]
        calls = [frame for frame in frames if isinstance(frame, Call)]
        assert [c for c in calls if not actions or c.action in actions] == []

    def claim(self, action: str, **fields: Any) -> None:
        """Let these CALLs not count for what is expected later."""
        claimed = self.calls(action, **fields)
        self._claimed.update(i for i, heard in enumerate(self.heard) if heard in claimed)

    def calls(self, action: str, **fields: Any) -> list[Heard]:
        """List the CALLs of an action so far."""
        return [
            heard
            for heard in self.heard
            if isinstance(heard.frame, Call)
            and heard.frame.action == action
            and all(heard.frame.payload.get(name) == value for name, value in fields.items())
        ]

    def actions(self, since: int = 0) -> list[str]:
        frames = [heard.frame for heard in self.heard[since:]]
        return [frame.action for frame in frames if isinstance(frame, Call)]

    async def connected(self, times: int) -> None:
        """Wait until the station has connected so many times in all."""
        async with asyncio.timeout(WITHIN), self._news:
            await self._news.wait_for(lambda: self.connections >= times)

    async def _find(self, fits: Callable[[Heard], bool], what: str, within: float) -> Heard:
        try:
            async with asyncio.timeout(within), self._news:
                while True:
                    for index, heard in enumerate(self.heard):
                        if index not in self._claimed and fits(heard):
                            self._claimed.add(index)
                            return heard
                    await self._news.wait()
        except TimeoutError:
            tail = [str(heard.frame) for heard in self.heard[-8:]]
            raise AssertionError("\n".join([f"expected {what}; the last:", *tail])) from None

    # The server

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with serve(
            self._talk,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol("ocpp1.6")],
            compression=None,
            ping_interval=None,
            close_timeout=0.1,
            process_request=self._admit,
        ) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield f"ws://127.0.0.1:{self.port}/ocpp"

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        return socket.respond(503, "unreachable\n") if self.unreachable else None

    @contextlib.asynccontextmanager
    async def offline(self) -> AsyncIterator[None]:
        """Lose the connection and let none be made while the context lasts."""
        self.unreachable = True
        assert self.socket is not None
        self.socket.transport.abort()
        await self.lost.wait()
        yield
        self.unreachable = False

    async def _talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        self.connections += 1
        self.socket = socket
        self.lost.clear()
        self._monitors.connected()
        async with self._news:
            self._news.notify_all()
        try:
            async for raw in socket:
                await self._receive(socket, raw)
        except ConnectionClosed:
            pass
        finally:
            if self.socket is socket:
                self.socket = None
                self.lost.set()

    async def _receive(self, socket: ServerConnection, raw: str | bytes) -> None:
        frame = parse(raw)
        now = asyncio.get_running_loop().time()
        number = len(self.heard)
        stamp = Stamp(now, self.clock.now())
        self.findings += self._monitors.received(Received(number, stamp, self.connections, frame))
        self.heard.append(Heard(frame, now, self.connections, raw))
        async with self._news:
            self._news.notify_all()
        if isinstance(frame, Call) and not self.silent:
            reply = self._reply(frame)
            if reply is None:
                self._monitors.left_open(frame.message_id)
            else:
                self._monitors.sent(reply, asyncio.get_running_loop().time())
                await socket.send(encode(reply))

    def _reply(self, call: Call) -> CallResult | CallError | None:
        if call.action not in self.answers:
            return CallResult(call.message_id, self._default(call))
        reply = self.answers[call.action]
        if callable(reply):
            reply = reply(call.payload)
        if isinstance(reply, CallError):
            return replace(reply, message_id=call.message_id)
        return None if reply is None else CallResult(call.message_id, reply)

    def _default(self, call: Call) -> Payload:
        id_tag = call.payload.get("idTag")
        info = {"idTagInfo": self.cards.get(str(id_tag), {"status": "Invalid"})}
        match call.action:
            case "BootNotification":
                return self.boot("Accepted", self.interval)
            case "Heartbeat":
                return {"currentTime": self.clock.text()}
            case "Authorize":
                return info
            case "StartTransaction":
                return {"transactionId": next(self._transactions)} | info
            case "StopTransaction":
                return {} if id_tag is None else info
            case _:
                return {}

    def boot(self, status: str, interval: int) -> Payload:
        return {"status": status, "interval": interval, "currentTime": self.clock.text()}


@dataclass
class Rig:
    """A station and what surrounds it."""

    csms: Csms
    electronics: Electronics
    station: VirtualStation
    _power: asyncio.Task[None] | None = None

    @property
    def evse(self) -> Evse:
        return self.electronics.connectors[1]

    def present(self, id_tag: str, connector: int = 1) -> None:
        self.electronics.present(id_tag, connector)

    def power_on(self) -> None:
        self._power = asyncio.create_task(self.station.run())

    async def power_off(self) -> None:
        assert self._power is not None
        self._power.cancel()
        ended, _ = await asyncio.wait([self._power], timeout=WITHIN)
        assert ended, "the station goes on without power"
        if not self._power.cancelled():
            self._power.result()
        self._power = None
        for evse in self.electronics.connectors.values():
            evse.lose_power()

    async def booted(self) -> None:
        """Wait until the station is accepted and has reported every connector."""
        await self.csms.expect("BootNotification")
        for number in range(len(self.electronics.connectors) + 1):
            await self.csms.expect("StatusNotification", connectorId=number)

    async def charging(self, id_tag: str = VISA) -> int:
        """Start by plug and card; returns the transaction id."""
        self.evse.plug_in()
        await self.csms.status(1, "Preparing")
        self.present(id_tag)
        await self.csms.expect("StartTransaction", idTag=id_tag)
        await self.csms.status(1, "Charging")
        self.csms.claim("StatusNotification", status="SuspendedEV")
        return self.transaction_id()

    def transaction_id(self) -> int:
        """The id that the CSMS gave last."""
        return 500 + len(self.csms.calls("StartTransaction"))

    async def cut(self) -> None:
        """Close the connection from the CSMS's side; new ones are refused by the caller."""
        assert self.csms.socket is not None
        self.csms.socket.transport.abort()
        await self.csms.lost.wait()


def settings(url: str, **changes: Any) -> StationSettings:
    base = StationSettings(
        identity="CP 1/å",
        url=url,
        boot_time=1.0,
        boot_retry=20.0,
        message_timeout=10.0,
        pong_timeout=2.0,
        backoff=1.0,
        backoff_most=4.0,
    )
    return replace(base, **changes)


@contextlib.asynccontextmanager
async def rig(
    *,
    connectors: int = 1,
    defects: Iterable[str] = (),
    folder: Path | None = None,
    clean: bool = True,
    keys: Mapping[str, str] | None = None,
    csms: Csms | None = None,
    **changes: Any,
) -> AsyncIterator[Rig]:
    """Power a station up beside a CSMS; `clean`: no rule may be broken while it lasts."""
    csms = csms or Csms(connectors=connectors)
    factory = {"MeterValueSampleInterval": "0", "WebSocketPingInterval": "0"} | dict(keys or {})
    async with csms.listening() as url:
        electronics = Electronics(connectors)
        station = VirtualStation(
            settings(url, configuration=factory, **changes),
            electronics,
            folder=folder,
            defects=defects,
        )
        made = Rig(csms, electronics, station)
        made.power_on()
        try:
            yield made
        finally:
            if made._power is not None:
                if made._power.done():
                    made._power.result()
                await made.power_off()
        if clean:
            assert csms.findings == [], csms.findings[:3]

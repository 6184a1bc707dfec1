"""The peer itself: connector, reader, meter, and what it tells the central system."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from ocpp.v16 import call
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.peers.link import Link
from tests.peers.memory import Memory, Transaction, utc_now

log = logging.getLogger("peer")

RECONNECTING = 0.3
"""Seconds between two attempts to connect."""
POWER = 7360.0
"""What the vehicle draws, in W."""


class Station:
    """The product: connector, reader, meter, and what it tells the central system."""

    def __init__(self, url: str, name: str, booting: float) -> None:
        self.memory = Memory()
        self.plugged = False
        self.wants_energy = True
        self._url = f"{url.rstrip('/')}/{quote(name, safe='')}"
        self._booting = booting
        self._power = asyncio.Event()
        self._power.set()
        self._down = asyncio.Event()
        self._lapsing: asyncio.TimerHandle | None = None
        self._forget()

    def _forget(self) -> None:
        """Begin with empty working memory."""
        self.accepted = False
        self.authorized: str | None = None
        self._finished = False
        self._reported: dict[int, str] = {}
        self._work: asyncio.Queue[Callable[[], Awaitable[None] | None]] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._metered = asyncio.get_running_loop().time()
        self.link: Link | None = None
        self._drop_authorization()
        self._stop("PowerLoss")

    async def run(self) -> None:
        """Live, from one loss of power or reset to the next."""
        while True:
            await self._power.wait()
            self._forget()
            self._down.clear()
            life = asyncio.create_task(self._live())
            down = asyncio.create_task(self._down.wait())
            await asyncio.wait([life, down], return_when=asyncio.FIRST_COMPLETED)
            life.cancel()
            down.cancel()
            await asyncio.wait([life, down])
            if not life.cancelled() and (error := life.exception()) is not None:
                raise error

    async def _live(self) -> None:
        await asyncio.sleep(self._booting)
        # Not `while True`: a task group that fails while it is cancelled only tells the failure.
        while not self._down.is_set():
            try:
                async with connect(
                    self._url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None, open_timeout=5
                ) as socket:
                    self.link = Link(self, socket)
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self.link.start())
                        group.create_task(self._talk())
            except* (OSError, ConnectionClosed, InvalidHandshake) as errors:
                log.info("not connected: %s", errors.exceptions[0])
            self.link = None
            await asyncio.sleep(RECONNECTING)

    async def _talk(self) -> None:
        if not self.accepted:
            await self._boot()
        await self._settle()
        await self._report()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every("HeartbeatInterval", self._heartbeat))
            group.create_task(self._every("MeterValueSampleInterval", self._sample))
            while True:
                work = await self._work.get()
                if (pending := work()) is not None:
                    await pending
                await self._settle()
                await self._report()

    async def _call(self, request: Any) -> Any:
        assert self.link is not None
        return await self.link.call(request)

    async def _boot(self) -> None:
        boot = call.BootNotification(
            charge_point_vendor="Other Works",
            charge_point_model="Peer One",
            firmware_version="1.0.0",
        )
        while True:
            answer = await self._call(boot)
            if answer is not None and answer.status == "Accepted":
                break
            await asyncio.sleep(answer.interval if answer is not None and answer.interval else 10)
        self.accepted = True
        if answer.interval > 0:
            self.memory.configuration["HeartbeatInterval"] = str(answer.interval)

    async def _every(self, key: str, act: Callable[[], Awaitable[None]]) -> None:
        """Act at the interval that a configuration key holds, anew when it changes; 0: never."""
        while True:
            changed = self._changed
            seconds = int(self.memory.configuration[key])
            try:
                async with asyncio.timeout(seconds or None):
                    await changed.wait()
            except TimeoutError:
                await act()

    async def _heartbeat(self) -> None:
        await self._call(call.Heartbeat())

    async def _sample(self) -> None:
        running = self.memory.transaction
        if running is None or running.id is None or running.stop is not None:
            return
        sample = {
            "value": str(self.meter()),
            "context": "Sample.Periodic",
            "measurand": "Energy.Active.Import.Register",
            "unit": "Wh",
        }
        value = {"timestamp": utc_now(), "sampled_value": [sample]}
        await self._call(
            call.MeterValues(connector_id=1, transaction_id=running.id, meter_value=[value])
        )

    def status(self, connector: int) -> str:
        """Tell the status that the connector is in now; 0 is the whole station."""
        running = self.memory.transaction
        if connector == 0:
            return "Unavailable" if 0 in self.memory.inoperative else "Available"
        if running is not None and running.stop is None:
            return "Charging" if self.wants_energy else "SuspendedEV"
        if self.memory.inoperative:
            return "Unavailable"
        if self._finished and self.plugged:
            return "Finishing"
        return "Preparing" if self.plugged or self.authorized else "Available"

    def meter(self) -> int:
        """Bring the energy register up to this moment and read it, in Wh."""
        moment = asyncio.get_running_loop().time()
        if self._power.is_set() and self.status(1) == "Charging":
            self.memory.energy += POWER * (moment - self._metered) / 3600
        self._metered = moment
        return int(self.memory.energy)

    async def _report(self) -> None:
        """Tell the statuses that have changed."""
        for connector in (0, 1):
            status = self.status(connector)
            if self._reported.get(connector) != status:
                self._reported[connector] = status
                await self._call(
                    call.StatusNotification(
                        connector_id=connector,
                        error_code="NoError",
                        status=status,
                        timestamp=utc_now(),
                    )
                )

    async def _settle(self) -> None:
        """Tell what has not been told of the transaction."""
        running = self.memory.transaction
        if running is None:
            return
        if running.id is None:
            answer = await self._call(
                call.StartTransaction(
                    connector_id=1,
                    id_tag=running.id_tag,
                    meter_start=running.meter_start,
                    timestamp=running.started,
                )
            )
            if answer is None:
                self.memory.transaction = None
                return
            running.id = answer.transaction_id
            refused = answer.id_tag_info["status"] != "Accepted"
            if refused and self.memory.flag("StopTransactionOnInvalidId"):
                self._stop("DeAuthorized")
        if running.stop is not None:
            await self._call(call.StopTransaction(transaction_id=running.id, **running.stop))
            self.memory.transaction = None

    def _stop(self, reason: str, id_tag: str | None = None) -> None:
        running = self.memory.transaction
        if running is None or running.stop is not None:
            return
        stop = {"meter_stop": self.meter(), "timestamp": utc_now(), "reason": reason}
        running.stop = stop if id_tag is None else {**stop, "id_tag": id_tag}
        self._finished = True

    def _start_if_ready(self) -> None:
        if self.authorized is None or not self.plugged or self.status(1) != "Preparing":
            return
        meter = self.meter()
        self.memory.transaction = Transaction(self.authorized, meter, utc_now())
        self._drop_authorization()

    async def _authorize(self, id_tag: str) -> None:
        answer = await self._call(call.Authorize(id_tag=id_tag))
        if answer is not None and answer.id_tag_info["status"] == "Accepted":
            await self._admit(id_tag)

    async def _admit(self, id_tag: str) -> None:
        if self.memory.transaction is not None or self.memory.inoperative:
            return
        self._drop_authorization()
        self.authorized = id_tag
        self._finished = False
        seconds = int(self.memory.configuration["ConnectionTimeOut"])
        self._lapsing = asyncio.get_running_loop().call_later(seconds, self._lapse)
        await self._report()
        self._start_if_ready()

    def _lapse(self) -> None:
        self._drop_authorization()
        self.touch()

    def _drop_authorization(self) -> None:
        self.authorized = None
        if self._lapsing is not None:
            self._lapsing.cancel()

    def touch(self) -> None:
        """Have told what has changed."""
        self._do(lambda: None)

    def _do(self, work: Callable[[], Awaitable[None] | None]) -> None:
        """Have some work done, one after the other."""
        self._work.put_nowait(work)

    def plug_in(self) -> None:
        """Have the cable put into the vehicle."""
        self.plugged = True
        self._do(self._start_if_ready)

    def unplug(self) -> None:
        """Have the cable taken out of the vehicle."""
        self.meter()
        self.plugged = False
        self._stop("EVDisconnected")
        self._finished = False
        self.touch()

    def vehicle(self, *, wants_energy: bool) -> None:
        """Have the vehicle start or stop asking for energy."""
        self.meter()
        self.wants_energy = wants_energy
        self.touch()

    def present(self, id_tag: str) -> None:
        """Have a card held to the reader, which is dark until the station was accepted."""
        if self.accepted:
            self._do(lambda: self._read(id_tag))

    async def _read(self, id_tag: str) -> None:
        running = self.memory.transaction
        if running is None:
            await self._authorize(id_tag)
        elif running.id_tag == id_tag:
            self._stop("Local", id_tag)

    def remote_start(self, id_tag: str) -> None:
        """Start as the central system was promised."""
        if self.memory.flag("AuthorizeRemoteTxRequests"):
            self._do(lambda: self._authorize(id_tag))
        else:
            self._do(lambda: self._admit(id_tag))

    def remote_stop(self) -> None:
        """Stop as the central system was promised."""
        self._do(lambda: self._stop("Remote"))

    def reset(self, kind: str) -> None:
        """End the transaction, tell so, and restart."""
        self._do(lambda: self._go_down(kind))

    async def _go_down(self, kind: str) -> None:
        self._stop(f"{kind}Reset")
        await self._settle()
        await self._report()
        self._down.set()

    def configure(self, name: str, value: str) -> None:
        """Write a configuration key."""
        self.memory.configuration[name] = value
        self._changed.set()
        self._changed = asyncio.Event()

    def switch(self, *, on: bool) -> None:
        """Switch the supply; without it the connection dies without a word."""
        if on:
            self._power.set()
            return
        self.meter()
        self._power.clear()
        if self.link is not None:
            self.link.socket.transport.abort()
        self._down.set()

    def describe(self) -> dict[str, Any]:
        """Tell how things are."""
        return {
            "powered": self._power.is_set(),
            "connected": self.link is not None,
            "accepted": self.accepted,
            "plugged": self.plugged,
            "status": self.status(1),
            "energy": self.meter(),
            "power": POWER if self.status(1) == "Charging" else 0.0,
        }

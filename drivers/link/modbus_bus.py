"""A Modbus line or connection, which the links of several devices may share."""

from __future__ import annotations

import asyncio
import contextlib
import time

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from drivers.link.address import Address

Client = AsyncModbusTcpClient | AsyncModbusSerialClient

TRIES = 2
"""How often a request is sent before its device counts as mute."""

BITS = 10
"""Of one character of 8N1: start, eight data bits, stop."""

_NEIGHBOUR = 0.005
"""Least pause in s before a request to another device than the last: it has to see a gap."""


_FINE = 0.004
"""Up to how many s a pause is kept by a thread, which is exact."""


def silence(baudrate: int, *, bits: int = BITS) -> float:
    """Tell the pause in s that ends a frame: 3.5 characters, 1.75 ms above 19200 baud.

    Source: Modbus over serial line, clause 2.5.1.1. Who speaks earlier is taken for the rest of the
    frame before.
    """
    return 3.5 * bits / baudrate if baudrate <= 19_200 else 0.00175


class ModbusBus:
    """One serial line or TCP connection, for the links of one bench that use it.

    Requests take turns. A lost connection stays lost for the links that had it; one that is opened
    again gets a new one.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        bits = BITS + (address.parity != "N") + (address.stopbits > 1)
        self._silence = silence(address.baudrate, bits=bits)
        self.turn = asyncio.Lock()
        self.scope: asyncio.Timeout | None = None
        """Around the request that is under way."""
        self.quiet_until = 0.0
        self._heard = 0.0
        """When the last bytes came."""
        self._unit: int | None = None
        """Which device spoke last, as far as is known."""
        self._opening = asyncio.Lock()
        self._client: Client | None = None
        self._users: set[object] = set()

    async def connect(self, user: object, *, within: float) -> Client:
        """Connect, or join those who are connected; raises `OSError` with the cause."""
        async with self._opening:
            client = self._client
            if client is None or not client.connected:
                self._hang_up()
                client = self._client = await self._connected(within)
            self._users.add(user)
            return client

    def leave(self, user: object) -> None:
        """Close when nobody uses it any more."""
        self._users.discard(user)
        if not self._users:
            self._hang_up()

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _connected(self, within: float) -> Client:
        address = self.address
        client: Client
        if address.path:
            client = AsyncModbusSerialClient(
                address.path,
                baudrate=address.baudrate,
                parity=address.parity,
                stopbits=address.stopbits,
                timeout=within,
                retries=TRIES - 1,
                reconnect_delay=0,
                trace_connect=self._on_connection,
            )
        else:
            client = AsyncModbusTcpClient(
                address.host,
                port=address.port,
                timeout=within,
                retries=TRIES - 1,
                reconnect_delay=0,
                trace_connect=self._on_connection,
            )
        cause = _keep_cause(client)
        self._listen(client)
        if not await _finished(client):
            raise cause[0] if cause else TimeoutError(f"no answer within {within:.2g} s")
        _hurry(client)
        return client

    def _listen(self, client: Client) -> None:
        """Note when bytes come, and have the client drop what it can't decode.

        It would raise in the transport, which then closes.
        """
        take, loop = client.ctx.callback_data, asyncio.get_running_loop()

        def taking(data: bytes, addr: tuple[object, ...] | None = None) -> int:
            self._heard = loop.time()
            try:
                return take(data, addr=addr)
            except ModbusException:
                return len(data)

        client.ctx.callback_data = taking  # type: ignore[method-assign]

    def _on_connection(self, connected: bool) -> None:
        if not connected and self.scope is not None:
            self.scope.reschedule(asyncio.get_running_loop().time())

    def keep_quiet(self, within: float) -> None:
        """Hold the next request back for `within` s on a serial line.

        An RTU frame has no transaction number: the late answer to a repeated or abandoned request
        would be taken for the answer to the next one, of whichever device.
        """
        if self.address.path:
            self.quiet_until = asyncio.get_running_loop().time() + within

    async def until_quiet(self, unit: int) -> None:
        """Wait for the pause before a request, and until a late answer would have come."""
        if not self.address.path:
            return
        pause = self._silence if unit == self._unit else max(self._silence, _NEIGHBOUR)
        self._unit = unit
        due = max(self.quiet_until, self._heard + pause)
        wait = due - asyncio.get_running_loop().time()
        if wait > _FINE:
            await asyncio.sleep(wait)
        elif wait > 0:
            # The event loop's timers are late by up to 1 ms, a tenth of a whole exchange.
            await asyncio.to_thread(time.sleep, wait)


async def _finished(client: Client) -> bool:
    """Connect; one who is cancelled meanwhile waits for its end, or the port would stay taken."""
    connecting = asyncio.ensure_future(client.connect())
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(lambda _: client.close())
        await asyncio.wait([connecting])
        raise


def _keep_cause(client: Client) -> list[OSError]:
    """Have the client tell why it can't connect: it turns every cause into False."""
    cause: list[OSError] = []
    connect = client.ctx.call_create

    async def keeping() -> object:
        try:
            return await connect()
        except OSError as error:
            cause.append(error)
            raise

    client.ctx.call_create = keeping
    return cause


def _hurry(client: Client) -> None:
    """Have a USB adapter hand over at once what it received, not in lumps of up to 16 ms."""
    port = getattr(client.ctx.transport, "sync_serial", None)
    if port is not None:
        # A pseudo terminal has nothing to hurry, and not every adapter's driver knows it.
        with contextlib.suppress(OSError, ValueError, NotImplementedError):
            port.set_low_latency_mode(True)

"""A Modbus line or connection, which the links of several devices may share."""

from __future__ import annotations

import asyncio
import contextlib

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from drivers.link.address import Address

Client = AsyncModbusTcpClient | AsyncModbusSerialClient

TRIES = 2
"""How often a request is sent before its device counts as mute."""


class ModbusBus:
    """One serial line or TCP connection, for the links of one bench that use it.

    Requests take turns. A lost connection stays lost for the links that had it; one that is opened
    again gets a new one.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.turn = asyncio.Lock()
        self.scope: asyncio.Timeout | None = None
        """Around the request that is under way."""
        self.quiet_until = 0.0
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
        _drop_garbage(client)
        if not await client.connect():
            raise cause[0] if cause else TimeoutError(f"no answer within {within:.2g} s")
        _hurry(client)
        return client

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

    async def until_quiet(self) -> None:
        """Wait until a late answer would have come."""
        wait = self.quiet_until - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)


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


def _drop_garbage(client: Client) -> None:
    """Have the client drop what it can't decode: it raises in the transport, which then closes."""
    take = client.ctx.callback_data

    def dropping(data: bytes, addr: tuple[object, ...] | None = None) -> int:
        try:
            return take(data, addr=addr)
        except ModbusException:
            return len(data)

    client.ctx.callback_data = dropping  # type: ignore[method-assign]

"""The Modbus link, TCP or RTU: one request at a time, each with a deadline, no reconnection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.link.address import Address

# Without a handler of the program, Python prints the library's records to stderr; what they
# say is in our errors.
logging.getLogger("pymodbus").addHandler(logging.NullHandler())

T = TypeVar("T")

SCHEMES = ("modbus-tcp", "modbus-rtu")

_Client = AsyncModbusTcpClient | AsyncModbusSerialClient

_TRIES = 2

_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, not done yet",
    6: "device busy",
    8: "memory parity error",
    10: "gateway has no path to the unit",
    11: "unit behind the gateway does not answer",
}


class ModbusLink:
    """One Modbus bus or TCP connection, as one device uses it.

    A serial port is opened exclusively: a second device on the same port is refused.
    """

    def __init__(self, address: Address, name: str, *, within: float = 0.5) -> None:
        """Make the link, unopened; `within` is the deadline of one try in s."""
        self._label = f"{name} ({address})"
        self._address = address
        # The longest answer that a driver asks for (60 registers) has 125 bytes of 11 bits.
        self._within = within + (125 * 11 / address.baudrate if address.path else 0.0)
        self._client: _Client | None = None
        self._queue = asyncio.Lock()
        self._scope: asyncio.Timeout | None = None
        self._quiet_until = 0.0

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Connect; raises `LinkError` with the cause."""
        address = self._address
        client: _Client
        if address.path:
            client = AsyncModbusSerialClient(
                address.path,
                baudrate=address.baudrate,
                parity=address.parity,
                stopbits=address.stopbits,
                timeout=self._within,
                retries=_TRIES - 1,
                reconnect_delay=0,
                trace_connect=self._on_connection,
            )
        else:
            client = AsyncModbusTcpClient(
                address.host,
                port=address.port,
                timeout=self._within,
                retries=_TRIES - 1,
                reconnect_delay=0,
                trace_connect=self._on_connection,
            )
        cause = _keep_cause(client)
        _drop_garbage(client)
        if not await client.connect():
            text = str(cause[0]) if cause else f"no answer within {self._within:.2g} s"
            raise LinkError(f"{self}: can't connect: {text}") from (cause[0] if cause else None)
        self._client = client

    async def close(self) -> None:
        """Close; does nothing when not open."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def read_coils(self, unit: int, address: int, count: int) -> tuple[bool, ...]:
        """Read coils (FC01)."""
        answer = await self._ask(
            unit,
            f"read coils {_span(address, count)}",
            1,
            lambda client: client.read_coils(address, count=count, device_id=unit),
        )
        return tuple(self._counted(unit, answer.bits, count, exact=False))

    async def write_coils(self, unit: int, address: int, values: Sequence[bool]) -> None:
        """Write coils (FC15)."""
        await self._ask(
            unit,
            f"write coils {_span(address, len(values))}",
            15,
            lambda client: client.write_coils(address, list(values), device_id=unit),
        )

    async def read_registers(
        self, unit: int, address: int, count: int, *, function: int
    ) -> tuple[int, ...]:
        """Read holding registers (function 3) or input registers (function 4)."""
        table = "holding" if function == 3 else "input"
        answer = await self._ask(
            unit,
            f"read {table} registers {_span(address, count)}",
            function,
            lambda client: (
                client.read_holding_registers(address, count=count, device_id=unit)
                if function == 3
                else client.read_input_registers(address, count=count, device_id=unit)
            ),
        )
        return tuple(self._counted(unit, answer.registers, count, exact=True))

    async def _ask(
        self,
        unit: int,
        what: str,
        function: int,
        send: Callable[[_Client], Awaitable[ModbusPDU]],
    ) -> ModbusPDU:
        async with self._queue:
            await self._line_is_quiet()
            client = self._client
            if client is None or not client.connected:
                raise LinkError(f"{self}: not connected ({what} of unit {unit})")
            try:
                async with asyncio.timeout(None) as self._scope:
                    answer = await send(client)
            except (TimeoutError, ConnectionException) as error:
                raise LinkError(f"{self}: connection lost during {what} of unit {unit}") from error
            except ModbusIOException as error:
                self._keep_quiet()
                if not client.connected:
                    text = f"{self}: connection lost during {what} of unit {unit}"
                    raise LinkError(text) from error
                raise DeviceTimeout(
                    f"{self}: unit {unit} gave no valid answer to {what} "
                    f"within {self._within:.2g} s, {_TRIES} tries"
                ) from error
            except ModbusException as error:
                raise DeviceError(f"{self}: {what} of unit {unit}: {error}") from error
            except asyncio.CancelledError:
                self._keep_quiet()
                raise
            finally:
                self._scope = None
            if answer.retries:
                self._keep_quiet()
        return self._checked(unit, what, function, answer)

    def _checked(self, unit: int, what: str, function: int, answer: ModbusPDU) -> ModbusPDU:
        if answer.isError():
            code = answer.exception_code
            meaning = _EXCEPTIONS.get(code, "unknown")
            text = f"{self}: unit {unit} refuses {what}: exception {code}, {meaning}"
            raise DeviceTimeout(text) if code == 11 else DeviceError(text)
        if answer.function_code != function:
            raise DeviceError(
                f"{self}: unit {unit} answered function {answer.function_code} to {what}, "
                f"expected {function}"
            )
        return answer

    def _counted(self, unit: int, values: Sequence[T], count: int, *, exact: bool) -> list[T]:
        if len(values) < count or (exact and len(values) > count):
            raise DeviceError(f"{self}: unit {unit} gave {len(values)} values, expected {count}")
        return list(values[:count])

    def _on_connection(self, connected: bool) -> None:
        if not connected and self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())

    def _keep_quiet(self) -> None:
        # An RTU frame has no transaction number: the late answer to a repeated or abandoned
        # request would be taken for the answer to the next one.
        if self._address.path:
            self._quiet_until = asyncio.get_running_loop().time() + self._within

    async def _line_is_quiet(self) -> None:
        wait = self._quiet_until - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)


def _keep_cause(client: _Client) -> list[OSError]:
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


def _drop_garbage(client: _Client) -> None:
    """Have the client drop what it can't decode: it raises in the transport, which then closes."""
    take = client.ctx.callback_data

    def dropping(data: bytes, addr: tuple[object, ...] | None = None) -> int:
        try:
            return take(data, addr=addr)
        except ModbusException:
            return len(data)

    client.ctx.callback_data = dropping  # type: ignore[method-assign]


def _span(address: int, count: int) -> str:
    return f"{address}" if count == 1 else f"{address} to {address + count - 1}"

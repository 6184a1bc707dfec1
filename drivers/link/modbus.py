"""The Modbus link, TCP or RTU: one request at a time, each with a deadline, no reconnection.

Devices on one serial line share a bus, which the bench keeps for them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest

from bench.device import DriverContext
from bench.errors import ConfigError, DeviceError, DeviceTimeout, LinkError
from drivers.link.address import Address
from drivers.link.modbus_bus import BITS, TRIES, Client, ModbusBus, silence

# Without a handler of the program, Python prints the library's records to stderr; what they
# say is in our errors.
logging.getLogger("pymodbus").addHandler(logging.NullHandler())

T = TypeVar("T")

SCHEMES = ("modbus-tcp", "modbus-rtu")

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


class WriteCoilWord(WriteSingleCoilRequest):
    """Write one coil (FC05) with any word; relay boards take more than on and off."""

    def __init__(self, address: int, word: int, unit: int) -> None:
        super().__init__(address=address, dev_id=unit)
        self._word = word

    def encode(self) -> bytes:
        """Write address and word."""
        self.verifyAddress()
        return struct.pack(">HH", self.address, self._word)


class ModbusLink:
    """A Modbus bus or TCP connection, as one device uses it.

    A serial port is opened exclusively; devices share it when they share the bus.
    """

    def __init__(
        self, address: Address, name: str, *, within: float = 0.5, bus: ModbusBus | None = None
    ) -> None:
        """Make the link, unopened; `within` is the deadline of one try in s."""
        self._label = f"{name} ({address})"
        # The longest answer that a driver asks for (60 registers) has 125 bytes of 11 bits.
        self._within = within + (125 * 11 / address.baudrate if address.path else 0.0)
        self.request_costs = _request_costs(address)
        """How many registers take as long to read as one more request."""
        self._bus = ModbusBus(address) if bus is None else bus
        self._client: Client | None = None

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Connect; raises `LinkError` with the cause."""
        try:
            self._client = await self._bus.connect(self, within=self._within)
        except OSError as error:
            raise LinkError(f"{self}: can't connect: {error}") from error

    async def close(self) -> None:
        """Close; does nothing when not open."""
        self._client = None
        self._bus.leave(self)

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

    async def write_coil(self, unit: int, address: int, value: bool) -> None:
        """Write one coil (FC05)."""
        await self._ask(
            unit,
            f"write coil {address}",
            5,
            lambda client: client.write_coil(address, value, device_id=unit),
        )

    async def write_coil_word(self, unit: int, address: int, word: int) -> None:
        """Write one coil with a word that a relay board gives a meaning of its own (FC05)."""
        answer = await self._ask(
            unit,
            f"write {word:#06x} to coil {address:#06x}",
            5,
            lambda client: client.execute(False, WriteCoilWord(address, word, unit)),
        )
        if answer.address != address:
            raise DeviceError(
                f"{self}: unit {unit} echoes coil {answer.address:#06x}, expected {address:#06x}"
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

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """Write one holding register (FC06)."""
        await self._ask(
            unit,
            f"write register {address}",
            6,
            lambda client: client.write_register(address, value, device_id=unit),
        )

    async def write_registers(self, unit: int, address: int, values: Sequence[int]) -> None:
        """Write holding registers (FC16)."""
        await self._ask(
            unit,
            f"write registers {_span(address, len(values))}",
            16,
            lambda client: client.write_registers(address, list(values), device_id=unit),
        )

    async def _ask(
        self,
        unit: int,
        what: str,
        function: int,
        send: Callable[[Client], Awaitable[ModbusPDU]],
    ) -> ModbusPDU:
        bus = self._bus
        async with bus.turn:
            await bus.until_quiet(unit)
            client = self._client
            if client is None or not client.connected:
                raise LinkError(f"{self}: not connected ({what} of unit {unit})")
            try:
                # A shared bus keeps each device's own deadline.
                client.ctx.comm_params.timeout_connect = self._within
                async with asyncio.timeout(None) as bus.scope:
                    answer = await send(client)
            except (TimeoutError, ConnectionException) as error:
                raise LinkError(f"{self}: connection lost during {what} of unit {unit}") from error
            except ModbusIOException as error:
                bus.keep_quiet(self._within)
                if not client.connected:
                    text = f"{self}: connection lost during {what} of unit {unit}"
                    raise LinkError(text) from error
                raise DeviceTimeout(
                    f"{self}: unit {unit} gave no valid answer to {what} "
                    f"within {self._within:.2g} s, {TRIES} tries"
                ) from error
            except ModbusException as error:
                raise DeviceError(f"{self}: {what} of unit {unit}: {error}") from error
            except asyncio.CancelledError:
                bus.keep_quiet(self._within)
                raise
            finally:
                bus.scope = None
            if answer.retries:
                bus.keep_quiet(self._within)
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


def modbus_link(address: Address, context: DriverContext, *, within: float = 0.5) -> ModbusLink:
    """Make the link of a device, unopened; devices on one serial port get the same bus.

    Raises `ConfigError` when two devices want different settings of the line.
    """
    if not address.path:
        return ModbusLink(address, context.name, within=within)
    key = f"modbus-rtu:{os.path.realpath(address.path)}"
    bus = context.shared.setdefault(key, ModbusBus(address))
    for setting in ("baudrate", "parity", "stopbits"):
        own, other = getattr(address, setting), getattr(bus.address, setting)
        if own != other:
            raise ConfigError(
                f"device {context.name!r}: link {address} has {setting} {own}, "
                f"another device on this line has {other}"
            )
    return ModbusLink(address, context.name, within=within, bus=bus)


def _request_costs(address: Address) -> int:
    """Compare 13 characters and two pauses with registers."""
    if not address.path:
        return 125  # A connection takes its time for each request, whatever is in it.
    pause = silence(address.baudrate) * address.baudrate / BITS
    return int((13 + 2 * pause) / 2)


def _span(address: int, count: int) -> str:
    return f"{address}" if count == 1 else f"{address} to {address + count - 1}"

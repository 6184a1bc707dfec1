"""The SNMP link, versions 1 and 2c over UDP: one object per request, each with a deadline."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from pysnmp.error import PySnmpError
from pysnmp.hlapi.v1arch.asyncio import (
    CommunityData,
    Integer32,
    ObjectIdentifier,
    SnmpDispatcher,
    UdpTransportTarget,
    get_cmd,
    set_cmd,
)
from pysnmp.proto.rfc1905 import EndOfMibView, NoSuchInstance, NoSuchObject

from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.link.address import Address

SCHEMES = ("snmp",)

Version = Literal["1", "2c"]

_TRIES = 2
"""A datagram may be lost."""

_ABSENT = (NoSuchObject, NoSuchInstance, EndOfMibView)


class SnmpLink:
    """One agent, as one device uses it."""

    def __init__(
        self,
        address: Address,
        name: str,
        *,
        community: str,
        version: Version = "2c",
        within: float = 0.3,
    ) -> None:
        """Make the link, unopened; `within` is the deadline of one try in s."""
        self._label = f"{name} ({address})"
        self._address = address
        self._community = CommunityData(community, mpModel=0 if version == "1" else 1)
        self._within = within
        self._target: UdpTransportTarget | None = None
        self._dispatcher: SnmpDispatcher | None = None

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Find the host and open a socket; no byte travels before the first request."""
        try:
            # The link counts time and tries itself: this library looks at its clock twice a second.
            self._target = await UdpTransportTarget.create(
                (self._address.host, self._address.port), timeout=5, retries=0
            )
        except PySnmpError as error:
            raise LinkError(f"{self}: no such host: {error}") from error
        self._dispatcher = SnmpDispatcher()

    async def close(self) -> None:
        """Close; does nothing when not open."""
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            # `SnmpDispatcher.close` stumbles over requests that nobody awaits any more.
            transport = dispatcher.transport_dispatcher
            transport.unregister_recv_callback()
            transport.unregister_timer_callback()
            transport.close_dispatcher()

    async def get_number(self, oid: str) -> int:
        """Read an object that is a whole number."""
        value = await self._ask("read", oid, None, _TRIES)
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            shown = f"{type(value).__name__} {str(value)!r}"
            raise DeviceError(f"{self}: {oid} is {shown}, expected a whole number") from error

    async def get_text(self, oid: str) -> str:
        """Read an object that is text."""
        value = await self._ask("read", oid, None, _TRIES)
        return bytes(value).decode("utf-8", "replace") if hasattr(value, "asOctets") else str(value)

    async def set_number(self, oid: str, number: int, *, again: bool = True) -> None:
        """Write a whole number; `again`: it may arrive twice."""
        await self._ask("write", oid, number, _TRIES if again else 1)

    async def _ask(self, act: str, oid: str, number: int | None, tries: int) -> Any:
        if self._dispatcher is None:
            raise LinkError(f"{self}: not open ({act} {oid})")
        binding = (ObjectIdentifier(oid), Integer32(number)) if number is not None else None
        for _ in range(tries):
            try:
                async with asyncio.timeout(self._within):
                    if binding is None:
                        answer = await get_cmd(
                            self._dispatcher,
                            self._community,
                            self._target,
                            (ObjectIdentifier(oid), None),
                        )
                    else:
                        answer = await set_cmd(
                            self._dispatcher, self._community, self._target, binding
                        )
            except TimeoutError:
                continue
            except PySnmpError as error:
                raise DeviceError(f"{self}: {act} {oid}: {error}") from error
            return self._checked(act, oid, *answer)
        raise DeviceTimeout(
            f"{self}: no answer to {act} {oid} within {self._within:g} s, {tries} tries "
            "(wrong community, or no agent there?)"
        )

    def _checked(
        self, act: str, oid: str, trouble: Any, status: Any, index: Any, bindings: Any
    ) -> Any:
        if trouble:
            raise DeviceError(f"{self}: {act} {oid}: {trouble}")
        if status:
            raise DeviceError(f"{self}: the agent refuses to {act} {oid}: {status.prettyPrint()}")
        ((name, value),) = bindings
        if str(name) != oid:
            raise DeviceError(f"{self}: {act} {oid}: the agent answered about {name}")
        if isinstance(value, _ABSENT):
            raise DeviceError(f"{self}: the agent has no object {oid}")
        return value

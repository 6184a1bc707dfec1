"""The VISA link: lines of text to a measuring instrument, and its answers.

The library blocks, so that each instrument has one thread. A call that was abandoned goes on there
until its own deadline; its late answer is thrown away before the next command.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pyvisa
from pyvisa.constants import StatusCode
from pyvisa.resources import MessageBasedResource

from bench.errors import DeviceTimeout, LinkError
from drivers.link.address import Address

SCHEMES = ("socket", "serial", "visa")

_OPENING = 2.0
"""Deadline in s."""

T = TypeVar("T")


def resource_name(address: Address) -> str:
    """Write an address as VISA names resources."""
    if address.path:
        return f"ASRL{address.path}::INSTR"
    return address.named or f"TCPIP0::{address.host}::{address.port}::SOCKET"


class VisaLink:
    """One instrument: commands and queries, one at a time."""

    def __init__(self, address: Address, name: str, *, within: float = 1.0) -> None:
        """Make the link, unopened; `within` is the deadline of an answer in s."""
        self._label = f"{name} ({address})"
        self._address = address
        self._within = within
        self._thread: ThreadPoolExecutor | None = None
        self._resource: Any = None
        self._owed = False
        """Whether an answer may still come that nobody waits for."""

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Open; raises `LinkError` with the cause."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"visa {self}")
        self._owed = False
        try:
            await self._do(self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close; does nothing when not open."""
        thread, self._thread = self._thread, None
        if thread is not None:
            closing = asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown(wait=False)
            # What is abandoned in the thread ends at its own deadline, and then closes.
            await asyncio.wait([closing], timeout=self._within)

    async def tell(self, command: str) -> None:
        """Send a command."""
        await self._do(functools.partial(self._exchange, command, None))

    async def ask(self, query: str, *, within: float | None = None) -> str:
        """Send a query and return its answer; `within` replaces the link's deadline in s."""
        limit = self._within if within is None else within
        answer = await self._do(functools.partial(self._exchange, query, limit))
        return answer or ""

    async def _do(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise LinkError(f"{self}: not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except pyvisa.VisaIOError as error:
            if error.error_code == StatusCode.error_timeout:
                raise DeviceTimeout(f"{self}: no answer in time") from error
            raise LinkError(f"{self}: {error.description}") from error
        except (pyvisa.Error, OSError, ValueError, TypeError) as error:
            raise LinkError(f"{self}: {error}") from error

    def _open(self) -> None:
        manager = pyvisa.ResourceManager("@py")
        resource = manager.open_resource(
            resource_name(self._address), open_timeout=int(_OPENING * 1000)
        )
        if not isinstance(resource, MessageBasedResource):
            resource.close()
            raise TypeError("is no instrument that is told lines of text")
        resource.read_termination = resource.write_termination = "\n"
        resource.timeout = int(self._within * 1000)
        if self._address.path:
            serial: Any = resource
            serial.baud_rate = self._address.baudrate
        self._resource = resource

    def _close(self) -> None:
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.close()

    def _exchange(self, text: str, within: float | None) -> str | None:
        resource = self._resource
        if resource is None:
            raise OSError("not open")
        if self._owed:
            try:
                resource.read_raw()
            except pyvisa.VisaIOError as error:
                if error.error_code != StatusCode.error_timeout:
                    raise
            self._owed = False
        resource.write(text)
        if within is None:
            return None
        self._owed = True
        resource.timeout = int(within * 1000)
        try:
            answer = resource.read_raw().decode("ascii", "replace").strip()
        finally:
            resource.timeout = int(self._within * 1000)
        self._owed = False
        return str(answer)

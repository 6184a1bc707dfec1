"""The opened devices of a bench, handed out by capability and role; makes the lab safe."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from itertools import groupby, starmap
from typing import Any

from bench.cancellation import heed_cancellation
from bench.config import BenchConfig, DeviceEntry
from bench.device import Device, DriverContext, Operator
from bench.errors import DeviceError, LinkError, Unverifiable
from bench.events import Acted, DeviceClosed, DeviceLost, DeviceOpened, MadeSafe
from bench.interlocks import Interlocks
from bench.polling import Polling
from bench.procedure import Need
from bench.recorded import Recorded
from bench.stream import Stream
from bench.wiring import candidates, described, rank

OPENING = 10.0
"""Deadline in s for a device to connect, identify and be safe."""
MAKING_SAFE = 5.0
"""Deadline in s for a device to be made safe; a manual one has the operator's deadline as well."""
CLEAN_UP = 30.0
"""Deadline of one clean-up in s, beside what its devices may take."""


class Bench:
    """The devices of one bench, opened."""

    def __init__(self, config: BenchConfig, stream: Stream) -> None:
        self._config = config
        self._stream = stream
        self._entries = {entry.name: entry for entry in config.devices}
        self._devices: dict[str, Device] = {}
        self._lost: dict[str, str] = {}
        """Why a device does not serve."""
        self._absent: set[str] = set()
        """Which of these did not open, where the others may be used without them."""
        self._make: dict[str, Callable[[], Device]] = {}
        self.interlocks = Interlocks(
            config, stream, self._devices, self._absence, self._safe, self._lose
        )
        self._polling = Polling(config, stream, self._devices, self._lost.__contains__, self._lose)

    @asynccontextmanager
    async def opened(
        self, operator: Operator, ocpp_upstream: Callable[[], str], *, needs_all: bool = True
    ) -> AsyncIterator[None]:
        """Open every device, safe, and leave every device safe, loads first.

        Raises `DeviceError` that lists all devices which did not open; unless it `needs_all`: then
        these are absent, and those that are there may be used.
        """
        async with AsyncExitStack() as stack:
            failures: dict[str, str] = {}
            shared: dict[str, Any] = {}
            for entry in sorted(self._config.devices, key=rank):
                heed_cancellation()
                context = DriverContext(
                    name=entry.name,
                    operator=operator,
                    ocpp_listen=self._config.ocpp.listen,
                    ocpp_upstream=ocpp_upstream,
                    shared=shared,
                )
                self._make[entry.name] = partial(entry.driver.make, entry.settings, context)
                stack.push_async_callback(self._leave, entry.name)
                try:
                    await self._enter(entry)
                except DeviceError as error:
                    failures[entry.name] = str(error)
            heed_cancellation()
            if failures and needs_all:
                of = f"{len(failures)} of {len(self._config.devices)} devices did not open"
                raise DeviceError(f"{of}: {'; '.join(starmap(_named, failures.items()))}")
            stack.callback(self._forget_absent)
            for name, why in failures.items():
                self._absent.add(name)
                self._lost[name] = why
                self._stream.emit(DeviceLost(name, why))
            # Devices are left in the other order, the loads last: so they are switched off before.
            stack.push_async_callback(self._unload)
            await stack.enter_async_context(self._polling.going_on())
            yield

    async def _unload(self) -> None:
        """Switch every load off and end the interlocks' watch over them."""
        await self.interlocks.watch.close()
        await asyncio.gather(
            *(self._safe(name) for name in self._devices if self._ranked(name) == 0)
        )

    async def _enter(self, entry: DeviceEntry) -> None:
        """Open a device; one that does not tell what it is, is left again."""
        device = self._devices.get(entry.name) or self._make[entry.name]()
        entered = False
        try:
            async with asyncio.timeout(OPENING):
                await device.__aenter__()
                entered = True
                identity = await device.identify()
        except BaseException as error:
            # A run that is aborted meanwhile leaves it, too, or its port would stay taken.
            if entered:
                await _leave_anyhow(device)
            if isinstance(error, TimeoutError):
                raise DeviceError(f"did not answer within {OPENING:g} s") from None
            raise
        self._devices[entry.name] = device
        self._lost.pop(entry.name, None)
        self._absent.discard(entry.name)
        offers = [capability.__name__ for capability in entry.driver.offers]
        described = {key: str(value) for key, value in dataclasses.asdict(identity).items()}
        self._stream.emit(DeviceOpened(entry.name, entry.driver_name, offers, described))

    async def _leave(self, name: str) -> None:
        device = self._devices.get(name)
        if device is None:
            return
        try:
            async with asyncio.timeout(self._patience(name)):
                await device.__aexit__(None, None, None)
        except (DeviceError, Unverifiable, TimeoutError) as error:
            self._stream.emit(DeviceLost(name, str(error) or "did not close in time"))
        else:
            self._stream.emit(DeviceClosed(name))
        self._devices.pop(name, None)

    async def reopen_lost(self, only: Collection[str] | None = None) -> None:
        """Try once to open what is lost or absent, between two cases; what fails stays so.

        With `only` the devices of these names.
        """
        for entry in self._config.devices:
            if entry.name not in self._lost or (only is not None and entry.name not in only):
                continue
            if entry.name in self._devices:
                await _leave_anyhow(self._devices[entry.name])
            try:
                await self._enter(entry)
            except DeviceError as error:
                self._lost[entry.name] = str(error)

    def hand_out(self, need: Need, connector: int) -> Any:
        """Return the device that serves a need, behind a proxy that records every call.

        Raises `DeviceError` when that device was lost, or is absent.
        """
        (entry, *_) = candidates(self._config, need, connector)
        return self.hand(entry, need.capability, connector)

    def hand(self, entry: DeviceEntry, capability: type, connector: int) -> Any:
        """Return one device, as `hand_out` does."""
        if entry.name in self._lost:
            how = "is absent" if entry.name in self._absent else "was lost"
            raise DeviceError(f"{entry.name} {how}: {self._lost[entry.name]}")
        guard = partial(self._around, entry, capability, connector)
        device = self._devices[entry.name]
        return Recorded(entry.name, capability, device, self._acted, guard)

    @asynccontextmanager
    async def _around(
        self,
        entry: DeviceEntry,
        capability: type,
        connector: int,
        method: str,
        arguments: Mapping[str, Any],
    ) -> AsyncIterator[None]:
        """Let a capability be used: not beside a poll, and within the interlocks."""
        around = self.interlocks.around(entry, capability, method, arguments, connector)
        with self._polling.held_off(entry.name):
            async with around:
                yield

    def _absence(self, name: str) -> str | None:
        """Say why a device is absent; None when it is not."""
        return self._lost[name] if name in self._absent else None

    def _forget_absent(self) -> None:
        for name in self._absent:
            del self._lost[name]
        self._absent.clear()

    def _acted(self, event: Acted, error: BaseException | None) -> None:
        self._stream.emit(event)
        if isinstance(error, LinkError):
            self._lose(event.device, error)

    def _lose(self, name: str, error: LinkError) -> None:
        """Note that a device is gone, once; it is tried again between two cases."""
        if name not in self._lost:
            self._lost[name] = str(error)
            self._stream.emit(DeviceLost(name, str(error)))

    async def make_safe(self) -> dict[str, str]:
        """Make every device safe, loads first, then vehicles; return what failed, by device.

        A cancellation takes effect when that is done: each device has its deadline.
        """
        task = asyncio.ensure_future(self._all_safe())
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        return task.result()

    async def _all_safe(self) -> dict[str, str]:
        failures = {name: self._lost[name] for name in self._absent}
        names = sorted(self._devices, key=self._ranked)
        for _, ranked in groupby(names, key=self._ranked):
            group = list(ranked)
            results = await asyncio.gather(*(self._safe(name) for name in group))
            failures |= {
                name: text for name, text in zip(group, results, strict=True) if text is not None
            }
        self._stream.emit(MadeSafe(failures))
        return failures

    def _ranked(self, name: str) -> int:
        return rank(self._entries[name])

    def _patience(self, name: str) -> float:
        """Return how long a device may take to be safe; a person takes longer than a relay."""
        by_hand = self._entries[name].driver.by_hand
        return MAKING_SAFE + (self._config.operator.within if by_hand else 0.0)

    @property
    def clean_up_within(self) -> float:
        """The deadline of one clean-up in s; longer when one of the devices is a person."""
        return CLEAN_UP + max(map(self._patience, self._entries), default=0.0)

    async def _safe(self, name: str) -> str | None:
        """Make one device safe; say what failed, whatever it was: the others come after it."""
        try:
            failure = await self._try_safe(name)
        except Exception as error:  # noqa: BLE001 - also a defect, also a journal that is lost
            failure = str(error) or type(error).__name__
        if failure is None and self._ranked(name) == 0:
            self.interlocks.watch.is_off(name)
        return failure

    async def _try_safe(self, name: str) -> str | None:
        patience = self._patience(name)
        try:
            with self._polling.held_off(name):
                async with asyncio.timeout(patience):
                    await self._devices[name].make_safe()
        except TimeoutError:
            return f"not safe within {patience:g} s"
        except LinkError as error:
            self._lose(name, error)
            return str(error)
        return None

    @property
    def ocpp_front(self) -> str | None:
        """HOST:PORT where a device stands before the OCPP endpoint, if one does."""
        for name, device in self._devices.items():
            if self._entries[name].driver.fronts_ocpp:
                return str(getattr(device, "address", self._config.ocpp.listen))
        return None

    @property
    def misses_any(self) -> bool:
        """Tell whether a device is lost or absent."""
        return bool(self._lost)

    @property
    def states(self) -> list[dict[str, Any]]:
        """Describe the devices for front ends: name, driver, offers, state, message."""
        return [
            described(entry, self._state(entry.name), self._lost.get(entry.name, ""))
            for entry in self._config.devices
        ]

    def _state(self, name: str) -> str:
        if name in self._lost:
            return "absent" if name in self._absent else "lost"
        return "ready" if name in self._devices else "closed"


async def _leave_anyhow(device: Device) -> None:
    """Leave a device that is gone as well as it goes; opening it anew decides."""
    with suppress(DeviceError, Unverifiable, TimeoutError):
        async with asyncio.timeout(MAKING_SAFE):
            await device.__aexit__(None, None, None)


def _named(device: str, text: str) -> str:
    return text if text.startswith(device) else f"{device}: {text}"

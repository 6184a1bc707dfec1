"""The bench as the hands of another test tool, which is the CSMS side itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from bench.bench import Bench, candidates
from bench.capability import (
    Card,
    CardPresenter,
    Failure,
    PilotFault,
    PowerSwitch,
    Provocation,
    VehicleCoupler,
    VehicleEmulator,
)
from bench.config import BenchConfig
from bench.dut import DutConfig, Pixit
from bench.errors import BenchError
from bench.operator import PromptDesk
from bench.procedure import Need


class NotOffered(BenchError):
    """The bench has no device that could do it."""


class InUse(BenchError):
    """The actuators are at work."""


class Actuators:
    """Opens the devices at the first act, keeps them open, and leaves them safe when released.

    Acts go through the same proxies and interlocks as those of a case, and are recorded likewise.
    """

    def __init__(self, bench: BenchConfig, dut: DutConfig | None, desk: PromptDesk) -> None:
        # Whoever stands in front of our endpoint has nothing to forward to.
        devices = tuple(one for one in bench.devices if not one.driver.fronts_ocpp)
        self._config = replace(bench, devices=devices)
        self._pixit = Pixit() if dut is None else dut.pixit
        self._desk = desk
        self._bench: Bench | None = None
        self._stack = AsyncExitStack()
        self._at_work = asyncio.Lock()

    async def release(self) -> None:
        """Make everything safe and close the devices; raises `InUse` while an act goes on."""
        if self._at_work.locked():
            raise InUse("the actuators are at work")
        async with self._at_work:
            self._bench = None
            await self._stack.aclose()

    async def plug_in(self, connector: int | None) -> None:
        """Plug the cable in."""
        async with self._device(VehicleCoupler, connector) as (coupler, number):
            await coupler.plug_in(number)

    async def unplug(self, connector: int | None) -> None:
        """Take the cable out."""
        async with self._device(VehicleCoupler, connector) as (coupler, number):
            await coupler.unplug(number)

    async def authorize(self, id_tag: str, connector: int | None) -> None:
        """Present the card with an idTag."""
        cards = (self._pixit.card(name) for name in self._pixit.cards)
        known = {card.id_tag.lower(): card for card in cards}
        card = known.get(id_tag.lower(), Card(id_tag, id_tag))
        async with self._device(CardPresenter, connector) as (presenter, number):
            await presenter.present(card, connector=number)

    async def reboot(self) -> None:
        """Take the supply away for a while."""
        async with self._device(PowerSwitch, None) as (switch, _):
            await switch.cycle(off_for=self._pixit.timing.off)

    async def ready(self, is_ready: bool, limit: float | None, connector: int | None) -> None:
        """Let the vehicle ask for energy, at most `limit` A, or ask no more."""
        async with self._device(VehicleEmulator, connector) as (vehicle, number):
            if is_ready:
                await vehicle.draw(number, current=limit)
            else:
                await vehicle.suspend(number)

    async def faulted(self, is_faulted: bool, connector: int | None) -> None:
        """Short the pilot to earth, or mend it."""
        fault = PilotFault.CP_PE_SHORT if is_faulted else PilotFault.NONE
        async with self._device(VehicleEmulator, connector) as (vehicle, number):
            await vehicle.set_fault(number, fault)

    async def fails(self, what: Failure, does_fail: bool, connector: int | None) -> None:
        """Let a part of the station fail, or work again."""
        async with self._device(Provocation, connector) as (provocation, number):
            act = provocation.provoke if does_fail else provocation.relieve
            await act(what, number)

    @asynccontextmanager
    async def _device(
        self, capability: type, connector: int | None
    ) -> AsyncIterator[tuple[Any, int]]:
        number = self._pixit.connector if connector is None else connector
        need = Need("actuator", capability)
        if len(candidates(self._config, need, number)) != 1:
            text = f"{capability.__name__} for connector {number}"
            raise NotOffered(f"the bench has not exactly one device with {text}")
        async with self._at_work:
            yield (await self._opened()).hand_out(need, number), number

    async def _opened(self) -> Bench:
        if self._bench is None:
            bench = Bench(self._config, self._desk.stream)
            listen = self._config.ocpp.listen
            await self._stack.enter_async_context(bench.opened(self._desk, lambda: listen))
            self._bench = bench
        return self._bench

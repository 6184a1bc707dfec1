"""The bench as the hands of another test tool, which is the CSMS side itself."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from bench.acts import Act
from bench.bench import Bench
from bench.capability import (
    Card,
    CardPresenter,
    CardReader,
    CardReading,
    Failure,
    PilotFault,
    PowerSwitch,
    Provocation,
    VehicleCoupler,
    VehicleEmulator,
)
from bench.config import BenchConfig, DeviceEntry
from bench.dut import Pixit
from bench.errors import BenchError, Unverifiable
from bench.operator import PromptDesk
from bench.procedure import Need
from bench.wiring import candidates


class NotOffered(BenchError):
    """The bench has no device that could do it."""


class InUse(BenchError):
    """The actuators are at work."""


class Actuators:
    """Opens the devices at the first act, keeps them open, and leaves them safe when released.

    Acts go through the same proxies and interlocks as those of a case, and are recorded likewise.
    Those of one device come one after the other.
    """

    def __init__(self, config: BenchConfig, pixit: Callable[[], Pixit], desk: PromptDesk) -> None:
        # Whoever stands in front of our endpoint has nothing to forward to.
        devices = tuple(one for one in config.devices if not one.driver.fronts_ocpp)
        self._config = replace(config, devices=devices)
        self._pixit = pixit
        self._desk = desk
        self.bench = Bench(self._config, desk.stream)
        self.are_open = False
        """Whether the devices are open."""
        self._stack = AsyncExitStack()
        self._turn = asyncio.Lock()
        """Held while the devices are opened or closed."""
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._acts = 0
        """How many are under way."""

    async def release(self) -> None:
        """Make everything safe and close the devices; raises `InUse` while an act goes on."""
        if self._acts:
            raise InUse("the actuators are at work")
        async with self._turn:
            self.are_open = False
            await self._stack.aclose()

    async def make_safe(self) -> dict[str, str]:
        """Open the devices, make everything safe, and close them; return what failed, by device."""
        if self._acts:
            raise InUse("the actuators are at work")
        if self.are_open and self.bench.misses_any:
            # What is gone may take its time to be looked for; what is there is safe before.
            await self.bench.make_safe()
        await self._open()
        failures = await self.bench.make_safe()
        await self.release()
        return failures

    async def do(self, act: Act) -> Any:
        """Use a capability of a device; return what it returns."""
        if act.entry not in self._config.devices:
            where = "which is open in runs alone"
            raise NotOffered(f"{act.entry.name} stands before the OCPP endpoint, {where}")
        async with self._at_work(act.entry, act.capability):
            hand = self.bench.hand(act.entry, act.capability, act.connector)
            return await getattr(hand, act.method)(**act.arguments)

    async def read_card(self, within: float) -> CardReading:
        """Wait for a card at the lab's reader; raises `Unverifiable` when none comes."""
        entry, number = self._serving(CardReader, None)
        by_hand = entry.driver.by_hand
        async with self._at_work(entry, CardReader):
            reader = self.bench.hand(entry, CardReader, number)
            try:
                # A person's prompts have a deadline of their own.
                async with asyncio.timeout(within if by_hand else None):
                    if by_hand and await reader.read_card() is not None:
                        # Who holds the card of before has to be told that it is another's turn.
                        await reader.await_removal(within=within)
                    reading: CardReading = await reader.await_card(within=within)
            except TimeoutError:
                raise Unverifiable(f"{entry.name}: no card within {within:g} s") from None
            return reading

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
        pixit = self._pixit()
        cards = (pixit.card(name) for name in pixit.cards)
        known = {card.id_tag.lower(): card for card in cards}
        card = known.get(id_tag.lower(), Card(id_tag, id_tag))
        async with self._device(CardPresenter, connector) as (presenter, number):
            await presenter.present(card, connector=number)

    async def reboot(self) -> None:
        """Take the supply away for a while."""
        async with self._device(PowerSwitch, None) as (switch, _):
            await switch.cycle(off_for=self._pixit().timing.off)

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

    def _serving(self, capability: type, connector: int | None) -> tuple[DeviceEntry, int]:
        """Find the device for a connector, the usual one when None; raises `NotOffered`."""
        number = self._pixit().connector if connector is None else connector
        found = candidates(self._config, Need("actuator", capability), number)
        if len(found) != 1:
            text = f"{capability.__name__} for connector {number}"
            raise NotOffered(f"the bench has not exactly one device with {text}")
        return found[0], number

    @asynccontextmanager
    async def _device(
        self, capability: type, connector: int | None
    ) -> AsyncIterator[tuple[Any, int]]:
        entry, number = self._serving(capability, connector)
        async with self._at_work(entry, capability):
            yield self.bench.hand(entry, capability, number), number

    @asynccontextmanager
    async def _at_work(self, entry: DeviceEntry, capability: type) -> AsyncIterator[None]:
        self._acts += 1
        try:
            async with self._turns[entry.name]:
                # Others may be absent; who is not asked for is not waited for.
                needed = self.bench.interlocks.rests_on(capability, None)
                await self._open([entry.name, *(one.name for one in needed)])
                yield
        finally:
            self._acts -= 1

    async def _open(self, needed: Collection[str] | None = None) -> None:
        """Open what is there; look again for what is `needed` of the rest (None: for all)."""
        async with self._turn:
            if self.are_open:
                await self.bench.reopen_lost(needed)
            else:
                listen = self._config.ocpp.listen
                opened = self.bench.opened(self._desk, lambda: listen, needs_all=False)
                await self._stack.enter_async_context(opened)
                self.are_open = True

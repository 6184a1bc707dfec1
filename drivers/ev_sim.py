"""The open serial EV simulator `ev_sim`: a letter sets the pilot state, status frames come unasked.

Source: github.com/nsayer/ev_sim, README and firmware (both builds). Commands are not acknowledged:
what the simulator applies stands in its frames, twice a second or once, by firmware.

The simulator keeps its state when the computer dies: its watchdog guards only its own firmware.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from bench.capability import (
    End,
    PilotFault,
    PilotReading,
    VehicleCoupler,
    VehicleEmulator,
    offered_current,
)
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, DeviceTimeout, Unverifiable
from drivers.ev_sim_frames import WHOLE, Frame, parse
from drivers.lifecycle import enter, leave
from drivers.link import address
from drivers.link.stream import SCHEMES, ByteLink, byte_link
from drivers.pilot import (
    asking,
    check_connector,
    check_connectors,
    check_no_limit,
    check_open,
    check_vehicle,
    known_state,
    state_of,
)

Letter = Literal["A", "B", "C", "D"]

_FIRST_FRAME = 2.5
"""Deadline in s for the first frame after opening."""

_TWO_FRAMES = 2.2
"""Deadline for a read-back, in periods of the frames."""

_SAFE_WITHIN = 0.9
"""Deadline in s for the read-back when making safe."""

_STORED = 0.05
"""Seconds in which a port hands over what it has stored from before it was opened."""


_WALK: tuple[Letter, ...] = ("B", "C", "B", "A")
"""The way of the self-test."""


@dataclass(frozen=True, slots=True)
class EvSimSettings:
    """Keys of an `ev_sim` in `bench.toml`."""

    link: str
    """`serial:/dev/…` (9600 baud, 8N1) or `socket://HOST:PORT`."""
    connectors: tuple[int, ...] = (1,)
    """The OCPP connectors that the simulator's plug may be in."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        check_connectors(self.connectors)


class EvSim(Device, VehicleCoupler, VehicleEmulator):
    """An `ev_sim`: the vehicle's resistors on the control pilot; no proximity contact, no load."""

    def __init__(self, name: str, link: ByteLink, settings: EvSimSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings
        self._letter: Letter = "A"
        self._period = WHOLE
        self._reading = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect, wait for a status frame, show state A."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show state A and close the link."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Check that status frames come; the simulator has no name to tell."""
        await asyncio.sleep(_STORED)
        frame = await self._frame(within=_FIRST_FRAME)
        self._period = frame.period
        return Identity("nsayer", "ev_sim")

    async def make_safe(self) -> None:
        """Show state A.

        Frames that come only once a second may be too late to confirm it in time; then the next
        call does.
        """
        self._letter = "A"
        await self._link.write(b"A")
        try:
            await self._shows("A", within=_SAFE_WITHIN)
        except DeviceTimeout:
            if self._period < WHOLE:
                raise

    async def self_test(self) -> str:
        """Show B, C, B and A to the station, and compare frames and pilot each time."""
        check_open((await self._measure()).high)
        try:
            for letter in _WALK:
                await self._move(letter)
                seen = await self._measure()
                if state_of(seen.high) != letter:
                    raise DeviceError(
                        f"{self._name}: the control pilot is at {seen.high:.2f} V, "
                        f"commanded state {letter}"
                    )
        finally:
            await self.make_safe()
        return "frames and pilot follow through B, C, B, A"

    async def plug_in(self, connector: int) -> None:
        """Show state B; the proximity contact is as the plug is wired."""
        self._check(connector)
        await self._move("B")

    async def unplug(self, connector: int, *, end: End = End.BOTH) -> None:
        """Show state A; `Unverifiable` for the station's end, which only a hand can take."""
        self._check(connector)
        if end is End.STATION:
            raise Unverifiable(f"{self._name}: an ev_sim can't take the cable out of the station")
        await self._move("A")

    async def is_plugged_in(self, connector: int) -> bool:
        """Tell whether the vehicle is connected, after comparing a frame with the command."""
        self._check(connector)
        await self._shows(self._letter, within=_TWO_FRAMES * self._period)
        return self._letter != "A"

    async def draw(
        self, connector: int, *, current: float | None = None, ventilation: bool = False
    ) -> None:
        """Show state C, or D with `ventilation`.

        Resistors can't limit a current: `current` is accepted when the station offers no more at
        this moment, else the call is `Unverifiable`.
        """
        self._check_vehicle(connector, "draw")
        if current is not None:
            await self._check_no_limit(current)
        await self._move(asking(ventilation))

    async def suspend(self, connector: int) -> None:
        """Show state B."""
        self._check_vehicle(connector, "suspend")
        await self._move("B")

    async def set_fault(self, connector: int, fault: PilotFault) -> None:
        """Do nothing for no fault; `Unverifiable` for any: the simulator has no part for it."""
        self._check(connector)
        if fault is not PilotFault.NONE:
            raise Unverifiable(f"{self._name}: an ev_sim can't make the fault {fault.value!r}")

    async def read_pilot(self, connector: int) -> PilotReading:
        """Take the next whole measurement; `Unverifiable` when the pilot is in no state."""
        self._check(connector)
        seen = await self._measure()
        state = known_state(self._name, seen.high)
        return PilotReading(seen.high, seen.low, seen.duty, seen.frequency, state)

    async def _measure(self) -> Frame:
        """Read a frame, and one more when the pilot changed while the first was measured."""
        frame = await self._frame(within=_TWO_FRAMES * self._period)
        if not frame.settled:
            frame = await self._frame(within=_TWO_FRAMES * self._period)
        return frame

    def _check(self, connector: int) -> None:
        check_connector(self._name, self._settings.connectors, connector)

    def _check_vehicle(self, connector: int, what: str) -> None:
        self._check(connector)
        check_vehicle(self._name, self._letter != "A", what, connector)

    async def _check_no_limit(self, current: float) -> None:
        seen = await self._measure()
        offer = offered_current(seen.duty) if seen.frequency else None
        check_no_limit(f"{self._name}: an ev_sim", current, offer)

    async def _move(self, letter: Letter) -> None:
        self._letter = letter
        await self._link.write(letter.encode())
        await self._shows(letter, within=_TWO_FRAMES * self._period)

    async def _shows(self, letter: str, *, within: float) -> None:
        """Wait for a frame with the commanded letter."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        shown = ""
        while shown != letter:
            try:
                shown = (await self._frame(within=deadline - loop.time())).state
            except DeviceTimeout as error:
                if not shown:
                    raise
                raise DeviceTimeout(
                    f"{self._name}: the simulator shows state {shown}, "
                    f"commanded {letter}, after {within:.2g} s"
                ) from error
            if self._letter != letter:
                raise DeviceError(f"{self._name}: another command came before this one was done")

    async def _frame(self, *, within: float) -> Frame:
        """Read the next frame that begins from now on; what can't be read is passed over."""
        async with self._reading:
            return await self._link.next_frame(b"}", parse, within=within, what="status frame")


def _make(settings: EvSimSettings, context: DriverContext) -> EvSim:
    link = byte_link(address.parse(settings.link, *SCHEMES), context.name)
    return EvSim(context.name, link, settings)


DRIVER = Driver(settings=EvSimSettings, offers=(VehicleCoupler, VehicleEmulator), make=_make)

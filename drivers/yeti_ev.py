"""The EVerest Yeti EV board (MicroMega EV): a vehicle's control pilot and its own load relays.

Source: EVerest/everest-core, driver of the MicroMega EV board. The board tells what it measures by
itself; it acknowledges nothing but a reset. Where it hears no keep-alive of the host for 5 s, it
takes the host for dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

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
)
from drivers.renewal import Renewal
from drivers.yeti_frames import (
    ALIVE,
    ALLOW_POWER_ON,
    ASKING,
    ENABLE,
    KEEP_ALIVE,
    MEASUREMENTS,
    SET_STATE,
    Field,
    Measured,
    measured,
    pack,
    unpack,
)

_ALIVE_WITHIN = 2.5
"""Deadline in s for a keep-alive of the board, which comes once a second."""

_MEASURED_WITHIN = 2.2
"""Deadline in s for measurements that show a command; they come every 0.5 to 1 s."""

_SAFE_WITHIN = 0.9
"""Deadline in s for the read-back when making safe."""

_RENEW = 1.0
"""Seconds between keep-alives of the host; the board waits for 5 s."""

_STORED = 0.05
"""Seconds in which a port hands over what it has stored from before it was opened."""


_WALK = ("B", "C", "B", "A")
"""The way of the self-test."""


@dataclass(frozen=True, slots=True)
class YetiEvSettings:
    """Keys of a Yeti EV board in `bench.toml`."""

    link: str
    """`serial:/dev/…?baudrate=115200` (8N1) or `socket://HOST:PORT`."""
    connectors: tuple[int, ...] = (1,)
    """The OCPP connectors that the board's plug may be in."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        check_connectors(self.connectors)


class YetiEv(Device, VehicleCoupler, VehicleEmulator):
    """A Yeti EV board: states A to E on the control pilot; no proximity contact, no diode fault."""

    def __init__(self, name: str, link: ByteLink, settings: YetiEvSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings
        self._letter = "A"
        self._fault = PilotFault.NONE
        self._reading = asyncio.Lock()
        self._renewal = Renewal(name, lambda: self._send(KEEP_ALIVE), every=_RENEW)

    async def __aenter__(self) -> Self:
        """Connect, wait for the board's keep-alive, show state A, keep the board alive."""
        await enter(self, self._link)
        self._renewal.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show state A and close the link."""
        await self._renewal.stop()
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Wait for the board's keep-alive, which tells hardware and software."""
        await asyncio.sleep(_STORED)
        fields = await self._hear(ALIVE, within=_ALIVE_WITHIN)
        software = fields.get(6, b"")
        kind, revision = fields.get(2, 0), fields.get(3, 0)
        if not (
            isinstance(software, bytes) and isinstance(kind, int) and isinstance(revision, int)
        ):
            raise DeviceError(f"{self._name}: a keep-alive with other fields than a Yeti EV's")
        model = f"Yeti EV, hardware {kind}.{revision}"
        return Identity("Pionix", model, firmware=software.decode("utf-8", "replace"))

    async def make_safe(self) -> None:
        """Open the load relays and show state A; raises when B, C or D stays on the pilot.

        Measurements that come only once a second may be too late to confirm it in time; then the
        next call does.
        """
        self._letter, self._fault = "A", PilotFault.NONE
        await self._send(ENABLE)
        await self._send(ALLOW_POWER_ON)
        await self._send(SET_STATE)
        last: Measured | None = None
        try:
            async with asyncio.timeout(_SAFE_WITHIN):
                while last is None or last.relays or last.state in ("B", "C", "D"):
                    last = await self._measure()
        except TimeoutError:
            if last is not None:
                raise DeviceTimeout(
                    f"{self._name}: {last}, commanded state A with open relays, "
                    f"after {_SAFE_WITHIN:g} s"
                ) from None

    async def self_test(self) -> str:
        """Show B, C, B and A to the station, and compare the pilot each time."""
        check_open((await self._measure()).high)
        try:
            for letter in _WALK:
                await self._show(letter)
        finally:
            await self.make_safe()
        return "the pilot follows through B, C, B, A"

    async def plug_in(self, connector: int) -> None:
        """Show state B; the proximity contact is as the plug is wired."""
        self._check(connector)
        await self._show("B")

    async def unplug(self, connector: int, *, end: End = End.BOTH) -> None:
        """Show state A; `Unverifiable` for the station's end, which only a hand can take."""
        self._check(connector)
        if end is End.STATION:
            raise Unverifiable(f"{self._name}: a Yeti EV can't take the cable out of the station")
        await self._show("A")

    async def is_plugged_in(self, connector: int) -> bool:
        """Tell whether the vehicle is connected, after comparing the pilot with the command."""
        self._check(connector)
        await self._shows(self._letter)
        return self._letter != "A"

    async def draw(
        self, connector: int, *, current: float | None = None, ventilation: bool = False
    ) -> None:
        """Show C, or D, and let the board close its load relays when the station gives power.

        The board can't limit a current: `current` is accepted when the station offers no more at
        this moment, else the call is `Unverifiable`.
        """
        self._check_vehicle(connector, "draw")
        if current is not None:
            seen = await self._measure()
            offer = offered_current(seen.duty) if seen.pwm else None
            check_no_limit(f"{self._name}: a Yeti EV", current, offer)
        await self._show(asking(ventilation))

    async def suspend(self, connector: int) -> None:
        """Open the load relays and show state B."""
        self._check_vehicle(connector, "suspend")
        await self._show("B")

    async def set_fault(self, connector: int, fault: PilotFault) -> None:
        """Short the pilot (state E), or show the state of before; `Unverifiable` for other faults.

        The board has no part for them.
        """
        self._check(connector)
        if fault not in (PilotFault.NONE, PilotFault.CP_PE_SHORT):
            raise Unverifiable(f"{self._name}: a Yeti EV can't make the fault {fault.value!r}")
        self._fault = fault
        await self._show(self._letter)

    async def read_pilot(self, connector: int) -> PilotReading:
        """Take the next measurement; `Unverifiable` when the pilot is in no state.

        The board tells no frequency: 1000 Hz stands for PWM.
        """
        self._check(connector)
        seen = await self._measure()
        state = known_state(self._name, seen.high)
        if not seen.pwm:
            return PilotReading(seen.high, seen.high, 100.0, 0.0, state)
        return PilotReading(seen.high, seen.low, seen.duty, 1000.0, state)

    def _check(self, connector: int) -> None:
        check_connector(self._name, self._settings.connectors, connector)

    def _check_vehicle(self, connector: int, what: str) -> None:
        self._check(connector)
        check_vehicle(self._name, self._letter != "A", what, connector)

    async def _show(self, letter: str) -> None:
        """Command a state, the load relays opened before and allowed after it."""
        self._letter = letter
        shown = self._shown(letter)
        if shown not in ASKING:
            await self._send(ALLOW_POWER_ON)
        await self._send(SET_STATE, {1: "ABCDE".index(shown)})
        await self._shows(letter)
        if shown in ASKING:
            await self._send(ALLOW_POWER_ON, {1: 1})

    def _shown(self, letter: str) -> str:
        return "E" if self._fault is PilotFault.CP_PE_SHORT else letter

    async def _shows(self, letter: str) -> None:
        """Wait for a measurement of the commanded state.

        Raises `Unverifiable` when no station feeds the pilot; then A alone is certain.
        """
        shown = self._shown(letter)
        last: Measured | None = None
        try:
            async with asyncio.timeout(_MEASURED_WITHIN):
                while last is None or not last.shows(shown):
                    last = await self._measure()
        except TimeoutError:
            if last is None:
                text = f"{self._name}: no measurements within {_MEASURED_WITHIN:g} s"
                raise DeviceTimeout(text) from None
            if last.dead:
                raise Unverifiable(
                    f"{self._name}: no station feeds the control pilot, state {shown} can't be seen"
                ) from None
            raise DeviceTimeout(
                f"{self._name}: {last}, commanded state {shown}, after {_MEASURED_WITHIN:g} s"
            ) from None
        if self._letter != letter:
            raise DeviceError(f"{self._name}: another command came before this one was done")

    async def _measure(self) -> Measured:
        """Wait for the next measurements."""
        seen = measured(await self._hear(MEASUREMENTS, within=_MEASURED_WITHIN))
        if seen is None:
            raise DeviceError(f"{self._name}: measurements with other fields than a Yeti EV's")
        return seen

    async def _hear(self, kind: int, *, within: float) -> Mapping[int, Field]:
        """Take the next message of a kind that comes from now on; pass over what is none."""

        def fields(frame: bytes) -> Mapping[int, Field] | None:
            message = unpack(frame)
            return message[1] if message is not None and message[0] == kind else None

        what = f"message of kind {kind}"
        async with self._reading:
            return await self._link.next_frame(b"\x00", fields, within=within, what=what)

    async def _send(self, kind: int, fields: Mapping[int, Field] | None = None) -> None:
        await self._link.write(pack(kind, fields))


def _make(settings: YetiEvSettings, context: DriverContext) -> YetiEv:
    link = byte_link(address.parse(settings.link, *SCHEMES), context.name)
    return YetiEv(context.name, link, settings)


DRIVER = Driver(settings=YetiEvSettings, offers=(VehicleCoupler, VehicleEmulator), make=_make)

"""The operator as cable and vehicle: plugs, unplugs, starts and stops charging."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from bench.capability import End, PilotFault, PilotReading, VehicleCoupler, VehicleEmulator
from bench.device import Driver, DriverContext
from bench.errors import Unverifiable
from bench.pictures import Picture
from drivers.hand import Hand, ManualDevice
from drivers.manual import ManualSettings


class ManualCoupler(ManualDevice, VehicleCoupler):
    """The operator plugs the cable."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, VehicleCoupler)
        self._plugged: dict[int, End | None] = {}
        """At which ends the cable of a connector is in; a connector that is missing: unknown."""
        self._interrupted: set[int] = set()

    async def make_safe(self) -> None:
        """Have the cable taken out that this device has had plugged in."""
        left = {number for number, ends in self._plugged.items() if ends}
        for connector in sorted(left | self._interrupted):
            text, picture = _unplugging(connector, End.BOTH, self._plugged.get(connector))
            try:
                await self._move(
                    *(connector, None, text, "unplug", picture),
                    connector=connector,
                    end=End.BOTH.value,
                )
            except Unverifiable:
                self._plugged.pop(connector, None)
                self._interrupted.discard(connector)
                raise

    async def plug_in(self, connector: int) -> None:
        """Ask to plug the cable in at both ends."""
        if self._plugged.get(connector) is not End.BOTH:
            text = (
                f"Plug the charging cable into connector {connector} of the charging station "
                "and into the vehicle."
            )
            await self._move(
                connector, End.BOTH, text, "plug_in", Picture.PLUG_IN, connector=connector
            )

    async def unplug(self, connector: int, *, end: End = End.BOTH) -> None:
        """Ask to take the cable out; asks nothing when it is out at that end already."""
        known = connector in self._plugged
        ends = self._plugged.get(connector)
        stays = {End.VEHICLE: End.STATION, End.STATION: End.VEHICLE}.get(end)
        if known and (ends is None or ends is stays):
            return
        left = stays if ends in (End.BOTH, None) else None
        text, picture = _unplugging(connector, end, ends)
        await self._move(
            connector, left, text, "unplug", picture, connector=connector, end=end.value
        )

    async def is_plugged_in(self, connector: int) -> bool:
        """Tell from memory; ask when it is not known."""
        if connector in self._plugged:
            return self._plugged[connector] is End.BOTH
        question = f"Is a vehicle plugged in at connector {connector} of the charging station?"
        plugged = await self._hand.tells(question, "is_plugged_in", connector=connector)
        if not plugged:
            self._plugged[connector] = None
        return plugged

    async def _move(
        self,
        connector: int,
        ends: End | None,
        text: str,
        method: str,
        picture: Picture,
        /,
        **arguments: Any,
    ) -> None:
        try:
            await self._hand.does(text, method, picture, **arguments)
        except asyncio.CancelledError:
            self._plugged.pop(connector, None)
            self._interrupted.add(connector)
            raise
        self._plugged[connector] = ends
        self._interrupted.discard(connector)


def _unplugging(connector: int, end: End, ends: End | None) -> tuple[str, Picture]:
    """Say what to take out, and show it, when the cable is in at `ends`; None: not known."""
    station = f"connector {connector} of the charging station"
    if end is End.VEHICLE and ends is not End.VEHICLE:
        text = f"Take the charging cable out of the vehicle; leave it in {station}."
        return text, Picture.UNPLUG_VEHICLE
    if end is End.STATION and ends is not End.STATION:
        text = f"Take the charging cable out of {station}; leave it in the vehicle."
        return text, Picture.UNPLUG_STATION
    if ends is End.STATION:
        return f"Take the charging cable out of {station}.", Picture.UNPLUG_STATION
    if ends is End.VEHICLE:
        return "Take the charging cable out of the vehicle.", Picture.UNPLUG_VEHICLE
    text = f"Take the charging cable out of the vehicle and out of {station}."
    return text, Picture.UNPLUG


@dataclass(frozen=True, slots=True)
class ManualVehicleSettings:
    """Keys of a vehicle that the operator handles."""

    asks_by_itself: bool = True
    """A real vehicle asks for energy as soon as it is plugged in; a tester plug has a switch."""


_FAULT_TEXTS = {
    PilotFault.DIODE_SHORT: "short the diode of the control pilot",
    PilotFault.CP_PE_SHORT: "short the control pilot to protective earth",
    PilotFault.CP_OPEN: "open the control pilot",
    PilotFault.PE_OPEN: "open the protective earth of the pilot circuit",
    PilotFault.PP_OPEN: "open the proximity contact",
}


class ManualVehicle(ManualDevice, VehicleEmulator):
    """The operator handles the vehicle or the tester plug."""

    def __init__(self, context: DriverContext, settings: ManualVehicleSettings) -> None:
        self._hand = Hand(context, VehicleEmulator)
        self._name = context.name
        self._asks_by_itself = settings.asks_by_itself
        self._suspended: set[int] = set()
        self._limited: set[int] = set()
        self._ventilated: set[int] = set()
        self._faulty: set[int] = set()

    async def make_safe(self) -> None:
        """Have the fault removed that this device has had applied."""
        self._suspended.clear()
        for connector in sorted(self._faulty):
            try:
                await self._remove_fault(connector)
            except Unverifiable:
                self._faulty.discard(connector)
                raise

    async def draw(
        self, connector: int, *, current: float | None = None, ventilation: bool = False
    ) -> None:
        """Ask to start charging, unless the vehicle does so by itself."""
        vehicle, picture = f"the vehicle at connector {connector}", None
        if current is not None:
            text = f"Let {vehicle} charge with at most {current:g} A per phase."
            self._limited.add(connector)
        elif connector in self._limited:
            text = f"Let {vehicle} charge with as much current as the charging station offers."
        elif self._asks(connector, ventilation):
            return
        else:
            text = f"Let {vehicle} ask for energy (start charging at the vehicle)."
            picture = Picture.START_CHARGING
        ventilated = connector in self._ventilated
        if ventilation:
            text += " Let it ask for ventilation too (state D at the tester)."
            self._ventilated.add(connector)
        elif ventilated:
            text += " Let it ask for no ventilation any more (state C at the tester)."
        arguments = {"connector": connector, "current": current, "ventilation": ventilation}
        try:
            await self._hand.does(text, "draw", picture, **arguments)
        except Unverifiable:
            if not ventilated:
                self._ventilated.discard(connector)
            raise
        self._suspended.discard(connector)
        if not ventilation:
            self._ventilated.discard(connector)
        if current is None:
            self._limited.discard(connector)

    async def suspend(self, connector: int) -> None:
        """Ask to stop charging at the vehicle."""
        text = (
            f"Stop charging at the vehicle at connector {connector} (with its own controls); "
            "leave the cable plugged in."
        )
        self._suspended.add(connector)
        self._ventilated.discard(connector)
        await self._hand.does(text, "suspend", Picture.STOP_CHARGING, connector=connector)

    async def set_fault(self, connector: int, fault: PilotFault) -> None:
        """Ask to apply or remove a fault; asks nothing when there is none to remove."""
        if fault is PilotFault.NONE:
            if connector in self._faulty:
                await self._remove_fault(connector)
            return
        text = f"At the tester in connector {connector}, {_FAULT_TEXTS[fault]}, and nothing else."
        had_fault = connector in self._faulty
        self._faulty.add(connector)
        try:
            await self._hand.does(
                text, "set_fault", Picture.SET_FAULT, connector=connector, fault=fault.value
            )
        except Unverifiable:
            if not had_fault:
                self._faulty.discard(connector)
            raise

    async def read_pilot(self, connector: int) -> PilotReading:
        """Raise `Unverifiable`: a person can't measure a control pilot."""
        raise Unverifiable(f"{self._name}: an operator can't measure the control pilot")

    def _asks(self, connector: int, ventilation: bool) -> bool:
        """Tell whether the vehicle asks for just this already, or does so by itself."""
        if connector in self._suspended or ventilation is not (connector in self._ventilated):
            return False
        return ventilation or self._asks_by_itself

    async def _remove_fault(self, connector: int) -> None:
        await self._hand.does(
            f"At the tester in connector {connector}, remove every fault.",
            "set_fault",
            Picture.CLEAR_FAULT,
            connector=connector,
            fault=PilotFault.NONE.value,
        )
        self._faulty.discard(connector)


MANUAL_COUPLER = Driver(
    settings=ManualSettings,
    offers=(VehicleCoupler,),
    make=lambda settings, context: ManualCoupler(context),
    by_hand=True,
)
MANUAL_VEHICLE = Driver(
    settings=ManualVehicleSettings,
    offers=(VehicleEmulator,),
    make=lambda settings, context: ManualVehicle(context, settings),
    by_hand=True,
)

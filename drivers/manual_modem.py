"""The manual modem: the operator works a mobile modem or a telephone on its own pages."""

from __future__ import annotations

import math

from bench.capability import Modem, Signal, Technology
from bench.device import Driver, DriverContext
from bench.errors import Unverifiable
from bench.metrology import Quantity
from drivers.hand import Hand, ManualDevice
from drivers.manual import ManualSettings

_TEXTS = {
    Technology.AUTO: "Let the modem choose between 2G, 3G and 4G by itself",
    Technology.G2: "Let the modem use 2G only",
    Technology.G3: "Let the modem use 3G only",
    Technology.G4: "Let the modem use 4G only",
}


class ManualModem(ManualDevice, Modem):
    """The operator sets the modem's network and reads its levels."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, Modem)
        self._technology: Technology | None = None
        """None: not known."""
        self._data: bool | None = None
        self._touched = False
        """Whether the operator was asked for another network than the modem's own choice."""

    async def make_safe(self) -> None:
        """Have the modem choose its network by itself again."""
        if self._touched:
            try:
                await self.set_technology(Technology.AUTO)
            except Unverifiable:
                self._technology, self._touched = None, False
                raise

    async def set_technology(self, technology: Technology) -> None:
        """Ask to set it, unless it is known to be so; the data connection is then not known."""
        if self._technology is technology:
            return
        self._technology, self._data = None, None
        text = f"{_TEXTS[technology]} (network mode, in its settings)."
        touched = technology is not Technology.AUTO
        self._touched = self._touched or touched
        await self._hand.does(text, "set_technology", technology=technology.value)
        self._technology, self._touched = technology, touched

    async def set_data(self, *, on: bool) -> None:
        """Ask to switch mobile data, unless it is known to be so."""
        if self._data is on:
            return
        text = (
            "Switch mobile data on at the modem and wait until it is connected."
            if on
            else "Switch mobile data off at the modem."
        )
        self._data = None
        await self._hand.does(text, "set_data", on=on)
        self._data = on

    async def read_signal(self) -> Signal:
        """Ask whether it is registered, and for the RSSI; the rest is not asked for."""
        if not await self._hand.tells(
            "Is the modem registered with a mobile network?", "read_signal", quantity="registered"
        ):
            return Signal(technology=None, source="operator")
        rssi = await self._hand.enters(
            "Read the modem's received signal strength: RSSI in dBm.",
            -math.inf,
            "read_signal",
            quantity="rssi",
            unit="dBm",
        )
        known = self._technology if self._technology is not Technology.AUTO else None
        return Signal(
            technology=known,
            registered=True,
            connected=self._data is True,
            rssi=Quantity(rssi, "dBm"),
            source="operator",
        )

    async def restart(self) -> None:
        """Ask to restart it and wait until it is back."""
        text = "Restart the modem (take it out and put it back) and wait until it is ready."
        self._data = None
        await self._hand.does(text, "restart")


MANUAL_MODEM = Driver(
    settings=ManualSettings,
    offers=(Modem,),
    make=lambda settings, context: ManualModem(context),
    by_hand=True,
)

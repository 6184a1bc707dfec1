"""The operator provokes failures of the charging station, by the vendor's instructions."""

from __future__ import annotations

import asyncio

from bench.capability import Failure, Provocation
from bench.device import Driver, DriverContext
from bench.errors import Unverifiable
from drivers.hand import Hand, ManualDevice
from drivers.manual import ManualSettings

_PROVOKE = {
    Failure.LOCK_BLOCKED: (
        "Block the cable lock of connector {connector} in the position that it is in, as the "
        "vendor has shown: it must not be able to move."
    ),
    Failure.LOCAL_LIST_FAILURE: (
        "Make the charging station unable to store a local authorization list, as the vendor "
        "has shown."
    ),
}
_RELIEVE = {
    Failure.LOCK_BLOCKED: "Free the cable lock of connector {connector}: it must move again.",
    Failure.LOCAL_LIST_FAILURE: (
        "Let the charging station store a local authorization list again, as the vendor has shown."
    ),
}


class ManualProvocation(ManualDevice, Provocation):
    """The operator makes parts of the charging station fail."""

    def __init__(self, context: DriverContext) -> None:
        self._hand = Hand(context, Provocation)
        self._provoked: dict[tuple[Failure, int], bool] = {}
        """What is not relieved, and whether the operator has said that it is provoked."""

    async def make_safe(self) -> None:
        """Have everything relieved that this device has had provoked."""
        for what, connector in list(self._provoked):
            try:
                await self.relieve(what, connector)
            except Unverifiable:
                self._provoked.clear()
                raise

    async def provoke(self, what: Failure, connector: int) -> None:
        """Ask to make it fail, unless it is known to."""
        key = (what, connector)
        if self._provoked.get(key):
            return
        before = key in self._provoked
        self._provoked[key] = False
        text = _PROVOKE[what].format(connector=connector)
        try:
            await self._hand.does(text, "provoke", what=what.value, connector=connector)
        except Unverifiable:
            if not before:
                del self._provoked[key]
            raise
        self._provoked[key] = True

    async def relieve(self, what: Failure, connector: int) -> None:
        """Ask to let it work again, if this device has had it made fail."""
        key = (what, connector)
        if key not in self._provoked:
            return
        text = _RELIEVE[what].format(connector=connector)
        try:
            await self._hand.does(text, "relieve", what=what.value, connector=connector)
        except asyncio.CancelledError:
            self._provoked[key] = False
            raise
        del self._provoked[key]


MANUAL_PROVOCATION = Driver(
    settings=ManualSettings,
    offers=(Provocation,),
    make=lambda settings, context: ManualProvocation(context),
    by_hand=True,
)

"""Relays that a board closes for a time: they open by themselves when the bench dies."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.link.modbus import ModbusLink
from drivers.profile_pilot_box import Coil, Hold
from drivers.renewal import Renewal

_RENEWALS = 4
"""How often a relay is closed again in the time after which it opens."""


class TimedRelays:
    """Some relays of a box, each closed for `hold.time` s at a time."""

    def __init__(self, name: str, link: ModbusLink, relays: Mapping[str, Coil], hold: Hold) -> None:
        self.names = frozenset(relays)
        self._link = link
        self._relays = relays
        self._timing = hold
        self._closed: frozenset[str] = frozenset()
        self._renewal = Renewal(name, self._renew, every=hold.time / _RENEWALS)

    def let_go(self, names: frozenset[str]) -> None:
        """Renew these no longer; whoever calls opens them."""
        self._closed -= names

    async def hold(self, names: frozenset[str]) -> None:
        """Close these and keep them closed."""
        self._closed |= names
        if self._closed:
            self._renewal.start()
        await self._renew()

    async def stop(self) -> None:
        """Renew nothing any more."""
        self._closed = frozenset()
        await self._renewal.stop()

    async def _renew(self) -> None:
        for name in sorted(self._closed):
            # Another command may have let it go since. Requests go out in the order in which they
            # are made, so a relay that is let go here is opened after this.
            if name in self._closed:
                coil = self._relays[name]
                await self._link.write_coil_word(
                    coil.unit, coil.coil + self._timing.offset, round(self._timing.time * 10)
                )

"""An APC switched rack PDU over SNMP.

Source: PowerNet-MIB (APC by Schneider Electric, public): rPDU for the older, rPDU2 for the newer
management cards. Write access by SNMPv1 or v2c must be enabled on the PDU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Literal, Self

from bench.capability import PowerSwitch
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.snmp import SCHEMES, SnmpLink, Version
from drivers.switching import cycled, switched

_ON, _OFF, _REBOOT = 1, 2, 3
_SHORTEST_REBOOT, _LONGEST_REBOOT = 5, 60
"""In s."""

_SWITCH_WITHIN = 2.5
"""Deadline in s for the read-back: the PDU's controller may take a second to hand a command on."""
_LEAVING = 3.0


@dataclass(frozen=True, slots=True)
class _Objects:
    """Where a generation of PDUs has what below 1.3.6.1.4.1.318.1.1."""

    control: str
    """Column of the outlets: writing commands, reading tells the state."""
    reboot_duration: str
    """Column of the outlets, in s."""
    model: str
    serial: str
    firmware: str
    cancel: int
    """The command that forgets a reboot under way."""


_GENERATIONS = MappingProxyType(
    {
        "rpdu": _Objects("12.3.3.1.1.4", "12.3.4.1.1.6", "12.1.5.0", "12.1.6.0", "12.1.3.0", 7),
        "rpdu2": _Objects(
            "26.9.2.4.1.5", "26.9.2.1.1.7", "26.2.1.8.1", "26.2.1.9.1", "26.2.1.6.1", 8
        ),
    }
)


@dataclass(frozen=True, slots=True)
class ApcSettings:
    """Keys of an APC rack PDU in `bench.toml`."""

    link: str
    """`snmp://HOST:PORT`."""
    community: str
    """Community with write access."""
    outlet: int = 1
    """Outlet number, from 1."""
    safe: Literal["on", "off"] = "on"
    """What the outlet is when the bench is safe."""
    objects: Literal["rpdu", "rpdu2"] = "rpdu2"
    """Part of the MIB that the PDU has; older ones such as AP7920: rpdu."""
    version: Version = "2c"
    serial: str = ""
    """Serial number that the PDU must have."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if self.outlet < 1:
            raise ValueError(f"'outlet' is {self.outlet}, expected 1 or more")
        if not self.community:
            raise ValueError("'community' is empty")


class Apc(Device, PowerSwitch):
    """One outlet of an APC rack PDU."""

    def __init__(self, name: str, link: SnmpLink, settings: ApcSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings
        self._objects = _GENERATIONS[settings.objects]
        self._rebooting = False

    async def __aenter__(self) -> Self:
        """Check that it is a PDU with this outlet, bring the outlet to its safe state."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Bring the outlet to its safe state."""
        await leave(self, self._link, error, within=_LEAVING)

    async def identify(self) -> Identity:
        """Read the PDU's own description."""
        identity = Identity(
            "APC",
            await self._link.get_text(_oid(self._objects.model)),
            serial=await self._link.get_text(_oid(self._objects.serial)),
            firmware=await self._link.get_text(_oid(self._objects.firmware)),
        )
        check_serial(self._name, identity, self._settings.serial)
        await self.is_on()
        return identity

    async def make_safe(self) -> None:
        """Bring the outlet to its safe state."""
        await self._switch(self._settings.safe == "on")

    async def self_test(self) -> str:
        """Command the safe state again and read it back: the DUT keeps its supply."""
        await self.make_safe()
        return f"outlet {self._settings.outlet} reads {self._settings.safe}, as commanded"

    async def switch_on(self) -> None:
        """Switch on and wait until it reads on."""
        await self._switch(True)

    async def switch_off(self) -> None:
        """Switch off and wait until it reads off."""
        await self._switch(False)

    async def cycle(self, *, off_for: float) -> None:
        """Have the PDU switch off and on again by itself, so that it comes on in any case.

        It counts whole seconds, at least 5: `off_for` is rounded up, at most 60 s. The time stays
        in the PDU as the outlet's reboot duration.
        """
        if not 0 < off_for <= _LONGEST_REBOOT:
            raise ValueError(
                f"off_for is {off_for:g} s, expected more than 0, at most {_LONGEST_REBOOT} s"
            )
        seconds = max(_SHORTEST_REBOOT, math.ceil(off_for))
        duration = self._of_outlet(self._objects.reboot_duration)
        if await self._link.get_number(duration) != seconds:
            await self._link.set_number(duration, seconds)
        self._rebooting = True
        await cycled(
            self._name,
            lambda: self._command(_REBOOT, again=False),
            self.is_on,
            off_for=float(seconds),
            within=_SWITCH_WITHIN,
        )
        self._rebooting = False

    async def is_on(self) -> bool:
        """Read the outlet's state."""
        state = await self._link.get_number(self._of_outlet(self._objects.control))
        if state not in (_ON, _OFF):
            raise DeviceError(
                f"{self._link}: outlet {self._settings.outlet} reads {state}, "
                "expected 1 (on) or 2 (off)"
            )
        return state == _ON

    async def _switch(self, on: bool) -> None:
        if self._rebooting:
            # The rest of a reboot would undo the command.
            await self._command(self._objects.cancel)
            self._rebooting = False
        await self._command(_ON if on else _OFF)
        await switched(self._name, self.is_on, on, within=_SWITCH_WITHIN)

    async def _command(self, number: int, *, again: bool = True) -> None:
        await self._link.set_number(self._of_outlet(self._objects.control), number, again=again)

    def _of_outlet(self, column: str) -> str:
        return f"{_oid(column)}.{self._settings.outlet}"


def _oid(below: str) -> str:
    return f"1.3.6.1.4.1.318.1.1.{below}"


def _make(settings: ApcSettings, context: DriverContext) -> Apc:
    link = SnmpLink(
        address.parse(settings.link, *SCHEMES),
        context.name,
        community=settings.community,
        version=settings.version,
    )
    return Apc(context.name, link, settings)


DRIVER = Driver(settings=ApcSettings, offers=(PowerSwitch,), make=_make)

"""A port of a managed Ethernet switch, taken down and up over SNMP.

Source: IF-MIB (RFC 2863): ifAdminStatus commands, ifOperStatus tells whether there is a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import Cut, NetworkPath
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, Unverifiable
from drivers.lifecycle import enter, leave
from drivers.link import address
from drivers.link.snmp import SCHEMES, SnmpLink, Version
from drivers.readback import until

_SYSTEM_DESCRIPTION, _SYSTEM_NAME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.5.0"
_DESCRIPTION, _ADMIN, _OPER = (f"1.3.6.1.2.1.2.2.1.{column}" for column in (2, 7, 8))
_UP, _DOWN = 1, 2
_WORDS = ("?", "up", "down", "testing", "unknown", "dormant", "not present", "lower layer down")

_ADMIN_WITHIN = 0.5
_LINK_DOWN_WITHIN = 2.0
"""Deadlines in s for the read-back after a command."""
_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class SwitchPortSettings:
    """Keys of a switch port in `bench.toml`."""

    link: str
    """`snmp://HOST:PORT` of the switch."""
    community: str
    """Community with write access."""
    port: int
    """ifIndex of the port; often, but not always, the number printed on it."""
    interface: str = ""
    """ifDescr that the port must have, so that a wrong index cuts nobody else off."""
    direct: bool = True
    """Whether the station itself hangs on the port and sees the link go down; false when another
    switch or an access point stands in between."""
    version: Version = "2c"

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if self.port < 1:
            raise ValueError(f"'port' is {self.port}, expected 1 or more")
        if not self.community:
            raise ValueError("'community' is empty")


class SwitchPort(Device, NetworkPath):
    """One port of a managed switch."""

    def __init__(self, name: str, link: SnmpLink, settings: SwitchPortSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings

    async def __aenter__(self) -> Self:
        """Check that the switch has this port, take it up."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the port up."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read what the switch says of itself; check that the port is the one that is meant."""
        model = await self._link.get_text(_SYSTEM_DESCRIPTION)
        name = await self._link.get_text(_SYSTEM_NAME)
        found = await self._link.get_text(self._of_port(_DESCRIPTION))
        if self._settings.interface not in ("", found):
            raise DeviceError(
                f"{self._link}: port {self._settings.port} is {found!r}, "
                f"expected {self._settings.interface!r} as in bench.toml"
            )
        return Identity("", " ".join(model.split()), serial=name)

    async def make_safe(self) -> None:
        """Take the port up."""
        await self.restore()

    async def self_test(self) -> str:
        """Take the port up once more, and tell whether there is a link."""
        await self.restore()
        link = await self._link.get_number(self._of_port(_OPER))
        return f"port {self._settings.port} is enabled, its link is {_word(link)}"

    async def cut(self, how: Cut = Cut.RESET) -> None:
        """Take the port down and wait until its link is.

        A station on the port itself notices at once (`Cut.RESET`); one behind another switch does
        not (`Cut.DROP`). Raises `Unverifiable` for the way that this wiring does not offer.
        """
        offered = Cut.RESET if self._settings.direct else Cut.DROP
        if how is not offered:
            raise Unverifiable(
                f"{self._name}: port {self._settings.port} can only cut in the way "
                f"{offered.value!r}, not {how.value!r} (key 'direct')"
            )
        await self._link.set_number(self._of_port(_ADMIN), _DOWN)
        await self._reads(_OPER, "link", up=False, within=_LINK_DOWN_WITHIN)

    async def restore(self) -> None:
        """Take the port up; the link follows when the other end wants it."""
        await self._link.set_number(self._of_port(_ADMIN), _UP)
        await self._reads(_ADMIN, "port", up=True, within=_ADMIN_WITHIN)

    async def delay(self, seconds: float) -> None:
        """Do nothing for 0 s; raises `Unverifiable` for any other delay."""
        if seconds:
            raise Unverifiable(f"{self._name}: a switch port can't delay, asked for {seconds:g} s")

    async def limit(self, bytes_per_second: float | None) -> None:
        """Do nothing for no limit; raises `Unverifiable` for any."""
        if bytes_per_second is not None:
            text = f"asked for {bytes_per_second:g} bytes/s"
            raise Unverifiable(f"{self._name}: a switch port can't throttle, {text}")

    async def is_cut(self) -> bool:
        """Tell whether the port is taken down."""
        return await self._link.get_number(self._of_port(_ADMIN)) != _UP

    async def _reads(self, column: str, what: str, *, up: bool, within: float) -> None:
        await until(
            lambda: self._link.get_number(self._of_port(column)),
            lambda state: (state == _UP) is up,
            within=within,
            every=_EVERY,
            otherwise=lambda state: (
                f"{self._name}: {what} {self._settings.port} reads {_word(state)}, "
                f"commanded {'up' if up else 'down'},"
            ),
        )

    def _of_port(self, column: str) -> str:
        return f"{column}.{self._settings.port}"


def _word(state: int) -> str:
    return _WORDS[state] if 0 < state < len(_WORDS) else str(state)


def _make(settings: SwitchPortSettings, context: DriverContext) -> SwitchPort:
    link = SnmpLink(
        address.parse(settings.link, *SCHEMES),
        context.name,
        community=settings.community,
        version=settings.version,
    )
    return SwitchPort(context.name, link, settings)


DRIVER = Driver(settings=SwitchPortSettings, offers=(NetworkPath,), make=_make)

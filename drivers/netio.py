"""A NETIO power socket: JSON over HTTP (`/netio.json`).

Source: NETIO products, JSON M2M API description. The JSON API with write access must be enabled
on the device's web page.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from bench.capability import PowerSwitch
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.http import SCHEMES, HttpLink
from drivers.switching import cycled, switched

_PATH = "/netio.json"
_OFF, _ON, _SHORT_OFF = 0, 1, 2


@dataclass(frozen=True, slots=True)
class NetioSettings:
    """Keys of a NETIO socket in `bench.toml`."""

    link: str
    """`http://HOST:PORT`."""
    outlet: int = 1
    """Output number, from 1."""
    safe: Literal["on", "off"] = "on"
    """What the outlet is when the bench is safe."""
    user: str = ""
    """Name for basic authentication; none when empty."""
    password: str = ""
    serial: str = ""
    """Serial number that the device must have."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if self.outlet < 1:
            raise ValueError(f"'outlet' is {self.outlet}, expected 1 or more")


class Netio(Device, PowerSwitch):
    """One outlet of a NETIO device."""

    def __init__(self, name: str, link: HttpLink, settings: NetioSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings

    async def __aenter__(self) -> Self:
        """Check that it is a NETIO with this outlet, bring the outlet to its safe state."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Bring the outlet to its safe state."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read the device's own description."""
        status = await self._link.get(_PATH)
        agent = status.get("Agent") if isinstance(status, dict) else None
        if not isinstance(agent, dict):
            raise DeviceError(f"{self._link}: {_PATH} has no Agent, expected a NETIO device")
        self._state(status)
        identity = Identity(
            "NETIO products",
            str(agent.get("Model", "")),
            serial=str(agent.get("SerialNumber", "")),
            firmware=str(agent.get("Version", "")),
        )
        check_serial(self._name, identity, self._settings.serial)
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
        """Have the device switch off and on again by itself, so that it comes on in any case."""
        await cycled(
            self._name,
            lambda: self._act(_SHORT_OFF, Delay=round(off_for * 1000)),
            self.is_on,
            off_for=off_for,
        )

    async def is_on(self) -> bool:
        """Read the outlet's state."""
        return self._state(await self._link.get(_PATH))

    async def _switch(self, on: bool) -> None:
        await self._act(_ON if on else _OFF)
        await switched(self._name, self.is_on, on)

    async def _act(self, action: int, **more: int) -> None:
        output = {"ID": self._settings.outlet, "Action": action, **more}
        await self._link.post(_PATH, {"Outputs": [output]})

    def _state(self, status: Any) -> bool:
        outputs = status.get("Outputs") if isinstance(status, dict) else None
        if not isinstance(outputs, list):
            raise DeviceError(f"{self._link}: {_PATH} has no list of Outputs")
        for output in outputs:
            if isinstance(output, dict) and output.get("ID") == self._settings.outlet:
                state = output.get("State")
                if state not in (0, 1):
                    raise DeviceError(f"{self._link}: State is {state!r}, expected 0 or 1")
                return bool(state)
        raise DeviceError(
            f"{self._link}: no outlet {self._settings.outlet}, the device has {len(outputs)}"
        )


def _make(settings: NetioSettings, context: DriverContext) -> Netio:
    auth = httpx.BasicAuth(settings.user, settings.password) if settings.user else None
    link = HttpLink(address.parse(settings.link, *SCHEMES), context.name, auth=auth)
    return Netio(context.name, link, settings)


DRIVER = Driver(settings=NetioSettings, offers=(PowerSwitch,), make=_make)

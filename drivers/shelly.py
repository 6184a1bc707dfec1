"""A Shelly relay of the second generation or later: RPC over HTTP.

Source: Shelly technical documentation, Gen2+ RPC API (Switch and Shelly services).
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


@dataclass(frozen=True, slots=True)
class ShellySettings:
    """Keys of a Shelly relay in `bench.toml`."""

    link: str
    """`http://HOST:PORT`."""
    outlet: int = 0
    """Switch id, from 0."""
    safe: Literal["on", "off"] = "on"
    """What the outlet is when the bench is safe."""
    password: str = ""
    """Password of the user `admin`, if authentication is on."""
    serial: str = ""
    """MAC address that the device must have, without colons."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if self.outlet < 0:
            raise ValueError(f"'outlet' is {self.outlet}, expected 0 or more")


class Shelly(Device, PowerSwitch):
    """One switch of a Shelly device."""

    def __init__(self, name: str, link: HttpLink, settings: ShellySettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings

    async def __aenter__(self) -> Self:
        """Check that it is a Shelly with RPC and this switch, bring it to its safe state."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Bring the switch to its safe state."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read the device's own description."""
        info = await self._call("Shelly.GetDeviceInfo")
        generation = info.get("gen")
        if not isinstance(generation, int) or generation < 2:
            raise DeviceError(
                f"{self._link}: generation is {generation!r}, expected a Shelly of generation 2 up"
            )
        await self.is_on()
        identity = Identity(
            "Shelly",
            str(info.get("model", "")),
            serial=str(info.get("mac", "")),
            firmware=str(info.get("ver", "")),
        )
        check_serial(self._name, identity, self._settings.serial)
        return identity

    async def make_safe(self) -> None:
        """Bring the switch to its safe state."""
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
            lambda: self._set(False, toggle_after=f"{off_for:g}"),
            self.is_on,
            off_for=off_for,
        )

    async def is_on(self) -> bool:
        """Read the switch's state."""
        output = (await self._call("Switch.GetStatus", id=f"{self._settings.outlet}")).get("output")
        if not isinstance(output, bool):
            raise DeviceError(f"{self._link}: output is {output!r}, expected true or false")
        return output

    async def _switch(self, on: bool) -> None:
        await self._set(on)
        await switched(self._name, self.is_on, on)

    async def _set(self, on: bool, **more: str) -> None:
        state = "true" if on else "false"
        await self._call("Switch.Set", id=f"{self._settings.outlet}", on=state, **more)

    async def _call(self, method: str, **parameters: str) -> dict[str, Any]:
        answer = await self._link.get(f"/rpc/{method}", parameters)
        if not isinstance(answer, dict):
            raise DeviceError(f"{self._link}: {method} answered {answer!r}, expected an object")
        return answer


def _make(settings: ShellySettings, context: DriverContext) -> Shelly:
    auth = httpx.DigestAuth("admin", settings.password) if settings.password else None
    link = HttpLink(address.parse(settings.link, *SCHEMES), context.name, auth=auth)
    return Shelly(context.name, link, settings)


DRIVER = Driver(settings=ShellySettings, offers=(PowerSwitch,), make=_make)

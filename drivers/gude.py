"""A GUDE Expert Power Control: commands in the query of `/status.json`, JSON answers over HTTP.

Source: GUDE Systems, EPC HTTP Interface (public). HTTP access without session authentication must
be enabled on the device's web page.
"""

from __future__ import annotations

import math
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

_PATH = "/status.json"
_SWITCH, _CANCEL_BATCH, _BATCH = "1", "2", "5"
_OUTPUTS, _EVERYTHING = "1", str(2**30 - 1)
"""Which parts of the status the device is to answer with (`components`, a bit mask)."""
_LONGEST_BATCH = 65535
"""In s."""


@dataclass(frozen=True, slots=True)
class GudeSettings:
    """Keys of a GUDE power switch in `bench.toml`."""

    link: str
    """`http://HOST:PORT`."""
    port: int = 1
    """Power port, from 1."""
    safe: Literal["on", "off"] = "on"
    """What the port is when the bench is safe."""
    user: str = ""
    """Name for basic authentication; none when empty."""
    password: str = ""
    serial: str = ""
    """MAC address that the device must have, as 00:19:32:…; it has no other serial number."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if self.port < 1:
            raise ValueError(f"'port' is {self.port}, expected 1 or more")


class Gude(Device, PowerSwitch):
    """One port of a GUDE power switch."""

    def __init__(self, name: str, link: HttpLink, settings: GudeSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings

    async def __aenter__(self) -> Self:
        """Check that it is a GUDE with this port, bring the port to its safe state."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Bring the port to its safe state."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read the device's own description."""
        status = await self._link.get(_PATH, {"components": _EVERYTHING})
        self._state(status)
        misc, ethernet = _part(status, "misc"), _part(status, "ethernet")
        identity = Identity(
            "GUDE Systems",
            str(misc.get("product_name", "")),
            serial=str(ethernet.get("mac", "")).upper(),
            firmware=str(misc.get("firm_v", "")),
        )
        check_serial(self._name, identity, self._settings.serial.upper())
        return identity

    async def make_safe(self) -> None:
        """Bring the port to its safe state."""
        await self._switch(self._settings.safe == "on")

    async def self_test(self) -> str:
        """Command the safe state again and read it back: the DUT keeps its supply."""
        await self.make_safe()
        return f"port {self._settings.port} reads {self._settings.safe}, as commanded"

    async def switch_on(self) -> None:
        """Switch on and wait until it reads on."""
        await self._switch(True)

    async def switch_off(self) -> None:
        """Switch off and wait until it reads off."""
        await self._switch(False)

    async def cycle(self, *, off_for: float) -> None:
        """Have the device switch off and on again by itself, so that it comes on in any case.

        It counts whole seconds: `off_for` is rounded up, at most 65535 s.
        """
        if not 0 < off_for <= _LONGEST_BATCH:
            raise ValueError(
                f"off_for is {off_for:g} s, expected more than 0, at most {_LONGEST_BATCH} s"
            )
        seconds = math.ceil(off_for)
        await cycled(
            self._name,
            lambda: self._command(_BATCH, a1="0", a2="1", s=str(seconds)),
            self.is_on,
            off_for=float(seconds),
        )

    async def is_on(self) -> bool:
        """Read the port's state."""
        return self._state(await self._link.get(_PATH, {"components": _OUTPUTS}))

    async def _switch(self, on: bool) -> None:
        # The rest of a power cycle that is still counting down would undo the command.
        await self._command(_CANCEL_BATCH)
        await self._command(_SWITCH, s="1" if on else "0")
        await switched(self._name, self.is_on, on)

    async def _command(self, command: str, **more: str) -> None:
        port = {"cmd": command, "p": str(self._settings.port)}
        await self._link.get(_PATH, {"components": _OUTPUTS} | port | more)

    def _state(self, status: Any) -> bool:
        outputs = status.get("outputs") if isinstance(status, dict) else None
        if not isinstance(outputs, list):
            raise DeviceError(f"{self._link}: {_PATH} has no list of outputs, expected a GUDE")
        port = self._settings.port
        if port > len(outputs):
            raise DeviceError(f"{self._link}: no port {port}, the device has {len(outputs)}")
        state = outputs[port - 1].get("state") if isinstance(outputs[port - 1], dict) else None
        if state not in (0, 1):
            raise DeviceError(f"{self._link}: state is {state!r}, expected 0 or 1")
        return bool(state)


def _part(status: Any, name: str) -> dict[str, Any]:
    part = status.get(name)
    return part if isinstance(part, dict) else {}


def _make(settings: GudeSettings, context: DriverContext) -> Gude:
    auth = httpx.BasicAuth(settings.user, settings.password) if settings.user else None
    link = HttpLink(address.parse(settings.link, *SCHEMES), context.name, auth=auth)
    return Gude(context.name, link, settings)


DRIVER = Driver(settings=GudeSettings, offers=(PowerSwitch,), make=_make)

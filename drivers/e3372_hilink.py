"""A Huawei E3372h LTE dongle in its HiLink personality (firmware 22.x): HTTP with XML.

Source: what the dongle's own web page sends, as published by the huawei-lte-api project. One
dongle per machine: all of them have the address 192.168.8.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self
from xml.etree.ElementTree import Element

from bench.capability import Level, Modem, Signal, Technology
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.cellular import (
    check_connect_within,
    check_model,
    level,
    technology_of,
    where_registered,
)
from drivers.hilink import UNSUPPORTED, Hilink, HilinkRefused
from drivers.hilink_scan import DEFAULT, scan
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.http import SCHEMES, HttpLink
from drivers.readback import until

_QUERY_WITHIN = 3.0
"""Deadline in s of a request that only asks."""

_SET_WITHIN = 45.0
"""Deadline in s of a request that changes the network, as in the dongle's web page."""

_LEAVE_WITHIN = 4.0
"""Deadline in s for making safe when leaving; a change of the network takes seconds."""

_EVERY = 1.0
"""Pause in s between two looks at registration or connection."""

_GONE_WITHIN = 30.0
"""Deadline in s for the dongle to go away after the command to restart."""

_BACK_WITHIN = 90.0
"""Deadline in s for the dongle to answer again after a restart."""

_MODES = {
    Technology.AUTO: "00",
    Technology.G2: "01",
    Technology.G3: "02",
    Technology.G4: "03",
}
"""NetworkMode of net-mode."""

_CONNECTED = "901"
_SERVICE = "2"
_NO_SIM = ("0", "255")
_WHILE_CONNECTED = (112001, 112002)
_MODE_REFUSED = (100006, 112003, 112007)

_LEVELS = {"rssi": "dBm", "rsrp": "dBm", "rsrq": "dB", "sinr": "dB"}


@dataclass(frozen=True, slots=True)
class E3372HilinkSettings:
    """Keys of an E3372h in HiLink personality in `bench.toml`."""

    link: str = DEFAULT
    """`http://HOST`."""
    user: str = "admin"
    password: str = ""
    """The web page's password; none when empty."""
    safe: Literal["auto", "2G", "3G", "4G"] = "auto"
    """What the dongle may use when the bench is safe."""
    connect_within: float = 120.0
    """Deadline in s for registration and data connection."""
    serial: str = ""
    """IMEI that the dongle must have."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        check_connect_within(self.connect_within)


class E3372Hilink(Device, Modem):
    """The dongle behind its web server."""

    def __init__(self, name: str, link: Hilink, settings: E3372HilinkSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings

    async def __aenter__(self) -> Self:
        """Check that it is an E3372 with a SIM, bring it to its safe state."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect data, let it use what is safe, log out."""
        await leave(self, self._link, error, within=_LEAVE_WITHIN)

    async def identify(self) -> Identity:
        """Read model, firmware and IMEI; refuse another model, and a dongle without SIM."""
        try:
            about = await self._link.get("/api/device/information")
        except HilinkRefused as error:
            if error.code != UNSUPPORTED:
                raise
            about = await self._link.get("/api/device/basic_information")
        model = about.findtext("DeviceName", "") or about.findtext("devicename", "")
        check_model(self._link, model)
        identity = Identity(
            "Huawei",
            model,
            serial=about.findtext("Imei", ""),
            firmware=about.findtext("SoftwareVersion", ""),
        )
        check_serial(self._name, identity, self._settings.serial)
        if (await self._status()).findtext("SimStatus", "") in _NO_SIM:
            raise DeviceError(f"{self._link}: the dongle reports no SIM")
        return identity

    async def make_safe(self) -> None:
        """Disconnect data and let the dongle use what is safe."""
        await self.set_data(on=False)
        await self.set_technology(Technology(self._settings.safe))

    async def self_test(self) -> str:
        """Make it safe, and say where it is registered."""
        await self.make_safe()
        return where_registered(await self.read_signal())

    async def set_technology(self, technology: Technology) -> None:
        """Set the network mode, bands as they are; check that it reads back."""
        found = await self._mode()
        mode = _MODES[technology]
        if found["NetworkMode"] == mode:
            return
        wanted = {**found, "NetworkMode": mode}
        try:
            await self._set_mode(wanted)
        except HilinkRefused as error:
            if error.code not in _WHILE_CONNECTED:
                raise
            await self._switch_data(on=False)
            try:
                await self._set_mode(wanted)
            finally:
                await self._switch_data(on=True)
        read = (await self._mode())["NetworkMode"]
        if read != mode:
            raise DeviceError(f"{self._link}: NetworkMode reads {read!r}, commanded {mode!r}")

    async def set_data(self, *, on: bool) -> None:
        """Switch mobile data and wait until it is connected, or disconnected."""
        if await self._data_is_on() is not on:
            await self._switch_data(on=on)
        await until(
            self._is_connected,
            lambda connected: connected is on,
            within=self._settings.connect_within if on else _SET_WITHIN,
            every=_EVERY,
            otherwise=lambda _: (
                f"{self._name}: {'no data connection' if on else 'still connected'}"
            ),
        )

    async def read_signal(self) -> Signal:
        """Read monitoring/status, net/current-plmn and the levels."""
        status = await self._status()
        technology = self._technology(status)
        registered = technology is not None and status.findtext("ServiceStatus") == _SERVICE
        plmn = await self._link.get("/api/net/current-plmn") if registered else Element("none")
        levels, source = await self._levels(registered=registered)
        return Signal(
            technology=technology if registered else None,
            operator=plmn.findtext("FullName", ""),
            plmn=plmn.findtext("Numeric", ""),
            registered=registered,
            connected=status.findtext("ConnectionStatus") == _CONNECTED,
            source=source,
            **levels,
        )

    async def restart(self) -> None:
        """Restart the dongle, see it go, and wait until it answers again."""
        await self._link.post("/api/device/control", {"Control": "1"}, within=_SET_WITHIN)
        await until(
            self._answers,
            lambda answers: not answers,
            within=_GONE_WITHIN,
            every=_EVERY,
            otherwise=lambda _: f"{self._name}: does not restart",
        )
        await until(
            self._answers,
            bool,
            within=_BACK_WITHIN,
            every=_EVERY,
            otherwise=lambda _: f"{self._name}: does not answer after its restart",
        )
        await self.identify()

    async def _answers(self) -> bool:
        try:
            await self._status()
        except (LinkError, DeviceTimeout):
            return False
        except DeviceError:
            return True
        return True

    async def _status(self) -> Element:
        return await self._link.get("/api/monitoring/status")

    async def _is_connected(self) -> bool:
        return (await self._status()).findtext("ConnectionStatus") == _CONNECTED

    async def _data_is_on(self) -> bool:
        switch = await self._link.get("/api/dialup/mobile-dataswitch")
        return switch.findtext("dataswitch") == "1"

    async def _switch_data(self, *, on: bool) -> None:
        fields = {"dataswitch": "1" if on else "0"}
        await self._link.post("/api/dialup/mobile-dataswitch", fields, within=_SET_WITHIN)
        if await self._data_is_on() is not on:
            raise DeviceError(f"{self._link}: mobile data does not switch {'on' if on else 'off'}")

    async def _mode(self) -> dict[str, str]:
        """Read mode and bands, in the order in which they have to be written."""
        answer = await self._link.get("/api/net/net-mode")
        fields = {
            name: answer.findtext(name, "") for name in ("NetworkMode", "NetworkBand", "LTEBand")
        }
        if not all(fields.values()):
            raise DeviceError(f"{self._link}: net-mode has {fields}, expected three values")
        return fields

    async def _set_mode(self, fields: dict[str, str]) -> None:
        try:
            await self._link.post("/api/net/net-mode", fields, within=_SET_WITHIN)
        except HilinkRefused as error:
            if error.code not in _MODE_REFUSED:
                raise
            modes = await self._link.get("/api/net/net-mode-list")
            allowed = ", ".join(access.text or "" for access in modes.iter("Access"))
            raise DeviceError(
                f"{error}: NetworkMode {fields['NetworkMode']}, the firmware allows {allowed}"
            ) from error

    async def _levels(self, *, registered: bool) -> tuple[dict[str, Level], str]:
        if not registered:
            return {}, ""
        signal, source = await self._link.get("/api/device/signal"), "device/signal"
        if not any(signal.findtext(name) for name in _LEVELS):
            try:
                signal, source = await self._link.get("/api/net/signal-para"), "net/signal-para"
            except HilinkRefused as error:
                if error.code != UNSUPPORTED:
                    raise
        texts = {child.tag.lower(): child.text or "" for child in signal}
        try:
            levels = {name: level(texts.get(name, ""), unit) for name, unit in _LEVELS.items()}
        except ValueError as error:
            raise DeviceError(f"{self._link}: {source}: {error}") from error
        return levels, source

    def _technology(self, status: Element) -> Technology | None:
        for name in ("CurrentNetworkTypeEx", "CurrentNetworkType"):
            text = status.findtext(name) or "0"
            if not text.isdecimal():
                raise DeviceError(f"{self._link}: {name} is {text!r}, expected a whole number")
            if technology := technology_of(int(text)):
                return technology
        return None


def _make(settings: E3372HilinkSettings, context: DriverContext) -> E3372Hilink:
    link = HttpLink(address.parse(settings.link, *SCHEMES), context.name, within=_QUERY_WITHIN)
    web = Hilink(link, user=settings.user, password=settings.password)
    return E3372Hilink(context.name, web, settings)


DRIVER = Driver(settings=E3372HilinkSettings, offers=(Modem,), make=_make, scan=scan)

"""A Huawei E3372h LTE dongle in its stick personality (firmware 21.x): AT commands.

Source: Huawei LTE module AT command descriptions, as ModemManager uses them. Commands
go to the second of the dongle's serial ports (PCUI).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from bench.capability import Level, Modem, Signal, Technology
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, LinkError
from drivers.at_line import AtLine, AtRefused, fields_of
from drivers.cellular import (
    check_connect_within,
    check_model,
    csq,
    hcsq,
    technology_of,
    where_registered,
)
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.stream import SCHEMES, ByteLink, byte_link
from drivers.readback import poll, until

_SET_WITHIN = 45.0
"""Deadline in s for a command that changes the network."""

_LEAVE_WITHIN = 4.0
"""Deadline in s for making safe when leaving; a change of the network takes seconds."""

_EVERY = 1.0
"""Pause in s between two looks at registration or connection."""

_GONE_WITHIN = 15.0
"""Time in s that the serial port may stay after the command to restart."""

_BACK_WITHIN = 60.0
"""Deadline in s for the dongle to answer again after a restart."""

_ORDERS = {
    Technology.AUTO: "00",
    Technology.G2: "01",
    Technology.G3: "02",
    Technology.G4: "03",
}
"""Acquisition order of ^SYSCFGEX."""

_SERVICE = 2
"""Service status of ^SYSINFOEX: valid."""

_NO_SIM = (0, 255)


@dataclass(frozen=True, slots=True)
class E3372StickSettings:
    """Keys of an E3372h in stick personality in `bench.toml`."""

    link: str
    """`serial:/dev/serial/by-id/…`, the dongle's second port, or `socket://HOST:PORT`."""
    apn: str = ""
    """Access point name of the operator; the SIM's own when empty."""
    safe: Literal["auto", "2G", "3G", "4G"] = "auto"
    """What the dongle may use when the bench is safe."""
    connect_within: float = 120.0
    """Deadline in s for registration and data connection."""
    serial: str = ""
    """IMEI that the dongle must have."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        if not re.fullmatch(r"[A-Za-z0-9.-]*", self.apn):
            raise ValueError(f"'apn' is {self.apn!r}, expected letters, digits, dots and hyphens")
        check_connect_within(self.connect_within)


class E3372Stick(Device, Modem):
    """The dongle on its command port."""

    def __init__(self, name: str, link: ByteLink, settings: E3372StickSettings) -> None:
        self._name = name
        self._link = link
        self._line = AtLine(link)
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
        """Disconnect data, let it use what is safe, and close the port."""
        await leave(self, self._link, error, within=_LEAVE_WITHIN)

    async def identify(self) -> Identity:
        """Read model, firmware and IMEI; refuse another model, and a SIM that can't be used."""
        await self._line.ask("ATE0")
        await self._line.ask("AT+CMEE=1")
        try:
            await self._line.ask("AT^CURC=0")
        except AtRefused:
            pass  # not in every firmware; reports are filtered anyway
        model = await self._line.one("AT+CGMM")
        check_model(self._link, model)
        firmware = await self._line.one("AT+CGMR")
        serial = await self._line.one("AT+CGSN")
        identity = Identity("Huawei", model, serial=serial, firmware=firmware)
        check_serial(self._name, identity, self._settings.serial)
        await self._check_sim()
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
        """Set the acquisition order, bands and roaming as they are; check that it reads back."""
        order, rest = await self._order()
        if _allows(order, technology):
            return
        command = f'AT^SYSCFGEX="{_ORDERS[technology]}",{",".join(rest)},,'
        try:
            await self._line.ask(command, within=_SET_WITHIN)
        except AtRefused as error:
            allowed = await self._line.one("AT^SYSCFGEX=?", "^SYSCFGEX")
            raise DeviceError(f"{error}; the firmware allows {allowed}") from error
        order, _ = await self._order()
        if not _allows(order, technology):
            expected = _ORDERS[technology]
            raise DeviceError(f"{self._link}: order reads {order!r}, commanded {expected!r}")

    async def set_data(self, *, on: bool) -> None:
        """Start or stop the network connection (NDIS) and wait until it is so."""
        if on:
            await self._connect()
            return
        if not await self._is_connected():
            return
        try:
            await self._line.ask("AT^NDISDUP=1,0", within=_SET_WITHIN)
        except AtRefused:
            pass  # it was down already; the state below decides
        await until(
            self._is_connected,
            lambda connected: not connected,
            within=_SET_WITHIN,
            every=_EVERY,
            otherwise=lambda _: f"{self._name}: still connected",
        )

    async def read_signal(self) -> Signal:
        """Read ^SYSINFOEX, the operator, and ^HCSQ or else +CSQ."""
        technology, registered = await self._registration()
        levels, source = await self._levels()
        return Signal(
            technology=technology,
            operator=await self._operator(0) if registered else "",
            plmn=await self._operator(2) if registered else "",
            registered=registered,
            connected=await self._is_connected(),
            source=source,
            **levels,
        )

    async def restart(self) -> None:
        """Restart the dongle, see its port go, and wait until it answers again."""
        try:
            await self._line.ask("AT^RESET")
        except LinkError:
            pass  # the port may go before the result comes
        await poll(self._has_gone, bool, within=_GONE_WITHIN, every=_EVERY)
        await self._link.close()
        await until(
            self._is_back,
            bool,
            within=_BACK_WITHIN,
            every=_EVERY,
            otherwise=lambda _: f"{self._name}: does not answer after its restart",
        )

    async def _connect(self) -> None:
        within = self._settings.connect_within
        if await self._is_connected():
            return
        await until(
            self._registration,
            lambda state: state[1],
            within=within,
            every=_EVERY,
            otherwise=lambda _: f"{self._name}: not registered with a network",
        )
        apn = f',"{self._settings.apn}"' if self._settings.apn else ""
        await self._line.ask(f"AT^NDISDUP=1,1{apn}", within=_SET_WITHIN)
        await until(
            self._is_connected,
            bool,
            within=within,
            every=_EVERY,
            otherwise=lambda _: f"{self._name}: no data connection",
        )

    async def _has_gone(self) -> bool:
        try:
            await self._line.ask("AT")
        except DeviceError as error:
            return isinstance(error, LinkError)
        return False

    async def _is_back(self) -> bool:
        await self._link.close()
        try:
            await self._link.open()
            await self.identify()
        except DeviceError:
            return False
        return True

    async def _check_sim(self) -> None:
        try:
            state = await self._line.one("AT+CPIN?", "+CPIN")
        except AtRefused as error:
            raise DeviceError(f"{error}: no SIM, or one that can't be read") from error
        if state != "READY":
            raise DeviceError(f"{self._link}: the SIM asks for {state}: switch its PIN off")

    async def _order(self) -> tuple[str, list[str]]:
        """Read the acquisition order, and band, roaming, domain and LTE band as they are."""
        line = await self._line.one("AT^SYSCFGEX?", "^SYSCFGEX")
        fields = fields_of(line)
        if len(fields) < 5:
            raise DeviceError(f"{self._link}: ^SYSCFGEX {line!r}, expected five values")
        return fields[0], fields[1:5]

    async def _registration(self) -> tuple[Technology | None, bool]:
        line = await self._line.one("AT^SYSINFOEX", "^SYSINFOEX")
        fields = fields_of(line)
        try:
            service, sim, submode = int(fields[0]), int(fields[3]), int(fields[7])
        except (IndexError, ValueError):
            text = f"{self._link}: ^SYSINFOEX {line!r}, expected nine values"
            raise DeviceError(text) from None
        if sim in _NO_SIM:
            raise DeviceError(f"{self._link}: the dongle reports no SIM")
        technology = technology_of(submode)
        registered = service == _SERVICE and technology is not None
        return (technology if registered else None), registered

    async def _levels(self) -> tuple[dict[str, Level], str]:
        try:
            mode, *indices = fields_of(await self._line.one("AT^HCSQ?", "^HCSQ"))
        except AtRefused:
            line = await self._line.one("AT+CSQ", "+CSQ")
            return {"rssi": csq(self._number("+CSQ", fields_of(line)[0]))}, "+CSQ"
        numbers = [self._number("^HCSQ", index) for index in indices if index]
        return dict(hcsq(mode, numbers)), "^HCSQ"

    async def _operator(self, form: int) -> str:
        """Read the operator's name (form 0) or number (form 2)."""
        await self._line.ask(f"AT+COPS=3,{form}")
        fields = fields_of(await self._line.one("AT+COPS?", "+COPS"))
        return fields[2] if len(fields) > 2 else ""

    async def _is_connected(self) -> bool:
        return fields_of(await self._line.one("AT^NDISSTATQRY?", "^NDISSTATQRY"))[0] == "1"

    def _number(self, what: str, text: str) -> int:
        if not text.isdecimal():
            raise DeviceError(f"{self._link}: {what} has {text!r}, expected a whole number")
        return int(text)


def _allows(order: str, technology: Technology) -> bool:
    """Tell whether an acquisition order is that of a technology.

    A list of all three is what some firmware makes of the automatic choice.
    """
    if technology is Technology.AUTO:
        return order == "00" or all(code in order for code in ("01", "02", "03"))
    return order == _ORDERS[technology]


def _make(settings: E3372StickSettings, context: DriverContext) -> E3372Stick:
    link = byte_link(address.parse(settings.link, *SCHEMES), context.name)
    return E3372Stick(context.name, link, settings)


DRIVER = Driver(settings=E3372StickSettings, offers=(Modem,), make=_make)

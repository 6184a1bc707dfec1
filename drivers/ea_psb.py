"""A bidirectional DC source EA-PSB as a load: SCPI lines over TCP, or Modbus.

Source: EA Elektro-Automatik, programming guide ModBus & SCPI (public). The source stays at 0 V and
0 A, so that the device only ever takes energy. Its interface monitoring switches it off when the
computer falls silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import Load, LoadReading
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, DeviceTimeout, LinkError
from bench.metrology import Quantity
from drivers.ea_psb_registers import SCHEMES, RegisterPanel
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.modbus import modbus_link
from drivers.link.stream import ByteLink, byte_link
from drivers.readback import until
from drivers.renewal import Renewal

_SCHEMES = ("socket",)
_ANSWER_WITHIN = 0.3
_ON_WITHIN = 1.0
_OFF_WITHIN = 0.4
_EVERY = 0.05
"""Deadlines and pause in s."""

_SILENCE = 2
_RENEWALS = 4
"""How often the device hears something in the time after which it switches off."""

_STEP = 0.002
"""Part of the nominal current by which a read-back may differ from the command."""


@dataclass(frozen=True, slots=True)
class EaPsbSettings:
    """Keys of an EA-PSB in `bench.toml`."""

    link: str
    """`socket://HOST:5025` for SCPI; `modbus-tcp://HOST` or `modbus-rtu:/dev/…` for Modbus."""
    max_current: float
    """Most that may ever be drawn in A: what cable, fuse and DUT are made for."""
    max_power: float | None = None
    """Most that may ever be drawn in W; the device's nominal power when left out."""
    watchdog: int | None = None
    """Silence in s after which the device switches off by itself; 2 when left out.

    0 when the bench can't set it: over Modbus it has to be set at the front panel.
    """
    serial: str = ""
    """Serial number that the device must have."""
    unit: int = 1
    """Modbus address of the device, 1 to 247."""

    def __post_init__(self) -> None:
        address.parse(self.link, *_SCHEMES, *SCHEMES)
        if not 1 <= self.unit <= 247:
            raise ValueError(f"'unit' is {self.unit}, expected 1 to 247")
        if not 0 < self.max_current < math.inf:
            raise ValueError(f"'max_current' is {self.max_current:g}, expected more than 0 A")
        if self.max_power is not None and not 0 < self.max_power < math.inf:
            raise ValueError(f"'max_power' is {self.max_power:g}, expected more than 0 W")
        if self.watchdog is not None and not 0 <= self.watchdog <= 60:
            raise ValueError(f"'watchdog' is {self.watchdog}, expected 1 to 60 s, or 0 for none")
        if self.watchdog != 0 and not self.link.startswith(_SCHEMES):
            text = "over Modbus the bench can't have the device switch off when it falls silent"
            raise ValueError(f"{text}: set that at its front panel and give 'watchdog = 0'")

    @property
    def silence(self) -> int:
        """Tell after how many s of silence the device switches off, 0 for never."""
        return _SILENCE if self.watchdog is None else self.watchdog


class Panel:
    """The device's SCPI interface: one command at a time, each followed by its error."""

    def __init__(self, link: ByteLink) -> None:
        self._link = link
        self._queue = asyncio.Lock()
        self._late_until = 0.0
        """Until when the answer to an abandoned query may come."""
        self._taken = False

    def __str__(self) -> str:
        return str(self._link)

    async def open(self) -> None:
        """Connect."""
        await self._link.open()
        self._late_until = 0.0

    async def close(self) -> None:
        """Give a device that was taken back to its front panel, and close the link."""
        taken, self._taken = self._taken, False
        try:
            if taken:
                with contextlib.suppress(DeviceError):
                    await self.tell("SYST:LOCK OFF")
        finally:
            await self._link.close()

    async def take(self) -> None:
        """Take remote control; the front panel is locked from here on."""
        await self.tell("SYST:LOCK ON")
        self._taken = True

    async def tell(self, command: str) -> None:
        """Command something; raises `DeviceError` with what the device says against it."""
        # An alarm that came before is no answer to this command.
        error = await self._exchange(f"*CLS\n{command}\nSYST:ERR?\n")
        number, _, text = error.partition(",")
        if number.strip() not in ("0", "+0"):
            reason = text.strip(' "')
            raise DeviceError(f"{self}: refuses {command}: {reason} ({number})")

    async def ask(self, query: str) -> str:
        """Ask for something."""
        return await self._exchange(f"{query}\n")

    async def number(self, query: str, unit: str) -> float:
        """Ask for a number; its unit stands behind it."""
        answer = await self.ask(query)
        value, _, told = answer.partition(" ")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or told.strip() not in ("", unit):
            raise DeviceError(f"{self}: {query} gave {answer!r}, expected a number in {unit}")
        return number

    async def _exchange(self, text: str) -> str:
        loop = asyncio.get_running_loop()
        async with self._queue:
            await self._let_late_answer_come()
            self._link.discard()
            await self._link.write(text.encode())
            try:
                line = await self._link.read_until(b"\n", within=_ANSWER_WITHIN)
            except BaseException:
                self._late_until = loop.time() + _ANSWER_WITHIN
                raise
        return line.decode("utf-8", "replace").strip()

    async def _let_late_answer_come(self) -> None:
        """Take the answer to an abandoned query: it would be taken for that to the next one."""
        left = self._late_until - asyncio.get_running_loop().time()
        if left > 0:
            with contextlib.suppress(DeviceTimeout):
                await self._link.read_until(b"\n", within=left)
        self._late_until = 0.0


class EaPsb(Device, Load):
    """An EA-PSB that only takes energy."""

    def __init__(self, name: str, panel: Panel | RegisterPanel, settings: EaPsbSettings) -> None:
        self._name = name
        self._panel = panel
        self._settings = settings
        self._nominal_current = math.inf
        self._renewal = Renewal(name, self.is_drawing, every=settings.silence / _RENEWALS)

    async def __aenter__(self) -> Self:
        """Identify, take remote control, switch off."""
        await enter(self, self._panel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Switch off, give remote control back."""
        try:
            await leave(self, self._panel, error)
        finally:
            await self._renewal.stop()

    async def identify(self) -> Identity:
        """Read who the device is and what it is made for."""
        told = (await self._panel.ask("*IDN?")).split(",")
        if len(told) < 4 or "PSB" not in told[1]:
            raise DeviceError(f"{self._panel}: is {','.join(told)!r}, expected an EA-PSB")
        maker, model, serial, firmware = (part.strip() for part in told[:4])
        identity = Identity(maker, model, serial=serial, firmware=firmware)
        check_serial(self._name, identity, self._settings.serial)
        self._nominal_current = await self._panel.number("SYST:NOM:CURR?", "A")
        return identity

    async def make_safe(self) -> None:
        """Take remote control, switch off, forget the current."""
        await self._panel.take()
        await self.release()
        for command in ("VOLT 0", "CURR 0", "SINK:CURR 0"):
            await self._panel.tell(command)

    async def self_test(self) -> str:
        """Command the safe state again and measure: nothing is drawn."""
        await self.make_safe()
        volts = (await self.read()).voltage.value
        return f"off, as commanded, with {volts:g} V at its terminals"

    async def draw(self, *, current: float) -> None:
        """Draw up to `current` A, and wait until the device is on."""
        most = min(self._settings.max_current, self._nominal_current)
        if not 0 < current <= most:
            raise ValueError(
                f"{self._name}: current is {current:g} A, expected more than 0, at most {most:g} A"
            )
        power = self._settings.max_power
        if power is None:
            power = await self._panel.number("SYST:NOM:POW?", "W")
        await self._panel.tell(f"SINK:POW {power:g}")
        await self._panel.tell(f"SINK:CURR {current:g}")
        taken = await self._panel.number("SINK:CURR?", "A")
        if abs(taken - current) > _STEP * self._nominal_current:
            raise DeviceError(f"{self._name}: current reads {taken:g} A, commanded {current:g} A")
        await self._watch()
        await self._panel.tell("OUTP ON")
        await self._reads(True, within=_ON_WITHIN)

    async def release(self) -> None:
        """Switch off and wait until the device is."""
        await self._panel.tell("OUTP OFF")
        await self._reads(False, within=_OFF_WITHIN)
        await self._renewal.stop()

    async def is_drawing(self) -> bool:
        """Read whether the device is on; an alarm of its own switches it off."""
        state = await self._panel.ask("OUTP?")
        if state not in ("ON", "OFF"):
            raise DeviceError(f"{self._panel}: OUTP? gave {state!r}, expected ON or OFF")
        return state == "ON"

    async def read(self) -> LoadReading:
        """Measure; the device counts what it takes as negative."""
        volts = await self._panel.number("MEAS:VOLT?", "V")
        amperes = await self._panel.number("MEAS:CURR?", "A")
        watts = await self._panel.number("MEAS:POW?", "W")
        # 0 - x and not -x: nothing is not negative.
        return LoadReading(
            Quantity(volts, "V"), Quantity(0 - amperes, "A"), Quantity(0 - watts, "W")
        )

    async def _watch(self) -> None:
        """Have the device switch off when it falls silent here, and talk to it from now on."""
        seconds = self._settings.silence
        if not seconds:
            return
        try:
            await self._panel.tell(f"SYST:COMM:MON:TIM {seconds}")
            await self._panel.tell("SYST:COMM:MON:ACT ON")
        except LinkError:
            raise
        except DeviceError as error:
            raise DeviceError(
                f"{error}; a device without interface monitoring needs 'watchdog = 0' in "
                "bench.toml, and keeps its load on when the computer dies"
            ) from error
        self._renewal.start()

    async def _reads(self, on: bool, *, within: float) -> None:
        await until(
            self.is_drawing,
            lambda state: state is on,
            within=within,
            every=_EVERY,
            otherwise=lambda state: (
                f"{self._name}: load reads {'on' if state else 'off'}, "
                f"commanded {'on' if on else 'off'},"
            ),
        )


def _make(settings: EaPsbSettings, context: DriverContext) -> EaPsb:
    where = address.parse(settings.link, *_SCHEMES, *SCHEMES)
    panel: Panel | RegisterPanel
    if where.scheme in SCHEMES:
        panel = RegisterPanel(modbus_link(where, context), settings.unit)
    else:
        panel = Panel(byte_link(where, context.name))
    return EaPsb(context.name, panel, settings)


DRIVER = Driver(settings=EaPsbSettings, offers=(Load,), make=_make)

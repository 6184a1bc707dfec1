"""A digital multimeter over SCPI, for calibration; a profile has its dialect and its accuracy.

Profiles are shipped for Keysight 34460A to 34470A and Fluke 8845A and 8846A. Sources: the makers'
programming guides (public), SCPI 1999.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.capability import Multimeter
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import DeviceError, Unverifiable
from bench.metrology import Quantity
from drivers import profile
from drivers.lifecycle import check_serial, enter, leave
from drivers.link import address
from drivers.link.visa import SCHEMES, VisaLink
from drivers.profile_multimeter import Function, MultimeterProfile

_ANSWER_WITHIN = 1.0
"""Deadline in s of an answer that needs no measurement."""

_OVERLOAD = 9.9e37
"""What stands for a value beyond the range (SCPI 1999 volume 1 clause 7.2.1)."""

_MOST_ERRORS = 30
"""More than any instrument's queue holds."""


@dataclass(frozen=True, slots=True)
class MultimeterSettings:
    """Keys of a multimeter in `bench.toml`."""

    link: str
    """`socket://HOST:PORT`, `serial:/dev/…?baudrate=…`, or `visa:` and the resource's name."""
    profile: str
    """A shipped profile such as `keysight-34465a`, or the path of the lab's own."""
    serial: str = ""
    """Serial number that the instrument must have, as on its calibration certificate."""

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        profile.load(MultimeterProfile, self.profile)


class ScpiMultimeter(Device, Multimeter):
    """A multimeter that is told lines of SCPI."""

    def __init__(
        self, name: str, link: VisaLink, profile: MultimeterProfile, settings: MultimeterSettings
    ) -> None:
        self._name = name
        self._link = link
        self._profile = profile
        self._settings = settings
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Identify, take remote control, reset."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Reset, give the front panel back."""
        await leave(self, _Panel(self._link, self._profile.dialect.local), error)

    async def identify(self) -> Identity:
        """Read who the instrument is; refuse one that the profile is not for."""
        told = [part.strip() for part in (await self._link.ask("*IDN?")).split(",")]
        model = self._profile.dialect.model
        if len(told) < 4 or not re.fullmatch(model, told[1]):
            raise DeviceError(f"{self._link}: is {','.join(told)!r}, expected a model {model!r}")
        identity = Identity(told[0], told[1], serial=told[2], firmware=told[3])
        check_serial(self._name, identity, self._settings.serial)
        return identity

    async def make_safe(self) -> None:
        """Take remote control and reset: nothing that somebody has set at the panel stays."""
        async with self._turn:
            await self._link.tell("*CLS")
            if remote := self._profile.dialect.remote:
                await self._set(remote)
            await self._set("*RST")

    async def self_test(self) -> str:
        """Have the instrument test itself."""
        async with self._turn:
            answer = await self._link.ask("*TST?", within=self._profile.dialect.tests_within)
            if self._integer("*TST?", answer) != 0:
                raise DeviceError(f"{self._name}: its own test failed ({answer})")
        await self.make_safe()
        return "passed its own test"

    async def measure_dc_voltage(self, *, at_most: float | None = None) -> Quantity:
        """Measure DC voltage."""
        return await self._measure("DC voltage", self._profile.dc_voltage, "V", at_most)

    async def measure_ac_voltage(self, *, at_most: float | None = None) -> Quantity:
        """Measure AC voltage."""
        return await self._measure("AC voltage", self._profile.ac_voltage, "V", at_most)

    async def measure_resistance(self, *, at_most: float | None = None) -> Quantity:
        """Measure resistance."""
        return await self._measure("resistance", self._profile.resistance, "Ω", at_most)

    async def measure_frequency(self) -> Quantity:
        """Measure frequency."""
        return await self._measure("frequency", self._profile.frequency, "Hz", None)

    async def _measure(
        self, what: str, function: Function, unit: str, at_most: float | None
    ) -> Quantity:
        ranges = [each.range for each in function.accuracy]
        wanted = "DEF"
        if at_most is not None:
            fitting = [each for each in ranges if each >= at_most > 0]
            if not fitting:
                raise ValueError(
                    f"{self._name}: at_most is {at_most:g} {unit}, "
                    f"expected more than 0, at most {ranges[-1]:g} {unit} of {what}"
                )
            wanted = f"{fitting[0]:g}"
        async with self._turn:
            await self._set(function.configure.replace("{range}", wanted))
            value = await self._number("READ?", within=self._profile.dialect.reads_within)
            if abs(value) >= _OVERLOAD:
                raise Unverifiable(f"{self._name}: {what} is beyond the range ({wanted})")
            used = await self._number(function.range) if function.range else ranges[-1]
        accuracy = next(
            (each for each in function.accuracy if math.isclose(each.range, used, rel_tol=1e-3)),
            None,
        )
        if accuracy is None:
            known = ", ".join(f"{each:g}" for each in ranges)
            raise DeviceError(
                f"{self._name}: measured {what} in the range {used:g} {unit}, "
                f"the profile has {known}"
            )
        return Quantity(value, unit, accuracy.uncertainty(value))

    async def _set(self, command: str) -> None:
        """Command something; raises `DeviceError` with what the instrument says against it."""
        await self._link.tell(command)
        await asyncio.sleep(self._profile.dialect.pause)
        refusal = ""
        for _ in range(_MOST_ERRORS):
            answer = await self._link.ask("SYST:ERR?")
            number, _, text = answer.partition(",")
            if self._integer("SYST:ERR?", number) == 0:
                break
            reason = text.strip(' "')
            refusal = refusal or f"{reason} ({number})"
        else:
            refusal = refusal or "its queue of errors has no end"
        if refusal:
            raise DeviceError(f"{self._link}: refuses {command}: {refusal}")

    async def _number(self, query: str, *, within: float | None = None) -> float:
        answer = await self._link.ask(query, within=within)
        try:
            number = float(answer)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise DeviceError(f"{self._link}: {query} gave {answer!r}, expected a number")
        return number

    def _integer(self, query: str, answer: str) -> int:
        try:
            return int(answer)
        except ValueError:
            text = f"{self._link}: {query} gave {answer!r}, expected a whole number"
            raise DeviceError(text) from None


class _Panel:
    """The link on leaving: the front panel is given back before it closes."""

    def __init__(self, link: VisaLink, local: str) -> None:
        self._link = link
        self._local = local

    async def open(self) -> None:
        """Open the link."""
        await self._link.open()

    async def close(self) -> None:
        """Give the front panel back, and close."""
        try:
            if self._local:
                with contextlib.suppress(DeviceError):
                    await self._link.tell(self._local)
        finally:
            await self._link.close()


def _make(settings: MultimeterSettings, context: DriverContext) -> ScpiMultimeter:
    link = VisaLink(address.parse(settings.link, *SCHEMES), context.name, within=_ANSWER_WITHIN)
    map_ = profile.load(MultimeterProfile, settings.profile)
    return ScpiMultimeter(context.name, link, map_, settings)


DRIVER = Driver(settings=MultimeterSettings, offers=(Multimeter,), make=_make)

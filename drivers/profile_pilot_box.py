"""The profile of a pilot box: where its relays and its pilot meter are."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from drivers.profile_header import Header, check_range


@dataclass(frozen=True, slots=True)
class Coil:
    """Where one relay is switched: Modbus unit and zero-based coil address."""

    unit: int
    coil: int

    def __post_init__(self) -> None:
        check_range("unit", self.unit, 1, 247)
        check_range("coil", self.coil, 0, 65535)


@dataclass(frozen=True, slots=True)
class Relays:
    """Table `[relays]` of a pilot box: what each relay does when it is closed."""

    cp: Coil
    """Connects the control pilot line."""
    r2: Coil
    """2.74 kΩ: state B."""
    r3: Coil
    """1.30 kΩ in parallel: state C."""
    r4: Coil
    """270 Ω in parallel: state D."""
    diode_bypass: Coil
    cp_pe_short: Coil
    pe_open: Coil
    pp: Coil
    """Connects the proximity contact."""
    pp_13: Coil
    pp_20: Coil
    pp_32: Coil
    pp_63: Coil

    def __post_init__(self) -> None:
        places: dict[Coil, str] = {}
        for name, coil in self.by_name().items():
            if coil in places:
                raise ValueError(
                    f"{name!r} and {places[coil]!r} are both coil {coil.coil} of unit {coil.unit}"
                )
            places[coil] = name

    def by_name(self) -> dict[str, Coil]:
        """Map relay names to coils."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


@dataclass(frozen=True, slots=True)
class PilotValue:
    """One input register of the pilot meter, signed 16 bit; value = register × scale."""

    register: int
    scale: float

    def __post_init__(self) -> None:
        check_range("register", self.register, 0, 65535)
        if not self.scale > 0:
            raise ValueError(f"'scale' is {self.scale:g}, expected more than 0")


@dataclass(frozen=True, slots=True)
class PilotMeter:
    """Table `[pilot]` of a pilot box: the ADC that measures the control pilot (FC04)."""

    unit: int
    high: PilotValue
    """V."""
    low: PilotValue
    """V."""
    duty: PilotValue
    """Percent."""
    frequency: PilotValue
    """Hz."""

    def __post_init__(self) -> None:
        check_range("unit", self.unit, 1, 247)
        registers = [value.register for value in self.values()]
        if max(registers) - min(registers) >= 60:
            raise ValueError("the registers lie too far apart for one request of 60")

    def values(self) -> tuple[PilotValue, PilotValue, PilotValue, PilotValue]:
        """High, low, duty, frequency."""
        return self.high, self.low, self.duty, self.frequency


@dataclass(frozen=True, slots=True)
class Timing:
    """Table `[timing]` of a pilot box."""

    settle: float = 0.02
    """Seconds after a command until every contact has moved and stopped bouncing."""

    def __post_init__(self) -> None:
        if not 0 <= self.settle <= 0.2:
            raise ValueError(f"'settle' is {self.settle:g}, expected 0 to 0.2 s")


@dataclass(frozen=True, slots=True)
class Hold:
    """Table `[hold]` of a pilot box: relays that open by themselves when nobody renews them.

    The board closes a coil for a time when the time is written to the coil's address + `offset`
    (FC05, in 0.1 s). The pilot line and the fault relays are held so; a bench that has died leaves
    state A and no fault behind.
    """

    offset: int
    """Added to the coil's address."""
    time: float = 3.0
    """Seconds until a relay opens; it is renewed four times in that time."""

    def __post_init__(self) -> None:
        check_range("offset", self.offset, 1, 65535)
        if not 1 <= self.time <= 60:
            raise ValueError(f"'time' is {self.time:g}, expected 1 to 60 s")


@dataclass(frozen=True, slots=True)
class PilotBoxProfile:
    """A relay box that acts as vehicle and cable on control pilot and proximity contact."""

    profile: Header
    relays: Relays
    timing: Timing = Timing()
    hold: Hold | None = None
    """None when the boards know no timed command: then their relays outlive the bench."""
    pilot: PilotMeter | None = None
    """None when the box has no pilot meter."""

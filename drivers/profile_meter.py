"""The profile of a meter: which register says what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivers.profile_header import Header, ValueType, WordOrder, check_range

UNITS = {
    "V": ("V", 1.0),
    "mV": ("V", 1e-3),
    "A": ("A", 1.0),
    "mA": ("A", 1e-3),
    "W": ("W", 1.0),
    "kW": ("W", 1e3),
    "Wh": ("Wh", 1.0),
    "kWh": ("Wh", 1e3),
    "MWh": ("Wh", 1e6),
    "°C": ("°C", 1.0),
}
"""Units a profile may use: the SI unit of the bench and the factor to it."""


@dataclass(frozen=True, slots=True)
class Register:
    """One value of a meter; what is left out is as table `[map]` says."""

    register: int
    """Zero-based address on the wire."""
    unit: str = ""
    scale: float = 1.0
    """Value = number in the register × scale, in `unit`."""
    type: ValueType | None = None
    function: Literal[3, 4] | None = None
    """3 reads holding registers, 4 input registers."""
    words: WordOrder | None = None

    def __post_init__(self) -> None:
        check_range("register", self.register, 0, 65535)
        if self.unit and self.unit not in UNITS:
            raise ValueError(f"unknown unit {self.unit!r}, expected one of {', '.join(UNITS)}")

    @property
    def si(self) -> tuple[str, float]:
        """The SI unit of the value, and the factor from register to it."""
        unit, factor = UNITS.get(self.unit, ("", 1.0))
        return unit, factor * self.scale


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """Table `[map]` of a meter: what holds for every register that doesn't say otherwise."""

    type: ValueType
    function: Literal[3, 4]
    words: WordOrder = "high-first"
    greatest_is_missing: bool = False
    """The greatest number of an integer type says that the value is not available."""


@dataclass(frozen=True, slots=True)
class MeterIdentity:
    """Table `[identify]` of a meter: the registers that say which one it is."""

    serial: Register | None = None
    model: Register | None = None
    """The maker's number of the model."""
    models: tuple[int, ...] = ()
    """The numbers that `model` may read."""

    def __post_init__(self) -> None:
        if (self.model is None) is not (not self.models):
            raise ValueError("'model' and 'models' stand together or not at all")


@dataclass(frozen=True, slots=True)
class MeterQuantities:
    """Table `[quantities]` of a meter; voltage and current are lists of L1, L2, L3 or L1 alone."""

    power: Register
    """Total active power, import positive."""
    energy_import: Register
    voltage: tuple[Register, ...] = ()
    """Phase to neutral."""
    current: tuple[Register, ...] = ()
    temperature: Register | None = None
    """Of a sensor at plug, cable or load; None when the meter has none."""

    def __post_init__(self) -> None:
        for key, unit, registers in (
            ("voltage", "V", self.voltage),
            ("current", "A", self.current),
            ("power", "W", (self.power,)),
            ("energy_import", "Wh", (self.energy_import,)),
            ("temperature", "°C", (self.temperature,) if self.temperature else ()),
        ):
            if len(registers) not in (0, 1, 3):
                raise ValueError(f"{key!r} has {len(registers)} registers, expected 1 or 3")
            for register in registers:
                if register.si[0] != unit:
                    raise ValueError(f"{key!r} has unit {register.unit!r}, expected one of {unit}")


@dataclass(frozen=True, slots=True)
class MeterProfile:
    """A meter that is read over Modbus."""

    profile: Header
    map: RegisterMap
    quantities: MeterQuantities
    identify: MeterIdentity | None = None
    """None when the meter can't tell who it is."""

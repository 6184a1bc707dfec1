"""Load device profiles: a vendor's register or relay map as a TOML file that a lab can write.

A profile is named by its file in `drivers/profiles/` without `.toml`, or by a path. Every error
names file, table and key.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from bench import toml
from bench.errors import ConfigError
from drivers import profile_ev_map
from drivers.profile_ev_map import EvProfile, EvTemplate
from drivers.profile_header import Header, ValueType, WordOrder, check_range
from drivers.profile_multimeter import MultimeterProfile

_SHIPPED = Path(__file__).parent / "profiles"

_UNITS = {
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
        if self.unit and self.unit not in _UNITS:
            raise ValueError(f"unknown unit {self.unit!r}, expected one of {', '.join(_UNITS)}")

    @property
    def si(self) -> tuple[str, float]:
        """The SI unit of the value, and the factor from register to it."""
        unit, factor = _UNITS.get(self.unit, ("", 1.0))
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


Profile = PilotBoxProfile | MeterProfile | MultimeterProfile | EvProfile | EvTemplate

KINDS: dict[str, type] = {
    "pilot-box": PilotBoxProfile,
    "register-meter": MeterProfile,
    "multimeter": MultimeterProfile,
    **profile_ev_map.KINDS,
}

P = TypeVar("P", PilotBoxProfile, MeterProfile, MultimeterProfile)


def load(kind: type[P], name: str) -> P:
    """Load a profile of a kind, by the name of a shipped one or by path."""
    path = find(name)
    profile = check(path)
    if not isinstance(profile, kind):
        expected = next(word for word, schema in KINDS.items() if schema is kind)
        raise ConfigError(
            f"{path}: table [profile], key 'kind': "
            f"{profile.profile.kind!r}, this driver needs {expected!r}"
        )
    return profile


def load_ev(name: str) -> EvProfile:
    """Load a profile of an EV emulator; refuse one with roles that are not filled."""
    path = find(name)
    profile = check(path)
    if not isinstance(profile, EvProfile | EvTemplate):
        raise ConfigError(
            f"{path}: table [profile], key 'kind': {profile.profile.kind!r}, "
            "this driver needs ev-modbus, ev-lines or ev-http"
        )
    missing = profile_ev_map.unfilled(profile)
    if missing or isinstance(profile, EvTemplate):
        what = "a template" if isinstance(profile, EvTemplate) else "incomplete"
        raise ConfigError(
            f"{path}: {what}, can't be used before these are filled: {', '.join(missing)}; "
            "see docs/how-to/add-a-device-with-a-profile.md"
        )
    return profile


def find(name: str) -> Path:
    """Tell the file of a profile; a name without a slash and `.toml` is a shipped one."""
    if "/" in name or name.endswith(".toml"):
        return Path(name)
    path = _SHIPPED / f"{name}.toml"
    if not path.exists():
        known = ", ".join(file.stem for file in shipped())
        raise ConfigError(f"no profile {name!r}, shipped are {known}; a path ends in .toml")
    return path


def shipped() -> list[Path]:
    """List the files of the profiles that come with the program."""
    return sorted(_SHIPPED.glob("*.toml"))


def check(path: Path) -> Profile:
    """Read and check one profile file of any kind."""
    document = toml.load(path)
    if "profile" not in document:
        raise ConfigError(f"{path}: table [profile] is missing")
    header = toml.parse(Header, document["profile"], f"{path}: table [profile]")
    if header.kind not in KINDS:
        known = ", ".join(KINDS)
        raise ConfigError(
            f"{path}: table [profile], key 'kind': {header.kind!r}, expected one of {known}"
        )
    schema: Any = KINDS[header.kind]
    fields = {field.name: field for field in dataclasses.fields(schema)}
    toml.check_tables(path, document, *fields)
    hints = toml.hints_of(schema)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        where = f"{path}: table [{name}]"
        if name in document:
            values[name] = _table(hints[name], document[name], where)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{where} is missing")
    try:
        profile: Profile = schema(**values)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    return profile


def _table(hint: Any, value: Any, where: str) -> Any:
    """Read one table; an error in a table of tables names the inner one, as TOML writes it."""
    if typing.get_origin(hint) is Mapping and isinstance(value, dict):
        inner = typing.get_args(hint)[1]
        return {
            key: toml.convert(inner, item, f"{where[:-1]}.{key}]") for key, item in value.items()
        }
    return toml.convert(hint, value, where)

"""Profiles of EV emulators: which request makes the emulator play which role.

Roles are actions (`plug_in`, `unplug`, `draw`, `suspend`, `safe`), faults, and signals that the
emulator tells. A request is a Modbus write, a line of text or an HTTP request, by the profile's
kind: `ev-modbus`, `ev-lines`, `ev-http`. A profile of the kind `ev-template` is there to be copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.capability import PilotFault
from bench.toml import near
from drivers.profile_ev_requests import (
    CURRENT,
    Action,
    HttpAction,
    HttpSignal,
    LineAction,
    LineSignal,
    LineText,
    ModbusAction,
    ModbusLine,
    ModbusSignal,
    check_pattern,
    check_seconds,
    uses_current,
)
from drivers.profile_header import Header

ROLES = ("plug_in", "unplug", "draw", "suspend", "safe")
"""The actions that every profile must fill."""

OPTIONAL = ("unplug_vehicle", "unplug_station", "draw_ventilated")
"""Actions for one end of the cable, and for state D, if the emulator can."""

_DRAWING = ("draw", "draw_ventilated")
"""The actions that may set a current."""

PILOT = ("high", "low", "duty", "frequency")
"""The signals of the control pilot: V, V, percent, Hz."""

OWN = ("model", "serial", "firmware")
"""The signals that say who the emulator is."""

_SAFE_WITHIN = 0.8
"""Greatest deadline in s of the action `safe`."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Table `[vehicle]`: what the emulated vehicle takes, when `draw` sets a current."""

    current: float
    """Greatest current in A per phase; it is set when a procedure names none."""

    def __post_init__(self) -> None:
        if not 0 < self.current <= 500:
            raise ValueError(f"'current' is {self.current:g}, expected more than 0 to 500 A")


@dataclass(frozen=True, slots=True)
class Identity:
    """Table `[identity]`: how the signal `model` reads."""

    model: str
    """Regular expression for the whole of it."""

    def __post_init__(self) -> None:
        check_pattern("model", self.model)


@dataclass(frozen=True, slots=True)
class EvModbusProfile:
    """An emulator with Modbus coils and registers."""

    profile: Header
    actions: Mapping[str, ModbusAction]
    signals: Mapping[str, ModbusSignal] = field(default_factory=dict)
    faults: Mapping[str, ModbusAction] = field(default_factory=dict)
    identity: Identity | None = None
    vehicle: Vehicle | None = None
    modbus: ModbusLine = field(default_factory=ModbusLine)

    def __post_init__(self) -> None:
        _check_roles(self)


@dataclass(frozen=True, slots=True)
class EvLinesProfile:
    """An emulator that is told lines of text."""

    profile: Header
    actions: Mapping[str, LineAction]
    signals: Mapping[str, LineSignal] = field(default_factory=dict)
    faults: Mapping[str, LineAction] = field(default_factory=dict)
    identity: Identity | None = None
    vehicle: Vehicle | None = None
    lines: LineText = field(default_factory=LineText)

    def __post_init__(self) -> None:
        _check_roles(self)


@dataclass(frozen=True, slots=True)
class EvHttpProfile:
    """An emulator with a web interface."""

    profile: Header
    actions: Mapping[str, HttpAction]
    signals: Mapping[str, HttpSignal] = field(default_factory=dict)
    faults: Mapping[str, HttpAction] = field(default_factory=dict)
    identity: Identity | None = None
    vehicle: Vehicle | None = None

    def __post_init__(self) -> None:
        _check_roles(self)


@dataclass(frozen=True, slots=True)
class EvTemplate:
    """A profile to copy and fill in: the protocol is not public, so its tables are empty."""

    profile: Header
    actions: Mapping[str, Any]
    signals: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_names("actions", self.actions, ROLES + OPTIONAL)
        _check_names("faults", self.faults, tuple(PilotFault))


EvProfile = EvModbusProfile | EvLinesProfile | EvHttpProfile

KINDS: dict[str, type] = {
    "ev-modbus": EvModbusProfile,
    "ev-lines": EvLinesProfile,
    "ev-http": EvHttpProfile,
    "ev-template": EvTemplate,
}


def unfilled(profile: EvProfile | EvTemplate) -> list[str]:
    """List what must be filled in before the profile can be used."""
    if isinstance(profile, EvTemplate):
        return ["the kind in [profile]", *_empty(profile.actions), "[identity] model"]
    missing = [role for role in ROLES if role not in profile.actions]
    empty = [role for role, action in profile.actions.items() if not action.steps]
    own = [] if profile.identity is not None else ["[identity] model"]
    return [*(f"[actions] {role}" for role in sorted({*missing, *empty}, key=_order)), *own]


def _empty(actions: Mapping[str, Any]) -> list[str]:
    return [f"[actions] {role}" for role in ROLES if not actions.get(role)]


def _order(role: str) -> int:
    return (ROLES + OPTIONAL).index(role)


def _check_roles(profile: EvProfile) -> None:
    _check_names("actions", profile.actions, ROLES + OPTIONAL)
    _check_names("faults", profile.faults, tuple(PilotFault))
    if profile.faults and PilotFault.NONE not in profile.faults:
        raise ValueError("table [faults]: key 'none' is missing, which removes every fault")
    for table, actions in (("actions", profile.actions), ("faults", profile.faults)):
        for role, action in actions.items():
            try:
                _check_action(role, action, profile)
            except ValueError as error:
                raise ValueError(f"table [{table}.{role}]: {error}") from error
    _check_signals(profile)


def _check_signals(profile: EvProfile) -> None:
    some = [name for name in PILOT if name in profile.signals]
    if some and len(some) < len(PILOT):
        missing = ", ".join(name for name in PILOT if name not in some)
        raise ValueError(f"table [signals]: {missing} missing, but {', '.join(some)} given")
    if profile.identity is not None and "model" not in profile.signals:
        raise ValueError("table [signals]: key 'model' is missing, which [identity] compares")


def _check_action(role: str, action: Action, profile: EvProfile) -> None:
    check_seconds("within", action.within, _SAFE_WITHIN if role == "safe" else 30)
    for name in action.shows:
        if name not in profile.signals:
            known = near(name, profile.signals) or ", [signals] is empty"
            raise ValueError(f"key 'shows': no signal {name!r}{known}")
    if action.steps and bool(action.shows) is action.unconfirmed:
        raise ValueError("expected either 'shows' or 'unconfirmed = true'")
    if uses_current(action):
        if role not in _DRAWING:
            raise ValueError(f"only {' and '.join(map(repr, _DRAWING))} can have {CURRENT!r}")
        if profile.vehicle is None:
            raise ValueError(f"{CURRENT!r} needs 'current' in table [vehicle]")


def _check_names(table: str, names: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"table [{table}]: unknown key {name!r}{near(name, known)}")

"""What is wired, as the engine tells it: devices by what they touch, with their state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Mains": ("PowerSwitch",),
    "Network": ("NetworkPath", "Modem"),
    "Cards": ("CardPresenter", "CardReader"),
    "Service": ("Provocation", "ReferenceEvse"),
    "Vehicle": ("VehicleCoupler", "VehicleEmulator"),
    "Load": ("Load",),
    "Meters": ("PowerMeter", "Multimeter"),
}
"""Capabilities by what they touch; a device stands in the first group that it offers one of."""
LEFT = ("Mains", "Network", "Cards", "Service")
RIGHT = ("Vehicle", "Load", "Meters")
TOUCHES: Mapping[str, str] = {
    "Mains": "supply",
    "Network": "OCPP path",
    "Cards": "card",
    "Service": "service",
    "Vehicle": "cable",
    "Load": "power",
    "Meters": "measures",
}
"""What the line between a device and the DUT stands for."""
SOON = 30
"""Days before the end of a calibration from which on the lab is told."""
_ORDER = ("Vehicle", "Load", "Mains", "Network", "Cards", "Meters", "Service")


@dataclass(frozen=True, slots=True)
class Health:
    """How a state is shown: a shape, a word and a tone, always all three."""

    mark: str
    word: str
    tone: str
    """good, bad, odd or quiet."""


_HEALTH: Mapping[str, Health] = {
    "ready": Health("●", "ready", "good"),
    "answers": Health("●", "answers", "good"),
    "sound": Health("✓", "sound", "good"),
    "untested": Health("◆", "untested", "odd"),
    "lost": Health("✕", "lost", "bad"),
    "faulty": Health("✕", "faulty", "bad"),
    "absent": Health("✕", "absent", "bad"),
    "found": Health("+", "found", "odd"),
    "testing": Health("…", "being tested", "odd"),
    "closed": Health("○", "not open", "quiet"),
}


def health(state: str) -> Health:
    """Return how a state is shown; one that this version does not know by its own word."""
    return _HEALTH.get(state, Health("○", state or "not open", "quiet"))


@dataclass(frozen=True, slots=True)
class Certificate:
    """By what a device's values are traceable, and until when."""

    number: str
    issuer: str
    calibrated: date
    due: date | None
    note: str

    def state(self, today: date) -> Health:
        """Tell whether it is still good, by shape, word and tone."""
        if self.due is None:
            return Health("●", "no interval set", "quiet")
        left = (self.due - today).days
        if left <= 0:
            return Health("✕", f"expired {_days(-left)} ago" if left else "expired today", "bad")
        if left <= SOON:
            return Health("◆", f"{_days(left)} left", "odd")
        return Health("✓", f"{_days(left)} left", "good")


@dataclass(frozen=True, slots=True)
class Wired:
    """One device of the bench."""

    name: str
    driver: str
    profile: str
    offers: tuple[str, ...]
    role: str
    connectors: tuple[int, ...]
    link: str
    state: str
    message: str
    serial: str
    """The serial number that it must have."""
    by_hand: bool
    """Whether the operator is the device."""
    certificate: Certificate | None

    @property
    def group(self) -> str:
        """What it touches of the DUT."""
        for name in _ORDER:
            if any(one in GROUPS[name] for one in self.offers):
                return name
        return "Service"

    @property
    def touches(self) -> str:
        """What its line to the DUT stands for."""
        which = " and ".join(map(str, self.connectors))
        of = f" {which}" if self.group == "Vehicle" and which else ""
        return f"{TOUCHES[self.group]}{of}"

    def now(self, state: str, message: str) -> Wired:
        """Return it in another state."""
        return replace(self, state=state, message=message)


def read_wiring(bench: Mapping[str, Any]) -> list[Wired]:
    """Read the devices of a bench as the engine gives them."""
    return [_device(one) for one in bench.get("devices") or ()]


def _device(one: Mapping[str, Any]) -> Wired:
    state, message = str(one.get("state") or ""), str(one.get("message") or "")
    checked = one.get("checked")
    if state in ("", "closed") and checked:
        state, message = str(checked["state"]), str(checked["message"])
    return Wired(
        name=str(one["name"]),
        driver=str(one["driver"]),
        profile=str(one.get("profile") or ""),
        offers=tuple(one.get("offers") or ()),
        role=str(one.get("role") or ""),
        connectors=tuple(one.get("connectors") or ()),
        link=str(one.get("link") or ""),
        state=state,
        message=message,
        serial=str(one.get("serial") or ""),
        by_hand=bool(one.get("by_hand")),
        certificate=_certificate(one.get("calibration")),
    )


def _certificate(told: Any) -> Certificate | None:
    if not isinstance(told, Mapping):
        return None
    return Certificate(
        number=str(told["certificate"]),
        issuer=str(told["issuer"]),
        calibrated=date.fromisoformat(told["date"]),
        due=date.fromisoformat(told["due"]) if told.get("due") else None,
        note=str(told.get("note") or ""),
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def by_group(devices: Iterable[Wired], names: Sequence[str]) -> dict[str, list[Wired]]:
    """Put devices into groups, in the order of `names`; groups without a device are left out."""
    found: dict[str, list[Wired]] = {name: [] for name in names}
    for one in devices:
        if one.group in found:
            found[one.group].append(one)
    return {name: some for name, some in found.items() if some}

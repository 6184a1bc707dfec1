"""What stands in the wiring of a bench, no device opened: which one serves a need, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.capability import Load, VehicleCoupler, VehicleEmulator
from bench.config import BenchConfig, DeviceEntry
from bench.procedure import Need


def candidates(config: BenchConfig, need: Need, connector: int) -> list[DeviceEntry]:
    """List the devices of a bench that could serve a need, without opening any.

    A need without a role is served by devices without one, if there are any.
    """
    able = [
        entry
        for entry in config.devices
        if need.capability in entry.driver.offers
        and connector in getattr(entry.settings, "connectors", (connector,))
    ]
    fitting = [entry for entry in able if entry.role == need.role]
    return fitting if fitting or need.role is not None else able


def missing(config: BenchConfig, needs: Iterable[Need], connector: int) -> str | None:
    """Say which needs the bench can't serve, or that two devices could; None when all is clear."""
    for need in needs:
        found = candidates(config, need, connector)
        if not found:
            return f"the bench has no {need} for connector {connector}"
        if len(found) > 1:
            names = " and ".join(entry.name for entry in found)
            kept = f"all but one of them a role in {config.path.name}"
            return f"{names} offer {need} for connector {connector}: give {kept}"
    return None


def described(entry: DeviceEntry, state: str = "closed", message: str = "") -> dict[str, Any]:
    """Describe a device for front ends."""
    return {
        "name": entry.name,
        "driver": entry.driver_name,
        "offers": [capability.__name__ for capability in entry.driver.offers],
        "state": state,
        "message": message,
    }


def rank(entry: DeviceEntry) -> int:
    """Tell when a device is made safe: 0 loads, 1 vehicles, 2 all others."""
    offers = set(entry.driver.offers)
    return 0 if Load in offers else 1 if offers & {VehicleCoupler, VehicleEmulator} else 2

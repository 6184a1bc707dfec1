"""The configuration keys of a DUT as a run read them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.ocpp.frame import CallResult
from bench.runview import RunView


@dataclass(frozen=True, slots=True)
class ConfigurationKey:
    """A key as the DUT first told it, so before the run changed it."""

    key: str
    value: str | None
    """None for a key without a value."""
    readonly: bool
    frame: int
    """The record of the answer."""


def configuration_keys(view: RunView) -> dict[str, ConfigurationKey]:
    """List the keys in the DUT's answers to GetConfiguration, by name in lower case (a CiString).

    Entries that break the schema are left out: the monitors tell of them.
    """
    found: dict[str, ConfigurationKey] = {}
    for view_of in view.frames:
        if not (view_of.from_station and view_of.action == "GetConfiguration"):
            continue
        match view_of.frame:
            case CallResult(_, {"configurationKey": list(keys)}):
                for entry in keys:
                    match entry:
                        case {"key": str(name), "readonly": bool(readonly)}:
                            value = entry.get("value")
                            text = value if isinstance(value, str) else None
                            key = ConfigurationKey(name, text, readonly, view_of.n)
                            found.setdefault(name.lower(), key)
    return found

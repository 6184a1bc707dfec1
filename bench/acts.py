"""One capability call as a person or a program asks for it, checked before anything moves."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench import toml
from bench.capability import Card
from bench.config import BenchConfig, DeviceEntry
from bench.dut import Pixit
from bench.errors import BenchError, ConfigError, Unverifiable


class NoSuchAct(BenchError):
    """There is no such device, method or argument; the text says what there is."""


@dataclass(frozen=True, slots=True)
class Act:
    """A call that fits a device and the signature of its capability."""

    entry: DeviceEntry
    capability: type
    method: str
    arguments: dict[str, Any]
    connector: int


def read_act(
    config: BenchConfig,
    pixit: Pixit,
    device: str,
    method: str,
    arguments: Mapping[str, Any],
    capability: str | None = None,
) -> Act:
    """Make an act of names and JSON values; raises `NoSuchAct`.

    `capability` is needed where two of a device have a method of that name. A card may be given
    by its name in `dut.toml`.
    """
    entry = next((one for one in config.devices if one.name == device), None)
    if entry is None:
        raise NoSuchAct(f"there is no device {device!r}{toml.near(device, _names(config))}")
    kind = _capability(entry, method, capability)
    signature = inspect.signature(getattr(kind, method))
    hints = typing.get_type_hints(getattr(kind, method))
    where = f"{entry.name}.{method}"
    _check_names(signature, arguments, where)
    values = {
        name: _value(hints[name], value, pixit, f"{where}, argument {name!r}")
        for name, value in arguments.items()
    }
    return Act(entry, kind, method, values, _connector(entry, values, pixit, where))


def _names(config: BenchConfig) -> list[str]:
    return [one.name for one in config.devices]


def _capability(entry: DeviceEntry, method: str, wanted: str | None) -> type:
    """Find the capability that has the method; raises `NoSuchAct` for none, or for two."""
    offered = [one for one in entry.driver.offers if wanted in (None, one.__name__)]
    if not offered:
        known = ", ".join(one.__name__ for one in entry.driver.offers)
        raise NoSuchAct(f"{entry.name} offers no {wanted!r}, it offers {known}")
    methods = {one: _methods(one) for one in offered}
    able = [one for one in offered if method in methods[one]]
    if not able:
        known = toml.near(method, [name for names in methods.values() for name in names])
        raise NoSuchAct(f"{entry.name} has no method {method!r}{known}")
    if len(able) > 1:
        names = " and ".join(one.__name__ for one in able)
        raise NoSuchAct(f"{entry.name} has {method!r} of {names}: name the capability")
    return able[0]


def _methods(capability: type) -> list[str]:
    """List what can be called of a capability."""
    return [name for name, one in vars(capability).items() if inspect.iscoroutinefunction(one)]


def _check_names(signature: inspect.Signature, given: Mapping[str, Any], where: str) -> None:
    known = {name: one for name, one in signature.parameters.items() if name != "self"}
    for name in given:
        if name not in known:
            hint = toml.near(name, known) if known else ", it has none"
            raise NoSuchAct(f"{where}: no argument {name!r}{hint}")
    for name, one in known.items():
        if name not in given and one.default is inspect.Parameter.empty:
            raise NoSuchAct(f"{where}: argument {name!r} is missing")


def _value(hint: Any, value: Any, pixit: Pixit, where: str) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise NoSuchAct(f"{where}: {value}, expected a finite number")
    try:
        if hint is Card and isinstance(value, str):
            return pixit.card(value)
        return toml.convert(hint, value, where)
    except (ConfigError, Unverifiable) as error:
        raise NoSuchAct(str(error)) from error


def _connector(entry: DeviceEntry, values: Mapping[str, Any], pixit: Pixit, where: str) -> int:
    """Tell which connector an act is about, as the interlocks have to know."""
    served = getattr(entry.settings, "connectors", None)
    usual = pixit.connector if served is None or pixit.connector in served else served[0]
    connector: int = values.get("connector", usual)
    if served is not None and connector not in served:
        known = ", ".join(map(str, served))
        raise NoSuchAct(f"{where}, argument 'connector': expected one of {known}")
    return connector

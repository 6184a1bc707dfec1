"""Load device profiles: a vendor's register or relay map as a TOML file that a lab can write.

A profile is named by its file in `drivers/profiles/` without `.toml`, or by a path. Every error
names file, table and key.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from bench import toml
from bench.errors import ConfigError
from drivers import profile_ev_map
from drivers.profile_ev_map import EvProfile, EvTemplate
from drivers.profile_header import Header
from drivers.profile_meter import MeterProfile
from drivers.profile_multimeter import MultimeterProfile
from drivers.profile_pilot_box import PilotBoxProfile

_SHIPPED = Path(__file__).parent / "profiles"


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

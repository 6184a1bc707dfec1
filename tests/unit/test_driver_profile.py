"""Device profiles: every shipped one loads, and a wrong one is refused with file, table and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import ConfigError
from drivers import profile
from drivers.profile_meter import MeterProfile
from drivers.profile_pilot_box import PilotBoxProfile

SHIPPED = sorted((Path(profile.__file__).parent / "profiles").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_profiles_load_and_are_named_after_their_file(path: Path) -> None:
    loaded = profile.check(path)
    assert loaded.profile.name == path.stem
    assert loaded.profile.maker
    assert loaded.profile.model


def test_the_pilot_box() -> None:
    box = profile.load(PilotBoxProfile, "pilot-box-12")
    relays = box.relays.by_name()
    assert len(relays) == 12
    assert (relays["pp_63"].unit, relays["pp_63"].coil) == (2, 3)
    assert box.pilot is not None
    assert box.pilot.frequency.scale == 0.1


def test_a_meter() -> None:
    meter = profile.load(MeterProfile, "eastron-sdm630")
    assert [register.register for register in meter.quantities.voltage] == [0, 2, 4]
    assert meter.quantities.energy_import.si == ("Wh", 1000.0)
    assert meter.identify is not None


BOX = next(path for path in SHIPPED if path.stem == "pilot-box-12").read_text("utf-8")
METER = next(path for path in SHIPPED if path.stem == "eastron-sdm120").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        (BOX, ("[profile]", "[profil]"), "table [profile] is missing"),
        (BOX, ('kind = "pilot-box"', ""), "table [profile]: key 'kind' is missing"),
        (
            BOX,
            ('"pilot-box"', '"pilot"'),
            "table [profile], key 'kind': 'pilot', expected one of pilot-box, register-meter",
        ),
        (BOX, ("[pilot]", "[pilots]"), "unknown table [pilots], did you mean 'pilot'?"),
        (BOX, ("[relays]\n", "[relays]\nr9 = 1\n"), "table [relays]: unknown key 'r9'"),
        (BOX, ("coil = 7 }", "coil = 6 }"), "'pp' and 'pe_open' are both coil 6 of unit 1"),
        (BOX, ("unit = 2, coil = 3", "unit = 300, coil = 3"), "'unit' is 300, expected 1 to 247"),
        (BOX, ("coil = 1 }", 'coil = "1" }'), "key 'coil': \"1\", expected a whole number"),
        (BOX, ("register = 3,", "register = 99,"), "the registers lie too far apart"),
        (BOX, ("scale = 0.001", "scale = 0"), "'scale' is 0, expected more than 0"),
        (BOX, ("settle = 0.02", "settle = 2"), "'settle' is 2, expected 0 to 0.2 s"),
        (METER, ("[map]", "[maps]"), "unknown table [maps], did you mean 'map'?"),
        (METER, ('"f32"', '"f23"'), "table [map], key 'type': \"f23\", expected one of u16, i16"),
        (METER, ("function = 4", "function = 5"), "key 'function': 5, expected one of 3, 4"),
        (METER, ('unit = "kWh"', 'unit = "J"'), "unknown unit 'J', expected one of V, mV, A"),
        (METER, ('unit = "kWh"', 'unit = "kW"'), "'energy_import' has unit 'kW'"),
        (METER, ("power = {", "# power = {"), "table [quantities]: key 'power' is missing"),
        (
            METER,
            ("voltage = [", 'voltage = [{ register = 1, unit = "V" }, '),
            "'voltage' has 2 registers, expected 1 or 3",
        ),
        (METER, ("[quantities]", "[quantities"), "not TOML"),
    ],
)
def test_a_wrong_profile_is_refused(
    tmp_path: Path, text: str, change: tuple[str, str], message: str
) -> None:
    assert change[0] in text
    path = tmp_path / "lab.toml"
    path.write_text(text.replace(*change, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        profile.check(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_required_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(METER[: METER.index("[quantities]")], "utf-8")
    with pytest.raises(ConfigError, match=r"lab.toml: table \[quantities\] is missing"):
        profile.check(path)


def test_an_unknown_name_lists_what_is_shipped() -> None:
    with pytest.raises(ConfigError, match=r"no profile 'sdm630', shipped are .*, eastron-sdm120, "):
        profile.find("sdm630")

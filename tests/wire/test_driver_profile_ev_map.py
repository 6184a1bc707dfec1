"""Profiles of EV emulators: templates are refused, and a wrong one with file, table and key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import toml
from bench.config import load_bench
from bench.errors import ConfigError
from drivers import profile
from drivers.profile_ev import ProfileEvSettings
from drivers.profile_ev_map import OPTIONAL, EvTemplate

ROOT = Path(__file__).parents[2]
TEMPLATES = ("ev-trialog-evcombocs4m", "ev-keysight-cds", "ev-comemso-evca")

MODBUS, LINES, HTTP = (
    profile.find(f"ev-example-{kind}").read_text("utf-8") for kind in ("modbus", "lines", "http")
)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_sound_but_refused_for_use(name: str) -> None:
    assert isinstance(profile.check(profile.find(name)), EvTemplate)
    with pytest.raises(ConfigError) as caught:
        profile.load_ev(name)
    text = str(caught.value)
    assert text.startswith(f"{profile.find(name)}: a template, can't be used before these are fil")
    for role in ("plug_in", "unplug", "draw", "suspend", "safe"):
        assert f"[actions] {role}" in text
    assert "the kind in [profile]" in text
    assert "[identity] model" in text


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_every_role_and_fault_to_fill(name: str) -> None:
    text = profile.find(name).read_text("utf-8")
    for key in (*OPTIONAL, "none", "diode-short", "cp-open", "pp-open"):
        assert f"# {key} = {{}}" in text


def test_a_template_being_filled_names_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    text = profile.find(TEMPLATES[0]).read_text("utf-8")
    text = text.replace('kind = "ev-template"', 'kind = "ev-lines"').replace(
        "[identity]\n", '[identity]\nmodel = "X"\n'
    )
    text = text.replace(
        "plug_in = {}", 'plug_in = { steps = [{ send = "B" }], unconfirmed = true }'
    ).replace("[signals]", '[signals]\nmodel = { send = "?" }')
    path.write_text(text, "utf-8")
    profile.check(path)
    with pytest.raises(ConfigError, match=r"ours\.toml: incomplete, can't be used") as caught:
        profile.load_ev(str(path))
    assert "filled: [actions] unplug, [actions] draw, [actions] suspend, [actions] safe; " in str(
        caught.value
    )


def test_a_bench_with_a_template_is_refused(tmp_path: Path) -> None:
    table = {"link": "socket://10.0.0.9:5025", "profile": TEMPLATES[1]}
    with pytest.raises(ConfigError, match=r"a template, can't be used .* \[actions\] plug_in"):
        toml.parse(ProfileEvSettings, table, "bench.toml: [[device]] 'ev'")


@pytest.mark.parametrize(
    ("link", "name", "text"),
    [
        ("http://ev", "ev-example-lines", "has http:, expected one of serial:, socket:"),
        ("socket://ev:1", "ev-example-modbus", "expected one of modbus-tcp:, modbus-rtu:"),
        ("modbus-tcp://ev", "ev-example-http", "has modbus-tcp:, expected one of http:"),
        ("http://ev", "eastron-sdm120", "'register-meter', this driver needs ev-modbus, ev-lines"),
        ("http://ev", "ev-none", "no profile 'ev-none', shipped are"),
    ],
)
def test_the_link_is_of_the_profiles_kind(link: str, name: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        toml.parse(
            ProfileEvSettings, {"link": link, "profile": name}, "bench.toml: [[device]] 'ev'"
        )
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"connectors": []}, "'connectors' is empty"),
        ({"serial": "1"}, "'serial' is given, but profile 'ev-example-http' has no signal"),
    ],
)
def test_wrong_settings_are_refused(more: dict[str, object], text: str) -> None:
    table = {"link": "http://ev", "profile": "ev-example-http", **more}
    with pytest.raises(ConfigError, match=text):
        toml.parse(ProfileEvSettings, table, "bench.toml: [[device]] 'ev'")


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        (LINES, ("[actions]", "[action]"), "unknown table [action], did you mean 'actions'?"),
        (LINES, ("plug_in = {", "plugin = {"), "table [actions]: unknown key 'plugin', did you me"),
        (LINES, ("cp-open =", "cp_open ="), "table [faults]: unknown key 'cp_open', did you mean"),
        (LINES, ("none = {", "# none = {"), "table [faults]: key 'none' is missing"),
        (
            LINES,
            ('{ send = "CP:STAT B", expect', '{ sent = "CP:STAT B", expect'),
            "table [actions.plug_in], key 'steps'[0]: unknown key 'sent', did you mean 'send'?",
        ),
        (
            LINES,
            ('shows = { state = "B" }', 'shows = { stat = "B" }'),
            "table [actions.plug_in]: key 'shows': no signal 'stat', did you mean 'state'?",
        ),
        (
            LINES,
            (', shows = { state = "B" }', ""),
            "table [actions.plug_in]: expected either 'shows' or 'unconfirmed = true'",
        ),
        (
            LINES,
            ('"*RST" }], shows', '"*RST" }], within = 1, shows'),
            "table [actions.safe]: 'within' is 1, expected more than 0 and at most 0.8 s",
        ),
        (
            LINES,
            ("CP:HOLD", "HOLD {current}"),
            "table [actions.suspend]: only 'draw' and 'draw_ventilated' can have",
        ),
        (LINES, ("[vehicle]\ncurrent = 16.0", ""), "[actions.draw]: '{current}' needs 'current'"),
        (LINES, ("current = 16.0", "current = 0"), "table [vehicle]: 'current' is 0, expected"),
        (LINES, ('"(.*) Hz"', '"([0-9] Hz"'), "no regular expression: missing ), unterminated"),
        (LINES, ('"(.*) Hz"', '".* Hz"'), "'pattern' is '.* Hz', expected one group in ( )"),
        (LINES, ("high = {", "# high = {"), "table [signals]: high missing, but low, duty, freq"),
        (LINES, ("\nmodel = { send", "\nmodell = { send"), "table [signals]: key 'model' is miss"),
        (LINES, ('ends = "\\n"', 'ends = ""'), "table [lines]: 'ends' is '', expected ASCII"),
        (LINES, ("answer_within = 0.5", "answer_within = 11"), "'answer_within' is 11, expected"),
        (LINES, ("EV-[0-9]+", "EV-[0-9"), "table [identity]: 'model' is 'EV-[0-9', no regular"),
        (MODBUS, ("unit = 1", "unit = 0"), "table [modbus]: 'unit' is 0, expected 1 to 247"),
        (MODBUS, ("address = 100, value = 1 }", "address = 100, value = true }"), "expected a num"),
        (MODBUS, ("value = true", "value = 1"), "'value' is 1 for a coil, expected true or false"),
        (MODBUS, ('"{current}"', '"{amps}"'), "'value' is '{amps}', expected a number or '{curr"),
        (MODBUS, ("address = 100", "address = 70000"), "'address' is 70000, expected 0 to 65535"),
        (MODBUS, ("scale = 0.001", "scale = 0"), "table [signals.high]: 'scale' is 0"),
        (MODBUS, ('"f32"', '"f64"'), "key 'type': "),
        (HTTP, ('path = "/api/plug"', 'path = "api/plug"'), "expected it to begin with /"),
        (HTTP, ('"/phase"', '"phase"'), "'pointer' is 'phase', expected it to begin with /"),
        (HTTP, ('method = "GET"', 'method = "GET", json = 1'), "'json' is given for a GET"),
        (
            HTTP,
            ("least = 8.0", "least = 11.0"),
            "key 'shows'.high: 'least' is 11, m",
        ),
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


PAGES = ("docs/drivers/ev-sim.md", "docs/drivers/ev-profile.md")


def example(page: str) -> str:
    return (ROOT / page).read_text("utf-8").split("```toml\n")[1].split("```")[0]


@pytest.mark.parametrize("page", PAGES)
def test_the_bench_file_of_the_drivers_page_is_sound(page: str, tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text('[bench]\nname = "lab"\n\n' + example(page), "utf-8")
    assert len(load_bench(path).devices) == 1
    command = [sys.executable, "-m", "bench", "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_profile_of_the_tutorial_is_sound_and_complete(tmp_path: Path) -> None:
    path = tmp_path / "lab-ev.toml"
    path.write_text(example("docs/how-to/add-a-device-with-a-profile.md"), "utf-8")
    assert profile.load_ev(str(path)).profile.maker

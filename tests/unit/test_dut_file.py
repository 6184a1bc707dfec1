"""What a program may write into a `dut.toml`, and that nothing else changes it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bench.dut_file import put
from bench.errors import ConfigError

DUT = """\
[dut]
kind = "charging-station"
identity = "CP1"
vendor = "V"
model = "M"

[pixit]
timing = { boot = 60, response = 3 } # in one line
cards.valid.id_tag = "GREEN"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dut.toml"
    path.write_text(DUT)
    return path


def test_tables_are_written_however_the_file_has_them(path: Path) -> None:
    path.chmod(0o640)
    timing = {"boot": 61, "quiet": 0.5}
    put(path, {"pixit": {"timing": timing, "cards": {"valid": {"id_tag": "RED"}}}})
    text = path.read_text()
    assert "# in one line" in text
    assert 'cards.valid.id_tag = "RED"' in text
    cards = {"valid": {"id_tag": "GREEN"}, "näxt": {"uid": "04A1B2C3"}}
    config = put(path, {"pixit": {"timing": timing, "cards": cards}, "pics": {"C-07": True}})
    assert (config.pixit.timing.boot, config.pixit.timing.quiet) == (61.0, 0.5)
    assert config.pixit.card("näxt").id_tag == "04A1B2C3"
    assert config.pics == {"C-07": True}
    text = path.read_text()
    assert text.count('id_tag = "GREEN"') == 1
    assert path.stat().st_mode & 0o777 == 0o640
    put(path, {"pics": {"C-07": True}})
    assert path.read_text() == text
    assert put(path, {"pixit": {}, "pics": {}}).pixit.cards == {}


@pytest.mark.parametrize(
    ("table", "content", "text"),
    [
        ("pics", {"C-99": True}, "table [pics], key 'C-99': no such PICS item"),
        ("pics", {"C-07": "often"}, "key 'C-07': \"often\", expected true or false"),
        ("pics", {"C-07": None}, "table [pics], key 'C-07': null, expected a value"),
        ("pics", {"CFG.Some": "\ud800"}, "it can't be changed"),
        ("pixit", {"conectors": 2}, "table [pixit]: unknown key 'conectors', did you mean"),
        ("pixit", {"timing": {"boot": -1}}, "key 'boot': -1, expected more than 0 s"),
        ("pixit", {"timing": {"boot": 2**63}}, "key 'boot': expected a number of usual size"),
        ("pixit", {"timing": {"boot": math.nan}}, "key 'boot': nan, expected a finite number"),
        ("pixit", {"timing": [1]}, "key 'timing': [1], expected a table"),
        ("pixit", {"cards": {"gold": {}}}, "key 'id_tag' is missing"),
        ("pixit", {"cards": {"g": {"id_tag": "x" * 21}}}, "21 characters, expected at most 20"),
    ],
)
def test_what_is_not_sound_changes_nothing_and_says_where(
    path: Path, table: str, content: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        put(path, {table: content})
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert path.read_text() == DUT
    assert [one.name for one in path.parent.iterdir()] == ["dut.toml"]


def test_no_duration_is_endless(path: Path) -> None:
    path.write_text(DUT.replace("boot = 60", "boot = inf"))
    with pytest.raises(ConfigError, match="key 'boot': inf, expected more than 0 s"):
        put(path, {"pics": {}})

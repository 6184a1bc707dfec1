"""The examples on the pages of these drivers are what `pilotbench check` accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.cli import main
from drivers import profile

DOCS = Path(__file__).parents[2] / "docs" / "drivers"


@pytest.mark.parametrize(
    ("page", "examples"),
    [
        ("meters", 2),
        ("gude", 1),
        ("apc", 1),
        ("switch-port", 1),
        ("ea-psb", 3),
        ("multimeter", 2),
        ("service-port", 1),
        ("yeti-ev", 1),
        ("linux-path", 1),
        ("phoenix-ev-cc", 1),
        ("tcp-relay", 1),
        ("netio", 1),
        ("shelly", 1),
        ("card-changer", 1),
        ("pilot-box", 1),
        ("manual", 1),
    ],
)
def test_the_examples_are_sound(
    page: str, examples: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == examples
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.toml"
        path.write_text(block, "utf-8")
        assert main(["check", str(path)]) == 0, capsys.readouterr().err


def test_every_meter_profile_stands_on_the_page() -> None:
    text = (DOCS / "meters.md").read_text("utf-8")
    shipped = {
        path.stem
        for path in (Path(profile.__file__).parent / "profiles").glob("*.toml")
        if 'kind = "register-meter"' in path.read_text("utf-8")
    }
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|.*(?:RS-485|Modbus TCP)", text, re.MULTILINE)) == (
        shipped
    )

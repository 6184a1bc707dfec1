"""The examples on the pages of these drivers are what `pilotbench check` accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.cli import main

DOCS = Path(__file__).parents[2] / "docs" / "drivers"


@pytest.mark.parametrize(("page", "examples"), [("e3372", 3), ("chameleon", 1), ("cards", 1)])
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


def test_the_table_of_notations_is_what_the_bench_makes() -> None:
    from bench.cards import id_tag_of, uid_bytes

    text = (DOCS / "cards.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)`.*\| `([0-9A-F]+)` \|$", text, re.MULTILINE))
    uid = uid_bytes("DEADBEEF")
    assert rows == {
        "hex": id_tag_of(uid, "hex"),
        "reversed": id_tag_of(uid, "reversed"),
        "decimal": id_tag_of(uid, "decimal"),
        "decimal-reversed": id_tag_of(uid, "decimal-reversed"),
    }

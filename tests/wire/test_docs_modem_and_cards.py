"""The examples on the pages of these drivers are what `pilotbench check` accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bench.cards import Notation, id_tag_of, uid_bytes
from bench.cli import main

DOCS = Path(__file__).parents[2] / "docs" / "drivers"


@pytest.mark.parametrize(
    ("page", "examples"), [("e3372", 3), ("chameleon", 1), ("cards", 1), ("pcsc-reader", 2)]
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


def test_the_table_of_notations_is_what_the_bench_makes() -> None:
    text = (DOCS / "cards.md").read_text("utf-8")
    cell = r"\| `([0-9A-F]+)` "
    rows = re.findall(rf"^\| `([a-z0-9-]+)`[^|]*{cell}{cell}\|$", text, re.MULTILINE)
    uids = uid_bytes("DEADBEEF"), uid_bytes("04A1B2C3D4E5F6")
    assert rows == [
        (notation, *(id_tag_of(uid, notation) for uid in uids)) for notation in get_args(Notation)
    ]

"""Runs recorded by earlier versions stay readable, sound, and lead to the same results."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report import FILES, read_run, render
from bench.verify import verify

RUNS = sorted(path.parent for path in Path(__file__).parent.glob("*/journal.jsonl"))


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_a_recorded_run_is_sound_and_its_results_are_the_same(folder: Path) -> None:
    assert verify(folder).faults == ()
    run = read_run(folder)
    assert render(run, "json") == (folder / "results.json").read_bytes()
    for kind in FILES:
        assert render(run, kind)


def test_there_is_one() -> None:
    assert RUNS

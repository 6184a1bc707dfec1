"""A DUT that is not what it was makes the results of earlier runs void, and the session says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.dut import DutConfig, DutIdentity
from bench.earlier import EarlierRun, changes, earlier_runs
from bench.events import EarlierResultsVoid
from bench.journal import JournalReader
from bench.report import write_all
from drivers.sim.simulated_bench import open_bench, run_virtually
from stations.station import VirtualStation

DUT = DutConfig(
    Path("dut.toml"),
    DutIdentity("charging-station", "CP", "v", "m", "1.0"),
    pics={"C-07": True, "FP.SC": False},
)


def voids(folder: Path) -> list[EarlierResultsVoid]:
    events = (record.event for record in JournalReader(folder / "journal.jsonl"))
    return [event for event in events if isinstance(event, EarlierResultsVoid)]


async def _twice(folder: Path, change: str) -> list[list[EarlierResultsVoid]]:
    """Make a run, change the DUT, make another run; return what both say."""
    seen = []
    for turn in (1, 2):
        now = change if turn == 2 else "nothing"
        async with open_bench(folder, change=CHANGES.get(now, lambda dut: dut)) as bench:
            if now == "software":
                with_other_software(bench.lab.station)
            result = await bench.run("TC_001_CS")
            assert result.complete
            write_all(result.folder)
            seen.append(voids(result.folder))
    return seen


def other_answer(dut: DutConfig) -> DutConfig:
    return replace(dut, pics={**dut.pics, "AQ-4": not dut.pics["AQ-4"]})


CHANGES = {"pics": other_answer}


def with_other_software(station: object) -> None:
    """Let the virtual station have another firmware from its next boot on."""
    assert isinstance(station, VirtualStation)
    station._settings = replace(station._settings, firmware="9.9.9")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("nothing", None),
        ("software", "the DUT reported the software '1.0.0' before, now '9.9.9'"),
        ("pics", "PICS AQ-4 was false, now true"),
    ],
)
def test_a_changed_dut_makes_the_run_before_void(
    tmp_path: Path, change: str, why: str | None
) -> None:
    first, second = run_virtually(_twice(tmp_path, change))
    assert first == []
    assert second == ([] if why is None else [EarlierResultsVoid(why, ["run1"])])
    results = json.loads((tmp_path / "run2/results.json").read_text())
    void = [one["why"] for one in results.get("earlier_void", [])]
    assert void == ([] if why is None else [why])


def test_what_dut_toml_states_is_compared() -> None:
    before = EarlierRun("r", "1.0", None, {"C-07": True, "FP.SC": False})
    assert changes(before, DUT) == []
    assert changes(replace(before, stated="0.9"), DUT) == [
        "the stated software was '0.9', now '1.0'"
    ]
    assert changes(replace(before, pics={"C-07": False}), DUT) == ["PICS C-07 was false, now true"]
    assert changes(replace(before, pics={"C-08": True}), DUT) == [
        "PICS C-08 was true, now not answered"
    ]


def test_folders_that_hold_no_run_are_no_earlier_runs(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "journal.jsonl").write_text("nonsense\n")
    assert earlier_runs(tmp_path / "run", DUT) == []
    assert earlier_runs(tmp_path / "none" / "run", DUT) == []

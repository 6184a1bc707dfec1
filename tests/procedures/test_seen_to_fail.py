"""Every case passes on the good station, every defect is caught by the case meant to.

And every one of these verdicts can be derived again from the record of its run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.plan import load_suites
from bench.report import write_all
from bench.session import RunResult
from bench.verify import verify
from stations.conduct import Defect
from stations.defects import DEFECTS
from tests.procedures.simulated import simulated

(SUITE,) = load_suites()
CASES = [one.id for one in SUITE.procedures]


def faults(result: RunResult) -> tuple[str, ...]:
    """Derive every verdict of a run again from its records; return what does not agree."""
    write_all(result.folder)
    return verify(result.folder).faults


async def test_the_good_station_passes_everything(tmp_path: Path) -> None:
    async with simulated(tmp_path, impatient=False) as bench:
        result = await bench.run(groups=["all"])
        reasons = {case: end.reason for case, end in bench.ended().items() if end.reason}
        assert reasons == {}
        assert bench.failures() == []
        assert result.complete
        assert faults(result) == ()
        assert set(bench.ended()) >= set(CASES) - {SUITE.reset.id}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
async def test_a_defect_is_caught_for_the_stated_reason(tmp_path: Path, defect: Defect) -> None:
    async with simulated(tmp_path, defects=[defect.name]) as bench:
        result = await bench.run(defect.caught_by)
        ended = bench.ended()[defect.caught_by]
        assert ended.verdict == "fail", ended.reason
        assert ended.reason is not None
        for word in defect.reason:
            assert word in ended.reason
        assert faults(result) == ()


@pytest.mark.parametrize("case", [case for case in CASES if case != SUITE.reset.id])
async def test_a_mute_station_is_inconclusive_in_the_preamble(tmp_path: Path, case: str) -> None:
    async with simulated(tmp_path, defects=["mute"]) as bench:
        result = await bench.run(case)
        ended = bench.ended()[case]
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert faults(result) == ()


def test_every_case_has_a_defect_that_it_is_meant_to_catch() -> None:
    assert {defect.caught_by for defect in DEFECTS} >= set(CASES)

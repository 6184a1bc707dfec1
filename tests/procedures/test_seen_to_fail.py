"""Every case passes on the good station, and every defect is caught by the case meant to."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.plan import load_suites
from stations.conduct import Defect
from stations.defects import DEFECTS
from tests.procedures.simulated import simulated

(SUITE,) = load_suites()
CASES = [one.id for one in SUITE.procedures]


async def test_the_good_station_passes_everything(tmp_path: Path) -> None:
    async with simulated(tmp_path, impatient=False) as bench:
        result = await bench.run(groups=["all"])
        reasons = {case: end.reason for case, end in bench.ended().items() if end.reason}
        assert reasons == {}
        assert bench.failures() == []
        assert result.complete
        assert set(bench.ended()) >= set(CASES) - {SUITE.reset.id}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
async def test_a_defect_is_caught_for_the_stated_reason(tmp_path: Path, defect: Defect) -> None:
    async with simulated(tmp_path, defects=[defect.name]) as bench:
        await bench.run(defect.caught_by)
        ended = bench.ended()[defect.caught_by]
        assert ended.verdict == "fail", ended.reason
        assert ended.reason is not None
        for word in defect.reason:
            assert word in ended.reason


@pytest.mark.parametrize("case", [case for case in CASES if case != SUITE.reset.id])
async def test_a_mute_station_is_inconclusive_in_the_preamble(tmp_path: Path, case: str) -> None:
    async with simulated(tmp_path, defects=["mute"]) as bench:
        await bench.run(case)
        ended = bench.ended()[case]
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")


def test_every_case_has_a_defect_that_it_is_meant_to_catch() -> None:
    assert {defect.caught_by for defect in DEFECTS} >= set(CASES)

"""Every case passes on the good stations, every defect is caught by the case meant to.

And every one of these verdicts can be derived again from the record of its run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.sim.variants import VARIANTS
from stations.conduct import Defect
from stations.defects import DEFECTS
from tests.mutants.matrix import CASES, SUITE, applicable, judge, misses, product_for

WASTE = 1.15
"""How many times the waits that its cases prescribe a run may take, in virtual time."""


@pytest.mark.parametrize("variant", VARIANTS)
async def test_the_good_station_passes_everything(tmp_path: Path, variant: str) -> None:
    seen = await judge(tmp_path, variant=variant, groups=["all"])
    assert [(one.case, one.reason) for one in seen.alarms] == []
    assert seen.faults == ()
    assert {one.case for one in seen.ended} >= set(applicable(variant))
    assert seen.took <= WASTE * seen.waits


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
async def test_a_defect_is_caught_for_the_stated_reason(tmp_path: Path, defect: Defect) -> None:
    seen = await judge(tmp_path, defect.caught_by, variant=defect.variant, defects=[defect.name])
    assert misses(defect, seen) == ()


@pytest.mark.parametrize("case", CASES)
async def test_a_mute_station_is_inconclusive_in_the_preamble(tmp_path: Path, case: str) -> None:
    seen = await judge(tmp_path, case, variant=product_for(case), defects=["mute"])
    ended = seen.of(case)
    assert ended is not None
    assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
    assert seen.faults == ()


def test_every_case_has_a_defect_that_it_is_meant_to_catch() -> None:
    assert {defect.caught_by for defect in DEFECTS} >= {*CASES, SUITE.reset.id}


def test_the_products_together_leave_no_case_unexercised() -> None:
    reached = {case for variant in VARIANTS for case in applicable(variant)}
    assert set(CASES) - reached == set()


def test_there_are_enough_defects() -> None:
    assert len(DEFECTS) >= 150

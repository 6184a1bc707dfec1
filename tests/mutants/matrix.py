"""One station, good or broken on purpose, judged by cases in virtual time."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.events import RunStarted
from bench.plan import load_suites
from bench.report import write_all
from bench.verify import verify
from drivers.sim.simulated_bench import SimulatedBench, open_bench, run_virtually
from drivers.sim.variants import VARIANTS
from stations.conduct import Defect
from stations.defects import find

(SUITE,) = load_suites()
CASES = tuple(one.id for one in SUITE.procedures if one.mark != "-" and one.is_available)
"""Every station case that can run, but for 000_RESET."""
GROUPS = {one.id: one.group for one in SUITE.procedures}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a case ended."""

    case: str
    verdict: str
    phase: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the cases saw of one station."""

    ended: tuple[Ended, ...]
    faults: tuple[str, ...]
    """Where the record of the run does not bear its verdicts out, or the run did not end."""
    took: float = 0.0
    """How long the run took, in virtual s."""
    waits: float = 0.0
    """The sum in s of what its cases prescribe to wait."""

    @property
    def caught(self) -> tuple[Ended, ...]:
        """The cases that failed."""
        return tuple(one for one in self.ended if one.verdict == "fail")

    @property
    def alarms(self) -> tuple[Ended, ...]:
        """The cases that did not pass."""
        return tuple(one for one in self.ended if one.verdict != "pass")

    def of(self, case: str) -> Ended | None:
        """Return how a case ended; None when it did not run."""
        return next((one for one in self.ended if one.case == case), None)


def applicable(variant: str) -> tuple[str, ...]:
    """List the cases that concern a product by its PICS."""
    pics = VARIANTS[variant].pics
    return tuple(
        one.id for one in SUITE.procedures if one.mark != "-" and one.applies.evaluate(pics)
    )


def product_for(case: str) -> str:
    """Choose the first product that a case concerns; raises `LookupError` when there is none."""
    for variant in VARIANTS:
        if case == SUITE.reset.id or case in applicable(variant):
            return variant
    raise LookupError(f"{case} concerns no product of the simulated lab")


async def judge(
    folder: Path,
    *cases: str,
    variant: str = "default",
    defects: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> Sighting:
    """Run cases on a station and verify the record; needs a running event loop."""
    async with open_bench(folder, variant=variant, defects=defects) as bench:
        result = await bench.run(*cases, groups=groups)
        write_all(result.folder)
        faults = list(verify(result.folder).faults)
        if not result.complete:
            faults.append(f"the run did not end: {result.reason}")
        first, *_, last = bench.records
        planned = next(r.event for r in bench.records if isinstance(r.event, RunStarted))
        waits = sum(case["waits"] for case in planned.cases)
        return Sighting(_ended(bench), tuple(faults), last.mono - first.mono, waits)


def _ended(bench: SimulatedBench) -> tuple[Ended, ...]:
    return tuple(
        Ended(one.case, one.verdict, one.phase, one.reason or "") for one in bench.ended().values()
    )


def misses(defect: Defect, seen: Sighting) -> tuple[str, ...]:
    """Say why a defect does not count as caught by its case; nothing when it does."""
    ended = seen.of(defect.caught_by)
    if ended is None:
        return (f"{defect.caught_by} does not concern the product {defect.variant!r}",)
    if ended.verdict != "fail":
        return (f"{defect.caught_by}: {ended.verdict} {ended.reason}".rstrip(),)
    absent = [word for word in defect.reason if word not in ended.reason]
    if absent:
        words = ", ".join(map(repr, absent))
        return (f"{defect.caught_by} fails, but not with {words}: {ended.reason}",)
    return seen.faults


def see_good(variant: str) -> Sighting:
    """Run everything on the good station of a product."""
    with tempfile.TemporaryDirectory() as folder:
        return run_virtually(judge(Path(folder), variant=variant, groups=["all"]))


def see_defect(name: str, full: bool) -> tuple[Sighting, Sighting]:
    """Run the case that is meant to catch a defect, then those of its group, or all."""
    defect = find(name)
    concerned = applicable(defect.variant)
    group = GROUPS[defect.caught_by]
    others = [
        case for case in concerned if case != defect.caught_by and (full or GROUPS[case] == group)
    ]
    run = partial(judge, variant=defect.variant, defects=[name])
    with tempfile.TemporaryDirectory() as meant, tempfile.TemporaryDirectory() as beside:
        first = run_virtually(run(Path(meant), defect.caught_by))
        second = run_virtually(run(Path(beside), *others)) if others else Sighting((), ())
    return first, second

"""Run the matrix: every defect before its cases, the good station of each product before all.

    python -m tests.mutants [--full] [--jobs N] [DEFECT…]

Exits with 0 when every defect is caught by the case that is meant to, the good stations pass
everywhere, and no case is left unexercised; else with 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from drivers.sim.variants import VARIANTS
from stations.conduct import Defect
from stations.defects import DEFECTS, find
from tests.mutants.matrix import (
    CASES,
    SUITE,
    Sighting,
    applicable,
    misses,
    see_defect,
    see_good,
)

_SHOWN = 150
"""Characters of a reason that are printed."""


def main() -> int:
    """Run the matrix and print what was seen."""
    options = _options()
    chosen = [find(name) for name in options.defects] or list(DEFECTS)
    began = time.monotonic()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=spawn) as pool:
        good = {name: pool.submit(see_good, name) for name in VARIANTS}
        broken = [(one, pool.submit(see_defect, one.name, options.full)) for one in chosen]
        alarms = sum(_show_good(name, future.result()) for name, future in good.items())
        caught = sum(_show_defect(one, future) for one, future in broken)
    gaps = _gaps(chosen)
    for gap in gaps:
        _say(f"GAP: {gap}")
    took = time.monotonic() - began
    _say(f"{caught} of {len(chosen)} caught, {alarms} false alarms, in {took:.0f} s")
    return 0 if caught == len(chosen) and not alarms and not gaps else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("defects", nargs="*", metavar="DEFECT", help="which (default: all)")
    parser.add_argument("--full", action="store_true", help="every defect before every case")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    return parser.parse_args()


def _show_good(variant: str, seen: Sighting) -> int:
    """Print what was seen of a good station; return the number of false alarms."""
    _say(f"good station, {variant}: {len(seen.ended)} cases, {len(seen.alarms)} not passed")
    for one in seen.alarms:
        _say(f"    FALSE ALARM {one.case} {one.verdict}: {one.reason}")
    for fault in seen.faults:
        _say(f"    FALSE ALARM {fault}")
    return len(seen.alarms) + len(seen.faults)


def _show_defect(defect: Defect, future: Future[tuple[Sighting, Sighting]]) -> bool:
    """Print who caught a defect; tell whether the case that is meant to did."""
    meant, others = future.result()
    problems = misses(defect, meant)
    _say(defect.name if defect.variant == "default" else f"{defect.name} ({defect.variant})")
    for one in (*meant.caught, *others.caught):
        _say(f"    {one.case}: {one.reason[:_SHOWN]}")
    for problem in problems:
        _say(f"    NOT CAUGHT {problem}")
    return not problems


def _gaps(chosen: Sequence[Defect]) -> list[str]:
    """List what nobody has looked at: a case without product, or without defect."""
    return [*_unexercised(), *(_without_defect() if len(chosen) == len(DEFECTS) else ())]


def _unexercised() -> Iterator[str]:
    reached = {case for variant in VARIANTS for case in applicable(variant)}
    yield from (f"{case} concerns no product" for case in CASES if case not in reached)


def _without_defect() -> Iterator[str]:
    caught = {defect.caught_by for defect in DEFECTS}
    cases = (*CASES, SUITE.reset.id)
    yield from (f"{case} has no defect to catch" for case in cases if case not in caught)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

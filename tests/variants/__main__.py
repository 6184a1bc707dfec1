"""Run every product of the simulated lab in real time.

    python -m tests.variants [--jobs N] [--within S] [--out DIR] [VARIANT…]

Exits with 0 when each passes all cases that concern it and its record is sound; else with 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from drivers.sim.variants import VARIANTS
from tests.variants.product import Tried, try_product


def main() -> int:
    """Try the products and print how it went."""
    options = _options()
    unknown = [name for name in options.variants if name not in VARIANTS]
    if unknown:
        sys.stderr.write(f"no product {', '.join(unknown)}; known are {', '.join(VARIANTS)}\n")
        return 3
    chosen = options.variants or list(VARIANTS)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        out = options.out or Path(folder)
        each = partial(_try_and_show, out, within=options.within)
        sound = sum(pool.map(each, chosen))
    sys.stdout.write(f"{sound} of {len(chosen)} products pass\n")
    return 0 if sound == len(chosen) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.variants", description=__doc__)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help="which (default: all)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="at a time (default: 1)")
    parser.add_argument("--within", type=float, default=480.0, metavar="S", help="longest run in s")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the runs' folders in it")
    return parser.parse_args()


def _try_and_show(out: Path, variant: str, *, within: float) -> bool:
    tried = try_product(variant, out / variant, within=within)
    _show(tried)
    return not tried.faults


def _show(tried: Tried) -> None:
    ratio = f", {tried.took / tried.waits:.2f} times the prescribed waits" if tried.waits else ""
    lines = [f"{tried.variant}: {tried.passed} passed in {tried.took:.0f} s{ratio}"]
    lines += [f"    {fault}" for fault in tried.faults]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

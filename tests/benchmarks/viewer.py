"""The viewer page: from a sample in the engine to its pixels in Chromium."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from bench.clock import monotonic
from tests.benchmarks.table import Line
from tests.browser.bench import by_hand, link
from tests.browser.chromium import View, chromium, viewing

INSTRUMENT = "benchmark"


async def sample_to_pixel(count: int = 100) -> Line:
    """Measure from the time of a sample until the frame of the page that shows it was handed on."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            chromium() as browser,
            by_hand(Path(folder)) as bench,
            viewing(browser, link(bench)) as view,
        ):
            await view.until("#link.live")
            run = await bench.start("TC_003_CS")
            await view.until("#asked .question")  # which nobody answers: the run goes on
            samples = bench.engine.stream.samples
            samples.add("power", "W", INSTRUMENT, [monotonic()], [1.0])
            await view.until(".panel[data-panel=power]")
            spread = random.Random(1)
            for number in range(2, count + 2):
                await asyncio.sleep(spread.uniform(0.1, 0.3))
                shown = asyncio.ensure_future(_shown(view, number))
                await asyncio.sleep(0.02)
                taken = time.time()
                samples.add("power", "W", INSTRUMENT, [monotonic()], [float(number)])
                took.append(await shown - taken)
            for _ in range(2):
                await bench.http.post(f"/api/v1/runs/{run}/abort", json={})
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    return Line(
        "sample to pixel in the viewer page (windows of 100 ms)",
        f"p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms",
    )


async def _shown(view: View, watts: int) -> float:
    """Return when, in s since 1970, the frame with a value was handed on to be shown."""
    moment: float = await view.script("painted", watts / 1000)
    return moment

"""Benches whose engine the viewer page looks at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.config import load_bench
from bench.dut import load_dut
from bench.engine import Engine
from drivers.sim.lab import Lab, open_lab
from tests.engine.service import TOKEN, Service, impatient, served
from tests.engine.test_mishaps_signals import MANUAL


def link(bench: Service, token: str = TOKEN) -> str:
    """Return the address that opens the page."""
    return f"{bench.url}/view/#token={token}"


@asynccontextmanager
async def engine_at(lab: Lab, folder: Path, **keywords: Any) -> AsyncIterator[Service]:
    """Serve a lab, with runs in `folder`/runs."""
    out = folder / "runs"
    out.mkdir(exist_ok=True)
    engine = Engine(load_bench(lab.bench_file), [impatient(load_dut(lab.dut_file))], out)
    async with served(engine, out, **keywords) as bench:
        yield bench


@asynccontextmanager
async def by_hand(folder: Path, **keywords: Any) -> AsyncIterator[Service]:
    """Serve a bench on which people do everything."""
    async with open_lab(folder) as lab:
        listen = lab.bench_file.read_text("utf-8").partition('listen = "')[2].partition('"')[0]
        lab.bench_file.write_text(MANUAL.replace("127.0.0.1:0", listen), "utf-8")
        async with engine_at(lab, folder, **keywords) as bench:
            yield bench

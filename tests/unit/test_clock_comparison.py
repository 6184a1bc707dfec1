"""The clocks are compared at the start and every minute, by whoever records at that time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.config import BenchConfig, BenchSettings
from bench.dut import DutConfig, DutIdentity
from bench.engine import Engine
from bench.events import ClocksCompared
from bench.journal import JournalReader, JournalWriter, Record
from bench.stream import Stream, comparing_clocks
from drivers.sim.simulated_bench import run_virtually


def test_the_clocks_are_compared_every_minute() -> None:
    records: list[Record] = []

    async def work() -> None:
        stream = Stream()
        with stream.watched_by(records.append):
            async with comparing_clocks(stream):
                await asyncio.sleep(185)
            await asyncio.sleep(120)

    run_virtually(work())
    times = [round(record.mono - records[0].mono) for record in records]
    assert times == [0, 60, 120, 180]
    for record in records:
        assert isinstance(record.event, ClocksCompared)
        offset = record.utc.timestamp() - record.mono
        assert abs(record.event.offset - offset) <= record.event.uncertainty + 2e-6


def test_an_idle_engine_compares_them_and_leaves_a_run_to_itself(tmp_path: Path) -> None:
    async def work() -> None:
        dut = DutConfig(tmp_path / "dut.toml", DutIdentity("charging-station", "CP", "v", "m"))
        config = BenchConfig(tmp_path / "bench.toml", BenchSettings("b"))
        engine = Engine(config, [dut], tmp_path)
        session = engine.session
        assert session is not None
        async with engine.opened():
            await asyncio.sleep(125)
            session.run_id = "run1"
            with (
                JournalWriter(tmp_path / "run.jsonl") as journal,
                engine.stream.recording(journal),
            ):
                await asyncio.sleep(60)
            session.run_id = None
            await asyncio.sleep(60)

    run_virtually(work())
    (path,) = (tmp_path / "engine").glob("*.jsonl")
    own = [record.event for record in JournalReader(path)]
    assert [type(event) for event in own] == [ClocksCompared] * 4
    assert list(JournalReader(tmp_path / "run.jsonl")) == []

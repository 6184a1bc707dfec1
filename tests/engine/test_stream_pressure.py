"""Viewers that read slowly, or not at all, cost the engine and the others nothing."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from bench.events import SCHEMA, Noted, RunEnded, RunStarted
from bench.journal import JournalWriter, Record
from bench.server.feed import KEPT
from tests.engine.service import DEADLINE, TOKEN, idle_engine, served

RECORDS = KEPT + 300
"""More than are kept in memory."""


def big_run(folder: Path, *, length: int = 4000) -> None:
    """Record a run of many records, too large for any buffer on the way to a viewer."""
    folder.mkdir()
    dut = {"kind": "charging-station", "identity": "CP1", "vendor": "V", "model": "M"}
    moment = datetime(2031, 1, 1, tzinfo=UTC)
    with JournalWriter(folder / "journal.jsonl") as journal:
        started = RunStarted(folder.name, "1", SCHEMA, {"name": "b"}, dut, [], [], {}, {}, {})
        journal.append(Record(1, moment, 0.0, started))
        for n in range(2, RECORDS):
            journal.append(Record(n, moment, 0.0, Noted(f"{n} {'x' * length}")))
        journal.append(Record(RECORDS, moment, 0.0, RunEnded(True, None, {})))


async def test_a_stalled_viewer_is_evicted_and_the_others_get_everything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    evicted = asyncio.Event()

    def note(_: logging.LogRecord) -> bool:
        evicted.set()
        return True

    monkeypatch.setattr(logging.getLogger("bench.server.viewers"), "filters", [note])
    big_run(tmp_path / "run1")
    engine = idle_engine(tmp_path)
    async with served(engine, tmp_path, stalled=0.5) as bench:
        address = f"{bench.url.replace('http', 'ws', 1)}/api/v1/stream?token={TOKEN}"
        # With a small queue the library stops reading when nobody asks for more.
        async with connect(address, proxy=None, max_queue=1, close_timeout=0.1):
            async with bench.stream() as good:
                async with asyncio.timeout(DEADLINE):
                    await evicted.wait()
                await good.event("RunEnded")
                assert good.numbers("run1") == list(range(1, RECORDS + 1))
                # What happens now reaches who is still there.
                engine.stream.emit(Noted("on"))
                assert (await good.event("Noted"))["data"]["text"] == "on"
    assert caplog.messages == ["viewer the operator is evicted: it read nothing for 0.5 s"]


async def test_no_viewer_makes_the_engine_wait(tmp_path: Path) -> None:
    big_run(tmp_path / "run1")
    engine = idle_engine(tmp_path)
    async with served(engine, tmp_path) as bench:
        address = f"{bench.url.replace('http', 'ws', 1)}/api/v1/stream?token={TOKEN}"
        async with connect(address, proxy=None, max_queue=1, close_timeout=0.1):
            await bench.get("/session")  # the viewer is being served by now
            before = engine.stream.last
            for number in range(1000):
                engine.stream.emit(Noted(str(number)))  # takes no await, whoever watches
            assert engine.stream.last == before + 1000


async def test_a_viewer_far_behind_reads_the_journal_and_catches_up(tmp_path: Path) -> None:
    big_run(tmp_path / "run1", length=1)
    async with (
        served(idle_engine(tmp_path), tmp_path) as bench,
        bench.stream(run="run1", from_=RECORDS - 200) as viewer,
    ):
        await viewer.event("RunEnded")
        assert viewer.numbers("run1") == list(range(RECORDS - 200, RECORDS + 1))

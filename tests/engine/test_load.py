"""Fifty viewers, twenty channels at 1 kHz and a station that talks without a pause, all at once."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench.archive import dut_key
from bench.case import Case
from bench.clock import monotonic
from bench.config import load_bench
from bench.dut import load_dut
from bench.engine import Engine
from bench.events import (
    SCHEMA,
    CaseStarted,
    ChannelDeclared,
    Checked,
    Event,
    FrameReceived,
    RunStarted,
    StepStarted,
)
from bench.journal import JOURNAL, JournalReader, JournalWriter, Record
from bench.ocpp import v16
from bench.ocpp.station import Station
from bench.procedure import Procedure, procedure
from bench.samples import Samples, Window
from bench.verify import verify
from tests.engine.loaded import DUT, plan_of
from tests.engine.programs import events
from tests.engine.service import DEADLINE, TOKEN, Service, served
from tests.engine.support import BOOT, Peer
from tests.engine.test_samples import summaries
from tests.engine.test_stream_pressure import big_run

OPERATORS, OBSERVERS = 5, 45
CHANNELS = 20
RATE = 1000
"""Hz of each channel."""
CALLS = 250
"""What the station sends, one after the other as fast as it is answered."""
LAST = "last"


@procedure("TC_903_CS", title="A station talks without a pause", mark="O", refs=["none"])
async def everything_is_heard(case: Case, station: Station) -> None:
    """The bench hears a station out."""
    async with case.step("The station says all it has to say"):
        await station.expect(v16.DataTransfer(messageId=LAST), within=DEADLINE)


@asynccontextmanager
async def busy_engine(
    folder: Path, one: Procedure = everything_is_heard, **keywords: float
) -> AsyncIterator[tuple[Service, str]]:
    """Serve an engine without devices that runs a case; gives the run as well."""
    (folder / "bench.toml").write_text(
        '[bench]\nname = "Busy"\n\n[ocpp]\nlisten = "127.0.0.1:0"\n', "utf-8"
    )
    (folder / "dut.toml").write_text(DUT, "utf-8")
    out = folder / "runs"
    out.mkdir(exist_ok=True)
    engine = Engine(load_bench(folder / "bench.toml"), [load_dut(folder / "dut.toml")], out)
    async with served(engine, out, **keywords) as bench:
        run = await engine.start(engine.duts["CP"], plan_of(one))
        yield bench, run


@dataclass
class Viewer:
    """What one viewer received of a run, to its end."""

    records: list[str] = field(default_factory=list)
    windows: list[bytes] = field(default_factory=list)

    async def watch(self, bench: Service, token: str, ready: asyncio.Semaphore) -> None:
        """Read the stream until the run has ended."""
        address = f"{bench.url.replace('http', 'ws', 1)}/api/v1/stream?token={token}"
        async with connect(address, proxy=None, max_size=None, max_queue=None) as viewer:
            await viewer.recv()
            ready.release()
            async for frame in viewer:
                if isinstance(frame, bytes):
                    self.windows.append(frame)
                    continue
                self.records.append(frame)
                if '"event":"RunEnded"' in frame:
                    return

    @property
    def numbers(self) -> list[int]:
        """The numbers of the records, in the order in which they came."""
        return [json.loads(frame)["n"] for frame in self.records]


async def feed(samples: Samples) -> None:
    """Bring what the channels observe, at their rate, until cancelled."""
    brought = begin = monotonic()
    while True:
        await asyncio.sleep(0.01)
        count = int((monotonic() - brought) * RATE)
        times = [brought + at / RATE for at in range(count)]
        brought += count / RATE
        values = [230 + (time - begin) for time in times]
        for number in range(CHANNELS):
            samples.add(f"ch{number}", "V", "adc", times, values)


@dataclass
class Talk:
    """What a station said, and the moments before it was sent and after it was answered."""

    said: list[str] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)

    async def hold(self, address: str, heard_by: Callable[[], bool] = lambda: True) -> None:
        """Connect and send CALL after CALL, each as soon as the one before was answered.

        The last one has to wait until what it says has been heard.
        """
        place = f"ws://{address}/ocpp/CP"
        async with connect(place, proxy=None, subprotocols=[Subprotocol("ocpp1.6")]) as line:
            peer = Peer(line)
            await peer.call("BootNotification", **BOOT)
            for number in range(CALLS):
                name = LAST if number == CALLS - 1 else f"{number}"
                while name == LAST and not heard_by():  # noqa: ASYNC110 - viewers tell nobody
                    await asyncio.sleep(0.01)
                self.said.append(name)
                self.sent.append(monotonic())
                await peer.call("DataTransfer", vendorId="load", messageId=name, data="x" * 500)
                self.answered.append(monotonic())
            await line.wait_closed()


async def address_of(bench: Service) -> str:
    """Wait until the engine listens for the station."""
    session = bench.engine.session
    assert session is not None
    async with asyncio.timeout(DEADLINE):
        while session.listening_at is None:  # noqa: ASYNC110 - no record tells it
            await asyncio.sleep(0.01)
    return session.listening_at


async def test_fifty_viewers_miss_nothing_and_delay_nothing(tmp_path: Path) -> None:
    async with busy_engine(tmp_path) as (bench, run):
        seen: list[Window] = []
        dut = dut_key({"vendor": "V", "model": "M", "identity": "CP"})
        _, link = bench.shares.make("Vendor", timedelta(hours=1), dut=dut)
        ready, talk = asyncio.Semaphore(0), Talk()
        operators = [Viewer() for _ in range(OPERATORS)]
        observers = [Viewer() for _ in range(OBSERVERS)]
        samples = bench.engine.stream.samples
        address = await address_of(bench)
        with samples.watched_by(seen.append):
            async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as tasks:
                for viewer in operators:
                    tasks.create_task(viewer.watch(bench, TOKEN, ready))
                for viewer in observers:
                    tasks.create_task(viewer.watch(bench, link, ready))
                for _ in range(OPERATORS + OBSERVERS):
                    await ready.acquire()
                feeding = tasks.create_task(feed(samples))
                viewers = (*operators, *observers)
                await talk.hold(address, lambda: all(viewer.windows for viewer in viewers))
                feeding.cancel()
        folder = tmp_path / "runs" / run

    # Every viewer has every record, once and in order; so those of a kind have the same.
    assert operators[0].numbers == list(range(1, len(operators[0].records) + 1))
    assert observers[0].numbers == operators[0].numbers
    assert all(viewer.records == operators[0].records for viewer in operators)
    assert all(viewer.records == observers[0].records for viewer in observers)

    # Windows come in order, newer ones in place of those that a viewer had no time for.
    whole = {
        window.number: {one.channel.channel: one.samples for one in window.entries}
        for window in seen
    }
    for viewer in (*operators, *observers):
        got = list(summaries(viewer.windows))
        numbers = list(dict.fromkeys(one.window for one in got))
        assert numbers == sorted(set(numbers))
        assert numbers
        assert all(one.samples == whole[one.window][one.channel] for one in got)
    names = [one.name for one in events(folder, ChannelDeclared) if one.instrument == "adc"]
    assert names == [f"ch{number}" for number in range(CHANNELS)]

    # The engine heard each frame between its sending and its answer, in their order.
    heard = [
        (record.mono, json.loads(record.event.text)[3]["messageId"])
        for record in JournalReader(folder / JOURNAL)
        if isinstance(record.event, FrameReceived)
        and record.event.text is not None
        and '"DataTransfer"' in record.event.text
    ]
    assert [name for _, name in heard] == talk.said
    for (stamp, name), sent, answered in zip(heard, talk.sent, talk.answered, strict=True):
        assert sent - 1e-6 <= stamp <= answered + 1e-6, name
    assert verify(folder).faults == ()


LONG = 12_000_000
"""Bytes, more than the system's buffers hold."""


def long_report(folder: Path) -> None:
    """Record a run whose report is larger than all buffers on the way to a reader."""
    folder.mkdir()
    dut = {"kind": "charging-station", "identity": "CP", "vendor": "V", "model": "M"}
    judged = [Checked(f"{n}", "pass", "", "x" * (LONG // 12), None, {}) for n in range(12)]
    parts: list[Event] = [
        RunStarted(folder.name, "1", SCHEMA, {"name": "b"}, dut, [], [], {}, {}, {}),
        CaseStarted("TC_1_CS", "x", "O", "core", "x", []),
        StepStarted(1, "body", "x"),
        *judged,
    ]
    with JournalWriter(folder / JOURNAL) as journal:
        for n, event in enumerate(parts, 1):
            journal.append(Record(n, datetime(2031, 1, 1, tzinfo=UTC), 0.0, event))


@asynccontextmanager
async def reading_nothing(bench: Service, path: str) -> AsyncIterator[None]:
    """Ask for something, and read no more than its first byte until the context ends."""
    loop, place = asyncio.get_running_loop(), httpx.URL(bench.url)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        await loop.sock_connect(line, (place.host, place.port))
        request = (
            f"GET /api/v1{path}?token={TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        await loop.sock_sendall(line, request.encode())
        async with asyncio.timeout(DEADLINE):
            assert await loop.sock_recv(line, 1) == b"H"
        yield
        received = 1
        async with asyncio.timeout(DEADLINE):
            while part := await loop.sock_recv(line, 1_000_000):
                received += len(part)
        assert received > LONG


async def test_who_reads_nothing_holds_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (tmp_path / "runs").mkdir()
    long_report(tmp_path / "runs" / "report")
    big_run(tmp_path / "runs" / "stream")
    async with busy_engine(tmp_path, stalled=0.5) as (bench, run):
        address = f"{bench.url.replace('http', 'ws', 1)}/api/v1/stream?token={TOKEN}&run=stream"
        viewer, talk, ready = Viewer(), Talk(), asyncio.Semaphore(0)
        async with (
            asyncio.timeout(DEADLINE),
            reading_nothing(bench, "/runs/report/results"),
            connect(address, proxy=None, max_queue=1, close_timeout=0.1) as stalled,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(viewer.watch(bench, TOKEN, ready))
            await ready.acquire()
            tasks.create_task(talk.hold(await address_of(bench)))
            # Both are served to their end while one does not read at all.
            await bench.get("/session")
            while not caplog.messages:  # noqa: ASYNC110 - the log tells of the eviction
                await asyncio.sleep(0.01)
        assert viewer.numbers == list(range(1, len(viewer.records) + 1))
        assert len(talk.answered) == CALLS
        assert stalled.close_code in (1006, 4408)
    assert caplog.messages == ["viewer the operator is evicted: it read nothing for 0.5 s"]
    assert verify(tmp_path / "runs" / run).faults == ()

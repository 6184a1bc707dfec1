"""Samples of runs on the simulated lab: what the twins show, who gets it, what a kill leaves."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import signal
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from bench.cli import main
from bench.events import ChannelDeclared, FileAttached, Noted
from bench.history import SampleReader
from bench.journal import JournalReader
from bench.sample_file import SAMPLES
from bench.verify import verify
from drivers.sim.lab import open_lab
from tests.engine.programs import becomes_live, events, run_on, running, with_timing
from tests.engine.service import DEADLINE, TOKEN, Service, Watching, service
from tests.engine.test_shares import Observer, key, two_duts

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Summary:
    """One channel of one binary frame."""

    window: int
    end: float
    channel: int
    samples: int
    least: float
    greatest: float


def summaries(frames: list[bytes]) -> Iterator[Summary]:
    """Read binary frames as the documentation has them."""
    for frame in frames:
        kind, count, number, _, end = struct.unpack_from("<HHIdd", frame)
        assert kind == 1
        assert len(frame) == 24 + 24 * count
        for at in range(count):
            channel, samples, least, greatest, _, _ = struct.unpack_from(
                "<IIffff", frame, 24 + 24 * at
            )
            yield Summary(number, end, channel, samples, least, greatest)


def channels(viewer: Watching) -> dict[tuple[str, str], int]:
    """Tell the numbers of the channels by instrument and name."""
    found = [frame["data"] for frame in viewer.frames if frame["event"] == "ChannelDeclared"]
    return {(data["instrument"], data["name"]): data["channel"] for data in found}


async def until_sampled(viewer: Watching, channel: int) -> None:
    """Read on until a summary of the channel came."""
    async with asyncio.timeout(DEADLINE):
        while all(one.channel != channel for one in summaries(viewer.samples)):
            message = await viewer.socket.recv()
            if isinstance(message, bytes):
                viewer.samples.append(message)
            else:
                viewer.frames.append(json.loads(message))


async def test_a_run_shows_what_the_lab_does(tmp_path: Path) -> None:
    # The bench waits seconds for a status that does not come, while the vehicle charges.
    defects = ["charging-reported-as-suspended"]
    async with service(tmp_path, defects=defects) as bench, bench.stream() as viewer:
        run = await bench.start("TC_003_CS")
        # The slowest instrument has its turn before the run is over.
        await bench.post(f"/runs/{run}/pause")
        await viewer.until(lambda frame: frame["data"].get("name") == "rsrp")
        await until_sampled(viewer, channels(viewer)["modem", "rsrp"])
        await bench.post(f"/runs/{run}/resume")
        await viewer.event("RunEnded")
        numbers = channels(viewer)
        seen: dict[int, list[Summary]] = {}
        for one in summaries(viewer.samples):
            seen.setdefault(one.channel, []).append(one)
        assert set(seen) <= set(numbers.values())
        pilot = seen[numbers["pilot-box", "pilot-high"]]
        assert max(one.greatest for one in pilot) == pytest.approx(12, abs=0.6)
        assert min(one.least for one in pilot) < 9.6
        power = seen[numbers["meter", "power"]]
        assert power[0].least == pytest.approx(0, abs=20)
        assert numbers["modem", "rsrp"] in seen
        # The answers to what the bench asks of a station in 000_RESET.
        answered = seen[numbers["OCPP", "response-time"]]
        assert all(0 <= one.least <= one.greatest < DEADLINE for one in answered)
        windows = [one.window for one in summaries(viewer.samples)]
        assert windows == sorted(windows)

        channel = numbers["meter", "power"]
        answer = await bench.get(f"/runs/{run}/samples", channel=channel)
        whole = SampleReader(tmp_path / "runs" / run / SAMPLES)
        assert answer["samples"] == whole.counts()[str(channel)] == len(answer["time"])
        assert answer["min"] == answer["max"]
        assert max(answer["max"]) == pytest.approx(max(one.greatest for one in power))
        few = await bench.get(f"/runs/{run}/samples", channel=channel, points=3)
        assert few["samples"] == answer["samples"]
        assert len(few["time"]) == len(few["min"]) == len(few["max"]) <= 3
        assert (min(few["min"]), max(few["max"])) == (min(answer["min"]), max(answer["max"]))
        middle = answer["time"][len(answer["time"]) // 2]
        part = await bench.get(f"/runs/{run}/samples", channel=channel, **{"from": middle})
        assert part["time"] == [time for time in answer["time"] if time >= middle]
        nothing = await bench.get(f"/runs/{run}/samples", channel=999, to=middle)
        assert (nothing["samples"], nothing["to"], nothing["from"]) == (0, middle, middle - 600)
        report = (await bench.http.get(f"/api/v1/runs/{run}/report.html")).text
    folder = tmp_path / "runs" / run
    verification = verify(folder)
    assert verification.faults == ()
    assert SAMPLES in verification.summary[1]
    attached = [one.event for one in JournalReader(folder / "journal.jsonl")]
    (attachment,) = [one for one in attached if isinstance(one, FileAttached)]
    assert attachment.samples == whole.counts()
    row = f"<td>{channel}</td><td>power</td><td>meter</td><td>–</td><td>W</td>"
    assert f"{row}<td>{attachment.samples[str(channel)]}</td>" in report
    assert attachment.sha256 in report
    (folder / SAMPLES).write_bytes(b"x")
    (fault,) = verify(folder).faults
    assert fault.startswith(f"{SAMPLES} was changed: its SHA-256 is 2d7116")


async def test_a_window_that_can_not_be_is_refused(tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "query.channel: Field required"),
        ({"channel": 0}, "query.channel: Input should be greater than or equal to 1"),
        (
            {"channel": 1, "points": 2001},
            "query.points: Input should be less than or equal to 2000",
        ),
        ({"channel": 1, "from": "nan"}, "query.from: Input should be a finite number"),
        ({"channel": 1, "from": 0, "to": 3601}, "query.from: expected at most 3600 s from 'from' "),
        ({"channel": 1, "from": 9, "to": 8}, "query.from: expected at most 3600 s from 'from' "),
    ]
    async with service(tmp_path) as bench:
        async with bench.stream() as viewer:
            run = await bench.start("TC_019_CS")
            await viewer.event("RunEnded")
        for query, problem in wrong:
            answer = await bench.http.get(f"/api/v1/runs/{run}/samples", params=query)
            assert answer.status_code == 422, query
            assert problem in answer.json()["detail"]


async def test_a_run_without_a_file_has_no_samples_and_a_bad_file_is_said(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        async with bench.stream() as viewer:
            run = await bench.start("TC_019_CS")
            await viewer.event("RunEnded")
        path = tmp_path / "runs" / run / SAMPLES
        path.unlink()
        answer = await bench.get(f"/runs/{run}/samples", channel=1)
        assert (answer["samples"], answer["time"]) == (0, [])
        path.write_bytes(b"no file of samples")
        problem = await bench.http.get(f"/api/v1/runs/{run}/samples", params={"channel": 1})
        assert problem.status_code == 500
        assert problem.json() == {
            "detail": "the samples can't be read: samples.mcap: not an MCAP file"
        }


@asynccontextmanager
async def paused(bench: Service) -> AsyncIterator[str]:
    """Hold a run at a step; abort it in the end."""
    run = await bench.start("TC_003_CS")
    await bench.post(f"/runs/{run}/pause")
    try:
        yield run
    finally:
        await bench.post(f"/runs/{run}/abort")
        await bench.post(f"/runs/{run}/abort")


async def feed(bench: Service, *, ticks: int) -> None:
    """Feed 20 channels at 1 kHz for so many times 50 ms."""
    noise = random.Random(2)
    loop = asyncio.get_running_loop()
    hub = bench.engine.stream.samples
    for _ in range(ticks):
        begin = loop.time()
        times = [begin + at / 1000 for at in range(50)]
        for number in range(20):
            values = [number + noise.random() for _ in times]
            hub.add(f"ch{number}", "V", "adc", times, values)
        await asyncio.sleep(0.05)


async def test_much_is_recorded_whole_and_summed_up_for_viewers(tmp_path: Path) -> None:
    ticks = 60
    async with service(tmp_path) as bench, bench.stream() as first, bench.stream() as second:
        async with paused(bench) as run:
            await feed(bench, ticks=ticks)
            await asyncio.sleep(0.5)
        for viewer in (first, second):
            await viewer.event("RunEnded")
        numbers = channels(first)
        counts = SampleReader(tmp_path / "runs" / run / SAMPLES).counts()
        for number in range(20):
            assert counts[str(numbers["adc", f"ch{number}"])] == 50 * ticks
        for viewer in (first, second):
            found = [
                one for one in summaries(viewer.samples) if one.channel == numbers["adc", "ch7"]
            ]
            assert sum(one.samples for one in found) == 50 * ticks
            assert all(7 <= one.least <= one.greatest <= 8 for one in found)
            # A frame a window, however many samples are in it.
            assert len(viewer.samples) <= 10 * (ticks * 0.05 + DEADLINE)
    assert verify(tmp_path / "runs" / run).faults == ()


async def test_a_viewer_that_stalls_loses_the_oldest_samples_and_no_record(tmp_path: Path) -> None:
    async with service(tmp_path, stalled=DEADLINE) as bench:
        address = f"{bench.url.replace('http', 'ws', 1)}/api/v1/stream?token={TOKEN}"
        async with paused(bench) as run, bench.stream(run=run) as good:
            # With a small queue the library stops reading when nobody asks for more.
            place = f"{address}&run={run}"
            async with connect(place, proxy=None, max_queue=1, max_size=None) as slow:
                await slow.recv()
                feeding = asyncio.create_task(feed(bench, ticks=40))
                for number in range(3000):
                    bench.engine.stream.emit(Noted(f"{number} {'x' * 4000}"))
                    if number % 100 == 0:
                        await asyncio.sleep(0.01)
                await feeding
                last = await good.until(
                    lambda frame: frame["data"].get("text", "").startswith("2999 ")
                )
                reading = asyncio.create_task(feed(bench, ticks=20))
                records: list[int] = []
                windows: list[int] = []
                async with asyncio.timeout(DEADLINE):
                    message: str | bytes = ""
                    while not (isinstance(message, bytes) and last["n"] in records):
                        message = await slow.recv()
                        if isinstance(message, bytes):
                            windows.append(struct.unpack_from("<I", message, 4)[0])
                        else:
                            records.append(json.loads(message)["n"])
                await reading
                bench.engine.stream.emit(Noted("that is all"))
                await good.until(lambda frame: frame["data"].get("text") == "that is all")
        assert records == list(range(1, records[-1] + 1))
        seen = [struct.unpack_from("<I", frame, 4)[0] for frame in good.samples]
        assert seen == sorted(set(seen))
        assert windows == sorted(set(windows))
        # The good viewer saw windows that the slow one lost before it got the newest.
        assert len([one for one in seen if one < windows[-1]]) > len(windows)


async def test_an_observer_gets_samples_of_its_own_dut_alone(tmp_path: Path) -> None:
    async with two_duts(tmp_path) as (bench, ours, theirs):
        _, token = bench.shares.make("Ourion", HOUR, dut=key(ours))
        us = Observer(bench, token)
        _, token = bench.shares.make("Rivalion", HOUR, dut=key(theirs))
        them = Observer(bench, token)
        async with us.watching(), them.watching():
            async with bench.stream() as operator:
                run = await bench.start("TC_003_CS", dut=ours.dut.identity)
                await operator.event("RunEnded")
                other = await bench.start("TC_003_CS", dut=theirs.dut.identity)
                await operator.event("RunStarted")
                while len(them.samples) < 3:
                    await operator.until(lambda _: True)
                await bench.post(f"/runs/{other}/abort")
                await bench.post(f"/runs/{other}/abort")
                await operator.event("RunEnded")
            begun = next(f for f in operator.frames if f["run"] == other)["mono"]
        assert us.samples
        assert max(one.end for one in summaries(us.samples)) < begun
        assert min(one.end for one in summaries(them.samples)) > begun
        for who, own, foreign in ((us, run, other), (them, other, run)):
            async with httpx.AsyncClient(base_url=bench.url, trust_env=False) as http:
                query: dict[str, str | int] = {"token": who.token, "channel": 1}
                answer = await http.get(f"/api/v1/runs/{own}/samples", params=query)
                assert answer.json()["samples"] > 0
                answer = await http.get(f"/api/v1/runs/{foreign}/samples", params=query)
                assert answer.status_code == 404
                assert answer.json() == {"detail": f"there is no run {foreign!r}"}


async def test_a_killed_run_leaves_samples_up_to_the_last_flush(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path, defects=["charging-reported-as-suspended"]) as lab:
        with_timing(lab.dut_file, triggered=60.0)
        async with running(*run_on(lab, out, "TC_003_CS")) as engine:
            await becomes_live(lab)
            power = await declared(out, "meter", "power")
            reader = SampleReader(out / SAMPLES)
            async with asyncio.timeout(DEADLINE):
                while True:
                    await asyncio.sleep(0.02)  # another process writes the file
                    if max(reader.samples(power, 0, 1e12)[1], default=0) > 1000:
                        break
            pilot = await declared(out, "pilot-box", "pilot-high")
            assert min(reader.samples(pilot, 0, 1e12)[1]) == pytest.approx(6, abs=0.6)
            engine.process.kill()
            assert (await engine.ended()).code == -signal.SIGKILL
    counts = reader.counts()
    assert not reader.complete
    assert events(out, FileAttached) == []
    assert {str(channel.channel) for channel in events(out, ChannelDeclared)} >= set(counts)
    assert main(["verify", str(out)]) == 1
    said = capsys.readouterr().out
    what = f"{sum(counts.values())} samples of {len(counts)} channels can be read"
    assert f"\nsamples  {SAMPLES}, not closed and without a hash in the journal: {what}" in said
    assert main(["report", str(out)]) == 0

    with (out / SAMPLES).open("ab") as file:
        file.write(b"\x06\xff\xff")  # as if the kill had come in the middle of a chunk
    assert main(["verify", str(out)]) == 1
    assert f"{what}, the last {reader.torn + 3} bytes are cut\n" in capsys.readouterr().out
    digest = hashlib.sha256((out / SAMPLES).read_bytes()).hexdigest()
    assert SampleReader(out / SAMPLES).counts() == counts
    assert hashlib.sha256((out / SAMPLES).read_bytes()).hexdigest() == digest


async def declared(out: Path, instrument: str, name: str) -> int:
    """Wait until another process has declared a channel; return its number."""
    async with asyncio.timeout(DEADLINE):
        while True:
            for channel in events(out, ChannelDeclared):
                if (channel.instrument, channel.name) == (instrument, name):
                    if (out / SAMPLES).exists():
                        return channel.channel
            await asyncio.sleep(0.02)  # another process writes the journal

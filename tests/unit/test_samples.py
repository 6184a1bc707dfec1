"""Samples: the file and its reader, the hub and its windows, what viewers get of them."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import math
import os
import random
import resource
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.reader import make_reader

from bench.events import ChannelDeclared, Event, FileAttached, FrameReceived, FrameSent, Noted
from bench.history import Points, SampleReader, thinned
from bench.journal import Record
from bench.response_times import OPEN, ResponseTimes
from bench.sample_file import SAMPLES, SCHEMA, Block, SampleFile, decode
from bench.samples import Entry, Samples, Window
from bench.server.sample_frames import DEPTH, LARGEST, Outbox, SampleFrame, encode
from drivers.sim.simulated_bench import run_virtually

PILOT = ChannelDeclared(1, "pilot-high", "V", "box", 1)
ENERGY = ChannelDeclared(2, "energy", "Wh", "meter", zero=12_345_678.9)
OFFSET = 1_795_000_000.123456


def sample_file(path: Path, chunks: Sequence[Sequence[Block]], *, close: bool = True) -> SampleFile:
    """Write a file of chunks."""
    file = SampleFile(path, run="run1", offset=OFFSET)
    for blocks in chunks:
        file.write(blocks)
    if close:
        file.close()
    return file


def chunks_of(seconds: int) -> list[list[Block]]:
    """Make a chunk a second with ten samples a channel, of which each value is its time."""
    found = []
    for second in range(100, 100 + seconds):
        times = [second + tenth / 10 for tenth in range(10)]
        found.append([Block(PILOT, times, times), Block(ENERGY, times, times)])
    return found


# The file


def test_what_is_written_is_read_by_the_library_and_by_the_reader(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES
    values = [9.0, -0.25, 1e-300]
    file = sample_file(
        path, [[Block(PILOT, [1.0, 1.1, 1.3], values)], [Block(ENERGY, [2.0], [12_345_679.0])]]
    )
    assert file.size == path.stat().st_size
    assert file.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.counts == {"1": 3, "2": 1}
    with path.open("rb") as opened:
        reader = make_reader(opened, validate_crcs=True)
        (schema, channel, message), (_, other, _) = reader.iter_messages()
        (metadata,) = reader.iter_metadata()
    assert schema is not None
    assert (schema.encoding, schema.data.decode()) == ("ros1msg", SCHEMA)
    assert (channel.topic, channel.message_encoding) == ("/box/pilot-high/1", "ros1")
    assert channel.metadata == {
        "channel": "1",
        "name": "pilot-high",
        "unit": "V",
        "instrument": "box",
        "connector": "1",
        "zero": "0.0",
    }
    assert other.topic == "/meter/energy"
    assert metadata.metadata == {"run": "run1", "offset": repr(OFFSET)}
    assert message.log_time == pytest.approx((1.3 + OFFSET) * 1e9, abs=1000)
    least, greatest, mean = struct.unpack_from("<ddd", message.data)
    assert (least, greatest, mean) == (-0.25, 9.0, pytest.approx(8.75 / 3))
    assert decode(message.data) == ((1.0, 1.1, 1.3), tuple(values))

    ours = SampleReader(path)
    assert [(block.channel, block.times, block.values) for block in ours.blocks()] == [
        (1, (1.0, 1.1, 1.3), tuple(values)),
        (2, (2.0,), (12_345_679.0,)),
    ]
    assert (ours.complete, ours.torn) == (True, 0)


@given(st.floats(99, 111), st.floats(0, 12))
def test_a_window_holds_the_samples_in_it(begin: float, length: float) -> None:
    times, values = READER.samples(2, begin, begin + length)
    every = [time for blocks in TEN for time in blocks[1].times]
    assert (
        list(times) == list(values) == [time for time in every if begin <= time <= begin + length]
    )


TEN = chunks_of(10)


@pytest.fixture(scope="module", autouse=True)
def _ten(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ten") / SAMPLES
    sample_file(path, TEN)
    READER.path = path


READER = SampleReader(Path())


def test_only_the_chunks_of_a_window_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES
    file = SampleFile(path, run="run1", offset=OFFSET)
    first, *rest = chunks_of(10)
    file.write(first)
    place = file.size
    for blocks in rest:
        file.write(blocks)
    file.close()
    data = bytearray(path.read_bytes())
    data[place - 30] ^= 0xFF
    path.write_bytes(data)
    assert len(SampleReader(path).samples(1, 108.0, 108.95)[0]) == 10
    with pytest.raises(ValueError, match=r"samples\.mcap: a chunk can't be read: "):
        SampleReader(path).samples(1, 100.0, 101.0)


def test_a_file_cut_anywhere_reads_up_to_its_last_whole_chunk(tmp_path: Path) -> None:
    path, cut = tmp_path / SAMPLES, tmp_path / "cut.mcap"
    file = SampleFile(path, run="run1", offset=OFFSET)
    ends = []
    for blocks in chunks_of(3):
        file.write(blocks)
        ends.append(file.size)
    file.close()
    data = path.read_bytes()
    for length in range(8, len(data)):
        cut.write_bytes(data[:length])
        reader = SampleReader(cut)
        whole = 10 * sum(end <= length for end in ends)
        assert reader.counts() == ({"1": whole, "2": whole} if whole else {}), length
        assert not reader.complete
        assert (reader.torn == 0) == (length in whole_records(data)), length
    cut.write_bytes(data)
    assert SampleReader(cut).counts() == {"1": 30, "2": 30}


def whole_records(data: bytes) -> set[int]:
    """Tell where records end."""
    ends, place = {8}, 8
    while place + 9 <= len(data):
        place += 9 + struct.unpack_from("<Q", data, place + 1)[0]
        ends.add(place)
    return ends


def test_what_is_no_file_of_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES
    path.write_bytes(b"{}")
    with pytest.raises(ValueError, match=r"samples\.mcap: not an MCAP file"):
        SampleReader(path).counts()
    with pytest.raises(ValueError, match="not a message of samples"):
        decode(b"x" * 30)


def test_an_old_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / SAMPLES).write_bytes(b"evidence")
    with pytest.raises(FileExistsError):
        sample_file(tmp_path / SAMPLES, chunks_of(1))
    assert (tmp_path / SAMPLES).read_bytes() == b"evidence"


# Thinning out

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@st.composite
def series(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    values = draw(st.lists(FINITE, max_size=300))
    steps = draw(st.lists(st.floats(0, 10), min_size=len(values), max_size=len(values)))
    times = [sum(steps[: at + 1]) for at in range(len(values))]
    return times, values


@given(series(), st.integers(2, 50))
def test_thinned_samples_keep_every_extreme_in_its_place(
    samples: tuple[list[float], list[float]], points: int
) -> None:
    times, values = samples
    found = thinned(times, values, points)
    assert len(found.time) == len(found.least) == len(found.greatest) <= points
    if len(times) <= points:
        assert found == Points(times, values, values)
        return
    assert all(one <= other for one, other in pairwise(found.time))
    assert set(found.time) <= set(times)
    assert (min(found.least), max(found.greatest)) == (min(values), max(values))
    assert found.time[0] == times[0]
    for time, value in zip(times, values, strict=True):
        # Samples of one time can fall to the point before.
        at = [i for i, begin in enumerate(found.time) if begin <= time][-1]
        near = range(max(0, at - 1), at + 1)
        assert any(found.least[i] <= value <= found.greatest[i] for i in near)


# The hub


def recorded(event: Event, n: int = 1, mono: float = 0.0) -> Record:
    return Record(n, datetime(2026, 11, 25, tzinfo=UTC), mono, event)


def hub() -> tuple[Samples, list[Event]]:
    events: list[Event] = []

    def emit(event: Event) -> Record:
        events.append(event)
        return recorded(event, len(events))

    return Samples(emit), events


def test_nothing_is_taken_while_no_run_goes_on() -> None:
    async def work() -> None:
        samples, events = hub()
        samples.add("power", "W", "meter", [1.0], [2.0])
        assert events == []

    run_virtually(work())


def test_channels_are_declared_once_before_their_windows(tmp_path: Path) -> None:
    windows: list[Window] = []

    async def work() -> list[Event]:
        samples, events = hub()
        loop = asyncio.get_running_loop()
        with samples.watched_by(windows.append):
            async with samples.recording(tmp_path):
                for value in (7.0, 9.0, 8.0):
                    samples.add("energy", "Wh", "meter", [loop.time()], [value], register=True)
                    samples.add("pilot-high", "V", "box", [loop.time()], [value], connector=2)
                await asyncio.sleep(5.0)
                samples.add("energy", "Wh", "meter", [loop.time()], [10.0], register=True)
        return events

    first, second, attached = run_virtually(work())
    assert first == ChannelDeclared(1, "energy", "Wh", "meter", None, 7.0)
    assert second == ChannelDeclared(2, "pilot-high", "V", "box", 2, 0.0)
    assert [window.number for window in windows] == [1, 2]
    assert windows[0].entries == (
        Entry(first, 3, 7.0, 9.0, 8.0, 8.0),
        Entry(second, 3, 7.0, 9.0, 8.0, 8.0),
    )
    assert windows[1].entries == (Entry(first, 1, 10.0, 10.0, 10.0, 10.0),)
    path = tmp_path / SAMPLES
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert attached == FileAttached(SAMPLES, path.stat().st_size, digest, {"1": 4, "2": 3})
    assert SampleReader(path).counts() == {"1": 4, "2": 3}


def test_a_run_without_samples_has_no_file(tmp_path: Path) -> None:
    async def work() -> list[Event]:
        samples, events = hub()
        async with samples.recording(tmp_path):
            await asyncio.sleep(60.0)
        return events

    assert run_virtually(work()) == []
    assert list(tmp_path.iterdir()) == []


def test_samples_reach_the_file_within_half_a_second(tmp_path: Path) -> None:
    async def work() -> None:
        samples, _ = hub()
        loop = asyncio.get_running_loop()
        async with samples.recording(tmp_path):
            begin = loop.time()
            while loop.time() < begin + 10:
                samples.add("power", "W", "meter", [loop.time()], [1.0])
                await asyncio.sleep(0.01)
                if loop.time() > begin + 0.5:
                    newest = SampleReader(tmp_path / SAMPLES).newest()
                    assert newest is not None
                    assert loop.time() - newest <= 0.5 + 0.001

    run_virtually(work())


def test_a_viewer_that_fails_is_dropped_and_the_others_go_on(tmp_path: Path) -> None:
    windows: list[Window] = []

    def fails(window: Window) -> None:
        raise ZeroDivisionError

    async def work() -> None:
        samples, _ = hub()
        with samples.watched_by(fails), samples.watched_by(windows.append):
            async with samples.recording(tmp_path):
                for _ in range(3):
                    samples.add("power", "W", "meter", [0.0], [1.0])
                    await asyncio.sleep(1.0)

    run_virtually(work())
    assert len(windows) == 3


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes; like a full disk in all else."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_ends_the_file_with_one_note(tmp_path: Path) -> None:
    windows: list[Window] = []
    noise = random.Random(1)

    async def work() -> list[Event]:
        samples, events = hub()
        with samples.watched_by(windows.append), largest_file(200_000):
            async with samples.recording(tmp_path):
                for tick in range(100):
                    times = [tick / 10 + at / 10_000 for at in range(1000)]
                    values = [noise.random() for _ in times]
                    samples.add("noise", "V", "adc", times, values)
                    await asyncio.sleep(0.1)
        return events

    declared, note, attached = run_virtually(work())
    assert isinstance(declared, ChannelDeclared)
    full = os.strerror(errno.EFBIG)
    assert note == Noted(f"{SAMPLES}: {full}: no more samples of this run are recorded")
    assert isinstance(attached, FileAttached)
    data = (tmp_path / SAMPLES).read_bytes()
    assert (attached.size, attached.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    reader = SampleReader(tmp_path / SAMPLES)
    assert reader.counts() == attached.samples
    assert 0 < attached.samples["1"] < 100_000
    assert (reader.torn, reader.complete) == (0, False)
    assert sum(entry.samples for window in windows for entry in window.entries) == 100_000


def test_a_disk_that_takes_nothing_leaves_no_file(tmp_path: Path) -> None:
    with largest_file(10), pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        sample_file(tmp_path / SAMPLES, chunks_of(1))
    assert list(tmp_path.iterdir()) == []


# What viewers get


def test_a_frame_is_laid_out_as_documented() -> None:
    window = Window(
        7,
        12.5,
        12.6,
        (Entry(PILOT, 10, 5.5, 12.0, 9.0, 6.0), Entry(ENERGY, 1, *[12_345_679.4] * 4)),
    )
    frame = encode(window)
    assert len(frame) == 24 + 2 * 24
    assert struct.unpack_from("<HHIdd", frame) == (1, 2, 7, 12.5, 12.6)
    assert struct.unpack_from("<IIffff", frame, 24) == (1, 10, 5.5, 12.0, 9.0, 6.0)
    channel, samples, *values = struct.unpack_from("<IIffff", frame, 48)
    assert (channel, samples) == (2, 1)
    assert values == pytest.approx([0.5] * 4)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_value_finds_room_in_a_frame(value: float) -> None:
    frame = encode(Window(1, 0.0, 0.1, (Entry(PILOT, 1, value, value, value, value),)))
    found = struct.unpack_from("<f", frame, 24 + 8)[0]
    assert math.isfinite(found)
    assert found == pytest.approx(max(-LARGEST, min(LARGEST, value)), rel=1e-6, abs=1e-44)


async def test_the_newest_frames_win_in_an_outbox() -> None:
    outbox = Outbox()
    frames = [SampleFrame("r", 1, bytes([number])) for number in range(10)]
    for frame in frames:
        outbox.put(frame)
    assert [await outbox.get() for _ in range(DEPTH)] == frames[-DEPTH:]
    waiting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.put(frames[0])
    assert await waiting == frames[0]


def test_response_times_are_those_of_our_calls_alone() -> None:
    taken: list[tuple[float, float]] = []

    class Hub(Samples):
        def add(
            self,
            name: str,
            unit: str,
            instrument: str,
            times: Sequence[float],
            values: Sequence[float],
            **_: object,
        ) -> None:
            assert (name, unit, instrument) == ("response-time", "s", "OCPP")
            taken.append((times[0], round(values[0], 6)))

    def frame(mono: float, event: Event) -> Record:
        return recorded(event, mono=mono)

    times = ResponseTimes(Hub(recorded))
    times(frame(1.0, FrameSent(1, '[2,"a","Reset",{}]')))
    times(frame(1.5, FrameReceived(1, '[2,"a","Heartbeat",{}]')))
    times(frame(1.6, FrameSent(1, '[3,"a",{}]')))
    times(frame(2.0, FrameReceived(1, ' [ 3, "a", {}]')))
    times(frame(2.5, FrameReceived(1, '[3,"a",{}]')))
    times(frame(3.0, FrameReceived(1, None, "AA==")))
    for number in range(2 * OPEN):
        times(frame(4.0, FrameSent(1, f'[2,"{number}","Reset",{{}}]')))
    times(frame(5.0, FrameReceived(1, '[4,"1","InternalError","",{}]')))
    times(frame(5.0, FrameReceived(1, f'[4,"{2 * OPEN - 1}","InternalError","",{{}}]')))
    assert taken == [(2.0, 1.0), (5.0, 1.0)]

"""Read a file of samples, whole or cut, finished or still growing; and thin out what is too much.

What a channel did in a window of time is found by the times that stand before each chunk, so only
the chunks of the window are unpacked.
"""

from __future__ import annotations

import math
import os
import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Chunk, Message, Metadata
from mcap.stream_reader import breakup_chunk
from zstandard import ZstdError

from bench.sample_file import METADATA, decode

REACH = 5.0
"""Seconds by which a block's first sample can be older than its last, which the file sorts by."""
EXACT = 1e-6
"""Seconds by which a time in UTC is off, being a large number."""
_MAGIC = b"\x89MCAP0\r\n"
_RECORD = struct.Struct("<BQ")
_TIMES = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Points:
    """Samples, or what they were between: times in s of the monotonic clock."""

    time: list[float]
    least: list[float]
    greatest: list[float]


@dataclass(frozen=True, slots=True)
class Read:
    """A block as it was read."""

    channel: int
    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(slots=True)
class SampleReader:
    """Reads the blocks of a file; raises `OSError`, or ValueError when it is no file of samples."""

    path: Path
    torn: int = 0
    """Bytes at the end that belong to no whole record, after `blocks` was read to its end."""
    complete: bool = False
    """Whether the file was closed properly, likewise."""

    def blocks(
        self, channel: int | None = None, begin: float = -math.inf, end: float = math.inf
    ) -> Iterator[Read]:
        """Yield the blocks, of one channel or of all, that can have samples in that time."""
        with self.path.open("rb") as file:
            for length, first, last in self._chunks(file):
                if last >= begin and first <= end + REACH:
                    yield from self._unpacked(file, length, channel)

    def during(self, windows: Sequence[tuple[float, float]]) -> Iterator[tuple[int, Read]]:
        """Yield the blocks of all channels that can have samples in windows of time, in one pass.

        Each comes with the number of its window, from 0; once for each that it belongs to.
        """
        with self.path.open("rb") as file:
            for length, first, last in self._chunks(file):
                wanted = [
                    number
                    for number, (begin, end) in enumerate(windows)
                    if last >= begin and first <= end + REACH
                ]
                for block in self._unpacked(file, length, None) if wanted else ():
                    yield from ((number, block) for number in wanted)

    def newest(self) -> float | None:
        """Tell the time of the newest sample, None when there is none."""
        with self.path.open("rb") as file:
            return max((last for _, _, last in self._chunks(file)), default=None)

    def samples(self, channel: int, begin: float, end: float) -> tuple[array[float], array[float]]:
        """Return times and values of a channel from `begin` to `end`, both included."""
        times, values = array("d"), array("d")
        for block in self.blocks(channel, begin, end):
            start, stop = bisect_left(block.times, begin), bisect_right(block.times, end)
            times.extend(block.times[start:stop])
            values.extend(block.values[start:stop])
        return times, values

    def counts(self) -> dict[str, int]:
        """Count the samples of each channel."""
        found: dict[str, int] = {}
        for block in self.blocks():
            number = str(block.channel)
            found[number] = found.get(number, 0) + len(block.times)
        return found

    def _chunks(self, file: BinaryIO) -> Iterator[tuple[int, float, float]]:
        """Yield the length of each chunk and the times of its blocks, the file at its body."""
        offset: float | None = None
        for opcode, length in self._records(file):
            if opcode == Opcode.METADATA:
                metadata = Metadata.read(_stream(file, length))
                if metadata.name == METADATA:
                    offset = float(metadata.metadata["offset"])
            elif opcode == Opcode.CHUNK:
                if offset is None:
                    raise ValueError(f"{self.path.name}: it does not say by which clock")
                place = file.tell()
                first, last = _TIMES.unpack(file.read(_TIMES.size))
                file.seek(place)
                yield length, first / 1e9 - offset - EXACT, last / 1e9 - offset + EXACT

    def _records(self, file: BinaryIO) -> Iterator[tuple[int, int]]:
        """Yield opcode and length of each whole record, the file at its body."""
        size = os.fstat(file.fileno()).st_size
        self.complete = False
        magic = file.read(len(_MAGIC))
        if magic != _MAGIC:
            if not _MAGIC.startswith(magic):
                raise ValueError(f"{self.path.name}: not an MCAP file")
            self.torn = size  # it was only just begun
            return
        place = len(_MAGIC)
        while True:
            file.seek(place)
            head = file.read(_RECORD.size)
            if len(head) < _RECORD.size:
                break
            opcode, length = _RECORD.unpack(head)
            if place + _RECORD.size + length > size:
                break
            yield opcode, length
            place += _RECORD.size + length
            if opcode == Opcode.FOOTER:
                file.seek(place)
                self.complete = file.read() == _MAGIC
                place += len(_MAGIC) if self.complete else 0
                break
        self.torn = size - place

    def _unpacked(self, file: BinaryIO, length: int, channel: int | None) -> Iterator[Read]:
        try:
            records = breakup_chunk(Chunk.read(_stream(file, length)), validate_crc=True)
        except (McapError, ZstdError, ValueError, struct.error) as error:
            raise ValueError(f"{self.path.name}: a chunk can't be read: {error}") from error
        for record in records:
            if isinstance(record, Message) and channel in (None, record.channel_id):
                yield Read(record.channel_id, *decode(record.data))


def thinned(times: Sequence[float], values: Sequence[float], points: int) -> Points:
    """Reduce samples to at most so many points, each the least and greatest of a part of the time.

    The times are in order; a point has the time of its part's first sample.
    """
    if len(times) <= points:
        return Points(list(times), list(values), list(values))
    found = Points([], [], [])
    width = (times[-1] - times[0]) / points
    start = 0
    for part in range(1, points + 1):
        last = part == points
        stop = len(times) if last else bisect_left(times, times[0] + part * width, start)
        if stop > start:
            found.time.append(times[start])
            found.least.append(min(values[start:stop]))
            found.greatest.append(max(values[start:stop]))
        start = stop
    return found


def _stream(file: BinaryIO, length: int) -> ReadDataStream:
    return ReadDataStream(BytesIO(file.read(length)))

"""The file of samples beside the journal: MCAP, a message a block of one channel's samples.

Messages are flat binary, little endian, as the schema `ros1msg` in the file describes them: least,
greatest and mean value, then times (s of the engine's monotonic clock) and values, each array with
its length as uint32. A message's time in MCAP is that of its last sample, in UTC. Each `write` is
one chunk, handed to the system as a whole: what comes after a crash reads all but the last.
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from mcap.writer import CompressionType, IndexType, Writer

from bench import __version__
from bench.events import ChannelDeclared, to_data

SAMPLES = "samples.mcap"
"""The file's name in the run's folder."""
SCHEMA_NAME = "pilotbench/Samples"
SCHEMA = "float64 min\nfloat64 max\nfloat64 mean\nfloat64[] time\nfloat64[] value\n"
METADATA = "pilotbench"
"""Name of the metadata that say which run it is, and `offset`: UTC less the monotonic clock, s."""
_END_CHUNK = "_Writer__finalize_chunk"
"""The library ends a chunk by its size alone; the time counts here."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some samples of one channel, in order; times in s of the monotonic clock."""

    channel: ChannelDeclared
    times: Sequence[float]
    values: Sequence[float]


class SampleFile:
    """Writes the samples of a run; the file is there from the first block on."""

    def __init__(self, path: Path, *, run: str, offset: float) -> None:
        """`offset` is UTC in s since 1970 less the monotonic clock."""
        self.path = path
        self.size = 0
        """Bytes that the system has taken, up to the end of the last whole chunk."""
        self.counts: dict[str, int] = {}
        """How many samples are in them, by channel."""
        self._run = run
        self._offset = offset
        self._file = -1
        self._buffer = _Buffer()
        self._schema = 0
        self._declared: set[int] = set()
        self._hash = hashlib.sha256()
        self._writer = Writer(
            cast(IO[bytes], self._buffer),
            chunk_size=1 << 31,
            compression=CompressionType.ZSTD,
            index_types=IndexType.CHUNK | IndexType.METADATA,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of what the system has taken."""
        return self._hash.hexdigest()

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks as one chunk.

        Raises `OSError`; the file then ends where it did before, and takes no more.
        """
        with self._whole_or_not():
            if self._file < 0:
                self._open()
            for block in blocks:
                self._declare(block.channel)
                stamp = round((block.times[-1] + self._offset) * 1e9)
                self._writer.add_message(block.channel.channel, stamp, encode(block), stamp)
            getattr(self._writer, _END_CHUNK)()
            self._commit()
        for block in blocks:
            name = str(block.channel.channel)
            self.counts[name] = self.counts.get(name, 0) + len(block.values)

    def close(self) -> None:
        """Write index and end of the file, and close it; raises `OSError` likewise."""
        if self._file < 0:
            return
        with self._whole_or_not():
            self._writer.finish()  # type: ignore[no-untyped-call]
            self._commit()
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1

    @contextmanager
    def _whole_or_not(self) -> Iterator[None]:
        """Take back what was half written, and close the file, when that fails."""
        try:
            yield
        except Exception:
            if self._file >= 0:
                os.ftruncate(self._file, self.size)
                os.close(self._file)
                self._file = -1
                if not self.size:
                    self.path.unlink()
            raise

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(self.path, flags, 0o644)
        self._writer.start("", f"Pilotbench {__version__}")
        self._writer.add_metadata(METADATA, {"run": self._run, "offset": repr(self._offset)})
        self._schema = self._writer.register_schema(SCHEMA_NAME, "ros1msg", SCHEMA.encode())

    def _declare(self, channel: ChannelDeclared) -> None:
        if channel.channel in self._declared:
            return
        about = {key: str(value) for key, value in to_data(channel).items() if value is not None}
        connector = "" if channel.connector is None else f"/{channel.connector}"
        topic = f"/{channel.instrument}/{channel.name}{connector}"
        number = self._writer.register_channel(topic, "ros1", self._schema, about)
        if number != channel.channel:
            raise ValueError(f"channel {channel.channel} is the file's number {number}")
        self._declared.add(number)

    def _commit(self) -> None:
        """Hand what is buffered to the system."""
        data, done = self._buffer.take(), 0
        # A full disk takes a part first; only the next try says why it takes no more.
        while done < len(data):
            done += os.write(self._file, data[done:])
        self.size += len(data)
        self._hash.update(data)


class _Buffer:
    """What the library takes for the file: keeps what it writes until that is whole."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._taken = 0

    def write(self, data: bytes) -> int:
        """Keep some bytes."""
        self._data += data
        return len(data)

    def tell(self) -> int:
        """Tell the place of the next byte in the file."""
        return self._taken + len(self._data)

    def take(self) -> bytes:
        """Hand over what was written since the last time."""
        data, self._data = bytes(self._data), bytearray()
        self._taken += len(data)
        return data


def encode(block: Block) -> bytes:
    """Write a block as a message."""
    values, count = block.values, len(block.values)
    mean = math.fsum(values) / count
    form = f"<dddI{count}dI{count}d"
    return struct.pack(form, min(values), max(values), mean, count, *block.times, count, *values)


def decode(data: bytes) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Read the times and values of a message; raises ValueError."""
    try:
        _, _, _, count = struct.unpack_from("<dddI", data)
        parts = struct.unpack(f"<dddI{count}dI{count}d", data)
    except struct.error as error:
        raise ValueError(f"not a message of samples: {error}") from error
    return parts[4 : 4 + count], parts[5 + count :]

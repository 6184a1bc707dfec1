"""The journal: the file of records, append-only JSON Lines, hash-chained.

A line is `{"n":…,"utc":…,"mono":…,"event":…,"data":{…},"prev":…,"hash":…}`. `hash` is SHA-256 over
the bytes of the line before `,"hash"`; `prev` is the hash of the line before, zeros for the first.
Every line is handed to the system before `append` returns, so a killed process loses none.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import orjson

from bench.clock import Stamp, from_iso, iso
from bench.errors import JournalError
from bench.events import Event, from_data, to_data
from bench.migration import Migration

T = TypeVar("T")

JOURNAL = "journal.jsonl"
"""A journal's name in the run's folder."""
FIRST = "0" * 64
_CHAIN = len(f',"prev":"{FIRST}","hash":"{FIRST}"}}\n')
"""Length of the end of a line that holds its place in the chain."""


@dataclass(frozen=True, slots=True)
class Record:
    """One event with its number and time."""

    n: int
    utc: datetime
    mono: float
    """Seconds on the engine's monotonic clock."""
    event: Event


class JournalWriter:
    """Append records to a journal file: a new one, or one whose end was read."""

    def __init__(self, path: Path, after: End | None = None) -> None:
        """Create the file; or go on `after` its last sound line, cutting off what stands behind.

        Raises `JournalError`.
        """
        self.path = path
        self._size, self.head = (0, FIRST) if after is None else (after.size, after.head)
        new = os.O_CREAT | os.O_EXCL if after is None else 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | new, 0o644)
            if after is not None:
                os.ftruncate(self._file, self._size)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror}") from error
        with suppress(OSError):  # not every file system can
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def append(self, record: Record, *, durable: bool = False) -> None:
        """Write a record; `durable` waits until it is on the disk.

        Raises `JournalError` when the disk refuses; what was half written is taken back.
        """
        self.write(as_json(record), durable=durable)

    def write(self, document: bytes, *, durable: bool = False) -> None:
        """Write a JSON object as the next line, likewise."""
        line, head = seal(document, self.head)
        try:
            self._write(line)
            self._size, self.head = self._size + len(line), head
            if durable:
                os.fdatasync(self._file)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error

    def _write(self, line: bytes) -> None:
        done = 0
        try:
            # A full disk takes a part first; only the next try says why it takes no more.
            while done < len(line):
                done += os.write(self._file, line[done:])
        except OSError:
            os.ftruncate(self._file, self._size)
            raise

    def close(self) -> None:
        """Bring everything to the disk and close the file; raises `JournalError`."""
        if self._file >= 0:
            try:
                os.fsync(self._file)
            except OSError as error:
                raise JournalError(f"{self.path}: {error.strerror}") from error
            finally:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def is_being_written(path: Path) -> bool:
    """Tell whether a program holds a journal open to write, be it one that does nothing."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def encode(record: Record, previous: str) -> tuple[bytes, str]:
    """Write a record as its line; return the line and its hash."""
    return seal(as_json(record), previous)


def seal(document: bytes, previous: str) -> tuple[bytes, str]:
    """Chain a JSON object to the line before it; return its line and its hash."""
    body = document[:-1] + b',"prev":"' + previous.encode() + b'"'
    digest = hashlib.sha256(body).hexdigest()
    return body + b',"hash":"' + digest.encode() + b'"}\n', digest


def as_json(record: Record) -> bytes:
    """Write a record as a JSON object, without its place in the chain."""
    document = {
        "n": record.n,
        "utc": iso(record.utc),
        "mono": round(record.mono, 6),
        "event": type(record.event).__name__,
        "data": to_data(record.event),
    }
    return to_json(document)


def to_json(document: Any) -> bytes:
    """Write JSON, whatever a DUT's messages bring."""
    try:
        return orjson.dumps(document, default=str)
    except TypeError:
        return orjson.dumps(_writable(document), default=str)


def without_chain(line: bytes) -> bytes:
    """Return a whole line of a journal as `as_json` wrote the record."""
    return line[:-_CHAIN] + b"}"


def _writable(value: Any) -> Any:
    """Replace what JSON can't hold; a DUT's message may bring a lone surrogate or a huge number."""
    match value:
        case dict():
            return {_writable(str(key)): _writable(part) for key, part in value.items()}
        case list() | tuple():
            return [_writable(part) for part in value]
        case str():
            return value.encode(errors="replace").decode()
        case int() if not -(2**63) <= value < 2**64:
            return str(value)
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Fault:
    """Where and why a journal is not sound."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class End:
    """Where the sound part of a chained file ends."""

    size: int
    """Bytes."""
    head: str
    """Hash of its last line."""


class Unsound(ValueError):
    """A line of a chained file is not sound."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class JournalReader:
    """Read a journal's records up to the first line that is not sound; then say why it stops."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault: Fault | None = None
        """Set after iteration when the file did not end with a whole, chained record."""
        self.head = FIRST

    def __iter__(self) -> Iterator[Record]:
        """Yield the records; raises `JournalError` for no file, or one of a newer version."""
        self.fault, self.head = None, FIRST
        migrated = Migration()
        try:
            for record, end in chained(self.path, lambda parts: record_of(migrated(parts))):
                self.head = end.head
                yield record
        except Unsound as error:
            self.fault = error.fault


def chained(path: Path, read: Callable[[Any], T]) -> Iterator[tuple[T, End]]:
    """Yield what a chained file holds, each line as it is `read`, and where it ends.

    Raises `Unsound` at the first line that is not, `JournalError` when there is no file.
    """
    number, end = 0, End(0, FIRST)
    try:
        file = path.open("rb")
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    with file:
        for index, line in enumerate(file, start=1):
            try:
                parts, digest = unseal(line, end.head)
                one = read(parts)
                if parts["n"] != number + 1:
                    after = f"follows record {number}" if number else "comes first"
                    raise ValueError(f"record {parts['n']} {after}")
            except JournalError as error:
                raise JournalError(f"{path}: {error}") from error
            except (KeyError, TypeError) as error:
                raise Unsound(Fault(index, f"not a record of a journal: {error}")) from error
            except ValueError as error:
                raise Unsound(Fault(index, str(error))) from error
            number = parts["n"]
            end = End(end.size + len(line), digest)
            yield one, end


def decode(line: bytes, previous: str) -> tuple[Record, str]:
    """Read one line and check its place in the chain; raises ValueError saying what is wrong."""
    parts, digest = unseal(line, previous)
    try:
        return record_of(parts), digest
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a record of a journal: {error}") from error


def unseal(line: bytes, previous: str) -> tuple[Any, str]:
    """Return a line's JSON object and its hash; likewise."""
    body, mark, tail = line.rpartition(b',"hash":"')
    if not line.endswith(b'"}\n') or not mark or len(tail) != 64 + 3:
        raise ValueError("not a whole record (the file was cut here or the line was changed)")
    digest = hashlib.sha256(body).hexdigest()
    if tail[:64] != digest.encode():
        raise ValueError("the record was changed: its hash does not fit")
    try:
        parts = orjson.loads(body + b"}")
        if parts["prev"] != previous:
            raise ValueError("a record before this one was removed, inserted or changed")
    except (KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise ValueError(f"not a record of a journal: {error}") from error
    return parts, digest


def record_of(parts: Any) -> Record:
    """Read a run's record from a line's JSON object; raises ValueError, KeyError or TypeError."""
    event = from_data(parts["event"], parts["data"])
    return Record(parts["n"], from_iso(parts["utc"]), parts["mono"], event)


def stamp_of(record: Record) -> Stamp:
    """Return when a record's event happened."""
    return Stamp(record.mono, record.utc)

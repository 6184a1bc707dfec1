"""The runs in a folder of runs: those of this engine, of earlier ones, and of `pilotbench run`."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from bench.errors import BenchError, JournalError
from bench.events import RunEnded, RunStarted, from_data
from bench.journal import JOURNAL
from bench.migration import Migration

log = logging.getLogger(__name__)

_END = 65_536
"""Bytes at a journal's end in which its last record is looked for."""


class NoSuchRun(BenchError):
    """The folder holds no such run."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in short, from the first and the last record of its journal."""

    folder: Path
    begun: str
    """UTC moment of its first record."""
    started: RunStarted
    ended_at: str | None
    ended: RunEnded | None

    @property
    def run(self) -> str:
        """The run's id, which is its folder's name."""
        return self.folder.name


@dataclass
class Archive:
    """Reads the runs of a folder; a folder in it that is no run is skipped with a warning."""

    root: Path
    only: str | None = None
    """The single run that counts, when the others are not this engine's business."""
    _known: dict[Path, tuple[tuple[int, int], Summary]] = field(default_factory=dict)
    _warned: dict[Path, str] = field(default_factory=dict)

    def runs(self) -> list[Summary]:
        """List the runs, oldest first."""
        found = [summary for folder in self._folders() if (summary := self._look(folder))]
        return sorted(found, key=lambda one: (one.begun, one.run))

    def get(self, run: str) -> Summary:
        """Return one run; raises `NoSuchRun`."""
        if re.fullmatch(r"[^/\\\0]+", run) and run not in (".", "..") and self.only in (None, run):
            summary = self._look(self.root / run)
            if summary is not None:
                return summary
        raise NoSuchRun(f"there is no run {run!r}")

    def _folders(self) -> Iterator[Path]:
        if self.only is not None:
            yield self.root / self.only
            return
        try:
            yield from [path for path in self.root.iterdir() if path.is_dir()]
        except FileNotFoundError:
            return
        except OSError as error:
            raise BenchError(f"{self.root}: {error.strerror}") from error

    def _look(self, folder: Path) -> Summary | None:
        path = folder / JOURNAL
        try:
            if not path.is_file():
                return None
            status = path.stat()
            mark = status.st_mtime_ns, status.st_size
            known = self._known.get(folder)
            if known is None or known[0] != mark:
                known = self._known[folder] = mark, summarise(folder)
        except (OSError, ValueError, JournalError) as error:
            self._known.pop(folder, None)
            self._warn(path, str(error))
            return None
        return known[1]

    def _warn(self, path: Path, text: str) -> None:
        if self._warned.get(path) != text:
            self._warned[path] = text
            log.warning("%s: no run is listed of this journal: %s", path, text)


def summarise(folder: Path) -> Summary:
    """Read a run's first and last record.

    Raises ValueError when the first is no RunStarted, `JournalError` for a newer version's.
    """
    with (folder / JOURNAL).open("rb") as file:
        begun, started = _read(file.readline())
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _END))
        lines = file.read().splitlines(keepends=True)
    if not isinstance(started, RunStarted):
        raise ValueError("its first record is no RunStarted")  # noqa: TRY004 - a wrong file
    ended_at, ended = None, None
    try:
        at, last = _read(lines[-1])
        if isinstance(last, RunEnded):
            ended_at, ended = at, last
    except ValueError:
        pass  # a run that goes on, or was killed
    return Summary(folder, begun, started, ended_at, ended)


def _read(line: bytes) -> tuple[str, Any]:
    if not line.endswith(b"\n"):
        raise ValueError("a record was cut")
    try:
        parts = orjson.loads(line)
        parts = Migration()(parts)
        return parts["utc"], from_data(parts["event"], parts["data"])
    except (KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise ValueError(f"not a record of a journal: {error}") from error


def new_folder(root: Path, model: str, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """Name the folder of a new run after the moment and the DUT's model."""
    name = "".join(c if c.isalnum() else "-" for c in model.lower())
    folder = first = root / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
    number = 1
    while taken(folder):
        number += 1
        folder = first.with_name(f"{first.name}-{number}")
    return folder


def dut_key(dut: Mapping[str, Any]) -> tuple[str, str, str]:
    """Tell one DUT from another: vendor, model, and identity of the sample."""
    return dut["vendor"], dut["model"], dut.get("identity", "")

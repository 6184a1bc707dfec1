"""The runs in a folder of runs: those of this engine, of earlier ones, and of `pilotbench run`."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from bench.errors import BenchError, JournalError
from bench.index import Index, Mark
from bench.journal import JOURNAL
from bench.summary import CaseSummary, Gathered, Summary, gather

log = logging.getLogger(__name__)

FEW = 20
"""Runs that are read as fast as an index of them; a folder with fewer is not given one."""


class NoSuchRun(BenchError):
    """The folder holds no such run."""


@dataclass
class Archive:
    """Reads the runs of a folder; a folder in it that is no run is skipped with a warning."""

    root: Path
    only: str | None = None
    """The single run that counts, when the others are not this engine's business."""
    _known: dict[str, tuple[Mark, Gathered]] | None = None
    """By folder; None before the index was read."""
    _saved: dict[str, Mark] = field(default_factory=dict)
    """What the index has."""
    _warned: dict[Path, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def runs(self) -> list[Summary]:
        """List the runs, oldest first."""
        with self._lock:
            found = self._refreshed()
        return sorted(found, key=lambda one: (one.begun, one.run))

    def get(self, run: str) -> Summary:
        """Return one run; raises `NoSuchRun`."""
        if re.fullmatch(r"[^/\\\0]+", run) and run not in (".", "..") and self.only in (None, run):
            with self._lock:
                gathered = self._look(self.root / run)
            if gathered is not None:
                return gathered.summary
        raise NoSuchRun(f"there is no run {run!r}")

    def cases(self, run: str) -> tuple[CaseSummary, ...]:
        """Tell what became of the cases of a run, in the order in which they ran.

        Raises `NoSuchRun`.
        """
        self.get(run)
        with self._lock:
            known = self._loaded()
            mark, gathered = known[run]
            known[run] = mark, self._whole(run, gathered)
            return known[run][1].cases or ()

    def _refreshed(self) -> list[Summary]:
        """Look at every folder, and bring the index to what the journals say."""
        known = self._loaded()
        before = dict(known)
        found = {folder.name for folder in self._folders() if self._look(folder) is not None}
        for name in known.keys() - found:
            del known[name]
        self._save(before)
        return [gathered.summary for _, gathered in known.values()]

    def _save(self, before: Mapping[str, tuple[Mark, Gathered]]) -> None:
        """Write what the index does not have yet; a run that goes on when it does not any more."""
        known = self._loaded()
        if self.only is not None or len(known) < FEW:
            return
        index = Index(self.root)
        if not index.path.exists():
            self._saved.clear()
        changed = {
            name: (mark, self._whole(name, gathered))
            for name, (mark, gathered) in known.items()
            if self._saved.get(name) != mark
            and (gathered.summary.ended is not None or before.get(name) == (mark, gathered))
        }
        gone = self._saved.keys() - known.keys()
        if (changed or gone) and index.save(changed, gone):
            self._saved |= {name: mark for name, (mark, _) in changed.items()}
            for name in gone:
                del self._saved[name]

    def _loaded(self) -> dict[str, tuple[Mark, Gathered]]:
        if self._known is None:
            self._known = {} if self.only is not None else Index(self.root).load()
            self._saved = {name: mark for name, (mark, _) in self._known.items()}
        return self._known

    def _folders(self) -> Iterator[Path]:
        if self.only is not None:
            yield self.root / self.only
            return
        try:
            with os.scandir(self.root) as entries:
                yield from [self.root / entry.name for entry in entries if entry.is_dir()]
        except FileNotFoundError:
            return
        except OSError as error:
            raise BenchError(f"{self.root}: {error.strerror}") from error

    def _look(self, folder: Path) -> Gathered | None:
        """Gather a run anew when its journal is not what it was; None when it is no run."""
        known, path = self._loaded(), folder / JOURNAL
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            mark = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
            if folder.name not in known or known[folder.name][0] != mark:
                before = known[folder.name][1] if folder.name in known else None
                if before is not None:
                    before = self._whole(folder.name, before)
                known[folder.name] = mark, gather(folder, before)
        except (FileNotFoundError, NotADirectoryError):
            known.pop(folder.name, None)
            return None
        except (OSError, ValueError, JournalError) as error:
            known.pop(folder.name, None)
            self._warn(path, str(error))
            return None
        return known[folder.name][1]

    def _whole(self, run: str, gathered: Gathered) -> Gathered:
        """Return what was gathered with its cases."""
        if gathered.cases is not None:
            return gathered
        cases = Index(self.root).cases(run)
        return gather(self.root / run) if cases is None else replace(gathered, cases=cases)

    def _warn(self, path: Path, text: str) -> None:
        if self._warned.get(path) != text:
            self._warned[path] = text
            log.warning("%s: no run is listed of this journal: %s", path, text)


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

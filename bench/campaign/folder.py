"""A campaign's folder: one chained file of what happened, and beside it all that it speaks of.

`campaign.jsonl` is written as the journal of a run is; `inputs/`, `runs/` and `files/` hold what
its records name. Whoever adds a record holds the lock, has read all before, and leaves the record
on the disk: a program that dies leaves a whole campaign, and perhaps half a line at its end.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.campaign.events import KINDS, SCHEMA, CampaignEvent, TailCut
from bench.campaign.view import CampaignRecord, CampaignView
from bench.clock import from_iso, iso
from bench.errors import BenchError, ConfigError, JournalError
from bench.events import one_of, to_data
from bench.journal import FIRST, End, JournalWriter, Unsound, chained, to_json
from bench.masks import Masks

RECORD = "campaign.jsonl"
RUNS = "runs"
FILES = "files"
INPUTS = "inputs"
LOCK = ".lock"
WAITING = 30.0
"""Seconds that a program waits for another one which adds to the campaign."""


class Campaign:
    """A campaign that this program may add to, and nobody else as long as it does."""

    def __init__(
        self, folder: Path, view: CampaignView, writer: JournalWriter, clock: Callable[[], datetime]
    ) -> None:
        self.folder = folder
        self.view = view
        self.masks = Masks()
        self._writer = writer
        self._clock = clock

    @property
    def next(self) -> int:
        """Number of the record that comes next."""
        return len(self.view.records) + 1

    def add(self, event: CampaignEvent) -> None:
        """Record an event; when this returns, it is on the disk. Raises `JournalError`."""
        masked = self.masks.apply(event)
        record = CampaignRecord(self.next, self._clock(), masked)
        document = {
            "n": record.n,
            "utc": iso(record.utc),
            "event": type(masked).__name__,
            "data": to_data(masked),
        }
        self._writer.write(to_json(document), durable=True)
        self.view.apply(record)
        self.view.head = self._writer.head


def _now() -> datetime:
    return datetime.now(UTC)


def read(folder: Path) -> CampaignView:
    """Read a campaign, whoever adds to it meanwhile.

    Raises `ConfigError` when the folder holds none, `JournalError` when its record was changed.
    """
    return _read(folder)[0]


@contextmanager
def begun(folder: Path, clock: Callable[[], datetime] = _now) -> Iterator[Campaign]:
    """Make a folder with a new record in it, which appears whole when the context ends well.

    Raises `ConfigError` when there is something of that name.
    """
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder}: there is something already, expected a new folder")
        for name in (RUNS, FILES, INPUTS):
            (draft / name).mkdir(parents=True)
        with JournalWriter(draft / RECORD) as writer:
            yield Campaign(draft, CampaignView(), writer, clock)
        draft.rename(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror or error}") from error
    finally:
        _remove(draft)


@contextmanager
def changing(
    folder: Path, *, within: float = WAITING, clock: Callable[[], datetime] = _now
) -> Iterator[Campaign]:
    """Let this program add to a campaign, and nobody else meanwhile.

    Raises `ConfigError` when the folder holds none or it is closed, `JournalError` when its record
    was changed, `BenchError` when another program holds it for longer than `within` s.
    """
    _read(folder)
    with _locked(folder / LOCK, within):
        view, end, torn = _read(folder)
        if view.closed is not None:
            at = f"{view.records[-1].utc:%Y-%m-%d}"
            raise ConfigError(f"{folder}: closed by {view.closed.by} on {at}, nothing is added")
        with JournalWriter(folder / RECORD, end) as writer:
            campaign = Campaign(folder, view, writer, clock)
            if torn:
                campaign.add(TailCut(torn))
            yield campaign


@contextmanager
def _locked(path: Path, within: float) -> Iterator[None]:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        deadline = time.monotonic() + within
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    text = f"{path.parent}: another program has been adding to it for {within:g} s"
                    raise BenchError(text) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(file)


def _read(folder: Path) -> tuple[CampaignView, End, int]:
    """Read a campaign, where its last sound line ends, and how many bytes stand behind."""
    path = folder / RECORD
    if not path.is_file():
        raise ConfigError(f"{folder}: no {RECORD} here, so this is no campaign's folder")
    view, end = CampaignView(), End(0, FIRST)
    try:
        for record, place in chained(path, _record_of):
            view.apply(record)
            end, view.head = place, place.head
            if view.opened is not None and view.opened.schema > SCHEMA:
                text = f"of Pilotbench {view.opened.version}, whose records this version can't read"
                raise JournalError(f"{path}: {text}")
    except Unsound as error:
        torn = path.read_bytes()[end.size :]
        if b"\n" in torn:
            raise JournalError(f"{path} {error.fault}") from error
        if view.opened is not None:
            return view, end, len(torn)
    if view.opened is None or view.records[0].n != 1:
        raise JournalError(f"{path}: it does not begin with CampaignOpened as record 1")
    return view, end, 0


def _record_of(parts: Any) -> CampaignRecord:
    event = one_of(KINDS, parts["event"], parts["data"])
    return CampaignRecord(parts["n"], from_iso(parts["utc"]), event)


def _remove(draft: Path) -> None:
    """Remove what a failed beginning left."""
    import shutil

    shutil.rmtree(draft, ignore_errors=True)

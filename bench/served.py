"""Where an engine is found that serves a folder of runs, and that there is only one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError

PLACE = "engine/url"
"""The file that tells where the engine serves a folder of runs, in that folder."""
LOCK = "engine/lock"
"""The file that the engine holds locked as long as it lives."""


@dataclass(frozen=True, slots=True)
class Served:
    """An engine that serves a folder of runs."""

    url: str
    process: int


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Be the only engine of a folder while the context lasts; raises `ConfigError`."""
    path = out / LOCK
    try:
        path.parent.mkdir(exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = where_served(out)
            where = "" if other is None else f" at {other.url} (process {other.process})"
            raise ConfigError(f"--out {out}: an engine serves this folder already{where}") from None
        # What a killed engine left would be taken for the place of this one.
        (out / PLACE).unlink(missing_ok=True)
        yield
    finally:
        os.close(file)


@contextmanager
def announced(out: Path, url: str) -> Iterator[None]:
    """Let `where_served` find the engine while the context lasts."""
    path = out / PLACE
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{url}\n{os.getpid()}\n", "utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def where_served(out: Path) -> Served | None:
    """Return the engine that serves a folder of runs; None when there is none, or none any more."""
    try:
        file = os.open(out / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            url, process = (out / PLACE).read_text("utf-8").split()
            return Served(url, int(process))
        except (OSError, ValueError):
            return None  # it has just begun, or is about to end
    finally:
        os.close(file)
    return None

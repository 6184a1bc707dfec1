"""Where a case puts what the DUT may fetch, and where what the DUT brings is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bench.clock import now
from bench.events import FileTransferred

ATTACHMENTS = "attachments"
"""The folder of a run's folder that keeps what the DUT brought."""

Direction = Literal["download", "upload"]


class Passage:
    """One file on its way, counted and hashed as it goes."""

    def __init__(self, direction: Direction, protocol: str, path: Path, remote: str) -> None:
        self.direction = direction
        self.protocol = protocol
        self.path = path
        self.remote = remote
        self.size = 0
        self.digest = hashlib.sha256()
        self.began = now().mono

    def count(self, data: bytes) -> None:
        """Take in a part of the file."""
        self.size += len(data)
        self.digest.update(data)


class Shelf:
    """One case's files: `root` is what the servers show, below a name that nobody can guess."""

    def __init__(
        self, root: Path, run: Path, most: int, recorded: Callable[[FileTransferred], object]
    ) -> None:
        """Keep uploads below the folder `run`; none may have more than `most` bytes."""
        self.root = root
        self.most = most
        self.place = secrets.token_urlsafe(18)
        self._run = run
        self._recorded = recorded
        self._number = 0
        (root / self.place).mkdir()

    def offer(self, path: Path) -> str:
        """Put a file out; returns its path below the root. Raises `OSError`."""
        shutil.copyfile(path, self.root / self.place / path.name)
        return f"{self.place}/{path.name}"

    def inside(self, path: str) -> Path | None:
        """Return the file that a path below the root means, None when it is not on the shelf."""
        place, _, name = path.strip("/").partition("/")
        name = name.lstrip("/")  # a station may put a slash between the folder and its file
        if place != self.place or not re.fullmatch(r"[^/\\\0]{1,255}", name) or name in (".", ".."):
            return None
        return self.root / place / name

    def ended(self, passage: Passage, *, complete: bool) -> None:
        """Record a transfer that has ended, whole or not, and keep what the DUT brought."""
        attachment, digest, size = None, passage.digest.hexdigest(), passage.size
        if passage.direction == "upload":
            # What is kept counts, also after a transfer that went on where another had stopped.
            attachment = self._keep(passage.path)
            content = (self._run / attachment).read_bytes()
            digest, size = hashlib.sha256(content).hexdigest(), len(content)
        self._recorded(
            FileTransferred(
                direction=passage.direction,
                protocol=passage.protocol,
                name=passage.path.name,
                size=size,
                sha256=digest,
                complete=complete,
                remote=passage.remote,
                duration=round(now().mono - passage.began, 6),
                attachment=attachment,
            )
        )

    def _keep(self, path: Path) -> str:
        folder = self._run / ATTACHMENTS
        folder.mkdir(exist_ok=True)
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", path.name)[-100:]
        while True:
            self._number += 1
            kept = folder / f"{self._number:03}-{plain}"
            if not kept.exists():
                shutil.move(path, kept)
                return f"{ATTACHMENTS}/{kept.name}"

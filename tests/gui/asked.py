"""A link that notes what is asked of the engine, and prompts as an engine would put them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from PyQt6.QtNetwork import QNetworkReply

from bench.clock import iso
from bench.events import Answered, Event, Prompted
from bench.journal import Record
from gui.link import Link
from gui.live import LiveRun
from gui.replies import Refusal


class AskedLink(Link):
    """Is connected, and answers nothing unless told to."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "t" * 43)
        self.state = "connected"
        self.asked: list[tuple[str, str, Any]] = []
        self.refusal: Refusal | None = None
        """What every request is refused with."""
        self.answers: dict[str, Any] = {}
        """What a path is answered with."""

    def _ask(
        self,
        verb: str,
        path: str,
        body: Any,
        then: Callable[[Any], None] | None,
        failed: Callable[[Refusal], None] | None,
        **_: object,
    ) -> QNetworkReply:
        self.asked.append((verb, path, body))
        if self.refusal is not None:
            (failed or self.refused.emit)(self.refusal)
        elif path in self.answers and then is not None:
            then(self.answers[path])
        return cast("QNetworkReply", None)

    def posts(self, path: str) -> list[Any]:
        """Return the bodies of what was posted there."""
        return [body for verb, asked, body in self.asked if (verb, asked) == ("POST", path)]


def record(n: int, event: Event) -> Record:
    """Make a record."""
    return Record(n, datetime.now(UTC), float(n), event)


def prompted(
    kind: str = "confirm", *, name: str = "p1", within: float = 120, **fields: Any
) -> Prompted:
    """Ask something."""
    known: dict[str, Any] = {
        "text": "Plug the cable in.",
        "options": [],
        "action": None,
        "picture": None,
        "deadline": iso(datetime.now(UTC) + timedelta(seconds=within)),
    }
    return Prompted(prompt=name, kind=kind, **{**known, **fields})


def ask(run: LiveRun, event: Prompted, n: int = 1) -> None:
    """Let the bench ask."""
    run.take([record(n, event)])
    run.flush()


def answered(run: LiveRun, name: str = "p1", answer: Any = True, by: str = "Ada") -> None:
    """Let the engine record an answer."""
    run.take([record(99, Answered(name, answer, by, ""))])
    run.flush()

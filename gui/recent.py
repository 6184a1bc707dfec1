"""What was opened lately, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from gui.application import settings
from gui.engine import Order

MOST = 6
_KEY = "recent"


@dataclass(frozen=True, slots=True)
class Recent:
    """An engine of a bench or of the simulated lab, or one that was connected to."""

    order: Order | None = None
    url: str = ""
    token_file: str = ""

    @property
    def title(self) -> str:
        """Name it for people."""
        return self.order.title if self.order is not None else self.url

    @property
    def about(self) -> str:
        """Say where it is."""
        if self.order is None:
            return f"engine elsewhere, token in {self.token_file}"
        return f"runs in {self.order.runs}"


def recents() -> list[Recent]:
    """Read what was opened lately; what can't be read is left out."""
    try:
        rows = orjson.loads(str(settings().value(_KEY, "[]")))
    except orjson.JSONDecodeError:
        return []
    found = []
    for row in rows if isinstance(rows, list) else ():
        try:
            if row["url"]:
                found.append(Recent(None, row["url"], row["token_file"]))
                continue
            bench = Path(row["bench"]) if row["bench"] else None
            order = Order(Path(row["runs"]), bench, tuple(map(Path, row["duts"])))
            found.append(Recent(order))
        except (KeyError, TypeError):
            continue
    return found


def remember(one: Recent) -> None:
    """Put something at the head of the list."""
    rows = [one, *(other for other in recents() if other != one)][:MOST]
    text = orjson.dumps([_row(row) for row in rows]).decode()
    settings().setValue(_KEY, text)


def _row(one: Recent) -> dict[str, object]:
    order = one.order
    return {
        "url": one.url,
        "token_file": one.token_file,
        "runs": "" if order is None else str(order.runs),
        "bench": "" if order is None or order.bench is None else str(order.bench),
        "duts": [] if order is None else [str(path) for path in order.duts],
    }

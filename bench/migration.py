"""Records of older versions as this one knows them, one version of the journal after the other.

Lines are checked against the chain as they were written; what is changed here is how they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench import __version__
from bench.errors import JournalError
from bench.events import SCHEMA

Parts = dict[str, Any]
"""A line's JSON object."""


class Migration:
    """Reads the lines of one journal in order; its first record names the version."""

    def __init__(self, schema: int = SCHEMA) -> None:
        self.schema = schema
        """The version that the journal was written in; this one's when it does not say."""

    def __call__(self, parts: Parts) -> Parts:
        """Return a line as this version writes it.

        Raises `JournalError` for a journal of a newer version, KeyError, TypeError or ValueError
        for what is none.
        """
        if parts["event"] == "RunStarted":
            self.schema = _schema(parts["data"])
        for step in STEPS[self.schema - 1 :]:
            parts = step(parts)
        return parts


def _schema(data: Parts) -> int:
    schema = data["schema"]
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise ValueError(f"{schema!r} is no version of the journal")
    if schema > SCHEMA:
        raise JournalError(
            f"the journal is of version {schema}, written by Pilotbench {data.get('version')}; "
            f"this is Pilotbench {__version__}, which reads up to version {SCHEMA}"
        )
    return schema


def _from_1(parts: Parts) -> Parts:
    """Name the monitors: runs of version 1 did not at first, and were watched by these."""
    if parts["event"] != "RunStarted" or parts["data"].get("monitors"):
        return parts
    return {**parts, "data": {**parts["data"], "monitors": list(FIRST_MONITORS)}}


FIRST_MONITORS = (
    *("schema", "timestamp-format", "timestamp-drift", "framing", "message-id", "one-call"),
    *("answer", "error-code", "before-acceptance", "connector", "status", "transaction"),
    "register",
)

STEPS: tuple[Callable[[Parts], Parts], ...] = (_from_1,)
"""How records of version 1, 2, … become records of the next."""

"""The links that were made: for whom, of what, how long, and who watches by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.clock import from_iso


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link as the lab sees it."""

    id: str
    name: str
    """For whom."""
    what: str
    expires: datetime
    revoked: datetime | None
    watching: int
    """How many connections there are by it right now."""

    def state(self, moment: datetime) -> str:
        """Tell whether it is good, expired or revoked."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if moment >= self.expires else "good"

    def left(self, moment: datetime) -> str:
        """Say how long it is still good, or when it ended."""
        if self.revoked is not None:
            return f"revoked on {self.revoked.astimezone():%Y-%m-%d %H:%M}"
        local = f"{self.expires.astimezone():%Y-%m-%d %H:%M}"
        if moment >= self.expires:
            return f"expired on {local}"
        return f"{_duration((self.expires - moment).total_seconds())} left, until {local}"


def read_links(
    shares: Iterable[Mapping[str, Any]], viewers: Sequence[Mapping[str, Any]]
) -> list[LinkRow]:
    """Read the links as the engine lists them, with who watches; good ones first."""
    return [_row(one, sum(each["share"] == one["id"] for each in viewers)) for one in shares]


def _row(one: Mapping[str, Any], watching: int) -> LinkRow:
    dut = one.get("dut")
    if isinstance(dut, Mapping):
        dut = [dut.get(key, "") for key in ("vendor", "model", "identity")]
    what = " ".join(filter(None, dut)) if dut else f"run {one.get('run')}"
    revoked = one.get("revoked")
    return LinkRow(
        id=str(one["id"]),
        name=str(one["name"]),
        what=f"all runs of {what}" if dut else what,
        expires=from_iso(one["expires"]),
        revoked=from_iso(revoked) if isinstance(revoked, str) else None,
        watching=watching,
    )


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count >= 2 or (count == 1 and name != "day"):
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute" if seconds < 60 else "1 day"

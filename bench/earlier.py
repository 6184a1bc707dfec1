"""Earlier runs of the same DUT, and what makes their results void."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.archive import Archive, dut_key
from bench.dut import DutConfig
from bench.errors import BenchError
from bench.events import RunStarted
from bench.journal import JOURNAL, JournalReader
from bench.summary import Summary

MOST = 100
"""How many earlier runs are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What an earlier run of the DUT was made with."""

    run: str
    stated: str
    """The software that `dut.toml` stated."""
    reported: str | None
    """The firmwareVersion that the DUT reported last, None when it reported none."""
    pics: dict[str, Any]


def earlier_runs(folder: Path, dut: DutConfig) -> list[EarlierRun]:
    """List the runs beside a run's folder that were made with the same DUT, newest first."""
    try:
        beside = Archive(folder.parent).runs()
    except BenchError:
        return []
    key = dut_key(asdict(dut.dut))
    same = [one for one in beside if one.folder != folder and dut_key(one.dut) == key]
    return [_read(one) for one in reversed(same[-MOST:])]


def _read(one: Summary) -> EarlierRun:
    first = next(iter(JournalReader(one.folder / JOURNAL)), None)
    started = first.event if first else None
    pics = started.pics if isinstance(started, RunStarted) else {}
    return EarlierRun(one.run, str(one.dut.get("software", "")), one.software, pics)


def changes(before: EarlierRun, dut: DutConfig) -> list[str]:
    """Say what `dut.toml` states of the DUT now that an earlier run was not made with."""
    found = []
    if before.stated != dut.dut.software:
        found.append(f"the stated software was {before.stated!r}, now {dut.dut.software!r}")
    return found + changed_claims(before.pics, dut.pics)


def changed_claims(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say which PICS items are answered otherwise than before.

    One that was open before says nothing of the product that has changed.
    """
    return [
        f"PICS {item} was {_said(before[item])}, now {_said(after.get(item))}"
        for item in sorted(before)
        if before[item] != after.get(item)
    ]


def _said(answer: Any) -> str:
    return "not answered" if answer is None else json.dumps(answer, ensure_ascii=False)

"""Earlier runs of the same DUT, and what makes their results void."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.dut import DutConfig
from bench.errors import JournalError
from bench.events import RunStarted
from bench.journal import JOURNAL, JournalReader
from bench.ocpp.frame import Call, parse

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
        beside = [path for path in folder.parent.iterdir() if path != folder]
    except OSError:
        return []
    begun = sorted((path for path in beside if (path / JOURNAL).is_file()), key=_age, reverse=True)
    return list(_of(dut, begun[:MOST]))


def _age(folder: Path) -> float:
    return (folder / JOURNAL).stat().st_mtime


def _of(dut: DutConfig, folders: list[Path]) -> Iterator[EarlierRun]:
    same = (dut.dut.vendor, dut.dut.model, dut.dut.identity)
    newest = True
    for folder in folders:
        try:
            first = next(iter(JournalReader(folder / JOURNAL)), None)
        except JournalError:
            continue
        if first is None or not isinstance(first.event, RunStarted):
            continue
        told = first.event.dut
        if (told.get("vendor"), told.get("model"), told.get("identity")) == same:
            stated = str(told.get("software", ""))
            # Only the newest is compared with what the DUT reports.
            reported = _reported(folder / JOURNAL) if newest else None
            newest = False
            yield EarlierRun(folder.name, stated, reported, first.event.pics)


def _reported(journal: Path) -> str | None:
    """Find the software that a DUT reported last in a run, without reading all of its journal."""
    software = None
    with journal.open("rb") as lines:
        for line in lines:
            if b"BootNotification" not in line or b'"FrameReceived"' not in line:
                continue
            try:
                call = parse(str(json.loads(line)["data"].get("text")))
            except (ValueError, KeyError):
                continue  # a line that was cut; `verify` is for that
            if isinstance(call, Call) and call.action == "BootNotification":
                told = call.payload.get("firmwareVersion")
                software = told if isinstance(told, str) else None
    return software


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

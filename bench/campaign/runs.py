"""What a campaign's record keeps of a run, read from the run's journal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bench.campaign.events import RunAdded
from bench.clock import iso
from bench.errors import ConfigError
from bench.events import CaseStarted, EarlierResultsVoid, FrameReceived
from bench.journal import JOURNAL, JournalReader
from bench.ocpp.frame import Call, parse
from bench.report import KEPT
from bench.report.results import reason_of
from bench.runview import RunView
from bench.views import CaseView, State

_TIME_STAMP = re.compile(r'"timestamp"\s*:\s*"[^"]*:\d\d([.,]\d+)?')
_REPORTED = {
    "vendor": "chargePointVendor",
    "model": "chargePointModel",
    "serial": "chargePointSerialNumber",
    "software": "firmwareVersion",
}
"""What is taken from BootNotification, by field."""


def added(folder: Path, by: str, source: str = "") -> RunAdded:
    """Read a run's journal into the event that adds it to a campaign.

    A journal that was cut is read up to there. Raises `ConfigError` when no run began, or when a
    record in the middle is not sound.
    """
    path = folder / JOURNAL
    if not path.is_file():
        raise ConfigError(f"{folder}: no {JOURNAL} here, so this is no run's folder")
    view, reader = RunView(KEPT), JournalReader(path)
    told: dict[str, list[str]] = {key: [] for key in _REPORTED}
    fractions: set[bool] = set()
    void: list[dict[str, Any]] = []
    begun = 0
    for record in reader:
        view.apply(record)
        match record.event:
            case CaseStarted():
                begun += 1
            case EarlierResultsVoid(why, runs):
                void.append({"why": why, "runs": runs, "after": begun})
            case FrameReceived(text=str(text)):
                if "BootNotification" in text:
                    _hear(text, told)
                fractions |= {bool(one[1]) for one in _TIME_STAMP.finditer(text)}
    started, first = view.started, view.first
    if started is None or first is None:
        raise ConfigError(f"{path}: no run began: {reader.fault or 'it has no RunStarted'}")
    if reader.fault is not None and reader.fault.line <= path.read_bytes().count(b"\n"):
        raise ConfigError(f"{path} {reader.fault}: such a run is not added")
    ended = view.last if view.ended is not None else None
    return RunAdded(
        run=folder.name,
        by=by,
        head=reader.head,
        records=view.records,
        source=source,
        begun=iso(first.utc),
        ended=None if ended is None else iso(ended.utc),
        complete=view.complete,
        reason=view.ended.reason if view.ended else "its journal ends without the end of the run",
        version=started.version,
        bench=started.bench,
        devices=[
            {"device": one.name, "driver": one.driver, "identity": one.identity}
            for one in view.devices.values()
        ],
        dut=started.dut,
        pics=started.pics,
        waivers=dict(started.pixit.get("waivers", {})),
        reported=told,
        milliseconds=sorted(fractions),
        cases=[_case(one, view) for one in view.cases if one.started is not None],
        void=void,
    )


def _hear(text: str, told: dict[str, list[str]]) -> None:
    """Note what a BootNotification says, each value once as long as it stays."""
    call = parse(text)
    if isinstance(call, Call) and call.action == "BootNotification":
        for key, name in _REPORTED.items():
            value = call.payload.get(name)
            if isinstance(value, str) and told[key][-1:] != [value]:
                told[key].append(value)


def _case(case: CaseView, view: RunView) -> dict[str, Any]:
    over = case.state is State.ENDED
    return {
        "id": case.id,
        "title": case.title,
        "mark": case.mark,
        "group": case.group,
        "verdict": case.verdict if over else "none",
        "ended": case.ended if over else "cut off",
        "reason": reason_of(case, view),
        "begun": iso(case.started.utc) if case.started else "",
    }

"""Campaigns and runs written by hand, for all that tests them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.campaign.acts import settle
from bench.campaign.events import CampaignEvent, CampaignOpened, InputsTaken
from bench.campaign.folder import Campaign, begun, changing, read
from bench.campaign.results import CaseHistory, histories
from bench.events import (
    CaseEnded,
    CaseStarted,
    EarlierResultsVoid,
    Event,
    FrameReceived,
    RunEnded,
    RunStarted,
)
from bench.journal import JournalWriter, Record

BEGIN = datetime(2031, 5, 5, 9, tzinfo=UTC)
DUT = {
    "kind": "charging-station",
    "identity": "CP1",
    "vendor": "Lab",
    "model": "Sample",
    "software": "1.0",
}
PICS = {"C-07": True, "GEN.rfid": "single", "GEN.ms": False}
CASES = ("TC_901_CS", "TC_902_CS", "TC_903_CS")


def planned(case: str, outcome: str = "runnable", reason: str | None = None) -> dict[str, Any]:
    return {
        "id": case,
        "title": f"Title of {case}",
        "mark": "M",
        "group": "core-reset",
        "outcome": outcome,
        "reason": reason,
    }


def inputs(**changes: Any) -> InputsTaken:
    """Write the files in force as the lab's would be recorded."""
    fields: dict[str, Any] = {
        "by": "ada",
        "sources": {"bench": "../bench.toml", "dut": "../dut.toml"},
        "files": {},
        "dut": DUT,
        "bench": {"name": "Bench 1"},
        "pics": PICS,
        "pixit": {},
        "cases": [*map(planned, CASES), planned("TC_999_CS", "not-applicable", "needs C-08")],
        "changed": [],
    }
    return InputsTaken(**{**fields, **changes})


@dataclass
class Book:
    """A campaign in a folder, with a clock that is moved by hand."""

    folder: Path
    now: datetime = BEGIN
    runs: int = 0

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    @contextmanager
    def changing(self) -> Iterator[Campaign]:
        with changing(self.folder, clock=self.clock) as campaign:
            yield campaign

    def add(self, *events: CampaignEvent) -> None:
        with self.changing() as campaign:
            for event in events:
                campaign.add(event)

    def settle(self) -> list[str]:
        with self.changing() as campaign:
            return settle(campaign, "ada")

    def run(self, verdicts: Mapping[str, str], later: float = 1.0, **changes: Any) -> str:
        """Make a run in the campaign's folder, so many hours later, and take it up."""
        self.now += timedelta(hours=later)
        self.runs += 1
        name = f"r{self.runs}"
        write_run(self.folder / "runs" / name, verdicts, begun=self.now, **changes)
        self.now += timedelta(minutes=30)
        assert self.settle() == [name]
        return name

    def case(self, case: str = CASES[0]) -> CaseHistory:
        return next(one for one in histories(read(self.folder)) if one.id == case)


def new_book(folder: Path, **changes: Any) -> Book:
    book = Book(folder)
    with begun(folder, clock=book.clock) as campaign:
        campaign.add(CampaignOpened(folder.name, "0", 1, "ada"))
        campaign.add(inputs(**changes))
    return book


def write_run(
    folder: Path,
    verdicts: Mapping[str, str],
    *,
    begun: datetime = BEGIN,
    software: str = "1.0",
    reported: str | None = None,
    installed: str | None = None,
    pics: Mapping[str, Any] = PICS,
    time_stamp: str | None = None,
    void: tuple[int, str] | None = None,
    bench: Mapping[str, Any] | None = None,
    ends: bool = True,
) -> Path:
    """Write the journal of a run; a verdict `aborted` or `cut` says how its case ended.

    `void` is after how many cases earlier results are void, and why.
    """
    folder.mkdir(parents=True)
    with JournalWriter(folder / "journal.jsonl") as journal:
        boots = [one for one in (reported, installed) if one is not None]
        events = _events(verdicts, software, boots, dict(pics), time_stamp, void, bench or {})
        for n, event in enumerate(events, start=1):
            if isinstance(event, RunStarted):
                event = RunStarted(**{**_fields(event), "run": folder.name})
            if ends or not isinstance(event, RunEnded):
                moment = begun + timedelta(seconds=n)
                journal.append(Record(n, moment, float(n), event))
    return folder


def _fields(event: RunStarted) -> dict[str, Any]:
    return {name: getattr(event, name) for name in RunStarted.__slots__}


def _events(
    verdicts: Mapping[str, str],
    software: str,
    boots: Sequence[str],
    pics: dict[str, Any],
    time_stamp: str | None,
    void: tuple[int, str] | None,
    bench: Mapping[str, Any],
) -> Iterator[Event]:
    cases = [
        {"id": case, "title": f"Title of {case}", "mark": "M", "group": "core-reset", "waits": 0}
        for case in verdicts
    ]
    dut = {**DUT, "software": software}
    yield RunStarted(
        "", "0", 1, {"name": "Bench 1", **bench}, dut, cases, [], pics, {"waivers": {}}, {}
    )
    for version in boots:
        boot = {"chargePointVendor": "Lab", "chargePointModel": "Sample"}
        payload = {**boot, "firmwareVersion": version}
        yield FrameReceived(1, json.dumps([2, "1", "BootNotification", payload]))
    if time_stamp is not None:
        yield FrameReceived(
            1, json.dumps([2, "2", "StatusNotification", {"timestamp": time_stamp}])
        )
    for index, (case, verdict) in enumerate(verdicts.items()):
        if void is not None and void[0] == index:
            yield EarlierResultsVoid(void[1], [])
        yield CaseStarted(case, f"Title of {case}", "M", "core-reset", "", [])
        if verdict == "cut":
            return
        aborted = verdict == "aborted"
        yield CaseEnded(
            case=case,
            verdict="inconclusive" if aborted else verdict,
            ended="aborted" if aborted else "completed",
            reason=None if verdict == "pass" else f"{case} was {verdict}",
            cause=None,
            phase="body",
            duration=1.0,
            unclaimed=[],
        )
    if void is not None and void[0] == len(verdicts):
        yield EarlierResultsVoid(void[1], [])
    yield RunEnded(complete=True, reason=None, counts={})

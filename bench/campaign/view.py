"""A campaign as folded from its records: what was done, by whom, and what of it counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from bench.campaign.events import (
    CampaignClosed,
    CampaignEvent,
    CampaignOpened,
    ConnectionMeasured,
    DutChanged,
    FileAdded,
    InputsTaken,
    IntakeDone,
    NoteAdded,
    ReRunReasoned,
    RunAdded,
    RunBegun,
    WaiverGranted,
    WaiverWithdrawn,
)
from bench.journal import FIRST
from bench.seal import Closed

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """One event with its number and moment."""

    n: int
    utc: datetime
    event: CampaignEvent


@dataclass(slots=True)
class RunEntry:
    """A run of the campaign, as far as its record tells."""

    run: str
    n: int
    """Record by which it first became known."""
    begun: RunBegun | None = None
    added: RunAdded | None = None
    """None while it goes on, or was killed and is not taken up yet."""
    reasons: list[str] = field(default_factory=list)
    """Why it ran cases again."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """What need not pass, and until when that held."""

    granted: WaiverGranted
    at: datetime
    withdrawn: WaiverWithdrawn | None = None


class CampaignView:
    """Fold the records of a campaign; `apply` takes them in order, one at a time."""

    def __init__(self) -> None:
        self.records: list[CampaignRecord] = []
        """All of them: who did what and when."""
        self.head = FIRST
        """Hash of the last one in its file."""
        self.opened: CampaignOpened | None = None
        self.inputs: InputsTaken | None = None
        """The files in force."""
        self.intake: IntakeDone | None = None
        """The last intake."""
        self.runs: dict[str, RunEntry] = {}
        """In the order in which they became known."""
        self.changes: list[tuple[CampaignRecord, DutChanged]] = []
        self.waivers: list[Waiver] = []
        self.closed: CampaignClosed | None = None

    def apply(self, record: CampaignRecord) -> None:
        """Take the next record."""
        self.records.append(record)
        match record.event:
            case CampaignOpened() as event:
                self.opened = event
            case InputsTaken() as event:
                self.inputs = event
            case IntakeDone() as event:
                self.intake = event
            case RunBegun(run=run) as event:
                entry = self._run(run, record)
                entry.begun = event
                if event.reason:
                    entry.reasons.append(event.reason)
            case RunAdded(run=run) as event:
                self._run(run, record).added = event
            case ReRunReasoned(run=run, reason=reason):
                self._run(run, record).reasons.append(reason)
            case WaiverGranted() as event:
                self.waivers.append(Waiver(event, record.utc))
            case WaiverWithdrawn(what=what) as event:
                self.waivers = [
                    Waiver(one.granted, one.at, event)
                    if one.granted.what == what and one.withdrawn is None
                    else one
                    for one in self.waivers
                ]
            case DutChanged() as event:
                self.changes.append((record, event))
            case CampaignClosed() as event:
                self.closed = event
            case _:
                pass

    def _run(self, run: str, record: CampaignRecord) -> RunEntry:
        return self.runs.setdefault(run, RunEntry(run, record.n))

    @property
    def added(self) -> list[RunAdded]:
        """The runs that were taken up, in the order in which they were made.

        That is the order of the record, whatever the clocks said; one that was made elsewhere comes
        before the first that began later.
        """
        runs = [one.added for one in self.runs.values() if one.added is not None]
        found = [one for one in runs if not one.source]
        for one in sorted((one for one in runs if one.source), key=lambda one: one.begun):
            later = (place for place, run in enumerate(found) if run.begun > one.begun)
            found.insert(next(later, len(found)), one)
        return found

    @property
    def sealing(self) -> Closed:
        """What is signed when the campaign is closed."""
        name = self.opened.campaign if self.opened else ""
        return Closed(name, len(self.records), self.head, "campaign")

    @property
    def notes(self) -> list[NoteAdded]:
        """What was written down."""
        return self._all(NoteAdded)

    @property
    def files(self) -> list[FileAdded]:
        """The files that were put in."""
        return self._all(FileAdded)

    @property
    def connections(self) -> list[ConnectionMeasured]:
        """What was measured of the network connection."""
        return self._all(ConnectionMeasured)

    def _all(self, kind: type[E]) -> list[E]:
        return [one.event for one in self.records if isinstance(one.event, kind)]

    @property
    def waived(self) -> dict[str, str]:
        """The waivers in force: the reasons, by case or monitor."""
        return {
            one.granted.what: one.granted.reason for one in self.waivers if one.withdrawn is None
        }

    @property
    def planned(self) -> list[dict[str, Any]]:
        """Every case with whether it is to run, as judged from the files in force."""
        return self.inputs.cases if self.inputs else []


def fold(records: Iterable[CampaignRecord]) -> CampaignView:
    """Fold a whole campaign."""
    view = CampaignView()
    for record in records:
        view.apply(record)
    return view

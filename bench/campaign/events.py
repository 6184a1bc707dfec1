"""What can happen in a campaign: small frozen facts in the past tense, written to its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1
"""Version of this vocabulary; a campaign's record names the one it was begun with."""

RESETTING = ("software", "hardware", "claims", "configuration", "crash")
"""Kinds of change after which all cases start over (Certification Document 2, 5.5 and 5.6)."""


@dataclass(frozen=True, slots=True)
class CampaignOpened:
    """A campaign began."""

    campaign: str
    version: str
    schema: int
    by: str


@dataclass(frozen=True, slots=True)
class InputsTaken:
    """The lab's files were read: what the DUT claims, how it is tested, what is to run therefore.

    Those read last are in force.
    """

    by: str
    sources: dict[str, str]
    """Where the lab keeps them: bench, dut, and plan if there is one."""
    files: dict[str, str]
    """The copies in the campaign's folder, with their SHA-256."""
    dut: dict[str, str]
    """Kind, identity, vendor, model, software, as stated."""
    bench: dict[str, Any]
    pics: dict[str, Any]
    pixit: dict[str, Any]
    cases: list[dict[str, Any]]
    """Every case for this kind of DUT: id, title, mark, group, outcome, reason."""
    changed: list[str]
    """What is not as in the files before."""


@dataclass(frozen=True, slots=True)
class IntakeDone:
    """The DUT was looked at when it came (Certification Document 2, 7.2.2)."""

    by: str
    works: bool
    """Whether the short function check showed that it works and is not damaged."""
    milliseconds: bool
    """Whether the vendor says that its messages carry milliseconds."""
    remark: str


@dataclass(frozen=True, slots=True)
class ConnectionMeasured:
    """The network connection between bench and DUT was measured (same document, 6.1 and 8.2.2)."""

    by: str
    technology: str
    bandwidth: float
    """kB per second."""
    latency: float
    """ms."""
    rssi: float | None
    """Signal strength in dBm, of a mobile connection."""
    remark: str


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A run of this campaign begins, in a folder of its own."""

    run: str
    by: str
    cases: list[str]
    reason: str | None
    """Why cases are run again that have a result."""


@dataclass(frozen=True, slots=True)
class RunAdded:
    """A run is part of the campaign: how it ended, or where its journal ends if it was killed."""

    run: str
    by: str
    head: str
    """Hash of the last record of its journal."""
    records: int
    source: str
    """Where it was copied from; empty when it was made in the campaign's folder."""
    begun: str
    """UTC moment of its first record."""
    ended: str | None
    complete: bool
    reason: str | None
    """Why it is not complete."""
    version: str
    bench: dict[str, Any]
    """Name, and the certificates of its instruments."""
    devices: list[dict[str, Any]]
    """Those that were opened: name, driver, identity."""
    dut: dict[str, str]
    pics: dict[str, Any]
    waivers: dict[str, str]
    """Monitors whose findings were warnings, with the reasons."""
    reported: dict[str, list[str]]
    """What the DUT said in BootNotification: vendor, model, serial, software, each in order."""
    milliseconds: list[bool]
    """Whether its time stamps had fractions of a second: both, when some had."""
    cases: list[dict[str, Any]]
    """Those begun, in order: id, title, mark, group, verdict, ended, reason, begun."""
    void: list[dict[str, Any]]
    """What made earlier results void: why, runs, and after how many of the cases."""


@dataclass(frozen=True, slots=True)
class ReRunReasoned:
    """It was said why a run ran cases again that had a result."""

    run: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """Somebody wrote something down."""

    by: str
    text: str
    about: str = ""
    """A case or a run; empty: the campaign."""


@dataclass(frozen=True, slots=True)
class FileAdded:
    """A file was put in the campaign's folder: a photo, a letter, a log."""

    by: str
    file: str
    name: str
    """What it was called where it came from."""
    size: int
    """Bytes."""
    sha256: str
    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class WaiverGranted:
    """A case need not pass, or a monitor's findings are warnings (same document, 5.4)."""

    by: str
    what: str
    """Id of the case, or name of the monitor."""
    reason: str


@dataclass(frozen=True, slots=True)
class WaiverWithdrawn:
    """A waiver holds no more."""

    by: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class DutChanged:
    """The DUT is not what it was, or was set up otherwise."""

    by: str
    kind: str
    """software, hardware, claims (PICS), configuration (but not by OCPP), crash; or ocpp."""
    what: str
    resets: bool
    """Whether no result before it counts."""


@dataclass(frozen=True, slots=True)
class TailCut:
    """A record was half written when its program died; nothing had been built on it."""

    size: int
    """Bytes that were cut off."""


@dataclass(frozen=True, slots=True)
class CampaignClosed:
    """The campaign is over; nothing is added any more."""

    by: str
    remark: str
    open_points: list[str] = field(default_factory=list)
    """What was not settled."""
    signer: dict[str, str] | None = None
    """With which key the record is signed now, as in a run."""
    timestamp: str | None = None
    """URL of the authority that is asked for a time stamp now."""


CampaignEvent = (
    CampaignOpened
    | InputsTaken
    | IntakeDone
    | ConnectionMeasured
    | RunBegun
    | RunAdded
    | ReRunReasoned
    | NoteAdded
    | FileAdded
    | WaiverGranted
    | WaiverWithdrawn
    | DutChanged
    | TailCut
    | CampaignClosed
)

KINDS: Mapping[str, type[CampaignEvent]] = {kind.__name__: kind for kind in CampaignEvent.__args__}

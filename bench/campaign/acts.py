"""What people do to a campaign; each act is one record, and what is not allowed is refused."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from bench.campaign.events import (
    RESETTING,
    CampaignClosed,
    DutChanged,
    FileAdded,
    NoteAdded,
    ReRunReasoned,
    RunAdded,
    WaiverGranted,
    WaiverWithdrawn,
)
from bench.campaign.findings import open_points
from bench.campaign.folder import FILES, RUNS, Campaign
from bench.campaign.results import CaseHistory, histories
from bench.campaign.runs import added
from bench.campaign.view import CampaignView
from bench.earlier import changed_claims
from bench.errors import BenchError, ConfigError
from bench.journal import JOURNAL, is_being_written
from bench.lab_key import PublicKey
from bench.ocpp.monitors import NAMES as MONITORS
from bench.toml import near

log = logging.getLogger(__name__)


def settle(campaign: Campaign, by: str) -> list[str]:
    """Take up every run in the campaign's folder that is over, however it ended; return them.

    One whose journal is not sound is left out with a warning: it must not stop everything else.
    """
    found = []
    for folder in untaken(campaign.folder, campaign.view):
        if is_being_written(folder / JOURNAL):
            continue
        try:
            event = added(folder, by)
        except BenchError as error:
            log.warning("run %s is not taken up: %s", folder.name, error)
            continue
        campaign.add(event)
        found.append(folder.name)
    return found


def untaken(folder: Path, view: CampaignView) -> list[Path]:
    """List the runs in a campaign's folder that are not taken up yet, the oldest first."""
    taken = {one.run for one in view.added}
    found = [
        path
        for path in (folder / RUNS).iterdir()
        if path.name not in taken and path.name[0] != "." and _has_begun(path / JOURNAL)
    ]
    return sorted(found, key=lambda path: ((path / JOURNAL).stat().st_mtime, path.name))


def _has_begun(journal: Path) -> bool:
    """Tell whether there is a first record; a program may have died before."""
    try:
        with journal.open("rb") as file:
            return file.readline().endswith(b"\n")
    except OSError:
        return False


def left(view: CampaignView, *, undecided: bool) -> list[str]:
    """List the cases that wait to be run; with `undecided` those as well that said nothing yet."""
    states = ("to run", "inconclusive", "error") if undecided else ("to run",)
    return [one.id for one in histories(view) if one.state in states and one.outcome == "runnable"]


def with_results(view: CampaignView, cases: Iterable[str]) -> list[CaseHistory]:
    """List those of some cases that have a result, so that another run needs a reason."""
    asked = set(cases)
    return [one for one in histories(view) if one.id in asked and one.counts is not None]


def refuse_without_reason(view: CampaignView, cases: Iterable[str]) -> None:
    """Refuse to run cases again that have a result, as nobody said why."""
    again = with_results(view, cases)
    if again:
        one = again[0]
        assert one.counts is not None
        more = f" (and {len(again) - 1} more)" if again[1:] else ""
        raise ConfigError(
            f"{one.id}{more} has a result, {one.counts.verdict} in run {one.counts.run}: "
            "to run it again needs a reason (--reason TEXT)"
        )


def add_run(campaign: Campaign, run: Path, by: str, reason: str | None) -> RunAdded:
    """Add a run that was made elsewhere; it is copied into the campaign's folder.

    Raises `ConfigError` when it is of another DUT, is in the campaign already, goes on, or ran
    cases again without a reason.
    """
    run = run.resolve()
    event = added(run, by, source=str(run))
    _refuse_run(campaign, run, event)
    if reason is None:
        decided = [one["id"] for one in event.cases if one["ended"] == "completed"]
        refuse_without_reason(campaign.view, decided)
    if run.parent != (campaign.folder / RUNS).resolve():
        _copy_run(run, campaign.folder / RUNS / run.name)
    # What counts is the copy: the run may have gone on meanwhile.
    event = added(campaign.folder / RUNS / run.name, by, source=event.source)
    campaign.add(event)
    if reason is not None:
        campaign.add(ReRunReasoned(run.name, by, said(reason, "--reason")))
    return event


def _refuse_run(campaign: Campaign, run: Path, event: RunAdded) -> None:
    if is_being_written(run / JOURNAL):
        raise ConfigError(f"{run}: the run goes on; add it when it is over")
    for one in campaign.view.added:
        if one.head == event.head:
            raise ConfigError(f"{run}: is in the campaign already, as run {one.run}")
        if one.run == run.name:
            raise ConfigError(f"{run}: another run of this name is in the campaign already")
    inputs = campaign.view.inputs
    if inputs is None:
        raise ConfigError(f"{campaign.folder}: its record has no InputsTaken")
    for key in ("kind", "vendor", "model", "identity", "software"):
        if event.dut.get(key, "") != inputs.dut[key]:
            now = f"{event.dut.get(key, '')!r}, the campaign's {inputs.dut[key]!r}"
            raise ConfigError(f"{run}: the {key} of its DUT is {now}")
    claims = changed_claims(event.pics, inputs.pics)
    if claims:
        raise ConfigError(f"{run}: made with other claims than the campaign: {claims[0]}")


def _copy_run(run: Path, to: Path) -> None:
    draft = to.with_name(f".{to.name}.new")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(run, draft)
        os.sync()  # the record names the run only when it is on the disk
        draft.rename(to)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise BenchError(f"{to}: the run could not be copied: {error}") from error


def give_reason(campaign: Campaign, run: str, by: str, reason: str) -> None:
    """Say afterwards why a run ran cases again."""
    if run not in campaign.view.runs:
        known = campaign.view.runs
        raise ConfigError(f"{campaign.folder}: no run {run!r} is in it{near(run, known)}")
    campaign.add(ReRunReasoned(run, by, said(reason, "reason")))


def write_note(campaign: Campaign, text: str, by: str, about: str) -> None:
    """Write something down."""
    _check_about(campaign.view, about)
    campaign.add(NoteAdded(by, said(text, "note"), about))


def attach(campaign: Campaign, path: Path, text: str, by: str, about: str) -> FileAdded:
    """Copy a file into the campaign's folder; raises `ConfigError` when it can't be read."""
    _check_about(campaign.view, about)
    name = re.sub(r"[^\w.+-]", "-", path.name).lstrip(".") or "file"
    place = f"{FILES}/{campaign.next:04d}-{name}"
    draft = campaign.folder / FILES / f".{name}.new"
    try:
        with path.open("rb") as source, draft.open("wb") as file:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
        digest, size = digest_of(draft), draft.stat().st_size
        draft.rename(campaign.folder / place)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    event = FileAdded(by, place, path.name, size, digest, text, about)
    campaign.add(event)
    return event


def digest_of(path: Path) -> str:
    """Return a file's SHA-256; raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def grant(campaign: Campaign, what: str, by: str, reason: str) -> None:
    """Waive that a case must pass, or make a monitor's findings warnings in the runs to come."""
    known = [*(one["id"] for one in campaign.view.planned), *MONITORS]
    if what not in known:
        raise ConfigError(f"no such case or monitor: {what!r}{near(what, known)}")
    if what in campaign.view.waived:
        raise ConfigError(f"{what} is waived already: {campaign.view.waived[what]}")
    if len(reason.split()) < 3:
        raise ConfigError(f"--reason: {reason!r}, expected the reason in words, for the report")
    campaign.add(WaiverGranted(by, what, reason))


def withdraw(campaign: Campaign, what: str, by: str, reason: str) -> None:
    """Withdraw a waiver."""
    if what not in campaign.view.waived:
        raise ConfigError(f"{what!r} is not waived{near(what, campaign.view.waived)}")
    campaign.add(WaiverWithdrawn(by, what, said(reason, "--reason")))


def change(campaign: Campaign, kind: str, what: str, by: str) -> bool:
    """Record a change of the DUT; return whether all cases start over."""
    resets = kind in RESETTING
    campaign.add(DutChanged(by, kind, said(what, "changed"), resets))
    return resets


def close(
    campaign: Campaign,
    by: str,
    remark: str,
    *,
    signer: PublicKey | None = None,
    timestamp: str | None = None,
) -> list[str]:
    """Close the campaign and return what was not settled; raises `ConfigError` while a run goes on.

    Whether a certificate can be stated does not matter: a campaign can end without one.
    """
    for folder in untaken(campaign.folder, campaign.view):
        why = "it goes on, or its journal is not sound"
        raise ConfigError(f"{campaign.folder}: run {folder.name} is not taken up, as {why}")
    points = open_points(campaign.view)
    key = None if signer is None else signer.to_json()
    campaign.add(CampaignClosed(by, remark, points, key, timestamp))
    return points


def said(text: str, what: str) -> str:
    """Return a text that says something; raises `ConfigError`."""
    if not text.strip():
        raise ConfigError(f"{what}: expected a text")
    return text.strip()


def _check_about(view: CampaignView, about: str) -> None:
    known = [*(one["id"] for one in view.planned), *view.runs]
    if about and about not in known:
        raise ConfigError(f"--about: no such case or run: {about!r}{near(about, known)}")

"""Verify a campaign: its chain, its files, and every run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from bench.campaign.acts import digest_of, untaken
from bench.campaign.events import FileAdded, InputsTaken, RunAdded
from bench.campaign.folder import FILES, RUNS, read
from bench.campaign.runs import added
from bench.campaign.view import CampaignView
from bench.errors import BenchError, ConfigError
from bench.events import to_data
from bench.journal import JOURNAL
from bench.sealed import Promise, Trust, check_closing
from bench.unlike import unlike
from bench.verify import Verification, verify


def verify_campaign(folder: Path, trust: Trust | None = None) -> Verification:
    """Verify a campaign's folder, each run by `trust`; raises `ConfigError` when it holds none.

    Of a run that was killed it is known that its journal ends too soon; it must end where it did.
    """
    try:
        view = read(folder)
    except ConfigError:
        raise
    except BenchError as error:
        return Verification((), (str(error),))
    files = _files(view)
    faults = [*_changed(folder, files)]
    summary = [
        f"campaign {len(view.records)} records in a chain of hashes, the last {view.head}",
        f"files    {len(files)} with a hash in the record",
    ]
    for name in sorted(_unknown(folder, files)):
        summary.append(f"         {name} is not in the record")
    warnings: list[str] = []
    if view.closed is not None:
        promise = Promise(len(view.records), view.closed.signer, view.closed.timestamp)
        at = view.records[-1].utc
        sealed = check_closing(folder, view.sealing, promise, at, trust or Trust())
        faults, summary, warnings = (
            faults + sealed.faults,
            summary + sealed.said,
            sealed.warnings,
        )
    for run in view.added:
        found, warned = _checked(folder / RUNS / run.run, run, trust)
        faults += [f"run {run.run}: {fault}" for fault in found]
        warnings += [f"run {run.run}: {text}" for text in warned]
        state = "not sound" if found else "sound" if run.ended else "sound up to where it was cut"
        cases = "1 case" if len(run.cases) == 1 else f"{len(run.cases)} cases"
        summary.append(f"run      {run.run}: {cases}, {state}")
    for path in untaken(folder, view):
        summary.append(f"run      {path.name}: not taken up, so it was not verified")
    return Verification(tuple(summary), tuple(faults), tuple(warnings))


def _files(view: CampaignView) -> dict[str, str]:
    """List the files that the record names, with their hashes."""
    found: dict[str, str] = {}
    for record in view.records:
        match record.event:
            case InputsTaken(files=files):
                found |= files
            case FileAdded(file=file, sha256=digest):
                found[file] = digest
    return found


def _changed(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    for name, digest in files.items():
        try:
            came = digest_of(folder / name)
        except OSError as error:
            yield f"{name}: {error.strerror}"
            continue
        if came != digest:
            yield f"{name} was changed: its SHA-256 is {came}, the record says {digest}"


def _unknown(folder: Path, files: Mapping[str, str]) -> set[str]:
    found = (path for path in (folder / FILES).glob("*") if not path.name.startswith("."))
    return {f"{FILES}/{path.name}" for path in found} - set(files)


def _checked(folder: Path, run: RunAdded, trust: Trust | None) -> tuple[list[str], Sequence[str]]:
    """Say what is wrong with a run, first whether it is the one that was added; and warn."""
    try:
        now = added(folder, run.by, run.source)
    except BenchError as error:
        return [str(error)], ()
    if now.head != run.head:
        text = f"{JOURNAL} ends with the hash {now.head}, the campaign's record says {run.head}"
        return [text], ()
    others = [
        f"{other.path} is {other.first!r} in the campaign's record, {other.second!r} here"
        for other in islice(unlike(to_data(run), to_data(now)), 1)
    ]
    found = verify(folder, trust, killed=run.ended is None)
    return [*others, *found.faults], found.warnings

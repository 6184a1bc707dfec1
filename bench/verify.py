"""Verify a recorded run: hash chain, copied files, results, and every verdict derived again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.derivation import Derivation
from bench.errors import ConfigError
from bench.events import FileTransferred, RunEnded
from bench.fields import first_wrong
from bench.history import SampleReader
from bench.journal import JOURNAL, Fault, JournalReader, Record
from bench.ocpp.frame import shorten
from bench.report.results import results
from bench.runview import RunView, fold
from bench.sample_file import SAMPLES
from bench.seal import SEAL
from bench.sealed import Trust, check_seal
from bench.unlike import MISSING, unlike


@dataclass(frozen=True, slots=True)
class Verification:
    """What was verified, and what is wrong."""

    summary: tuple[str, ...]
    faults: tuple[str, ...]
    """Empty when the run is sound; the first of each kind, the gravest first."""
    warnings: tuple[str, ...] = ()
    """What a reader should know of a sound run, such as a time stamp that could not be had."""

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.faults


def verify(folder: Path, trust: Trust | None = None, *, killed: bool = False) -> Verification:
    """Verify a run's folder, by what its reader trusts and asks for, if anything.

    Of a run that is known to be `killed` it is no fault that the journal ends too soon, unsealed.
    Raises `ConfigError` when it holds no journal, `JournalError` when that is of a newer version.
    """
    path = folder / JOURNAL
    if not path.is_file():
        raise ConfigError(f"{folder}: no {JOURNAL} here, so this is no run's folder")
    reader = JournalReader(path)
    records = list(reader)
    try:
        return _verified(folder, reader, records, trust or Trust(), killed=killed)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # A journal that was made by hand need not be one that an engine can have written.
        fault = f"{JOURNAL}: its records do not fit together: {error!r}"
        return Verification((_chained(reader, records),), (_wrong_field(records) or fault,))


def _wrong_field(records: list[Record]) -> str | None:
    """Name the first record with a field of a type that it can't have."""
    for record in records:
        wrong = first_wrong(record.event)
        if wrong is not None:
            return f"record {record.n}: {type(record.event).__name__}: {wrong}"
    return None


def _chained(reader: JournalReader, records: list[Record]) -> str:
    return f"journal  {len(records)} records in a chain of hashes, the last {reader.head}"


def _verified(
    folder: Path, reader: JournalReader, records: list[Record], trust: Trust, *, killed: bool
) -> Verification:
    view, path = fold(records), reader.path
    end = _end_of_journal(path, reader.fault, records, view)
    faults = [None if killed and _is_whole(path, reader.fault) else end, _wrong_field(records)]
    sealed = check_seal(folder, records, reader.head, trust)
    faults += [] if killed and end is not None and not (folder / SEAL).exists() else sealed.faults
    names = list(view.started.files) if view.started else []
    faults += _changed_files(folder, view.started.files if view.started else {})
    attached = dict(_attachments(records, view))
    names += attached
    faults += _changed_files(folder, attached)
    samples = _unattached_samples(folder, view)
    if end is None:
        faults.append(samples)
        faults.append(_other_results(folder, view))
        names.append("results.json")
    derivation = Derivation(records)
    difference = derivation.first_difference()
    faults.append(None if difference is None else str(difference))
    tally = derivation.tally
    # Where the journal ends too soon, the hash is missing for that reason.
    more = () if end is None or samples is None else (f"samples  {samples}",)
    summary = (
        _chained(reader, records),
        f"files    {', '.join(names) or 'none'}",
        *more,
        *sealed.said,
        f"derived  {tally['frames']} frames watched by the monitors, {tally['findings']} findings",
        f"         {tally['checks']} checks and {tally['values']} measured values",
        f"         verdicts of {tally['steps']} steps and {tally['cases']} cases",
    )
    found = tuple(fault for fault in faults if fault is not None)
    return Verification(summary, found, tuple(sealed.warnings))


def _end_of_journal(
    path: Path, fault: Fault | None, records: list[Record], view: RunView
) -> str | None:
    """Say where the chain of hashes breaks, or where the journal of a killed run ends."""
    if fault is None and records and isinstance(records[-1].event, RunEnded):
        return None
    where = f"record {records[-1].n}" if records else "no record"
    if view.case is not None:
        step = f" step {view.step.title!r}" if view.step else ""
        where += f", during {view.case.id}{step}"
    if _is_whole(path, fault):
        cut = "" if fault is None else f" (line {fault.line} is cut short)"
        return f"the journal ends at {where}; it is whole up to there{cut}"
    return f"{JOURNAL} {fault}; it is sound up to {where}"


def _is_whole(path: Path, fault: Fault | None) -> bool:
    """Tell whether every line that was written to its end is sound."""
    return fault is None or fault.line > path.read_bytes().count(b"\n")


def _attachments(records: list[Record], view: RunView) -> Iterator[tuple[str, str]]:
    """List what the DUT brought and what was sampled, with the hashes in the journal."""
    for record in records:
        event = record.event
        if isinstance(event, FileTransferred) and event.attachment is not None:
            yield event.attachment, event.sha256
    for name, attached in view.attached.items():
        yield name, attached.sha256


def _unattached_samples(folder: Path, view: RunView) -> str | None:
    """Say what a file of samples holds of which the journal has no hash, as in a killed run."""
    path = folder / SAMPLES
    if SAMPLES in view.attached or not path.exists():
        return None
    reader = SampleReader(path)
    try:
        counts = reader.counts()
    except (OSError, ValueError) as error:
        return f"{SAMPLES}, without a hash in the journal, can't be read: {error}"
    what = f"{sum(counts.values())} samples of {len(counts)} channels can be read"
    end = "closed" if reader.complete else "not closed"
    cut = f", the last {reader.torn} bytes are cut" if reader.torn else ""
    return f"{SAMPLES}, {end} and without a hash in the journal: {what}{cut}"


def _changed_files(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Compare copied and attached files with the hashes in the journal."""
    for name, digest in files.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            yield f"{name}: {error.strerror}"
            continue
        if found != digest:
            yield f"{name} was changed: its SHA-256 is {found}, the journal says {digest}"


def _other_results(folder: Path, view: RunView) -> str | None:
    """Compare `results.json` with what the journal yields."""
    try:
        found = orjson.loads((folder / "results.json").read_bytes())
    except OSError as error:
        return f"results.json: {error.strerror}"
    except ValueError as error:
        return f"results.json is not JSON: {error}"
    expected = orjson.loads(orjson.dumps(results(view)))
    other = next(unlike(found, expected), None)
    if other is None:
        return None
    if other.first is MISSING:
        text = "is missing"
    elif other.second is MISSING:
        text = "is not in the journal"
    else:
        text = f"is {shorten(other.first)}, the journal yields {shorten(other.second)}"
    return f"results.json: {other.path} {text}"

"""A run as a report names it: when, where, by which record, and who signed that."""

from __future__ import annotations

from bench.clock import spoken
from bench.report import RecordedRun
from bench.report.cases import moment
from bench.report.document import RunFacts
from bench.report.parts import Pair
from bench.seal import Closed, Seal, read_seal


def facts_of(run: RecordedRun) -> RunFacts:
    """Say when a run was, on which bench, and what stands for its record."""
    view = run.view
    started = view.started
    assert started is not None
    signature, stamp = _sealed(run, started.run)
    files = [Pair(name, digest) for name, digest in started.files.items()]
    files += [Pair(one.file, one.sha256, f"{one.size} bytes") for one in view.attached.values()]
    return RunFacts(
        run=started.run,
        begun=moment(view.first),
        ended=moment(view.last) if view.ended else "not ended",
        duration=spoken(view.duration),
        bench=str(started.bench.get("name", "")),
        version=started.version,
        complete=view.complete,
        remark=remark_of(run),
        records=view.records,
        head=run.head,
        signature=signature,
        stamp=stamp,
        files=tuple(files),
    )


def remark_of(run: RecordedRun) -> str:
    """Say why a run is not complete, or where its journal stops being sound; empty: nothing."""
    view = run.view
    words = ""
    if not view.complete:
        words = "the run has not ended, or its engine was killed"
        if view.ended is not None:
            words = view.ended.reason or "planned cases did not run"
    if run.fault is not None and view.last is not None:
        sound = f"the journal is sound up to record {view.last.n} ({run.fault})"
        words = f"{words}; {sound}" if words else sound
    return words


def _sealed(run: RecordedRun, name: str) -> tuple[str, str]:
    """Say with which key a run's record is signed, and who stamped the time on it, or why not."""
    try:
        seal = read_seal(run.folder)
    except ValueError as error:
        return f"a seal that can't be read: {error}", ""
    if seal is None:
        return "none", ""
    stamp = _stamped(seal)
    if seal.signer is None:
        return "none", stamp
    statement = Closed(name, run.view.records, run.head).statement
    fits = seal.statement == statement and seal.signer.signed(seal.signature, statement.encode())
    key = f"Ed25519, key {seal.signer.fingerprint}"
    return key if fits else f"{key}, which does not fit this record", stamp


def _stamped(seal: Seal) -> str:
    if seal.stamp is None:
        return ""
    if "failed" in seal.stamp:
        return f"no time stamp: {seal.stamp['failed']}"
    return f"time stamp by {seal.stamp['authority']}"

"""Check what closes a run's record, for `verify`: signature, time stamp, the reader's key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.x509 import Certificate

from bench.events import RunEnded, RunStarted
from bench.journal import Record
from bench.lab_key import PublicKey
from bench.seal import SEAL, TOKEN, Closed, Seal, read_seal
from bench.timestamp import NoStamp, check

APART = 60.0
"""Seconds by which the time stamp may differ from the end that the run's own clock says."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the reader of a run knows from elsewhere, and asks for."""

    key: PublicKey | None = None
    """The lab's; a run that is not signed with it is refused."""
    anchors: Sequence[Certificate] = ()
    """Of time stamp authorities; a run without a stamp that leads to one of them is refused."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a record says of its seal."""

    n: int
    """Which of its records says so."""
    signer: dict[str, str] | None
    timestamp: str | None


@dataclass(slots=True)
class Findings:
    """What a seal says, and what is wrong with it."""

    said: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_seal(folder: Path, records: Sequence[Record], head: str, trust: Trust) -> Findings:
    """Check the seal of a run whose sound records are these."""
    started = records[0].event if records else None
    if not isinstance(started, RunStarted):
        return Findings()
    ended = records[-1].utc if isinstance(records[-1].event, RunEnded) else None
    promise = Promise(1, started.signer, started.timestamp)
    return check_closing(folder, Closed(started.run, records[-1].n, head), promise, ended, trust)


def check_closing(
    folder: Path, closed: Closed, promise: Promise, ended: datetime | None, trust: Trust
) -> Findings:
    """Check the seal of a record that ended then, or that did not come to its end."""
    found = Findings()
    try:
        seal = read_seal(folder)
    except ValueError as error:
        found.faults.append(str(error))
        return found
    if seal is not None and seal.statement != closed.statement:
        found.faults.append(_other_statement(seal, closed))
    elif seal is not None or ended is not None:
        _check_signature(found, closed, promise, seal)
        _check_stamp(found, folder, closed, promise, seal, ended, trust)
    if trust.key is not None:
        _check_key(found, closed, seal, trust.key)
    return found


def _other_statement(seal: Seal, closed: Closed) -> str:
    """Say what a seal was put on, when it is not this journal."""
    lines, own = seal.statement.splitlines(), closed.statement.splitlines()
    pairs = zip(lines, own, strict=False)
    said, is_ = next(((a, b) for a, b in pairs if a != b), (seal.statement, closed.statement))
    return f"{SEAL} was put on another record: it says {said!r}, the journal {is_!r}"


def _check_signature(found: Findings, closed: Closed, promise: Promise, seal: Seal | None) -> None:
    where_said = f"record {promise.n}"
    try:
        promised = None if promise.signer is None else PublicKey.from_json(promise.signer)
    except (ValueError, KeyError, TypeError) as error:
        found.faults.append(f"{where_said}: its signer can't be read: {error}")
        return
    signer = seal.signer if seal else None
    if promised is None and signer is None:
        found.said.append("signed   no")
    elif signer is None or seal is None:
        assert promised is not None
        text = f"the {closed.kind} was to be signed with the key {promised.fingerprint}"
        where = "is not there" if seal is None else "holds no signature"
        found.faults.append(f"{text}, but {SEAL} {where}")
    elif promised is None:
        text = f"{SEAL} holds a signature with the key {signer.fingerprint}"
        found.faults.append(f"{text}, {where_said} says that there is none")
    elif promised != signer:
        text = f"the signature in {SEAL} is with the key {signer.fingerprint}"
        found.faults.append(f"{text}, {where_said} names {promised.fingerprint}")
    elif not signer.signed(seal.signature, seal.statement.encode()):
        text = f"the signature in {SEAL} does not fit"
        found.faults.append(f"{text}: it was changed, or is not with the key {signer.fingerprint}")
    else:
        found.said.append(f"signed   with the key {signer.fingerprint}")


def _check_key(found: Findings, closed: Closed, seal: Seal | None, key: PublicKey) -> None:
    what = f"the {closed.kind}"
    if seal is None or seal.signer is None:
        found.faults.append(f"{what} is not signed, expected with the key {key.fingerprint}")
    elif seal.signer != key:
        text = f"{what} is signed with the key {seal.signer.fingerprint}"
        found.faults.append(f"{text}, expected {key.fingerprint}")


def _check_stamp(
    found: Findings,
    folder: Path,
    closed: Closed,
    promise: Promise,
    seal: Seal | None,
    ended: datetime | None,
    trust: Trust,
) -> None:
    stamp = seal.stamp if seal else None
    authority = stamp.get("authority") if stamp else None
    if authority != promise.timestamp:
        text = f"record {promise.n} says {promise.timestamp or 'nobody'}"
        found.faults.append(f"{SEAL} has a time stamp of {authority or 'nobody'}, {text}")
    if stamp is None or "failed" in stamp:
        why = stamp["failed"] if stamp else "none was asked for"
        if trust.anchors:
            found.faults.append(f"the {closed.kind} has no time stamp: {why}")
        elif stamp:
            found.warnings.append(f"the {closed.kind} has no time stamp: {why}")
        return
    try:
        token = (folder / TOKEN).read_bytes()
    except OSError as error:
        found.faults.append(f"{TOKEN}: {error.strerror}")
        return
    if hashlib.sha256(token).hexdigest() != stamp.get("sha256"):
        found.faults.append(f"{TOKEN} was changed: its SHA-256 is not the one in {SEAL}")
        return
    try:
        stamped = check(token, bytes.fromhex(closed.head), anchors=trust.anchors)
    except NoStamp as error:
        found.faults.append(f"{TOKEN}: {error}")
        return
    trusted = "a trusted certificate" if stamped.anchored else "a certificate that it brings itself"
    said = f"{stamped.at:%Y-%m-%d %H:%M:%S} UTC by {stamped.by}, no. {stamped.serial}"
    found.said.append(f"stamped  {said}, with {trusted}")
    if ended is None:
        return
    apart = (stamped.at - ended).total_seconds()
    if abs(apart) > APART:
        clock = "after" if apart > 0 else "before"
        text = f"{abs(apart):.0f} s {clock} the end that the {closed.kind}'s own clock says"
        found.warnings.append(f"the time stamp is {text}")

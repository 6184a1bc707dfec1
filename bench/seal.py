"""What closes a record: the lab's signature on its last hash, and a time stamp of it.

`seal.json` stands beside the journal of a run or the record of a campaign. Signed is its
`statement`, three lines of plain text that name the run or the campaign, the number of records and
the hash of the last, which covers all before it and, by their hashes in it, all files of it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.config import LabSettings
from bench.errors import JournalError
from bench.lab_key import LabKey, PublicKey, from_base64
from bench.timestamp import NoStamp, ask

SEAL = "seal.json"
TOKEN = "timestamp.tsr"
"""The authority's whole answer, as `openssl ts -verify` takes it."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A journal, or the record of a campaign, that takes no more records."""

    run: str
    """Its run, or its campaign."""
    records: int
    head: str
    """Hash of the last record."""
    kind: str = "run"
    """`run` or `campaign`."""

    @property
    def statement(self) -> str:
        """What is signed."""
        return f"Pilotbench {self.kind} {self.run}\nrecords {self.records}\nhead {self.head}\n"


async def seal(folder: Path, closed: Closed, key: LabKey | None, lab: LabSettings) -> str | None:
    """Sign a record and have its time stamped, as far as the lab does; return why it has no stamp.

    Raises `JournalError` when the seal can't be written; an authority that fails raises nothing.
    """
    if key is None and lab.timestamp is None:
        return None
    document: dict[str, Any] = {"statement": closed.statement, "signature": None, "stamp": None}
    if key is not None:
        signature = base64.b64encode(key.sign(closed.statement.encode())).decode()
        document["signature"] = {**key.public.to_json(), "signature": signature}
    if lab.timestamp is None:
        _write(folder / SEAL, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return None
    # What ends the engine while it waits for others must not cost the signature.
    document["stamp"] = {"authority": lab.timestamp, "failed": "its answer was not awaited"}
    _write(folder / SEAL, orjson.dumps(document, option=orjson.OPT_INDENT_2))
    failed = None
    try:
        digest = bytes.fromhex(closed.head)
        token = await ask(lab.timestamp, digest, within=lab.timestamp_within)
        _write(folder / TOKEN, token)
        found = hashlib.sha256(token).hexdigest()
        document["stamp"] = {"authority": lab.timestamp, "sha256": found}
    except NoStamp as error:
        failed = str(error)
        document["stamp"] = {"authority": lab.timestamp, "failed": failed}
    _write(folder / SEAL, orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return failed


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or as it was before, and on the disk."""
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise JournalError(f"{path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as it was read."""

    statement: str
    signer: PublicKey | None
    signature: bytes
    stamp: dict[str, str] | None


def read_seal(folder: Path) -> Seal | None:
    """Read a run's seal, None when it has none; raises ValueError for what is no seal."""
    try:
        data = (folder / SEAL).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{SEAL}: {error.strerror}") from error
    try:
        document = orjson.loads(data)
        signer, signature = None, b""
        if document["signature"] is not None:
            signer = PublicKey.from_json(document["signature"])
            signature = from_base64(document["signature"]["signature"])
        stamp = document["stamp"]
        if stamp is not None and not all(isinstance(part, str) for part in stamp.values()):
            raise ValueError("its stamp is not one")
        return Seal(str(document["statement"]), signer, signature, stamp)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{SEAL} is no seal: {error}") from error

"""Shares: signed, expiring, revocable tokens by which a vendor's engineer reads what is theirs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.clock import from_iso, iso
from bench.errors import ConfigError
from bench.server.token import secret

KEY = "share.key"
"""The file with the key that signs shares, beside the operator's token."""
FOLDER = "shares"
"""The folder with what was shared, beside the key: one file each."""
_PREFIX = "pbs"
_ID = re.compile(r"[0-9a-f]{12}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Share:
    """What one link lets its holder read, and until when."""

    id: str
    name: str
    """For whom it was made."""
    expires: str
    """UTC moment."""
    dut: tuple[str, str, str] | None = None
    """Vendor, model and identity of the DUT whose runs it covers."""
    run: str | None = None
    """The run that it covers, when it is a single one."""

    def covers(self, run: str, dut: tuple[str, str, str]) -> bool:
        """Tell whether a run of a DUT is covered."""
        return run == self.run if self.run is not None else dut == self.dut

    def is_over(self, moment: datetime) -> bool:
        """Tell whether it has expired."""
        return moment >= from_iso(self.expires)


@dataclass(frozen=True, slots=True)
class Listed:
    """A share as the lab sees it."""

    share: Share
    revoked: str | None
    """UTC moment at which it was revoked."""


class Shares:
    """The shares of one folder of runs: makes, checks, lists and revokes them."""

    def __init__(self, folder: Path) -> None:
        """Open the shares of a folder; raises `ConfigError` when the key can't be used."""
        _, key = secret(folder / KEY, "the key that signs links")
        self._key = key.encode()
        self._folder = folder / FOLDER

    def make(
        self,
        name: str,
        lasting: timedelta,
        *,
        dut: tuple[str, str, str] | None = None,
        run: str | None = None,
    ) -> tuple[Share, str]:
        """Share a DUT's runs or a single run; return the share and its token."""
        if (dut is None) == (run is None):
            raise ValueError("a share is bound to a DUT or to a run")
        share = Share(secrets.token_hex(6), name, iso(datetime.now(UTC) + lasting), dut, run)
        self._keep(Listed(share, None))
        body = _text(json.dumps(asdict(share), ensure_ascii=False).encode())
        return share, f"{_PREFIX}.{body}.{self._sign(body)}"

    def check(self, token: str) -> Share | None:
        """Return the share that a token stands for; None when it is no good."""
        share = self._read(token)
        return share if share is not None and self.is_good(share) else None

    def is_good(self, share: Share) -> bool:
        """Tell whether a share has neither expired nor been revoked."""
        if share.is_over(datetime.now(UTC)):
            return False
        try:
            return self._listed(self._folder / f"{share.id}.json").revoked is None
        except ConfigError:
            return False

    def listed(self) -> list[Listed]:
        """List all shares, the one that lasts longest first; raises `ConfigError`."""
        paths = self._folder.glob("*.json") if self._folder.is_dir() else ()
        return sorted(
            (self._listed(path) for path in paths), key=lambda one: one.share.expires, reverse=True
        )

    def revoke(self, share_id: str) -> Listed:
        """Make a share good for nothing; raises `ConfigError` when there is none of this id."""
        path = self._folder / f"{share_id}.json"
        if not _ID.fullmatch(share_id) or not path.is_file():
            raise ConfigError(f"there is no share {share_id!r}: --list shows them")
        one = self._listed(path)
        if one.revoked is None:
            one = replace(one, revoked=iso(datetime.now(UTC)))
            self._keep(one)
        return one

    def _sign(self, body: str) -> str:
        return _text(hmac.new(self._key, f"{_PREFIX}.{body}".encode(), hashlib.sha256).digest())

    def _read(self, token: str) -> Share | None:
        """Read a token; None unless it was signed here."""
        parts = token.split(".")
        if len(parts) != 3 or parts[0] != _PREFIX or not token.isascii():
            return None
        _, body, signature = parts
        if not hmac.compare_digest(self._sign(body), signature):
            return None
        with suppress(ValueError, TypeError, KeyError):
            return _share(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))
        return None

    def _keep(self, one: Listed) -> None:
        path = self._folder / f"{one.share.id}.json"
        draft = path.with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as handle:
                json.dump({**asdict(one.share), "revoked": one.revoked}, handle, ensure_ascii=False)
                handle.flush()
                os.fsync(handle.fileno())
            draft.replace(path)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error

    def _listed(self, path: Path) -> Listed:
        try:
            document = json.loads(path.read_bytes())
            revoked = document.pop("revoked")
            return Listed(_share(document), revoked)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError(f"{path}: not a share: {error}") from error


def link(url: str, token: str) -> str:
    """Write the address of the viewer page with a token in it."""
    # In the fragment, which browsers send to nobody.
    return f"{url.rstrip('/')}/view/#token={token}"


def duration(text: str) -> timedelta:
    """Read a duration such as 90m, 12h, 7d or 2w; raises ValueError on anything else."""
    found = re.fullmatch(r"(\d{1,4})([mhdw])", text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{text!r}, expected a number with m, h, d or w, such as 12h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _share(document: dict[str, Any]) -> Share:
    dut = document.pop("dut")
    share = Share(**document, dut=None if dut is None else tuple(dut))
    from_iso(share.expires)
    return share


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

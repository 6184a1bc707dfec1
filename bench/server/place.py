"""Where an API may be offered and how, and where an engine is found that serves a folder."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.config import BenchConfig
from bench.errors import ConfigError

PLACE = "engine/url"
"""The file that tells where the engine serves a folder of runs, in that folder."""


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate chain and its key, as PEM files."""

    certificate: Path
    key: Path


def tls_of(bench: BenchConfig, host: str) -> Tls | None:
    """Return the TLS settings of a bench for an address to listen on.

    Raises `ConfigError` for an address beyond this machine without TLS, unless `plain` allows it.
    """
    api, folder = bench.api, bench.path.parent
    if api.certificate is not None and api.key is not None:
        found = Tls(folder / api.certificate, folder / api.key)
        for name, path in (("certificate", found.certificate), ("key", found.key)):
            if not path.is_file():
                raise ConfigError(f"{bench.path}: table [api], key {name!r}: no file {path}")
        return found
    if not is_loopback(host) and not api.plain:
        need = "keys 'certificate' and 'key', or plain = true"
        where = f"{bench.path}: table [api]"
        raise ConfigError(
            f"{where}: --api {host} is reached from other machines, so it needs {need}"
        )
    return None


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


@contextmanager
def announced(out: Path, url: str) -> Iterator[None]:
    """Let `where_served` find the engine while the context lasts."""
    path = out / PLACE
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{url}\n", "utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def where_served(out: Path) -> str | None:
    """Return the URL of the engine that serves a folder of runs, None when there is none."""
    try:
        return (out / PLACE).read_text("utf-8").strip()
    except OSError:
        return None

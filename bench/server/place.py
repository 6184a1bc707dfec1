"""Where an API may be offered, and how."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.config import BenchConfig
from bench.errors import ConfigError


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

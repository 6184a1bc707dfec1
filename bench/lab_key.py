"""The lab's Ed25519 key: made once, kept in a file that only its owner reads, known by a print."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from bench.config import BenchConfig
from bench.errors import ConfigError

ALGORITHM = "Ed25519"
MOST = 10_000
"""Bytes of a key's file that are read."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The half of a lab's key that everybody may have, as DER SubjectPublicKeyInfo."""

    der: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, in lower-case hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> str:
        """The key as other programs read it."""
        return self._key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def signed(self, signature: bytes, data: bytes) -> bool:
        """Tell whether a signature over data was made with this key."""
        try:
            self._key().verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def to_json(self) -> dict[str, str]:
        """Write it as a run's first record names its signer."""
        text = base64.b64encode(self.der).decode()
        return {"algorithm": ALGORITHM, "public_key": text, "fingerprint": self.fingerprint}

    @classmethod
    def from_json(cls, data: dict[str, str]) -> Self:
        """Read it back; raises ValueError, KeyError or TypeError."""
        if data["algorithm"] != ALGORITHM:
            raise ValueError(f"algorithm {data['algorithm']!r}, expected {ALGORITHM}")
        key = cls(from_base64(data["public_key"]))
        key._key()  # what is no key is told here, not where it is used
        if data["fingerprint"] != key.fingerprint:
            raise ValueError("the fingerprint is not that of the key")
        return key

    def _key(self) -> Ed25519PublicKey:
        try:
            key = load_der_public_key(self.der)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("no public key that can be read") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError(f"no {ALGORITHM} key")  # noqa: TRY004 - a wrong file
        return key


def from_base64(text: str) -> bytes:
    """Read base64 that is written in the only way there is; raises ValueError or TypeError."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 with bits that mean nothing")
    return data


class LabKey:
    """The lab's key pair; its private half is in memory and in its file, and nowhere else."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key()
        self.public = PublicKey(
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    def sign(self, data: bytes) -> bytes:
        """Sign data."""
        return self._key.sign(data)


def new_key(path: Path) -> LabKey:
    """Make a key in a new file that only its owner can read; raises `ConfigError`."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.fchmod(file, 0o600)
            os.write(file, pem)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    return LabKey(key)


def load_key(path: Path, where: str) -> LabKey:
    """Read the lab's key; `where` begins the text of a `ConfigError`.

    The file must belong to its reader alone, as other secrets do.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(MOST)
    except OSError as error:
        raise ConfigError(f"{where}: {path}: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigError(f"{where}: {path} has mode {mode:o}, expected 600 (chmod 600 {path})")
    try:
        key = load_pem_private_key(data, None)
    except TypeError:
        raise ConfigError(f"{where}: {path} is encrypted, expected a key without passphrase") from (
            None
        )
    except (ValueError, UnsupportedAlgorithm):
        # What the library says may quote the file.
        raise ConfigError(f"{where}: {path} is no PEM file with a private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{where}: {path} holds another kind of key, expected {ALGORITHM}")
    return LabKey(key)


def load_public_key(path: Path, where: str) -> PublicKey:
    """Read a public key from a PEM file, likewise."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST)
    except OSError as error:
        raise ConfigError(f"{where}: {path}: {error.strerror}") from error
    if b"PRIVATE KEY" in data:
        raise ConfigError(f"{where}: {path} holds a private key, expected the public one")
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{where}: {path} is no PEM file with a public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{where}: {path} holds another kind of key, expected {ALGORITHM}")
    return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def key_of(bench: BenchConfig) -> LabKey | None:
    """Read the key that a bench signs its runs with, if any; raises `ConfigError`."""
    if bench.lab.signing_key is None:
        return None
    path = bench.path.parent / bench.lab.signing_key
    return load_key(path, f"{bench.path}: table [lab], key 'signing_key'")

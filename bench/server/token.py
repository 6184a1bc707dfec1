"""Secrets of the API, each in a file that nobody else can read: the operator's token, a key."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from bench.errors import ConfigError

NAME = "operator.token"
"""The file with the operator's token, in the folder it is kept in."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,}")


def operator_token(folder: Path) -> tuple[Path, str]:
    """Return the token file of a folder and what is in it; make it (mode 600) if there is none.

    Raises `ConfigError` when the file can't be made or read, is not ours alone, or holds no token.
    """
    return secret(folder / NAME, "the operator's token")


def secret(path: Path, what: str) -> tuple[Path, str]:
    """Return a file and the secret in it; make it (mode 600) if there is none.

    `what` names the secret in errors. Raises `ConfigError` as `operator_token`.
    """
    try:
        return path, _create(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    return path, _read(path, what)


def _create(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, f"{token}\n".encode())
    finally:
        os.close(file)
    return token


def _read(path: Path, what: str) -> str:
    try:
        # Not blocking: a pipe in place of the file must not hold the engine.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path}: not a plain file, expected {what}")
        if status.st_uid != os.geteuid():
            raise ConfigError(f"{path}: belongs to another user (id {status.st_uid})")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise ConfigError(f"{path}: others can read or write it (mode {mode:o}), expected 600")
        text = os.read(file, 1024).decode("ascii", "replace").strip()
    finally:
        os.close(file)
    if not _TOKEN.fullmatch(text):
        raise ConfigError(f"{path}: holds no token, expected at least 32 letters, digits, - and _")
    return text

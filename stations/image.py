"""The format of the station's firmware: a line with version and checksum, then the program."""

from __future__ import annotations

import hashlib
import re

_HEAD = re.compile(rb"PILOTBENCH-FIRMWARE (\S{1,50}) ([0-9a-f]{64})\n")


class BadImage(Exception):
    """A file is no firmware for this station, or was damaged."""


def write_image(version: str, program: bytes) -> bytes:
    """Make a firmware file."""
    digest = hashlib.sha256(program).hexdigest()
    return f"PILOTBENCH-FIRMWARE {version} {digest}\n".encode() + program


def read_version(image: bytes) -> str:
    """Return the version of a firmware file that is sound; raises `BadImage`."""
    head = _HEAD.match(image)
    if head is None:
        raise BadImage("not a firmware file of this product")
    if hashlib.sha256(image[head.end() :]).hexdigest() != head[2].decode():
        raise BadImage("the checksum does not fit")
    return head[1].decode()

"""Network namespaces of a test: station, bench and engine, each a machine on a cable of its own."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers import net_helper

_NETWORK = 0x40000000
"""CLONE_NEWNET."""

_numbers = itertools.count()

STATION, ENGINE = "10.93.1.2", "10.93.2.2"
"""Addresses at the far ends of the bench's two cables."""


@dataclass(frozen=True, slots=True)
class Machines:
    """Three namespaces: the bench routes between the other two by `dut0` and `net0`."""

    station: str
    bench: str
    engine: str

    @property
    def helper(self) -> list[str]:
        """How to start the helper on the bench."""
        return ["ip", "netns", "exec", self.bench, sys.executable, net_helper.__file__]

    def ip(self, machine: str, *words: str) -> Any:
        """Have `ip` tell something as JSON."""
        return json.loads(_done("ip", "-n", machine, "-j", *words) or "[]")

    def lacks(self, *discipline: str) -> bool:
        """Tell whether this kernel was built without a queueing discipline."""
        words = ("tc", "-n", self.station, "qdisc", "replace", "dev", "lo", "root", *discipline)
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return "unknown" in done.stderr

    def socket(self, machine: str) -> socket.socket:
        """Make a TCP socket of a machine; it stays there whoever uses it."""
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{machine}", os.O_RDONLY)
        try:
            if libc.setns(there, _NETWORK):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                made = socket.socket()
            finally:
                assert libc.setns(home, _NETWORK) == 0
        finally:
            os.close(home)
            os.close(there)
        made.setblocking(False)
        return made


def _done(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@asynccontextmanager
async def machines() -> AsyncIterator[Machines]:
    """Make the three machines; skips where the kernel forbids namespaces."""
    stem = f"pb{os.getpid()}-{next(_numbers)}"
    made = Machines(f"{stem}-s", f"{stem}-b", f"{stem}-e")
    names = (made.station, made.bench, made.engine)
    try:
        try:
            _done("ip", "netns", "add", made.bench)
        except OSError as error:
            pytest.skip(f"network namespaces are not permitted here: {error}")
        _wire(made)
        yield made
    finally:
        await asyncio.to_thread(_remove, names)


def _remove(names: Sequence[str]) -> None:
    for name in names:
        if Path(f"/run/netns/{name}").exists():
            _done("ip", "netns", "del", name)


def _wire(made: Machines) -> None:
    for machine, near, net, far in (
        (made.station, "dut0", "10.93.1", STATION),
        (made.engine, "net0", "10.93.2", ENGINE),
    ):
        _done("ip", "netns", "add", machine)
        cable = ("type", "veth", "peer", "name", "eth0", "netns", machine)
        _done("ip", "-n", made.bench, "link", "add", near, *cable)
        _done("ip", "-n", made.bench, "addr", "add", f"{net}.1/24", "dev", near)
        _done("ip", "-n", made.bench, "link", "set", near, "up")
        _done("ip", "-n", machine, "addr", "add", f"{far}/24", "dev", "eth0")
        for interface in ("lo", "eth0"):
            _done("ip", "-n", machine, "link", "set", interface, "up")
        _done("ip", "-n", machine, "route", "add", "default", "via", f"{net}.1")
    forwarding = "/proc/sys/net/ipv4/ip_forward"
    _done("ip", "netns", "exec", made.bench, "sh", "-c", f"echo 1 >{forwarding}")

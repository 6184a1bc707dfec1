"""A real PC/SC daemon of the tests' own, with virtual readers.

It lives in a mount namespace where `/run` is a folder of the tests, so that it meets no daemon of
the machine or of other tests.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import random
import shutil
import signal
import socket
import tempfile
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.sim.smart_card import CardSlot

_FOLDER = Path(tempfile.gettempdir()) / f"pilotbench-pcsc-{os.getpid()}"
SOCKET = _FOLDER / "run/pcscd/pcscd.comm"
"""Where programs of this process and its children find the daemon."""

_LIBRARY = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
_START = 'mount --bind "$0" /run && exec pcscd --foreground --info --config "$1"'
_NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "-r", "--mount")

READER = "Pilotbench Reader"
"""The virtual reader has two slots, one named `… 00 00` and the other `… 00 01`."""

_STARTING = 10.0
"""Deadline in s."""


class PcscDaemon:
    """The daemon, with one virtual reader or none, which is started and ended at will."""

    def __init__(self) -> None:
        self._first_port = _two_free_ports()
        self.slots = (CardSlot(self._first_port), CardSlot(self._first_port + 1))
        self._process: Process | None = None
        self._drain: asyncio.Task[bytes] | None = None

    async def start(self, readers: Sequence[str] = (READER,)) -> None:
        """Start it with its readers; returns when it is ready."""
        config = _FOLDER / "readers"
        shutil.rmtree(config, ignore_errors=True)
        config.mkdir(parents=True)
        (_FOLDER / "run").mkdir(exist_ok=True)
        for index, name in enumerate(readers):
            port = self._first_port + 2 * index
            (config / name).write_text(
                f'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:0x{port:04X}\n'
                f"LIBPATH {_LIBRARY}\nCHANNELID 0x{port:04X}\n"
            )
        self._process = await asyncio.create_subprocess_exec(
            *(*_NAMESPACE, "sh", "-c", _START, str(_FOLDER / "run"), str(config)),
            stdout=PIPE,
            stderr=STDOUT,
        )
        output = self._process.stdout
        assert output is not None
        said = b""
        async with asyncio.timeout(_STARTING):
            while b"daemon ready" not in said:
                line = await output.readline()
                assert line, f"pcscd ended: {said.decode(errors='replace')}"
                said += line
            # It listens a moment after that, and says nothing of it.
            while not await _answers():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        self._drain = asyncio.create_task(output.read())

    async def kill(self) -> None:
        """End it without a farewell; does nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()
        if self._drain is not None:
            await self._drain

    def freeze(self) -> None:
        """Let it neither run nor end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def pcsc_daemon() -> AsyncIterator[PcscDaemon]:
    """Give a running daemon with one virtual reader."""
    probe = await asyncio.create_subprocess_exec(*_NAMESPACE, "true", stderr=PIPE)
    _, reason = await probe.communicate()
    if probe.returncode:
        pytest.skip(f"the kernel forbids mount namespaces: {reason.decode().strip()}")
    daemon = PcscDaemon()
    try:
        await daemon.start()
        yield daemon
    finally:
        for slot in daemon.slots:
            await slot.clear()
        await daemon.kill()


async def _answers() -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(SOCKET)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _two_free_ports() -> int:
    """Find two neighbouring ports: the virtual reader can't leave the choice to the system.

    They lie below those that the system chooses, so that nobody gets them in the meantime.
    """
    while True:
        port = random.randrange(20000, 30000)
        try:
            for each in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("", each))
        except OSError:
            continue
        return port


atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

"""A simulated lab in a process of its own, as the demo and whole-run tests want it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from bench.errors import BenchError


@contextmanager
def running_lab(
    *options: str, within: float = 15.0, stop_within: float = 5.0
) -> Iterator[dict[str, str]]:
    """Run `pilotbench lab` with `options` and give its files, once it is ready.

    The lab is ended with the block, whatever happens; if this process is killed, the lab notices
    that its standard input has ended. Raises `BenchError` when it is not ready `within` s.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", "lab", "--until-eof", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            files = _ready(process, errors, within=within)
            try:
                yield files
            finally:
                if process.poll() is not None:
                    why = _why(process, errors)
                    sys.stderr.write(f"pilotbench: the simulated lab ended: {why}\n")
        finally:
            _end(process, within=stop_within)


def _ready(process: subprocess.Popen[bytes], errors: IO[bytes], *, within: float) -> dict[str, str]:
    """Wait for the lab's line."""
    assert process.stdout is not None
    output, text = process.stdout.fileno(), b""
    deadline = time.monotonic() + within
    while b"\n" not in text:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([output], [], [], left)[0]:
            raise BenchError(f"the simulated lab is not ready within {within:g} s")
        part = os.read(output, 4096)
        if not part:
            process.wait()
            raise BenchError(f"the simulated lab did not start: {_why(process, errors)}")
        text += part
    files: dict[str, str] = json.loads(text)
    return files


def _why(process: subprocess.Popen[bytes], errors: IO[bytes]) -> str:
    """Say why the lab ended by itself."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {process.returncode}"


def _end(process: subprocess.Popen[bytes], *, within: float) -> None:
    """Ask the lab to stop, then make its whole process group."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(within)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdin.close()
        process.stdout.close()

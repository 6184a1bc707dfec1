"""A recorded run shown again in the terminal, by the same table as a run that goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TextIO

from bench.terminal import Progress
from gui.recording import Recording, read_recording


def replay_in_terminal(folder: Path, out: TextIO, errors: TextIO, *, speed: float) -> int:
    """Show a run's folder `speed` times as fast as it was, at once where nobody watches.

    Returns the exit code; raises `ConfigError` when the folder holds no journal.
    """
    recording = read_recording(folder)
    asyncio.run(_play(recording, out, speed if out.isatty() else 0.0))
    if recording.missing:
        errors.write(f"pilotbench: {recording.missing}\n")
    return 0


async def _play(recording: Recording, out: TextIO, speed: float) -> None:
    """Show the records as they came; a speed of 0 does not wait."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    def position() -> float:
        """Tell the moment of the recording that is shown, on its own clock."""
        passed = (loop.time() - began) * speed if speed else recording.length
        return recording.begin + min(passed, recording.length)

    with Progress(out, mono=position) as progress:
        for record in recording.records:
            ahead = record.mono - position()
            if ahead > 0:
                await asyncio.sleep(ahead / speed)
            progress.show(record)

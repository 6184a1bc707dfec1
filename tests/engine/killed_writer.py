"""Writers of a journal that are killed with -9 at any moment: which acknowledged records are lost.

As a program it takes a folder and how many writers to kill, and prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.events import CaseEnded, Event, FrameReceived
from bench.journal import JournalReader, JournalWriter, Record

FRAME = FrameReceived(1, '[2,"m","Heartbeat",{}]')
VERDICT = CaseEnded("TC_1", "pass", "completed", None, None, "body", 1.0, [])


def write(path: Path, acknowledged: int) -> None:
    """Write records until somebody kills this process; tell each that was acknowledged."""
    with JournalWriter(path) as journal:
        for n in range(1, 1_000_000):
            event: Event = VERDICT if n % 20 == 0 else FRAME
            moment = datetime.now(UTC)
            journal.append(Record(n, moment, n / 1000, event), durable=event is VERDICT)
            os.write(acknowledged, b"%d\n" % n)


def kill_one(path: Path, after: float) -> tuple[int, int, bool]:
    """Kill a writer after so many s; return the records acknowledged, kept, and whether whole."""
    reading, writing = os.pipe()
    writer = os.fork()
    if writer == 0:
        os.close(reading)
        try:
            write(path, writing)
        finally:
            os._exit(1)
    os.close(writing)
    told = b""
    end = time.monotonic() + after
    while (part := os.read(reading, 65536)) and time.monotonic() < end:
        told += part
    os.kill(writer, signal.SIGKILL)
    while more := os.read(reading, 65536):
        part += more
    told += part
    os.close(reading)
    os.waitpid(writer, 0)
    reader = JournalReader(path)
    kept = sum(1 for _ in reader)
    # The last line of what was told can be cut; then it was not told.
    acknowledged = int(told.rpartition(b"\n")[0].rpartition(b"\n")[2] or 0)
    return acknowledged, kept, reader.fault is None or "cut here" in reader.fault.reason


def main() -> None:
    """Kill writers one after the other."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(7)
    total, lost, sound = 0, 0, True
    for number in range(count):
        found = kill_one(folder / f"{number}.jsonl", chance.uniform(0.0, 0.03))
        total += found[0]
        lost += max(0, found[0] - found[1])
        sound = sound and found[2]
    print(json.dumps({"acknowledged": total, "lost": lost, "sound": sound}))  # noqa: T201


if __name__ == "__main__":
    main()

"""What happens to a lab's machine does not spoil evidence: kill, full disk, clock, read-only."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench import clock
from bench.archive import Archive
from bench.compare import compare
from bench.report import read_run, write_all
from bench.verify import verify
from tests.engine.programs import ROOT, records
from tests.unit.recorded import SUITE, record

GOLDEN = ROOT / "tests" / "golden"


def test_a_killed_writer_loses_no_record_that_was_acknowledged(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.engine.killed_writer", str(tmp_path), "25"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["acknowledged"] > 100
    assert (found["lost"], found["sound"]) == (0, True)


def in_own_mounts(
    script: str, code: str, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run Python where `script` has mounted what nobody else sees."""
    mounts = ["unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",))]
    program = [sys.executable, "-c", code, *map(str, arguments)]
    command = [*mounts, "sh", "-ec", f'{script}\nexec "$@"', "sh", *program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


READ_ONLY = 'mount --bind "$4" "$4"; mount -o remount,ro,bind "$4"'
READER = """
import sys
from pathlib import Path
from bench import archive, cli
root = Path(sys.argv[1])
archive.FEW = 1
run, other, new = str(root / "r1"), str(root / "r2"), str(root / "new")
print(cli.main(["verify", run]))
print(cli.main(["compare", run, other]))
print(cli.main(["report", run, "--format", "json"]))
print(cli.main(["report", run, "--format", "json", "--out", sys.argv[2]]))
print(cli.main(["key", "new", str(root / "lab.key")]))
print([one.run for one in archive.Archive(root).runs()])
"""


def test_a_folder_that_is_read_only_can_be_read(tmp_path: Path) -> None:
    root, out = tmp_path / "runs", tmp_path / "results.json"
    for name in ("r1", "r2"):
        shutil.copytree(GOLDEN / "version-1-last", root / name)
    before = sorted(path.name for path in root.rglob("*"))
    done = in_own_mounts(READ_ONLY, READER, root, out)
    lines = done.stdout.splitlines()
    codes = [line for line in lines if line.isdigit()]
    assert codes == ["0", "0", "3", "0", "3"], done.stdout + done.stderr
    assert lines[-1] == "['r1', 'r2']"
    report, key = done.stderr.splitlines()
    assert report.startswith(f"pilotbench: {root / 'r1' / 'results.json'}: Read-only file system")
    assert key == f"pilotbench: {root / 'lab.key'}: Read-only file system"
    assert out.read_bytes() == (root / "r1" / "results.json").read_bytes()
    assert sorted(path.name for path in root.rglob("*")) == before


SMALL = 'mount -t tmpfs -o size=64k none "$4"'
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from bench.config import LabSettings
from bench.errors import JournalError
from bench.events import Noted
from bench.journal import JournalReader, JournalWriter, Record
from bench.lab_key import new_key
from bench.seal import Closed, seal
import asyncio
folder = Path(sys.argv[1])
key = new_key(folder / "lab.key")
journal = JournalWriter(folder / "journal.jsonl")
n = 0
try:
    while True:
        journal.append(Record(n + 1, datetime.now(UTC), 1.0, Noted("x" * 300)))
        n += 1
except JournalError as error:
    print(error)
reader = JournalReader(folder / "journal.jsonl")
print(sum(1 for _ in reader) == n > 50, reader.fault, reader.head == journal.head)
try:
    asyncio.run(seal(folder, Closed("r", n, journal.head), key, LabSettings("lab.key")))
except JournalError as error:
    print(error)
print(sorted(path.name for path in folder.iterdir()))
(folder / "lab.key").unlink()
journal.append(Record(n + 1, datetime.now(UTC), 1.0, Noted("room again")))
journal.close()
reader = JournalReader(folder / "journal.jsonl")
print(sum(1 for _ in reader) == n + 1, reader.fault)
"""


def test_a_disk_that_is_really_full_leaves_whole_records(tmp_path: Path) -> None:
    done = in_own_mounts(SMALL, WRITER, tmp_path)
    assert done.stderr == ""
    full = "No space left on device"
    assert done.stdout.splitlines() == [
        f"{tmp_path / 'journal.jsonl'}: {full}",
        "True None True",
        f"{tmp_path / 'seal.json'}: {full}",
        "['journal.jsonl', 'lab.key']",
        "True None",
    ]


def test_a_clock_that_is_set_while_a_run_goes_on_changes_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {"back": timedelta(hours=-1), "forward": timedelta(days=400)}
    real, calls = clock.utc, 0
    runs: dict[str, Path] = {}
    for name, step in steps.items():
        calls = 0

        def utc(step: timedelta = step) -> datetime:
            nonlocal calls
            calls += 1
            return real() + (step if calls > 60 else timedelta())

        monkeypatch.setattr(clock, "utc", utc)
        folder = tmp_path / name
        folder.mkdir()
        outcome: Any = asyncio.run(record(folder, cases=SUITE.procedures[:2]))
        runs[name] = outcome.folder
        write_all(outcome.folder)
        moments = [one.utc for one in records(outcome.folder)]
        apart = max(abs(b - a) for a, b in pairwise(moments))
        assert apart > timedelta(minutes=59), "the clock was not set while it ran"
        assert verify(outcome.folder).faults == ()
        results = json.loads((outcome.folder / "results.json").read_bytes())
        assert [case["verdict"] for case in results["cases"]] == ["pass", "pass"]
        assert all(0 < case["duration_s"] < 60 for case in results["cases"])
    assert compare(*(read_run(folder).view for folder in runs.values())).same_verdicts
    assert [one.run for one in Archive(tmp_path / "back").runs()] == ["run"]

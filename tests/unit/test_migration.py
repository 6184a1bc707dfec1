"""Journals of older versions are read as this one writes them, those of newer ones refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import __version__, cli
from bench.archive import Archive
from bench.errors import JournalError
from bench.events import SCHEMA, RunStarted
from bench.journal import JOURNAL, JournalReader, JournalWriter
from bench.migration import FIRST_MONITORS, STEPS, Migration

GOLDEN = Path(__file__).parents[1] / "golden"


def rewritten(folder: Path, run: str, **changes: Any) -> Path:
    """Write a stored run's journal anew, in a chain of its own, with another first record."""
    lines = (GOLDEN / run / JOURNAL).read_bytes().splitlines()
    with JournalWriter(folder / JOURNAL) as journal:
        for line in lines:
            parts = json.loads(line)
            del parts["prev"], parts["hash"]
            if parts["n"] == 1:
                parts["data"].update(changes)
            journal.write(json.dumps(parts, separators=(",", ":")).encode())
    return folder


def test_there_is_a_step_from_every_older_version() -> None:
    assert len(STEPS) == SCHEMA - 1


def test_a_run_of_version_1_names_the_monitors_that_watched_it() -> None:
    first = next(iter(JournalReader(GOLDEN / "version-1-first" / JOURNAL))).event
    assert isinstance(first, RunStarted)
    assert (first.schema, first.monitors) == (1, list(FIRST_MONITORS))
    last = next(iter(JournalReader(GOLDEN / "version-1-last" / JOURNAL))).event
    assert isinstance(last, RunStarted)
    assert last.schema == 1
    assert set(last.monitors) > set(FIRST_MONITORS)


def test_what_is_migrated_is_not_changed_where_it_stands() -> None:
    parts = {"event": "RunStarted", "data": {"schema": 1}}
    assert Migration()(parts)["data"]["monitors"]
    assert parts == {"event": "RunStarted", "data": {"schema": 1}}


def test_a_journal_of_a_newer_version_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = rewritten(tmp_path, "refused-card", schema=SCHEMA + 1, version="9.9")
    text = (
        f"{folder / JOURNAL}: the journal is of version {SCHEMA + 1}, written by Pilotbench 9.9; "
        f"this is Pilotbench {__version__}, which reads up to version {SCHEMA}"
    )
    with pytest.raises(JournalError) as refused:
        list(JournalReader(folder / JOURNAL))
    assert str(refused.value) == text
    for command in ("verify", "report"):
        assert cli.main([command, str(folder)]) == 2
        assert capsys.readouterr().err == f"pilotbench: {text}\n"


def test_a_newer_run_does_not_hide_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, schema in (("old", 1), ("new", SCHEMA + 1)):
        (tmp_path / name).mkdir()
        rewritten(tmp_path / name, "refused-card", schema=schema)
    assert [one.run for one in Archive(tmp_path).runs()] == ["old"]
    assert f"of version {SCHEMA + 1}" in caplog.text


@pytest.mark.parametrize("schema", ["1", 0, -1, None, True, 1.0])
def test_what_is_no_version_is_told_by_line(tmp_path: Path, schema: Any) -> None:
    reader = JournalReader(rewritten(tmp_path, "refused-card", schema=schema) / JOURNAL)
    assert list(reader) == []
    assert str(reader.fault) == f"line 1: {schema!r} is no version of the journal"


def test_the_chain_is_checked_over_the_lines_as_they_were_written(tmp_path: Path) -> None:
    # What the migration would put there is written by hand into the old line: its hash tells.
    whole = (GOLDEN / "version-1-first" / JOURNAL).read_bytes()
    names = json.dumps(list(FIRST_MONITORS), separators=(",", ":"))
    first, rest = whole.split(b"\n", 1)
    assert b'"monitors"' not in first
    changed = first.replace(b'},"prev"', f',"monitors":{names}}},"prev"'.encode(), 1)
    (tmp_path / JOURNAL).write_bytes(changed + b"\n" + rest)
    reader = JournalReader(tmp_path / JOURNAL)
    assert list(reader) == []
    assert str(reader.fault) == "line 1: the record was changed: its hash does not fit"

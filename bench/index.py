"""The index of a folder's runs: SQLite, made from the journals and never the source of truth.

It may be deleted at any time. What is damaged, or of another version, is made again; where it can't
be written, as in a folder that is read-only, all goes on without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from bench.events import EarlierResultsVoid
from bench.summary import CaseSummary, Gathered, Summary

INDEX = ".runs.sqlite"
"""The index's name in the folder of the runs."""
LAYOUT = 1
"""Version of the tables; an index with others is made again."""
PATIENCE = 2.0
"""Seconds to wait for another process that writes."""

Mark = tuple[int, ...]
"""By what a journal is known to be as it was: size, inode, moments of its last changes in ns."""

_TABLES = """
CREATE TABLE runs (
    run TEXT PRIMARY KEY, begun TEXT NOT NULL, ended TEXT, complete INTEGER, reason TEXT,
    bench TEXT NOT NULL, kind TEXT, identity TEXT, vendor TEXT, model TEXT, stated TEXT,
    software TEXT, planned INTEGER NOT NULL, signer TEXT, counts TEXT NOT NULL, void TEXT NOT NULL,
    mark TEXT NOT NULL, size INTEGER NOT NULL, tail TEXT NOT NULL, schema INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE cases (
    run TEXT NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL, verdict TEXT, reason TEXT,
    duration REAL, PRIMARY KEY (run, place)
) WITHOUT ROWID;
"""
_DUT = ("kind", "identity", "vendor", "model", "software")


class Index:
    """Keeps what was gathered of runs from one program to the next."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.root / INDEX

    def load(self) -> dict[str, tuple[Mark, Gathered]]:
        """Read what is known of every run but its cases, by its folder's name.

        Nothing when there is no index, or none that can be read.
        """
        try:
            with closing(self._open("ro")) as database:
                if database.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                    return {}
                rows = database.execute("SELECT * FROM runs")
                names = [column[0] for column in rows.description]
                found = (dict(zip(names, row, strict=True)) for row in rows)
                return {str(row["run"]): _stored(self.root, row) for row in found}
        except (sqlite3.Error, ValueError, KeyError, TypeError):
            return {}

    def cases(self, run: str) -> tuple[CaseSummary, ...] | None:
        """Read what became of a run's cases, None when that can't be read any more."""
        columns = "id, verdict, reason, duration"
        try:
            with closing(self._open("ro")) as database:
                if not database.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone():
                    return None
                query = f"SELECT {columns} FROM cases WHERE run = ? ORDER BY place"
                return tuple(CaseSummary(*row) for row in database.execute(query, (run,)))
        except sqlite3.Error:
            return None

    def save(self, changed: Mapping[str, tuple[Mark, Gathered]], gone: Iterable[str] = ()) -> bool:
        """Write what was gathered anew, and forget runs that are gone; tell whether that was done.

        What is no index of this version is replaced.
        """
        try:
            try:
                self._write(changed, gone)
            except sqlite3.OperationalError:
                return False  # locked, full or read-only: no reason to make it again
            except sqlite3.DatabaseError:
                self.path.unlink(missing_ok=True)
                self._write(changed, gone)
        except (sqlite3.Error, OSError):
            return False
        return True

    def _write(self, changed: Mapping[str, tuple[Mark, Gathered]], gone: Iterable[str]) -> None:
        with closing(self._open("rwc")) as database:
            database.execute("BEGIN IMMEDIATE")
            with database:
                if database.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                    for table in ("runs", "cases"):
                        database.execute(f"DROP TABLE IF EXISTS {table}")
                    for statement in filter(str.strip, _TABLES.split(";")):
                        database.execute(statement)
                    database.execute(f"PRAGMA user_version = {LAYOUT}")
                names = [(name,) for name in (*changed, *gone)]
                database.executemany("DELETE FROM runs WHERE run = ?", names)
                database.executemany("DELETE FROM cases WHERE run = ?", names)
                for name, (mark, gathered) in changed.items():
                    row = _row(name, mark, gathered)
                    marks = ", ".join(f":{key}" for key in row)
                    database.execute(f"INSERT INTO runs ({', '.join(row)}) VALUES ({marks})", row)
                    database.executemany(
                        "INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?)",
                        (
                            (name, place, one.case, one.verdict, one.reason, one.duration)
                            for place, one in enumerate(gathered.cases or ())
                        ),
                    )

    def _open(self, mode: str) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)


def _row(name: str, mark: Mark, gathered: Gathered) -> dict[str, Any]:
    one = gathered.summary
    dut = {key: one.dut.get(key) for key in _DUT}
    return {
        "run": name,
        "begun": one.begun,
        "ended": one.ended,
        "complete": one.complete,
        "reason": one.reason,
        "bench": one.bench,
        "kind": dut["kind"],
        "identity": dut["identity"],
        "vendor": dut["vendor"],
        "model": dut["model"],
        "stated": dut["software"],
        "software": one.software,
        "planned": one.planned,
        "signer": one.signer,
        "counts": orjson.dumps(one.counts).decode(),
        "void": orjson.dumps([[void.why, void.runs] for void in one.void]).decode(),
        "mark": orjson.dumps(mark).decode(),
        "size": gathered.size,
        "tail": gathered.tail,
        "schema": gathered.schema,
    }


def _stored(root: Path, row: Mapping[str, Any]) -> tuple[Mark, Gathered]:
    columns = {key: "stated" if key == "software" else key for key in _DUT}
    summary = Summary(
        folder=root / row["run"],
        begun=row["begun"],
        bench=row["bench"],
        dut={key: row[column] for key, column in columns.items() if row[column] is not None},
        planned=row["planned"],
        signer=row["signer"],
        ended=row["ended"],
        complete=None if row["complete"] is None else bool(row["complete"]),
        reason=row["reason"],
        software=row["software"],
        void=tuple(EarlierResultsVoid(why, runs) for why, runs in orjson.loads(row["void"])),
        counts=tuple((name, count) for name, count in orjson.loads(row["counts"])),
    )
    gathered = Gathered(summary, None, row["size"], row["tail"], row["schema"])
    return tuple(orjson.loads(row["mark"])), gathered

"""What a run leaves for people and programs, rendered from its journal alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import ConfigError
from bench.events import Event
from bench.journal import JOURNAL, Fault, JournalReader
from bench.report.gathered import Gathered
from bench.runview import RunView

if TYPE_CHECKING:
    from bench.report.document import Document

FILES = {
    "json": "results.json",
    "junit": "junit.xml",
    "html": "report.html",
    "pdf": "report.pdf",
    "csv": "results.csv",
    "declaration": "declaration.pdf",
}
"""What can be rendered, and its file in the run's folder."""
AT_END = ("json", "junit", "html")
"""What a run leaves by itself; the rest takes seconds, or is wanted by few."""
VIEWS = ("lab", "vendor")
"""For whom a document is laid out; `vendor`: without the laboratory's internals."""
KEPT = 160
"""Things that are kept of a step's time line; a usual run has fewer."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run as read from its folder; a running or killed one up to its last whole record."""

    folder: Path
    view: RunView
    head: str
    """Hash of the last sound record."""
    fault: Fault | None
    """Where the journal stops being sound."""
    gathered: Gathered
    """What was counted of all its messages."""
    alone: bool = False
    """True when whoever reads of it may read of no other run."""


def read_run(
    folder: Path,
    shown: Callable[[Event], Event] | None = None,
    most: int | None = None,
    *,
    alone: bool = False,
) -> RecordedRun:
    """Read a run's journal, each event as it is `shown` to the reader.

    Of a step with very many messages its view keeps about `most` (`RunView`). Raises
    `ConfigError` when the folder holds no run.
    """
    path = folder / JOURNAL
    if not path.is_file():
        raise ConfigError(f"{folder}: no {JOURNAL} here, so this is no run's folder")
    reader = JournalReader(path)
    view, gathered = RunView(most), Gathered()
    for record in reader:
        seen = record if shown is None else replace(record, event=shown(record.event))
        view.apply(seen)
        gathered.take(seen, view)
    if view.started is None:
        raise ConfigError(f"{path}: no run began: {reader.fault or 'it has no RunStarted'}")
    return RecordedRun(folder, view, reader.head, reader.fault, gathered, alone)


def render(run: RecordedRun, kind: str, view: str = "lab") -> bytes:
    """Render a run as one of `FILES`, finished or not; `view` is one of `VIEWS`."""
    # Imported when needed: templates and XML take longer to load than a journal to read.
    match kind:
        case "json":
            from bench.report import results

            return results.render(run.view)
        case "junit":
            from bench.report import junit

            return junit.render(run.view)
        case _:
            from bench.report.composition import document_of

            return lay_out(document_of([run], view=view), kind)


def lay_out(document: Document, kind: str) -> bytes:
    """Lay out a document, of one run or of several, as html, pdf, csv or declaration."""
    if document.view == "vendor":
        from bench.report.vendor import for_vendor

        document = for_vendor(document)
    match kind:
        case "html":
            from bench.report import html

            return html.render(document)
        case "pdf":
            from bench.report import pdf

            return pdf.render(document)
        case "csv":
            from bench.report import sheet

            return sheet.render(document)
        case "declaration":
            from bench.report import declaration

            return declaration.render(document)
        case _:
            raise ValueError(f"can't render {kind!r}")


def rendering(
    folder: Path,
    kind: str,
    shown: Callable[[Event], Event] | None = None,
    view: str = "lab",
    *,
    alone: bool = False,
) -> bytes:
    """Read a run's journal and render it, as `read_run` and `render`."""
    return render(read_run(folder, shown, KEPT, alone=alone), kind, view)


def name_of(kind: str, view: str = "lab") -> str:
    """Name the file of a format and view."""
    stem, dot, ending = FILES[kind].partition(".")
    return f"{stem}{'' if view == 'lab' else f'-{view}'}{dot}{ending}"


def write(run: RecordedRun, kind: str, path: Path | None = None, view: str = "lab") -> Path:
    """Render a run into `path`, its file in the run's folder when None; return the path.

    Raises `OSError` with the file's name.
    """
    return put(render(run, kind, view), path or run.folder / name_of(kind, view))


def put(rendered: bytes, path: Path) -> Path:
    """Write what was rendered and return the path; raises `OSError` with the file's name."""
    draft = path.with_name(f".{path.name}.new")  # nobody may read a half-written report
    try:
        draft.write_bytes(rendered)
        return draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_all(folder: Path) -> None:
    """Write everything that a run leaves in its folder."""
    run = read_run(folder, most=KEPT)
    for kind in AT_END:
        write(run, kind)

"""The vendor's view of a report: what concerns the DUT, without the laboratory's internals.

Left out are the names of the laboratory's people, the addresses of its machines, ports and files,
and what the bench did outside the cases. What went over the wire between bench and DUT stays as it
was: the DUT has seen it. The instruments stay too, as the results rest on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bench.redaction import HIDDEN
from bench.report.document import Document
from bench.report.parts import CasePart, FailurePart, Pair, Section
from bench.report.sequence import Row

SOMEBODY = "the operator"
_HOST = r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|localhost|[A-Za-z][\w-]*(?:\.[\w-]+)+)"
_ADDRESS = re.compile(
    rf"(?P<scheme>\b[a-z][a-z0-9+-]*:(?://|(?=/dev/)))[^\s\"'<>,;)]*[^\s\"'<>,;):.]"
    rf"|(?<![\w.]){_HOST}:\d{{1,5}}\b"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"
    r"|/dev/[\w/.-]+"
)
_PATH = re.compile(r"(?<![\w./*])/(?:[^/\s\"':]+/)+(?P<name>[^/\s\"':]*)")


def for_vendor(document: Document) -> Document:
    """Return the document as it may be given to the DUT's vendor."""
    people = sorted(_people(document), key=len, reverse=True)
    names = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in people)) if people else None

    def said(text: str) -> str:
        return without_addresses(names.sub(SOMEBODY, text) if names else text)

    def pair(one: Pair) -> Pair:
        return replace(one, value=said(one.value), note=said(one.note))

    def section(one: Section) -> Section:
        tables = (
            replace(table, rows=tuple(tuple(map(said, cells)) for cells in table.rows))
            for table in one.tables
        )
        paragraphs, pairs = tuple(map(said, one.paragraphs)), tuple(map(pair, one.pairs))
        return replace(one, paragraphs=paragraphs, pairs=pairs, tables=tuple(tables))

    def row(one: Row) -> Row:
        if one.kind in ("frame", "check", "step"):
            return one
        return replace(one, label=said(one.label), detail=said(one.detail))

    def failure(part: FailurePart | None) -> FailurePart | None:
        if part is None:
            return None
        around, changed = tuple(map(row, part.around)), tuple(map(pair, part.changed))
        return replace(part, sentence=said(part.sentence), around=around, changed=changed)

    def case(part: CasePart) -> CasePart:
        return replace(
            part,
            reason=None if part.reason is None else said(part.reason),
            steps=tuple(replace(step, why=said(step.why)) for step in part.steps),
            prompts=tuple(
                replace(
                    one,
                    text=said(one.text),
                    answer=said(one.answer),
                    comment=said(one.comment),
                    by=SOMEBODY if one.by else "",
                )
                for one in part.prompts
            ),
            rows=tuple(map(row, part.rows)),
            failure=failure(part.failure),
            cause=None,
            traceback=None,
        )

    return replace(
        document,
        remark=said(document.remark),
        void=tuple(map(said, document.void)),
        cases=tuple(map(case, document.cases)),
        connection=tuple(map(pair, document.connection)),
        instruments=tuple(replace(one, state=said(one.state)) for one in document.instruments),
        pixit=tuple(map(pair, document.pixit)),
        outside=(),
        more=tuple(map(section, document.more)),
        runs=tuple(replace(run, remark=said(run.remark)) for run in document.runs),
        signatures=tuple(replace(one, name="") for one in document.signatures),
    )


def without_addresses(text: str) -> str:
    """Hide addresses of machines and ports in a text, and the folders of files."""

    def hidden(found: re.Match[str]) -> str:
        return (found["scheme"] or "") + HIDDEN

    return _PATH.sub(lambda found: f"{HIDDEN}/{found['name']}", _ADDRESS.sub(hidden, text))


def _people(document: Document) -> Iterable[str]:
    """Collect the names under which people of the laboratory acted."""
    prompts = (prompt.by for case in document.cases for prompt in case.prompts)
    return {name for name in (*prompts, *document.people) if name and len(name) > 1} - _NOBODY


_NOBODY = {"not named", "the operator", "Ctrl-C", "SIGTERM", "SIGINT", "bench", "api"}

"""A long run's report is bounded; `make bench` measures a day with 500,000 messages."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from bench.report import KEPT, RecordedRun, lay_out, read_run
from bench.report.cases import ROWS
from bench.report.composition import document_of
from tests.benchmarks.long_run import STEPS, write_run

MESSAGES, CASES = 12_000, 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    folder = tmp_path_factory.mktemp("long") / "run"
    write_run(folder, messages=MESSAGES, cases=CASES, seconds=600, channels=3)
    return read_run(folder, most=KEPT)


def test_a_view_for_reports_keeps_few_of_many_messages(run: RecordedRun) -> None:
    assert run.view.records > MESSAGES
    assert len(list(run.view.frames)) <= CASES * STEPS * KEPT


def test_response_times_are_of_all_messages_all_the_same(run: RecordedRun) -> None:
    (answers, *_) = document_of([run]).performance
    assert answers.count == MESSAGES // 20


def test_every_entry_that_is_left_out_is_counted_and_has_its_records(run: RecordedRun) -> None:
    case = document_of([run]).cases[1]
    assert len(case.rows) <= ROWS + STEPS + 2
    gaps = [row.left_out for row in case.rows if row.left_out]
    frames = sum(row.kind == "frame" for row in case.rows)
    others = sum(row.kind in ("check", "act") for row in case.rows)
    per_case = MESSAGES // CASES + STEPS  # and a check in each step
    assert sum(count for _, _, count in gaps) + frames + others == per_case
    assert all(last - first + 1 >= count for first, last, count in gaps)


def test_pages_are_bounded_and_say_what_they_leave_out(run: RecordedRun) -> None:
    document = document_of([run])
    page = lay_out(document, "html").decode()
    assert len(page) < 3_000_000
    paper = PdfReader(io.BytesIO(lay_out(document, "pdf")))
    assert len(paper.pages) < 30
    said = re.compile(r"\d+ entries left out\s+records \d+ to \d+ of the journal")
    texts = (page.extract_text().replace("\u200b", "") for page in reversed(paper.pages))
    assert any(map(said.search, texts))

"""PICS intake: what is not answered and what hangs on it; forms that a vendor fills in."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from bench.answers import YES_NO, OneOf
from bench.errors import ConfigError
from bench.procedure import Procedure
from bench.questionnaire import QUESTIONS, Question, question_of, questions_for

_ZIP = b"PK"
"""How a spreadsheet's file begins."""
COLUMNS = ("item", "question", "expected", "answer")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a product, its answer, and the cases that can't be decided without it."""

    heading: str
    question: Question
    answer: Any
    """None when there is none."""
    holds_up: tuple[str, ...]
    """Ids of the cases whose applicability is undetermined and that name the item."""
    decides_on: tuple[str, ...]
    """Ids of the cases that name the item."""


def asked(kind: str, answers: Mapping[str, Any], procedures: Sequence[Procedure]) -> list[Asked]:
    """List the questions for a kind of DUT, with those that were answered beyond them."""
    concerned = [one for one in procedures if one.dut == kind]
    undetermined = [one for one in concerned if one.applies.evaluate(answers) is None]
    sections = {**questions_for(kind), "Other limits": list(_others(answers))}
    return [
        Asked(
            heading,
            question,
            answers.get(question.item),
            tuple(one.id for one in undetermined if question.item in items_of(one))
            if question.item not in answers
            else (),
            tuple(one.id for one in concerned if question.item in items_of(one)),
        )
        for heading, questions in sections.items()
        for question in questions
    ]


def effects(
    question: Question, kind: str, answers: Mapping[str, Any], procedures: Sequence[Procedure]
) -> dict[Any, tuple[list[str], list[str]]]:
    """Say which cases would apply, and which not any more, by the answer to a question.

    Only for questions whose answers are few.
    """
    if question.answer == YES_NO:
        options: tuple[Any, ...] = (True, False)
    elif isinstance(question.answer, OneOf):
        options = question.answer.options
    else:
        return {}
    concerned = [one for one in procedures if one.dut == kind and question.item in items_of(one)]
    found = {}
    for option in options:
        then = {**answers, question.item: option}
        on, off = [], []
        for one in concerned:
            truth = one.applies.evaluate(then)
            if truth == one.applies.evaluate(answers):
                continue
            if truth:
                on.append(one.id)
            elif truth is False:
                off.append(one.id)
        found[option] = on, off
    return found


def _others(answers: Mapping[str, Any]) -> Iterator[Question]:
    for item in answers:
        question = question_of(item)
        if question is not None and item not in QUESTIONS:
            yield question


def items_of(one: Procedure) -> set[str]:
    """Return the PICS items that a procedure's condition names."""
    return set(str(one.applies).replace("(", " ").replace(")", " ").split())


def shown(answer: Any) -> str:
    """Write an answer as a form shows it."""
    if answer is None:
        return ""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, list):
        return ", ".join(map(str, answer))
    return f"{answer:g}" if isinstance(answer, float) else str(answer)


def write_form(path: Path, kind: str, answers: Mapping[str, Any]) -> None:
    """Write the questionnaire as a form, `.csv` or `.xlsx`, with the answers given so far."""
    rows = [
        (one.question.item, one.question.text, str(one.question.answer), shown(one.answer))
        for one in asked(kind, answers, ())
    ]
    try:
        if _is_spreadsheet(path):
            _write_spreadsheet(path, rows)
            return
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error


def read_form(path: Path) -> dict[str, Any]:
    """Read the answers of a filled form; raises `ConfigError` that names file, row and item.

    It must have columns headed `item` and `answer`; rows without an answer leave it open.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    return form_answers(path, data, spreadsheet=_is_spreadsheet(path))


def form_answers(path: Path, data: bytes, *, spreadsheet: bool | None = None) -> dict[str, Any]:
    """Read the answers of a form's bytes, as `read_form`; `path` is its name in errors.

    Without `spreadsheet` the first bytes tell whether it is one.
    """
    if spreadsheet is None:
        spreadsheet = data.startswith(_ZIP)
    rows = _spreadsheet_rows(path, data) if spreadsheet else _csv_rows(path, data)
    columns: dict[str, int] | None = None
    answers: dict[str, Any] = {}
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if columns is None:
            heads = {cell.lower(): index for index, cell in enumerate(cells)}
            columns = heads if {"item", "answer"} <= set(heads) else None
            continue
        item, cell = (_cell(cells, columns[name]) for name in ("item", "answer"))
        if not item or not cell:
            continue
        where = f"{path}: row {number}, item {item!r}"
        question = question_of(item)
        if question is None:
            raise ConfigError(f"{where}: no such PICS item")
        if item in answers:
            raise ConfigError(f"{where}: answered twice")
        try:
            answers[item] = question.answer.read(cell)
        except ValueError:
            raise ConfigError(f"{where}: {cell!r}, expected {question.answer}") from None
    if columns is None:
        raise ConfigError(f"{path}: no row with the column heads 'item' and 'answer'")
    return answers


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index] if index < len(cells) else ""


def _is_spreadsheet(path: Path) -> bool:
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise ConfigError(f"{path}: not a .csv or .xlsx file")
    return path.suffix.lower() == ".xlsx"


def _csv_rows(path: Path, data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    # Spreadsheet programs of some countries separate by semicolons.
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        return list(csv.reader(text.splitlines(), delimiter=delimiter))
    except csv.Error as error:
        raise ConfigError(f"{path}: not a CSV form: {error}") from error


def _spreadsheet_rows(path: Path, data: bytes) -> list[list[str]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise ConfigError(f"{path}: not a spreadsheet: {error}") from error
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        return [["" if cell is None else shown(cell) for cell in row] for row in rows]
    finally:
        book.close()


def _write_spreadsheet(path: Path, rows: Iterable[Sequence[str]]) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "PICS"
    for row in (COLUMNS, *rows):
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for column, width in zip("ABCD", (42, 60, 36, 24), strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A2"
    book.save(path)

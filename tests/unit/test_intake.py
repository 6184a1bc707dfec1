"""A vendor fills a form, the lab takes it over, and sees what is missing and hangs on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from bench.cli import main
from bench.dut import load_dut
from bench.errors import ConfigError
from bench.intake import read_form

DUT = """\
# The sample of the spring.
[dut]
kind = "charging-station"
identity = "CP1"
vendor = "V"
model = "M"

[pics] # as the vendor stated
"C-07" = true # at the reader
"FP.LAL" = true
"CFG.LightIntensity.max" = 100
"""


@pytest.fixture
def dut(tmp_path: Path) -> Path:
    path = tmp_path / "dut.toml"
    path.write_text(DUT)
    return path


def form(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines))
    return path


def test_the_questionnaire_says_what_is_missing_and_what_hangs_on_it(
    dut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pics", "--dut", str(dut)]) == 0
    out = capsys.readouterr().out
    assert "  C-07                                      yes           " in out
    assert "  C-08                                      not answered  " in out
    assert "C-08 decides on TC_003_CS, TC_004_1_CS" in out
    assert "C-07 decides on" not in out
    assert "Other limits\n  CFG.LightIntensity.max                    100" in out
    assert "3 of " in out


def test_the_questionnaire_is_also_data(dut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pics", "--dut", str(dut), "--json"]) == 0
    rows = {row["item"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["C-07"]["answer"] is True
    assert rows["C-07"]["holds_up"] == []
    assert rows["C-08"]["answer"] is None
    assert "TC_003_CS" in rows["C-08"]["holds_up"]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_form_goes_out_and_comes_back(
    dut: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"form.{suffix}"
    assert main(["pics", "--dut", str(dut), "--form", str(path)]) == 0
    assert read_form(path) == load_dut(dut).pics
    if suffix == "csv":
        text = path.read_text("utf-8-sig").replace("C-08,", "C-08,", 1).splitlines()
        rows = [line + "no" if line.startswith("C-08,") else line for line in text]
        path.write_text("\n".join(rows))
    else:
        book = load_workbook(path)
        for row in book.worksheets[0].iter_rows(min_row=2):
            if row[0].value == "C-08":
                row[3].value = False
        book.save(path)
    assert main(["pics", "--dut", str(dut), "--fill", str(path)]) == 0
    assert "C-08: not answered becomes no\n" in capsys.readouterr().out
    assert load_dut(dut).pics["C-08"] is False
    assert "# at the reader" in dut.read_text()
    assert "# The sample of the spring." in dut.read_text()


def test_a_form_with_semicolons_and_a_title_is_read(tmp_path: Path) -> None:
    path = form(tmp_path / "f.csv", "PICS of V;;", "Item;Answer;Remark", "C-07;Yes;", "C-08;;", "")
    assert read_form(path) == {"C-07": True}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("item,answer", "C-99,yes"), "f.csv: row 2, item 'C-99': no such PICS item"),
        (("item,answer", "", "C-07,often"), "row 3, item 'C-07': 'often', expected true or false"),
        (("item,answer", "C-07,no", "C-07,yes"), "row 3, item 'C-07': answered twice"),
        (("C-07,yes",), "f.csv: no row with the column heads 'item' and 'answer'"),
    ],
)
def test_a_wrong_form_changes_nothing_and_says_why(
    dut: Path, tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    path = form(tmp_path / "f.csv", *lines)
    with pytest.raises(ConfigError, match="row") as caught:
        read_form(path)
    assert message in str(caught.value)
    assert main(["pics", "--dut", str(dut), "--fill", str(path)]) == 3
    assert dut.read_text() == DUT


def test_what_is_no_form_is_refused(tmp_path: Path) -> None:
    for name, content, message in (
        ("f.ods", b"", "not a .csv or .xlsx file"),
        ("f.xlsx", b"nothing", "not a spreadsheet"),
        ("f.csv", b"\xff\xfe", "can't decode"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=message):
            read_form(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_form(tmp_path / "none.csv")


def test_a_sheet_without_answers_leaves_all_open(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["item", "answer"])
    book.active.append(["C-07", None])
    book.save(tmp_path / "f.xlsx")
    assert read_form(tmp_path / "f.xlsx") == {}

"""PDF, CSV and the vendor's view: the same numbers as in the results, in files that hold up."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader

from bench import cli
from bench.clock import spoken
from bench.report import RecordedRun, lay_out, read_run, results, typeface
from bench.report.composition import document_of
from bench.report.declaration import declaration_of
from bench.report.document import Document
from bench.report.parts import Pair
from bench.report.pdf import LONGEST, plain, shown
from bench.report.vendor import without_addresses
from tests.unit.recorded import record

HOSTILE = (
    '#panic() $x$ *b* _i_ `r` <l> @ref \\u{41} // /* [#image("/etc/passwd")] {{7*7}}',
    "<script>alert(1)</script> & &amp; ]]> %PDF endobj",
    "😀 👩‍👩‍👧 🇩🇪 e\u0301 中文 日本語",
    "שלום עולם مرحبا \u202eevil\u202c \u2066x",
    "\x00\x01\x07\x1b[31m \x7f \u2028 \ufeff \U000e0041 \uffff",
    "w" * 10_000,
    '=HYPERLINK("http://x")',
    "",
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """A run with a pass, fails of the station, and one of the operator."""
    folder = tmp_path_factory.mktemp("mixed")
    work = record(folder, "starts-anyway", "odd-status", "odd-value", answers=["fail"])
    return read_run(asyncio.run(work).folder)


@pytest.fixture(scope="module")
def document(mixed: RecordedRun) -> Document:
    return document_of([mixed])


@pytest.fixture(scope="module")
def paper(document: Document) -> PdfReader:
    return PdfReader(io.BytesIO(lay_out(document, "pdf")))


@pytest.fixture(scope="module")
def text(paper: PdfReader) -> str:
    return "\n".join(map(read, paper.pages))


def read(page: Any) -> str:
    """Extract a page's text without where its lines break."""
    return " ".join(page.extract_text().replace("\u200b", "").split())


def tight(text: str) -> str:
    return re.sub(r"\s+", "", text)


# What assistive programs and archives ask of a PDF


def test_the_pdf_is_tagged_titled_in_a_language_and_says_so(paper: PdfReader) -> None:
    root: Any = paper.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/StructTreeRoot"]["/K"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert paper.metadata is not None
    assert paper.metadata.title == "Lab Sample: Certification test report"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


def test_every_font_is_embedded_and_one_of_ours(paper: PdfReader) -> None:
    names = set()
    pages: list[Any] = list(paper.pages)
    for page in pages:
        for font in page["/Resources"].get("/Font", {}).values():
            for one in font.get_object().get("/DescendantFonts", [font]):
                descriptor = one.get_object()["/FontDescriptor"].get_object()
                assert {"/FontFile2", "/FontFile3"} & set(descriptor)
                names.add(str(descriptor["/FontName"]).partition("+")[2])
    assert {name.partition("-")[0] for name in names} == {
        *("OpenSans", "DejaVuSans", "DejaVuSansMono")
    }


def test_bookmarks_lead_to_every_part_and_case(paper: PdfReader) -> None:
    def titles(entries: Any) -> list[str]:
        found: list[str] = []
        for entry in entries:
            found += titles(entry) if isinstance(entry, list) else [entry.title]
        return [title.replace("\u200b", "") for title in found]

    found = titles(paper.outline)
    for title in ("Result", "Verdicts by profile", "The product", "Applicability", "Signatures"):
        assert title in found
    for case in ("TC_901_CS Cold boot", "TC_904_CS"):
        assert any(title.startswith(case) for title in found)


def test_every_page_is_numbered_and_long_tables_repeat_their_heads(paper: PdfReader) -> None:
    count = len(paper.pages)
    pages = [read(page) for page in paper.pages]
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {count}" in page
    cut = [page for page in pages if "Message (▶ to the DUT, ◀ from the DUT) or act" in page]
    assert len(cut) > 4


def test_the_table_of_verdicts_is_linked_to_the_cases(paper: PdfReader) -> None:
    pages: list[Any] = list(paper.pages)
    page = next(page for page in pages if "Verdicts by profile" in read(page)[:600])
    links = [one.get_object() for one in page.get("/Annots", [])]
    assert sum(one["/Subtype"] == "/Link" for one in links) >= 4


def test_plots_have_words_for_who_does_not_see_them(document: Document) -> None:
    assert all(plot.alt for case in document.cases for plot in case.plots)


def test_the_same_record_makes_the_same_file(document: Document) -> None:
    assert lay_out(document, "declaration") == lay_out(document, "declaration")


def test_short_words_are_found_and_hashes_copied_as_they_stand(
    mixed: RecordedRun, paper: PdfReader
) -> None:
    raw = " ".join(" ".join(page.extract_text().split()) for page in paper.pages)
    assert mixed.head in raw
    for words in ("failed: TC_901_CS, TC_902_CS", "OCPP 1.6 ed. 2 clause 4.2", "clauses 5.4 and"):
        assert words in raw


# The same numbers everywhere


def test_pdf_html_and_csv_have_the_numbers_of_the_results(
    mixed: RecordedRun, document: Document, text: str
) -> None:
    plain_results = results.results(mixed.view)
    page = lay_out(document, "html").decode()
    rows = {row["case"]: row for row in sheet(document)}
    counts = ", ".join(f"{n} {verdict}" for verdict, n in plain_results["counts"].items() if n)
    assert counts in text
    assert counts in page
    for case in plain_results["cases"]:
        row = rows[case["id"]]
        checks = [check for step in case["steps"] for check in step["checks"]]
        assert (row["verdict"], row["checks"]) == (case["verdict"], str(len(checks)))
        assert float(row["duration_s"]) == pytest.approx(case["duration_s"], rel=1e-5)
        found = re.search(rf"{case['id']} \S.*?(✔ pass|✘ fail) (\d+) (\d+ ms|[\d.]+ s)", text)
        assert found is not None
        assert found[1].split()[1] == case["verdict"]
        assert found[2] == str(len(checks))
        assert found[3] == spoken(case["duration_s"])
        if case["reason"]:
            assert row["reason"] == case["reason"]
            assert tight(case["reason"]) in tight(text)
        for value in case["measured"]:
            printed = f"{value['value']:.6g} {value['unit']}"
            assert printed in text
            assert printed in page
            assert f"{value['name']} = {value['value']!r} {value['unit']}" in row["measured"]
    for timing in document.performance:
        for printed in timing.texts:
            assert printed in text
            assert printed in page
    for one in plain_results["not_run"]:
        assert (rows[one["id"]]["outcome"], rows[one["id"]]["reason"]) == (
            *(one["outcome"], one["reason"]),
        )
        assert one["reason"] in text


def test_the_pdf_has_hash_purposes_and_what_failed(
    mixed: RecordedRun, document: Document, text: str
) -> None:
    assert mixed.head in text
    for case in document.cases:
        assert tight(case.purpose[0]) in tight(text)
    assert "Around that moment" in text
    assert "Digital signature none" in text


# CSV


def sheet(document: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(lay_out(document, "csv").decode("utf-8-sig"))))


def test_no_cell_is_a_formula(document: Document) -> None:
    first = replace(document.cases[0], title="=1+1", reason="@SUM(A1)\n-2")
    (row, *_) = sheet(replace(document, cases=(first,), not_run=()))
    assert (row["title"], row["reason"]) == ("'=1+1", "'@SUM(A1)\n-2")


# Hostile texts


def hostile(document: Document, evil: str) -> Document:
    """Put a text everywhere in a document where somebody else's text can stand."""
    case = document.cases[1]
    step = replace(
        case.steps[0],
        title=evil,
        why=evil,
        checks=tuple(
            replace(check, text=evil, expected=evil, actual=evil, clause=evil)
            for check in case.steps[0].checks
        ),
    )
    failure = case.failure
    assert failure is not None
    rows = tuple(replace(row, label=evil, detail=evil) for row in case.rows[:6])
    case = replace(
        case,
        title=evil,
        reason=evil,
        refs=(evil,),
        purpose=(evil,),
        steps=(step,),
        rows=rows,
        cause=evil,
        traceback=evil,
        failure=replace(
            failure, sentence=evil, around=rows, passed_in=evil, changed=(Pair(evil, evil, evil),)
        ),
    )
    pairs = (Pair(evil, evil, evil),)
    return replace(
        document,
        vendor=evil or "V",
        model=evil,
        software=evil,
        identity=evil,
        remark=evil,
        run=evil,
        void=(evil,),
        cases=(case,),
        pixit=pairs,
        waivers=pairs,
        connection=pairs,
        identification=tuple(
            replace(one, stated=evil, reported=evil) for one in document.identification
        ),
        instruments=tuple(
            replace(one, identity=evil, serial=evil, firmware=evil, certificate=evil, note=evil)
            for one in document.instruments
        ),
    )


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_a_report_or_is_taken_for_source(document: Document, evil: str) -> None:
    paper = PdfReader(io.BytesIO(lay_out(hostile(document, evil), "pdf")))
    found = tight("".join(page.extract_text() for page in paper.pages).replace("\u200b", ""))
    wanted = tight(shown(evil).replace("\u200b", ""))
    if wanted.isascii():
        assert wanted[:200] in found


def test_no_text_breaks_a_declaration(document: Document) -> None:
    assert lay_out(hostile(document, " ".join(HOSTILE)), "declaration")


def test_what_the_fonts_lack_stands_as_its_code_point() -> None:
    assert shown("a中\x07b\u202e") == "a⟨U+4E2D⟩⟨U+0007⟩b⟨U+202E⟩"
    assert shown("ÄΩЖ ✔✘ → “”\n") == "ÄΩЖ ✔✘ → “”\n"
    assert shown("x" * (LONGEST + 5)).endswith("… (5 more characters are in the journal)")


def test_the_fonts_are_there_with_their_licences() -> None:
    files = {path.name for path in typeface.FONTS.iterdir()}
    assert {"OpenSans-Regular.ttf", "DejaVuSans.ttf", "DejaVuSansMono.ttf"} <= files
    assert {"LICENSE-DejaVu.txt", "LICENSE-OpenSans.txt"} <= files
    assert {ord(c) for c in "aÄß✔✘▶◀→…–"} <= typeface.covered()
    assert 0x4E2D not in typeface.covered()


# For the vendor


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("modbus-tcp://192.168.7.4:502: no answer", "modbus-tcp://***: no answer"),
        ("serial:/dev/ttyUSB0?baudrate=9600 is gone", "serial:*** is gone"),
        ("10.0.0.7:8180, offers ocpp1.6", "***, offers ocpp1.6"),
        ("[fe80::1]:8180 refused", "*** refused"),
        ("bench.lab.local:502 refused", "*** refused"),
        ("the host 10.0.0.7 is down", "the host *** is down"),
        ("/home/ada/duts/fw.bin is missing", "***/fw.bin is missing"),
        (
            "at 2026-11-25T03:09:06.945Z: 12/24 V, 1.2.3",
            "at 2026-11-25T03:09:06.945Z: 12/24 V, 1.2.3",
        ),
        ("reason: expected 5, came 4:3", "reason: expected 5, came 4:3"),
    ],
)
def test_addresses_of_the_laboratory_are_hidden(text: str, hidden: str) -> None:
    assert without_addresses(text) == hidden


def test_the_vendor_reads_no_names_addresses_or_tracebacks(document: Document) -> None:
    case = document.cases[1]
    named = replace(
        case,
        reason="Ada said so, at 10.1.2.3:80",
        traceback="/home/ada/x.py",
        prompts=tuple(replace(one, by="Ada") for one in document.cases[2].prompts),
    )
    vendors = replace(
        document,
        view="vendor",
        cases=(named, *document.cases[2:]),
        people=("Ada",),
        pixit=(Pair("firmware.good", "/home/ada/fw.bin"),),
    )
    page = lay_out(vendors, "html").decode()
    for word in ("Ada", "/home", "10.1.2.3", "127.0.0.1"):
        assert word not in page
    assert "the operator said so, at ***" in page
    assert "***/fw.bin" in page
    assert "What happened outside the cases" not in page
    lab = lay_out(replace(vendors, view="lab"), "html").decode()
    assert "Ada said so, at 10.1.2.3:80" in lab


# The declaration


def test_the_draft_names_what_must_be_cleared_first(document: Document) -> None:
    claimed = replace(
        document.profiles[0],
        name="Core",
        claimed=True,
        status="not fulfilled",
        reason="failed: TC_1_CS",
    )
    differs = replace(document.identification[2], stated="A", reported="B", agrees=False)
    draft = declaration_of(
        replace(document, profiles=(claimed,), identification=(differs,), remark="aborted")
    )
    assert draft.open_points == (
        "Core is claimed, but not fulfilled: failed: TC_1_CS.",
        "Vendor is stated as 'A', but the DUT reports 'B'.",
        "The tests are not complete: aborted.",
        "The configuration keys were not read (TC_019), which a certificate names.",
    )
    made = PdfReader(io.BytesIO(lay_out(document, "declaration")))
    first = read(made.pages[0])
    assert "Draft, to be reviewed and signed by the vendor" in first
    assert "declares under its sole responsibility" in first


# The command


def test_the_command_writes_each_format_and_view(
    mixed: RecordedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, name in (
        (["--format", "pdf"], "report.pdf"),
        (["--format", "csv"], "results.csv"),
        (["--view", "vendor"], "report-vendor.html"),
    ):
        assert cli.main(["report", str(mixed.folder), *options]) == 0
        assert capsys.readouterr().out == f"{mixed.folder / name}\n"
        assert (mixed.folder / name).stat().st_size > 100
    assert cli.main(["report", str(mixed.folder), "--view", "vendor", "--format", "json"]) == 3
    assert "--view vendor: json has no views" in capsys.readouterr().err


def test_data_for_the_typesetter_is_plain(document: Document) -> None:
    data = json.loads(json.dumps(plain(document)))
    assert "raw" not in data["cases"][0]["rows"][0]

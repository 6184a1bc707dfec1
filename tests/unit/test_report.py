"""What a run leaves: results, JUnit and the page, from the journal alone."""

from __future__ import annotations

import asyncio
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.case import Case
from bench.errors import ConfigError
from bench.events import (
    CaseEnded,
    CaseStarted,
    Event,
    FrameReceived,
    Noted,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
)
from bench.journal import JournalWriter, Record
from bench.report import AT_END, FILES, read_run, render, write, write_all
from tests.unit.recorded import SUITE, one_case, record
from tests.unit.test_runview import BEGIN


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a pass, fails of the station, and one of the operator."""
    folder = tmp_path_factory.mktemp("mixed")
    work = record(folder, "starts-anyway", "odd-status", "odd-value", answers=["fail"])
    outcome = asyncio.run(work)
    write_all(outcome.folder)
    return outcome.folder


def load(folder: Path) -> Any:
    return json.loads((folder / "results.json").read_text("utf-8"))


def journal(folder: Path, *events: Event) -> Path:
    """Write a journal by hand."""
    with JournalWriter(folder / "journal.jsonl") as writer:
        for n, event in enumerate(events, start=1):
            writer.append(Record(n, BEGIN, float(n), event))
    return folder


def run_started(*ids: str) -> RunStarted:
    cases = [{"id": name, "title": name, "mark": "M", "group": "core", "waits": 0} for name in ids]
    not_run = [
        {"id": "TC_800_CS", "title": "Left", "outcome": "not-applicable", "reason": "needs C-07"}
    ]
    dut = {"kind": "csms", "identity": "", "vendor": "V", "model": "M", "software": ""}
    return RunStarted("r", "0", 1, {"name": "b"}, dut, cases, not_run, {}, {}, {})


# results.json


def test_results_have_the_shape_that_the_contract_promises(mixed: Path) -> None:
    results = load(mixed)
    assert list(results) == [
        *("run", "started", "ended", "complete", "bench", "dut", "counts", "cases", "not_run")
    ]
    assert results["run"] == "run"
    assert results["complete"] is True
    assert results["bench"] == {"name": "Bench 1"}
    assert results["dut"] == {
        "kind": "charging-station",
        "vendor": "Lab",
        "model": "Sample",
        "software": "1.0",
    }
    assert results["counts"] == {"pass": 1, "fail": 3, "inconclusive": 0, "error": 0}
    assert results["not_run"] == [
        {"id": "000_RESET", "outcome": "not-applicable", "reason": "needs C-99"}
    ]
    for moment in (results["started"], results["ended"], results["cases"][0]["started"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", moment)
    case_keys = "id title mark verdict ended reason started duration_s steps measured".split()
    for case in results["cases"]:
        assert list(case) == case_keys
        for step in case["steps"]:
            assert list(step) == ["title", "verdict", "duration_s", "checks"]
            for check in step["checks"]:
                assert list(check) == ["text", "verdict", "expected", "actual", "frame"]


def test_results_say_what_failed_and_why(mixed: Path) -> None:
    boot, refused, energy, silent = load(mixed)["cases"]
    assert (refused["verdict"], refused["ended"]) == ("fail", "completed")
    assert "no StartTransaction() was allowed" in refused["reason"]
    (check,) = refused["steps"][1]["checks"]
    assert (check["text"], check["verdict"]) == ("No StartTransaction comes", "fail")
    assert check["frame"] > 0
    assert boot["verdict"] == energy["verdict"] == "fail"
    assert (silent["verdict"], silent["reason"]) == ("pass", None)


def test_results_hold_measured_values_with_their_limits(tmp_path: Path) -> None:
    outcome = asyncio.run(record(tmp_path, cases=[SUITE.procedures[0], SUITE.procedures[2]]))
    write_all(outcome.folder)
    boot, energy = load(outcome.folder)["cases"]
    (answer,) = boot["measured"]
    assert (answer["name"], answer["unit"], answer["limit"]) == ("boot to answer", "s", [0, 5])
    assert energy["measured"][0] == {
        "name": "voltage L1",
        "value": 229.7,
        "unit": "V",
        "uncertainty": 0.4,
        "limit": [207, 253],
        "verdict": "pass",
    }
    assert energy["measured"][1]["limit"] is None
    assert energy["measured"][1]["verdict"] == "none"


def test_checks_outside_the_steps_are_not_lost(tmp_path: Path) -> None:
    outcome = asyncio.run(record(tmp_path, "restless", cases=SUITE.procedures[:1]))
    write_all(outcome.folder)
    (case,) = load(outcome.folder)["cases"]
    last, life = case["steps"][-2:]
    assert life["title"] == "The station is still there"
    assert (last["title"], last["verdict"]) == ("outside the steps", "fail")
    assert [check["text"] for check in last["checks"]] == ["The DUT does not restart unasked"]


# Runs that did not end


def test_a_run_that_goes_on_is_reported_as_far_as_it_is(tmp_path: Path) -> None:
    journal(
        tmp_path,
        run_started("TC_1_CS", "TC_2_CS"),
        CaseStarted("TC_1_CS", "t", "M", "core", "p", []),
        StepStarted(1, "body", "Wait"),
        Noted("still here"),
    )
    write_all(tmp_path)
    results = load(tmp_path)
    assert (results["complete"], results["ended"]) == (False, None)
    running, waiting = results["cases"]
    assert (running["verdict"], running["ended"], running["duration_s"]) == ("none", None, 2.0)
    assert running["reason"] == "not ended: the run goes on, or was killed"
    assert (waiting["started"], waiting["steps"]) == (None, [])
    assert waiting["reason"] == "not begun: the run goes on, or was killed"
    suite = ET.parse(tmp_path / "junit.xml").getroot()[0]
    assert suite.attrib["skipped"] == "3"
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Not complete: the run has not ended" in page


def test_an_aborted_run_says_so(tmp_path: Path) -> None:
    journal(tmp_path, run_started("TC_1_CS"), RunEnded(False, "aborted by Ctrl-C", {}))
    write_all(tmp_path)
    assert load(tmp_path)["cases"][0]["reason"] == "not begun: aborted by Ctrl-C"
    assert "Not complete: aborted by Ctrl-C" in (tmp_path / "report.html").read_text("utf-8")


def test_a_cut_journal_is_reported_up_to_its_last_whole_record(mixed: Path, tmp_path: Path) -> None:
    whole = (mixed / "journal.jsonl").read_bytes()
    ends = [match.end() for match in re.finditer(rb"\n", whole)]
    for end in ends[::9]:
        (tmp_path / "journal.jsonl").write_bytes(whole[: end + 40])
        run = read_run(tmp_path)
        assert run.view.records == whole[:end].count(b"\n")
        for kind in AT_END:
            assert render(run, kind)
    page = (write(read_run(tmp_path), "html")).read_text("utf-8")
    assert "the journal is sound up to record" in page


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no journal\.jsonl here"):
        read_run(tmp_path)
    (tmp_path / "journal.jsonl").write_text("hello\n")
    with pytest.raises(ConfigError, match="no run began: line 1: not a whole record"):
        read_run(tmp_path)


# junit.xml


def test_junit_has_a_case_per_case_and_the_true_verdict(mixed: Path) -> None:
    (suite,) = ET.parse(mixed / "junit.xml").getroot()
    counts = {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "3", "errors": "0", "skipped": "1"}
    verdicts = {
        case.attrib["name"].split()[0]: property.attrib["value"]
        for case in suite.iter("testcase")
        for property in case.iter("property")
        if property.attrib["name"] == "verdict"
    }
    assert verdicts == {
        "TC_901_CS": "fail",
        "TC_902_CS": "fail",
        "TC_903_CS": "fail",
        "TC_904_CS": "pass",
        "000_RESET": "none",
    }
    failure = suite.findall("testcase")[1].find("failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("no StartTransaction() was allowed")
    assert failure.text is not None
    assert "No StartTransaction comes: fail" in failure.text
    skipped = suite.findall("testcase")[4].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "not-applicable: needs C-99"


def test_junit_knows_inconclusive_and_error(tmp_path: Path) -> None:
    async def broken(case: Case) -> None:
        """Fail by a defect of ours."""
        raise ZeroDivisionError("\x00 by zero \ud800")

    cases = [SUITE.procedures[2], one_case(broken)]
    outcome = asyncio.run(record(tmp_path, answers=["inconclusive"], cases=cases))
    write_all(outcome.folder)
    (suite,) = ET.parse(outcome.folder / "junit.xml").getroot()
    first, second = (element for element in suite.iter("error"))
    assert first.attrib["type"] == "inconclusive"
    assert second.attrib["type"] == "error"
    assert second.attrib["message"] == "ZeroDivisionError: \ufffd by zero ?"
    assert "Traceback" in (second.text or "")


# report.html


class Page(HTMLParser):
    """A page's elements, ids, links and what it would load."""

    VOID = ("meta", "br", "link", "img", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "srcset", "data", "action") or tag in ("link", "iframe"):
                self.loads.append(f"{tag} {name}={value}")
            assert not name.startswith("on")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(mixed: Path) -> str:
    return (mixed / "report.html").read_text("utf-8")


def test_the_page_is_one_file_that_loads_nothing(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    assert parsed.loads == []
    assert parsed.scripts == 1
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page


def test_every_link_of_the_page_leads_somewhere_and_no_id_is_double(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert parsed.links
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)


def test_what_failed_stands_first_with_its_reason_and_link(page: str) -> None:
    top = page[: page.index('id="cases"')]
    assert "4 cases: 1 pass, 3 fail" in top
    for case in ("TC_901_CS", "TC_902_CS", "TC_903_CS"):
        assert f'href="#{case}"' in top
    assert "no StartTransaction() was allowed" in top
    assert re.search(r'href="#c\d+"', top)
    assert "TC_904_CS" not in top


def test_failed_cases_are_open_and_passed_ones_closed(page: str) -> None:
    heads = re.findall(r'<details class="case (\w+)" id="(\w+)"( open)?>', page)
    assert heads == [
        ("fail", "TC_901_CS", " open"),
        ("fail", "TC_902_CS", " open"),
        ("fail", "TC_903_CS", " open"),
        ("pass", "TC_904_CS", ""),
    ]


def test_the_page_shows_operator_acts_frames_and_evidence(page: str, mixed: Path) -> None:
    assert "seen &lt;well&gt;" in page
    assert "<well>" not in page
    assert "mains: cycle(off_for=0.1)" in page
    assert "cards: present(card=invalid, connector=1)" in page
    assert "left unanswered on purpose" in page
    assert "broken frame" in page
    assert read_run(mixed).head in page
    assert "needs C-99" in page


def test_nothing_that_a_station_sends_becomes_markup(tmp_path: Path) -> None:
    evil = '</pre><script>alert(1)</script><img src=x onerror="alert(2)">'
    frame = json.dumps([2, evil, evil, {evil: evil, "list": [evil], "half": "\ud800"}])
    journal(
        tmp_path,
        run_started("TC_1_CS"),
        CaseStarted("TC_1_CS", evil, "M", "core", evil, [evil]),
        StepStarted(1, "body", evil),
        FrameReceived(1, frame),
        StepEnded(1, "fail", evil, "CheckFailed"),
        CaseEnded("TC_1_CS", "fail", "completed", evil, "CheckFailed", "body", 1.0, [4], evil),
        RunEnded(True, None, {"fail": 1}),
    )
    text = write(read_run(tmp_path), "html").read_text("utf-8")
    parsed = Page(text)
    assert parsed.scripts == 1
    assert parsed.loads == []


# pilotbench report


def test_the_command_renders_into_the_run_or_elsewhere(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in AT_END:
        out = tmp_path / FILES[kind]
        assert cli.main(["report", str(mixed), "--format", kind, "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"{out}\n"
        assert out.read_bytes() == (mixed / FILES[kind]).read_bytes()
    (mixed / "report.html").unlink()
    assert cli.main(["report", str(mixed)]) == 0
    assert (mixed / "report.html").exists()


def test_the_command_names_what_it_cannot_read_or_write(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", str(tmp_path)]) == 3
    assert "no journal.jsonl here" in capsys.readouterr().err
    assert cli.main(["report", str(mixed), "--out", str(tmp_path / "no" / "x.html")]) == 3
    assert "No such file or directory" in capsys.readouterr().err

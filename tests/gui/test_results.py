"""The Results screen on a real engine: list, filter, report, verify, replay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QUrl
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui.results.comparison import LONG
from gui.results.details import Details
from gui.results.runs import read_run
from gui.results.screen import ResultsScreen
from tests.gui.served import CUT, RUN, Served, nameless, waiting

TOLD = {
    "run": "20261125T080939Z-a-rather-long-name-of-a-run",
    "state": "ended",
    "started": "2031-01-01T00:00:00Z",
    "complete": True,
    "reason": None,
    "bench": "b",
    "dut": {"vendor": "v", "model": "m"},
    "cases": 3,
    "signer": None,
    "void": None,
    "counts": {"pass": 2, "fail": 1, "inconclusive": 0, "error": 0},
}


@pytest.fixture
def opened() -> list[QUrl]:
    return []


@pytest.fixture
def screen(qtbot: QtBot, served: Served, opened: list[QUrl]) -> Iterator[ResultsScreen]:
    def view(url: QUrl) -> bool:
        opened.append(url)
        return True

    with served.looked_at(qtbot) as (run, link):
        made = ResultsScreen(run, link, view=view)
        qtbot.addWidget(made)
        made.resize(1280, 650)
        made.show()
        made.shown()
        waiting(qtbot, lambda: len(made.model.all) >= 3)
        yield made


def test_runs_are_listed_newest_first_with_what_became_of_them(screen: ResultsScreen) -> None:
    listed = [one.run for one in screen.model.rows]
    assert listed.index(CUT) < listed.index(RUN)
    one = next(one for one in screen.model.rows if one.run == RUN)
    assert one.word == "void"  # the newest run says so
    assert one.void == "the DUT reports other software"
    assert "1 fail" in one.verdicts
    cut = next(one for one in screen.model.rows if one.run == CUT)
    assert cut.word == "unfinished"


def test_a_filter_keeps_the_marked_run(qtbot: QtBot, screen: ResultsScreen) -> None:
    screen.table.choose(RUN)
    screen.search.setText("lab fail")
    assert [one.run for one in screen.model.rows] == [RUN]
    assert [one.run for one in screen.table.chosen] == [RUN]
    screen.search.setText("no such words")
    assert screen.empty.isVisible()
    assert screen.empty.title.text() == "No run fits"


def test_the_report_is_opened_by_the_systems_viewer(
    qtbot: QtBot, screen: ResultsScreen, opened: list[QUrl]
) -> None:
    screen.table.choose(RUN)
    screen.details.acts["html"].click()
    waiting(qtbot, lambda: opened)
    text = Path(opened[0].toLocalFile()).read_text("utf-8")
    assert "TC_902_CS" in text


def test_a_cut_journal_is_replayed_as_far_as_it_goes(qtbot: QtBot, screen: ResultsScreen) -> None:
    screen.table.choose(CUT)
    assert screen.details.reason.text().startswith("It was not finished")
    screen.details.acts["replay"].click()
    waiting(qtbot, lambda: screen.replays.windows)
    (window,) = screen.replays.windows
    assert window.bar is not None
    assert "planned cases" in window.bar.notice.words
    assert window.bar.notice.words.startswith("The journal ends at record ")
    screen.close()  # the replays go with it
    waiting(qtbot, lambda: not screen.replays.windows)


def test_runs_are_verified_and_compared(qtbot: QtBot, screen: ResultsScreen) -> None:
    screen.table.choose(RUN)
    screen.details.acts["verify"].click()
    waiting(qtbot, lambda: not screen._verifying)
    assert screen.details.verified.text().startswith("✓ Sound")
    screen.table.choose(CUT)
    screen.details.acts["verify"].click()
    waiting(qtbot, lambda: not screen._verifying)
    assert screen.details.verified.text().startswith("✕ Not sound: the journal ends at record")
    # A single run is not compared; which other one is asked for.
    screen.details.acts["compare"].click()
    assert "second run" in screen.notice.words
    screen.notice._act.click()  # with the run before of the same DUT
    page = screen.comparison
    waiting(qtbot, lambda: page.found)
    assert page.title.text() == f"{RUN}  ↔  {CUT}"
    assert page.summary.text().startswith("1 case came to the same, 2 to something else")
    cases = [page.cases.item(row, 0) for row in range(page.cases.rowCount())]
    assert [one.text() for one in cases if one is not None] == ["TC_903_CS", "TC_904_CS"]
    assert page.messages.rowCount() > 0
    assert nameless(screen) == []
    page.only.setChecked(False)
    assert page.cases.rowCount() == 3


def test_long_work_is_waited_for_and_can_be_given_up(
    qtbot: QtBot, screen: ResultsScreen, opened: list[QUrl], monkeypatch: pytest.MonkeyPatch
) -> None:
    link, patience = screen._link, {}
    ask = link._ask

    def noted(verb: str, path: str, *rest: Any, **more: Any) -> Any:
        patience[path] = more.get("within")
        return ask(verb, path, *rest, **more)

    monkeypatch.setattr(link, "_ask", noted)
    screen.table.choose(RUN)
    screen.details.acts["html"].click()
    assert screen.notice.act()  # Cancel
    screen.details.acts["verify"].click()
    assert screen.details.acts["verify"].text() == "Cancel"
    screen.details.acts["verify"].click()
    assert screen.details.acts["verify"].text() == "Verify"
    assert screen.details.verified.text() == ""
    screen.comparison.compare(CUT, RUN)
    waiting(qtbot, lambda: screen.comparison.found)
    # What was given up tells nothing, though it has been answered meanwhile.
    assert screen.notice.words == ""
    assert opened == []
    assert screen.details.verified.text() == ""
    long = [f"/runs/{RUN}/report.html", f"/runs/{RUN}/verify", f"/compare?first={CUT}&second={RUN}"]
    assert [patience[path] for path in long] == [LONG] * 3


def test_little_room_squeezes_nothing_of_the_chosen_run(qtbot: QtBot) -> None:
    details = Details()
    qtbot.addWidget(details)
    details.show_runs([read_run(TOLD)])
    details.show_verification({"faults": [], "summary": [f"line {n}" for n in range(12)]})
    details.resize(details.width(), 330)
    details.show()
    shown = [label for label in details.findChildren(QLabel) if label.isVisible()]
    assert len(shown) > 10
    for label in shown:
        needed = (
            label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
        )
        assert label.height() >= needed, label.text()


def test_what_can_not_be_done_with_a_run_that_goes_on_says_why(qtbot: QtBot) -> None:
    details = Details()
    qtbot.addWidget(details)
    details.show_runs([read_run({**TOLD, "state": "running"})])
    assert not details.acts["verify"].isEnabled()
    assert details.acts["verify"].toolTip().startswith("It goes on")
    details.show_runs([read_run(TOLD)])
    assert details.acts["verify"].isEnabled()
    assert details.acts["replay"].toolTip() == "Ctrl+R"


def test_a_run_says_its_state_in_a_word() -> None:
    one = read_run(TOLD)
    assert (one.word, one.verdicts, one.signed) == ("complete", "2 pass, 1 fail", False)
    assert read_run({**TOLD, "signer": "ab:cd"}).signed
    assert read_run({**TOLD, "state": "unfinished"}).word == "unfinished"
    assert read_run({**TOLD, "void": "software changed"}).word == "void"

"""The DUT screen: forms made from the definition, checked and saved by a real engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import (
    QLabel,
    QPushButton,
)
from pytestqt.qtbot import QtBot

from bench.answers import SECONDS, SomeOf
from bench.dut import Pixit, Timing, load_dut
from bench.errors import ConfigError
from bench.intake import write_form
from bench.questionnaire import questions_for
from gui.dut.draft import Draft, place_of
from gui.dut.editors import Choice, Several, Typed, editor_for
from gui.dut.effects import EffectsPanel, read_effects
from gui.dut.keys import keys_of
from gui.dut.screen import DutScreen
from gui.live import LiveRun
from gui.window import MainWindow
from tests.gui.recorded import unconnected
from tests.gui.served import Served, asked_about, nameless, press, waiting


@pytest.fixture
def dut(served: Served) -> Iterator[Path]:
    """The `dut.toml` in use, put back afterwards."""
    path = served.folder / "dut.toml"
    kept = path.with_suffix(".kept")
    shutil.copy(path, kept)
    yield path
    kept.replace(path)


@pytest.fixture
def screen(qtbot: QtBot, served: Served, dut: Path) -> Iterator[DutScreen]:
    with served.looked_at(qtbot) as (run, link):
        made = DutScreen(run, link)
        qtbot.addWidget(made)
        made.resize(1280, 650)
        made.show()
        made.shown()
        waiting(qtbot, lambda: made.questions._effects.by_item and made.questions.is_whole)
        yield made


# The form.


def test_the_form_is_made_from_the_definition(screen: DutScreen) -> None:
    form = screen.questions
    asked = [one.item for some in questions_for("charging-station").values() for one in some]
    assert list(form.rows)[: len(asked)] == asked
    answered = sum(screen.draft.get("pics", item) is not None for item in asked)
    assert form.progress.text() == f"{answered} of {len(asked)} answered"

    form.search.setText("authorization cache")
    assert [item for item, row in form.rows.items() if not row.isHidden()] == ["C-04"]
    form.search.setText("no such question")
    assert not form.nothing.isHidden()
    form.search.clear()
    form.unanswered.setChecked(True)
    shown = [item for item, row in form.rows.items() if not row.isHidden()]
    assert shown
    assert all(screen.draft.get("pics", item) is None for item in shown)

    # What an answer switches off stands beside it.
    (no,) = [one for one in form._effects.of("C-07") if one.answer is False]
    assert "TC_004_1_CS" in no.off
    assert form.rows["C-07"].effect.text() == f"no: −{len(no.off)} cases"

    # A text that is no answer is told at once, and not sent.
    row = form.rows["CFG.LocalAuthListMaxLength"]
    assert isinstance(row.editor, Typed)
    row.editor.line.setText("many")
    row.editor.line.textEdited.emit("many")
    assert row.wrong.text() == "'many', expected a whole number, 0 or more"
    assert not screen.save.isEnabled()
    screen.put()
    assert "'many', expected a whole number" in screen.notice.words
    assert nameless(screen) == []


def test_the_cases_that_hang_on_an_answer_have_titles(qtbot: QtBot) -> None:
    panel = EffectsPanel()
    qtbot.addWidget(panel)
    one = {"id": "C-07", "decides_on": ["TC_1"], "holds_up": [], "effects": []}
    panel.know(read_effects([one]))
    panel.look_at("C-07")
    panel.name_cases({"TC_1": "A title"})  # may come after the effects
    said = [label.text() for label in panel.findChildren(QLabel)]
    assert "TC_1  A title" in said


def test_answers_are_given_and_taken_back_by_field(qtbot: QtBot) -> None:
    choice = editor_for("C-07", questions_for("charging-station")["Optional features"][0].answer)
    assert isinstance(choice, Choice)
    given: list[Any] = []
    choice.edited.connect(given.append)
    yes, no = choice.findChildren(QPushButton)
    yes.click()
    no.click()
    no.click()
    assert given == [True, False, None]

    several = editor_for("x", SomeOf(("HTTP", "FTP")))
    assert isinstance(several, Several)
    several.edited.connect(given.append)
    for one in several.findChildren(QPushButton):
        one.click()
    assert given[-1] == ["HTTP", "FTP"]

    typed = editor_for("x", SECONDS)
    assert isinstance(typed, Typed)
    why: list[str] = []
    typed.edited.connect(given.append)
    typed.refused.connect(why.append)
    typed.line.textEdited.emit("2.5 s")
    assert given[-1] == 2.5
    typed.line.textEdited.emit("soon")
    assert why == ["'soon', expected a number of seconds, more than 0"]


# The draft.


def test_a_draft_knows_what_differs() -> None:
    draft = Draft()
    draft.load({"C-07": True}, {"timing": {"response": 5}})
    assert not draft.is_dirty
    draft.set(False, "pics", "C-07")
    draft.set(None, "pixit", "timing", "response")
    draft.set("X", "pixit", "cards", "valid", "id_tag")
    assert draft.differences == [
        ("pics", "C-07"),
        ("pixit", "timing", "response"),
        ("pixit", "cards"),
    ]
    draft.refuse("'x', expected a number", "pixit", "timing", "boot")
    assert draft.is_dirty
    draft.discard()
    assert not draft.is_dirty
    assert draft.get("pics", "C-07") is True


@pytest.mark.parametrize(
    ("pics", "pixit", "path", "words"),
    [
        ('"C-07" = 3', "", ("pics", "C-07"), "3, expected true or false"),
        ('"CFG.x.y" = 3', "", ("pics", "CFG.x.y"), "no such PICS item"),
        ("", "connector = 4", ("pixit", "connector"), "4, expected 1 to connectors = 1"),
        (
            "",
            "[pixit.cards.valid]\nid_tag = 3",
            ("pixit", "cards", "valid", "id_tag"),
            "3, expected a string",
        ),
        (
            "",
            "[pixit.timing]\nresponse = -1",
            ("pixit", "timing", "response"),
            "-1, expected more than 0 s",
        ),
        ("", '[pixit.waivers]\nfoo = "a b c"', ("pixit", "waivers", "foo"), "no such monitor"),
    ],
)
def test_the_place_of_a_problem_is_found(
    tmp_path: Path, pics: str, pixit: str, path: tuple[str, ...], words: str
) -> None:
    file = tmp_path / "dut.toml"
    dut = '[dut]\nkind="charging-station"\nidentity="x"\nvendor="v"\nmodel="m"\n'
    file.write_text(f"{dut}[pics]\n{pics}\n[pixit]\n{pixit}\n")
    with pytest.raises(ConfigError) as found:
        load_dut(file)
    place, said = place_of(str(found.value))
    assert place == path
    assert said.startswith(words)


def test_what_names_no_place_is_told_as_it_is() -> None:
    assert place_of("the DUT is under test") == (None, "the DUT is under test")


def test_the_fields_of_the_pixit_come_from_what_it_is_parsed_into() -> None:
    timing = {key.path[-1]: key for key in keys_of(Timing, "pixit", "timing")}
    assert timing["response"].default == "30"
    assert timing["response"].kind.read("2.5") == 2.5
    assert timing["heartbeat_interval"].kind.read("60") == 60
    assert timing["soft_boot"].label == "Soft boot"
    assert timing["boot"].meaning == "Reboot until BootNotification."
    assert [key.path[-1] for key in keys_of(Pixit, "pixit")] == ["connector", "connectors"]


# Saving.


def test_the_engine_checks_and_saves(qtbot: QtBot, screen: DutScreen, dut: Path) -> None:
    assert not screen.save.isEnabled()
    screen.draft.set(False, "pics", "C-07")
    screen.draft.set(12, "pixit", "timing", "offline")
    assert screen.changes.text() == "2 unsaved changes"
    assert screen.tabs.tabText(0).endswith("•")
    screen.put()
    waiting(qtbot, lambda: screen.notice.words.startswith("Saved"))
    assert not screen.draft.is_dirty
    assert load_dut(dut).pics["C-07"] is False
    assert load_dut(dut).pixit.timing.offline == 12
    assert dut.read_text().startswith("# The virtual charging station")
    # What hangs on it is asked anew: now the other answer would switch cases on.
    waiting(qtbot, lambda: any(one.on for one in screen.questions._effects.of("C-07")))

    # What is refused is told at its field, and nothing is written.
    before = dut.read_bytes()
    screen.draft.set(7, "pixit", "connector")
    screen.put()
    waiting(qtbot, lambda: screen.notice.words.startswith("Not saved. pixit.connector: 7"))
    group = screen.pixit.groups[0]
    assert group._wrong["pixit", "connector"].text().startswith("7, expected 1 to connectors")
    assert screen.tabs.currentIndex() == 1
    assert dut.read_bytes() == before

    # Changes are asked about before they are given up, as when the window closes.
    assert screen.is_dirty
    screen.refresh()
    box = asked_about()
    assert "1 unsaved change" in box.text()
    press(box, "Go on editing")
    assert screen.draft.get("pixit", "connector") == 7
    screen.refresh()
    press(asked_about(), "Discard")
    waiting(qtbot, lambda: not screen.draft.is_dirty)


def test_forms_are_imported_and_cards_are_read(
    qtbot: QtBot, screen: DutScreen, tmp_path: Path, dut: Path
) -> None:
    form = tmp_path / "vendor.xlsx"
    write_form(form, "charging-station", {"C-07": False, "PERF.response": 1.5})
    screen.forms.take(screen._path, form, screen.settle)
    waiting(qtbot, lambda: screen.notice.words.startswith("vendor.xlsx: "))
    assert "C-07 yes → no" in screen.notice.words
    assert "PERF.response open → 1.5" in screen.notice.words
    waiting(qtbot, lambda: screen.draft.get("pics", "PERF.response") == 1.5)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("item,answer\nC-07,perhaps\n")
    screen.forms.take(screen._path, wrong, screen.settle)
    waiting(qtbot, lambda: "expected true or false" in screen.notice.words)
    assert "row 2, item 'C-07'" in screen.notice.words
    wrong = tmp_path / "wrong.xlsx"
    wrong.write_bytes(b"no spreadsheet")
    screen.forms.take(screen._path, wrong, screen.settle)
    waiting(qtbot, lambda: screen.notice.words.startswith("wrong.xlsx was not taken: "))
    screen.forms.take(screen._path, tmp_path / "none.csv", screen.settle)
    assert screen.notice.words == f"{tmp_path / 'none.csv'}: No such file or directory"

    cards = screen.pixit.cards
    card = cards.cards["valid"]
    card.take_uid("04A1B2C3D4E5F6")
    assert screen.draft.get("pixit", "cards", "valid", "id_tag") is None
    assert card.written.text() == "The DUT reports it as 04A1B2C3D4E5F6"
    at = card.notation.findData("reversed")
    card.notation.setCurrentIndex(at)
    card._choose_notation(at)
    assert card.written.text() == "The DUT reports it as F6E5D4C3B2A104"
    # The bench's reader is a person, who is asked what lies there.
    card.read.click()
    assert not card.read.isEnabled()
    waiting(qtbot, lambda: screen._run.prompts)
    assert cards.notice.words.startswith("Hold card valid at the bench's reader: ")
    (prompt,) = screen._run.prompts
    screen._link.post(f"/prompts/{prompt}/answer", {"answer": "0411223344556A"})
    waiting(qtbot, lambda: cards.notice.words.startswith("Card valid is 0411223344556A"))
    assert screen.draft.get("pixit", "cards", "valid", "uid") == "0411223344556A"
    assert card.read.isEnabled()
    # Who does not wait for a card lets the reader go.
    card.read.click()
    waiting(qtbot, lambda: set(screen._run.prompts) - {prompt})
    assert cards.notice.act()
    assert card.read.isEnabled()
    assert cards.notice.words == ""
    waiting(qtbot, lambda: not screen._run.prompts)


def test_a_window_with_unsaved_answers_does_not_close_unasked(qtbot: QtBot) -> None:
    window = MainWindow(LiveRun(), unconnected())
    qtbot.addWidget(window)
    window.show()
    screen = window.screen_named("dut")
    assert isinstance(screen, DutScreen)
    screen.draft.set(True, "pics", "C-07")
    window.close()
    assert window.isVisible()
    assert screen.isVisible()
    press(asked_about(), "Go on editing")
    assert screen.is_dirty
    window.close()
    press(asked_about(), "Discard")
    assert not window.isVisible()

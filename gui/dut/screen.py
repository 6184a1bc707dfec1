"""The DUT screen: PICS, PIXIT, and the configuration as read, of one `dut.toml`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QSplitter, QTabWidget, QWidget

from gui.dut.choice import DutChoice
from gui.dut.configuration import Configuration
from gui.dut.draft import Draft, place_of
from gui.dut.effects import EffectsPanel, read_effects
from gui.dut.forms import Forms
from gui.dut.pixit import PixitForm
from gui.dut.questionnaire import Questionnaire
from gui.labels import ElidedLabel
from gui.link import Link
from gui.live import LiveRun
from gui.page import head, rows, stacked
from gui.palette import px
from gui.parts import Empty, Notice, ask, button, deed, text
from gui.replies import Refusal

NARROW = 1120
"""Width in pixels below which what hangs on an answer is told beside the question only."""
CHOSEN = "PICS", "PIXIT", "Configuration"


class DutScreen(QWidget):
    """One DUT at a time; nothing is saved until the operator saves, and the engine checks it."""

    title = "DUT"

    def __init__(self, run: LiveRun, link: Link) -> None:
        super().__init__()
        self._run, self._link = run, link
        self._identity = ""
        self.draft = Draft()
        self.choice = DutChoice()
        self.file = ElidedLabel()
        self.file.setProperty("role", "muted")
        self.notice = Notice()
        self.forms = Forms(link, self.notice, self)
        self.questions = Questionnaire(self.draft)
        self.effects = EffectsPanel()
        self.pixit = PixitForm(self.draft, link)
        self.configuration = Configuration()
        self.changes = text("", "strong")
        self.save = button("Save", self.put, tip="Ctrl+S", role="primary")
        self.discard = button("Discard", self._ask_discard, name="Discard the changes")
        self.take_form = button("Import answers…", self.choose_form, tip="Ctrl+I")
        self.next = button("Next unanswered", self._next, tip="Ctrl+J")
        self.tabs = QTabWidget()
        self.empty = Empty(
            "No device under test",
            "The engine was started without a dut.toml. Start it with --dut F, or let "
            "pilotbench pics write one from the vendor's form.",
        )
        self._arrange()
        self.deeds = [
            deed(self, "save-dut", "Save the answers", self.put, "Ctrl+S"),
            deed(self, "import-answers", "Import answers…", self.choose_form, "Ctrl+I"),
            deed(self, "search-questions", "Search the questions", self._search, "Ctrl+F"),
            deed(self, "next-question", "Next unanswered question", self._next, "Ctrl+J"),
            deed(self, "refresh-dut", "Read the DUT again", self.refresh, "F5"),
        ]
        self.choice.activated.connect(self._chosen)
        self.draft.changed.connect(self._changed)
        self.questions.looked_at.connect(self.effects.look_at)
        self.forms.taken.connect(self._form_taken)
        run.begun.connect(self._read_configuration)
        link.session_changed.connect(lambda _: self._offer())
        self._changed()

    def _arrange(self) -> None:
        pics = QSplitter(Qt.Orientation.Horizontal)
        pics.setChildrenCollapsible(False)
        pics.addWidget(self.questions)
        pics.addWidget(self.effects)
        pics.setStretchFactor(0, 1)
        pics.setSizes([900, 300])
        self.tabs.setAccessibleName("Parts of dut.toml")
        for page, words in zip((pics, self.pixit, self.configuration), CHOSEN, strict=True):
            self.tabs.addTab(page, words)
        self.tabs.setCornerWidget(self.next, Qt.Corner.TopRightCorner)
        self.middle = stacked(self.tabs, self.empty)
        acts = [self.changes, self.take_form, self.discard, self.save]
        top = head("DUT", [self.choice, self.file], acts)
        top.setStretchFactor(self.file, 1)
        rows(self, top, self.notice, self.middle)
        self.tabs.currentChanged.connect(lambda at: self.next.setVisible(at == 0))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the room to the questions where there is little."""
        super().resizeEvent(event)
        self.effects.setVisible(self.width() >= px(NARROW))

    def shown(self) -> None:
        """Read the DUT when the screen comes up, unless there are changes to keep."""
        if not self._offer() and not self.draft.is_dirty:
            self.refresh()
        self._link.get("/procedures", self._name_cases, _nothing)

    # Which DUT.

    def _offer(self) -> bool:
        """Offer the DUTs of the engine; tell whether another one was chosen, and is read."""
        duts = self._link.session.get("duts") or ()
        identity = self.choice.offer(duts, self._identity)
        other = identity != self._identity
        if other:
            self._identity = identity
            self.refresh()
        self.middle.setCurrentIndex(0 if duts else 1)
        for part in (self.take_form, self.next):
            part.setEnabled(bool(duts))
        return other

    def _chosen(self, at: int) -> None:
        identity = self.choice.itemData(at)
        if identity == self._identity:
            return

        def go() -> None:
            self._identity = identity
            self.choice.show_chosen(identity)
            self.draft.discard()
            self.refresh()

        self.choice.show_chosen(self._identity)
        self.settle(go)

    @property
    def is_dirty(self) -> bool:
        """Tell whether anything is not saved."""
        return self.draft.is_dirty

    def settle(self, then: Callable[[], object]) -> None:
        """Do something that gives up the changes, once the operator has said what with them."""
        if not self.draft.is_dirty:
            then()
            return

        def give_up() -> None:
            self._discard()
            then()

        ask(
            self,
            "Unsaved changes",
            f"{self.changes.text()} in dut.toml. Save them first?",
            [("Save", lambda: self.put(then)), ("Discard", give_up)],
            no="Go on editing",
        )

    def refresh(self) -> None:
        """Read the DUT, its questionnaire and its configuration."""
        if not self._identity:
            return
        if self.draft.is_dirty:
            self.settle(self._read)
        else:
            self._read()

    @property
    def _path(self) -> str:
        return f"/duts/{quote(self._identity, safe='')}"

    def _read(self) -> None:
        self._link.get(self._path, self._take, self._failed)
        self._read_effects()
        self._read_configuration()

    def _read_effects(self) -> None:
        self._link.get(f"{self._path}/questionnaire", self._take_effects, _nothing)

    def _read_configuration(self) -> None:
        if self._identity:
            self._link.get(f"{self._path}/configuration", self._take_configuration, _nothing)

    def _take_configuration(self, found: dict[str, Any]) -> None:
        self.configuration.take(found, self.draft.saved("pics") or {})

    def _take(self, found: dict[str, Any]) -> None:
        self.file.setText(found["file"])
        self.draft.load(found.get("pics") or {}, found.get("pixit") or {})
        self.questions.ask(found["dut"]["kind"])
        self.pixit.cards.discard()
        self._show_wrong({})

    def _take_effects(self, found: list[dict[str, Any]]) -> None:
        effects = read_effects(found)
        self.questions.show_effects(effects)
        self.effects.know(effects)

    def _name_cases(self, procedures: list[dict[str, Any]]) -> None:
        self.effects.name_cases({one["id"]: one["title"] for one in procedures})

    # Saving.

    def _changed(self) -> None:
        count = len(self.draft.differences)
        self.changes.setText({0: "", 1: "1 unsaved change"}.get(count, f"{count} unsaved changes"))
        self.save.setEnabled(count > 0 and not self.draft.unreadable)
        self.discard.setEnabled(count > 0)
        words = [CHOSEN[0], CHOSEN[1]]
        for index, table in enumerate(("pics", "pixit")):
            changed = any(path[0] == table for path in self.draft.differences)
            self.tabs.setTabText(index, words[index] + ("  •" if changed else ""))

    def put(self, then: Callable[[], object] | None = None) -> None:
        """Let the engine check the draft and save it."""
        if not self.draft.is_dirty:
            return
        if self.draft.unreadable:
            path, why = next(iter(self.draft.unreadable.items()))
            self.notice.say(f"{path[-1]}: {why}. Mend it, then save.")
            return
        self.save.setEnabled(False)
        self._link.put(
            self._path, self.draft.to_json(), lambda _saved: self._saved(then), self._refused
        )

    def _saved(self, then: Callable[[], object] | None) -> None:
        saved = self.draft.to_json()
        self.draft.load(saved["pics"], saved["pixit"])
        self._show_wrong({})
        self.notice.say("Saved. The next run is planned with these answers.", kind="done")
        self._read_effects()
        self._link.refresh()
        if then is not None:
            then()

    def _refused(self, refusal: Refusal) -> None:
        self._changed()
        path, words = place_of(refusal.text)
        if path is None:
            self.notice.say(refusal.text, way_out="Try again", then=self.put)
            return
        self.notice.say(f"Not saved. {'.'.join(path)}: {words}")
        self._show_wrong({path: words})

    def _show_wrong(self, wrong: dict[tuple[str, ...], str]) -> None:
        pics = {path[1]: words for path, words in wrong.items() if path[:1] == ("pics",)}
        if any(item in self.questions.rows for item in pics):
            self.tabs.setCurrentIndex(0)
        self.questions.show_wrong(pics)
        if self.pixit.show_wrong(wrong):
            self.tabs.setCurrentIndex(1)

    def _ask_discard(self) -> None:
        ask(
            self,
            "Discard the changes",
            f"{self.changes.text()} will be lost.",
            [("Discard", self._discard)],
            no="Go on editing",
        )

    def _discard(self) -> None:
        self.draft.discard()
        self.pixit.cards.discard()
        self._show_wrong({})

    # Forms of a vendor.

    def choose_form(self) -> None:
        """Let the operator choose a form that the vendor filled in."""
        if self._identity:
            self.forms.choose(self._path, self.settle)

    def _form_taken(self) -> None:
        self._read()
        self._link.refresh()

    # Keys.

    def _search(self) -> None:
        part = self.tabs.currentIndex()
        if part == 2:
            self.configuration.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            self.tabs.setCurrentIndex(0)
            self.questions.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _next(self) -> None:
        self.tabs.setCurrentIndex(0)
        self.questions.go_to_unanswered()

    def _failed(self, refusal: Refusal) -> None:
        self.notice.say(refusal.text, way_out="Try again", then=self.refresh)


def _nothing(refusal: Refusal) -> None:
    """Leave what is shown as it is: the request beside it told what is wrong."""

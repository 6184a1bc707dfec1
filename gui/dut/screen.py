"""The DUT screen: PICS, PIXIT, and the configuration as read, of one `dut.toml`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from bench.intake import shown
from gui.dut.configuration import Configuration
from gui.dut.draft import Draft, place_of
from gui.dut.effects import EffectsPanel, read_effects
from gui.dut.pixit import PixitForm
from gui.dut.questionnaire import Questionnaire
from gui.link import Link
from gui.live import LiveRun
from gui.palette import px
from gui.parts import GRID, Empty, Notice, ask, button, deed, muted, text
from gui.replies import Refusal

FORMS = "Forms (*.csv *.xlsx)"
NARROW = 1120
"""Width in pixels below which what hangs on an answer is told beside the question only."""
MENTIONED = 5
"""Changes of an import that are named; the form shows the others."""
CHOSEN = "PICS", "PIXIT", "Configuration"


class DutScreen(QWidget):
    """One DUT at a time; nothing is saved until the operator saves, and the engine checks it."""

    title = "DUT"

    def __init__(self, run: LiveRun, link: Link) -> None:
        super().__init__()
        self._run, self._link = run, link
        self._identity = ""
        self._titles: dict[str, str] = {}
        self.draft = Draft()
        self.choice = QComboBox()
        self.choice.setAccessibleName("Device under test")
        self.choice.setMinimumWidth(260)
        self.file = muted()
        # It gives way to everything else in the line.
        self.file.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.notice = Notice()
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
        run.begun.connect(self._read_configuration)
        link.session_changed.connect(self._session_changed)
        self._changed()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(text("DUT", "title"))
        head.addSpacing(2 * GRID)
        head.addWidget(self.choice)
        head.addWidget(self.file, 1)
        head.addWidget(self.changes)
        for part in (self.take_form, self.discard, self.save):
            head.addWidget(part)
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
        self.middle = QStackedWidget()
        self.middle.addWidget(self.tabs)
        self.middle.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(head)
        column.addWidget(self.notice)
        column.addWidget(self.middle, 1)
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

    def _session_changed(self, session: dict[str, Any]) -> None:
        self._offer()

    def _offer(self) -> bool:
        """Offer the DUTs of the engine; tell whether another one was chosen, and is read."""
        other = False
        duts = self._link.session.get("duts") or ()
        names = [(_named(dut), dut.get("identity", "")) for dut in duts]
        if names != [(self.choice.itemText(i), self.choice.itemData(i)) for i in self._places]:
            self.choice.clear()
            for name, identity in names:
                self.choice.addItem(name, identity)
            at = self.choice.findData(self._identity)
            self.choice.setCurrentIndex(max(0, at))
            if at < 0 and names:
                self._identity, other = names[0][1], True
                self.refresh()
        self.choice.setEnabled(len(names) > 1)
        self.middle.setCurrentIndex(0 if names else 1)
        for part in (self.take_form, self.next):
            part.setEnabled(bool(names))
        return other

    @property
    def _places(self) -> range:
        return range(self.choice.count())

    def _chosen(self, at: int) -> None:
        identity = self.choice.itemData(at)
        if identity == self._identity:
            return

        def go() -> None:
            self._identity = identity
            self.choice.setCurrentIndex(at)
            self.draft.discard()
            self.refresh()

        self.choice.setCurrentIndex(max(0, self.choice.findData(self._identity)))
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
        self.file.setToolTip(found["file"])
        self.draft.load(found.get("pics") or {}, found.get("pixit") or {})
        self.questions.ask(found["dut"]["kind"])
        self.pixit.cards.discard()
        self._show_wrong({})

    def _take_effects(self, found: list[dict[str, Any]]) -> None:
        effects = read_effects(found)
        self.questions.show_effects(effects)
        self.effects.know(effects, self._titles)

    def _name_cases(self, procedures: list[dict[str, Any]]) -> None:
        self._titles = {one["id"]: one["title"] for one in procedures}

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
        if not self._identity:
            return
        dialog = QFileDialog(self, "Import answers", "", FORMS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.settle(lambda: self.import_form(Path(name))))
        dialog.open()

    def import_form(self, path: Path) -> None:
        """Give a form to the engine, which checks it and takes its answers."""
        try:
            data = path.read_bytes()
        except OSError as error:
            self.notice.say(f"{path}: {error.strerror}")
            return
        self.notice.say(f"{path.name} is being read …", kind="note")
        self._link.post(
            f"{self._path}/import",
            data,
            lambda found: self._imported(path, found),
            lambda refusal: self.notice.say(
                f"{path.name} was not taken: {refusal.text}",
                way_out="Choose another",
                then=self.choose_form,
            ),
        )

    def _imported(self, path: Path, changes: list[dict[str, Any]]) -> None:
        told = "1 answer" if len(changes) == 1 else f"{len(changes)} answers"
        items = ", ".join(
            f"{one['id']} {shown(one['before']) or 'open'} → {shown(one['after'])}"
            for one in changes[:MENTIONED]
        )
        more = " …" if len(changes) > MENTIONED else ""
        self.notice.say(f"{path.name}: {told} changed. {items}{more}", kind="done")
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


def _named(dut: dict[str, Any]) -> str:
    parts = (dut.get("vendor", ""), dut.get("model", ""), dut.get("identity", ""))
    return " ".join(filter(None, parts))


def _nothing(refusal: Refusal) -> None:
    """Leave what is shown as it is: the request beside it told what is wrong."""

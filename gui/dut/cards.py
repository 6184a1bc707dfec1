"""The test cards of the sample: typed, or read from the chip by tapping the bench's reader."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtNetwork import QNetworkReply
from PyQt6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from bench.cards import Notation, id_tag_of, uid_bytes
from bench.dut import CardEntry
from gui.dut.draft import Draft, Path
from gui.dut.editors import Choice, Editor, Typed, editor_for, widen
from gui.dut.keys import keys_of
from gui.link import Link
from gui.palette import px
from gui.parts import GRID, Empty, Notice, button, muted, sized, text
from gui.replies import Refusal

USUAL = ("valid", "second", "invalid", "expired", "blocked")
"""The cards that procedures ask for by these names, and what the CSMS answers to them."""
STATUSES = {"invalid": "Invalid", "expired": "Expired", "blocked": "Blocked"}
WITHIN = 30
"""Seconds in which the card has to be held at the reader."""


class CardFields(QFrame):
    """One card: idTag, status, the chip's number and how the DUT writes it."""

    removed = pyqtSignal(str)
    tapping = pyqtSignal(str)
    """The operator wants to read this card from the reader."""

    def __init__(self, name: str, draft: Draft) -> None:
        super().__init__()
        self.name, self._draft = name, draft
        self.setProperty("role", "card")
        self.editors: dict[str, Editor] = {}
        self._wrong = text(wraps=True)
        self._wrong.setProperty("role", "problem")
        self._wrong.hide()
        self.written = muted("", wraps=True)
        self.read = button(
            "Read at the reader…",
            lambda: self.tapping.emit(name),
            name=f"Read card {name} at the reader",
        )
        self.remove = button("Remove", lambda: self.removed.emit(name), name=f"Remove card {name}")
        self._arrange()
        self.show_values()

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(text(self.name, "strong"))
        head.addStretch(1)
        head.addWidget(self.read)
        head.addWidget(self.remove)
        grid.addLayout(head, 0, 0, 1, 4)
        self.notation = QComboBox()
        self.notation.setAccessibleName(f"Card {self.name}: how the DUT writes the UID")
        sized(self.notation, lambda: self.notation.setMaximumWidth(px(320)))
        self.notation.activated.connect(self._choose_notation)
        for key in keys_of(CardEntry, "pixit", "cards", self.name):
            field = key.path[-1]
            if field == "notation":
                continue
            editor = self.editors[field] = editor_for(f"Card {self.name}: {key.label}", key.kind)
            if isinstance(editor, Typed):
                editor.line.setPlaceholderText("not set")
                widen(editor)
            editor.edited.connect(lambda value, field=field: self._edit(field, value))
        places: list[tuple[str, str, QWidget, int, int]] = [
            ("idTag", "id_tag", self.editors["id_tag"], 1, 0),
            ("UID of the chip", "uid", self.editors["uid"], 1, 2),
            ("Parent idTag", "parent", self.editors["parent"], 2, 0),
            ("UID as idTag", "notation", self.notation, 2, 2),
            ("Slot", "slot", self.editors["slot"], 3, 0),
        ]
        for label, _field, widget, row, column in places:
            grid.addWidget(text(label), row, column)
            grid.addWidget(widget, row, column + 1)
        grid.addWidget(self.written, 3, 2, 1, 2)
        grid.addWidget(text("The CSMS says"), 4, 0)
        grid.addWidget(self.editors["status"], 4, 1, 1, 3)
        grid.addWidget(self._wrong, 5, 0, 1, 4)
        grid.setColumnStretch(3, 1)

    def show_values(self) -> None:
        """Show the card as the draft has it."""
        card = self._draft.get("pixit", "cards", self.name) or {}
        for field, editor in self.editors.items():
            value = card.get(field)
            if isinstance(editor, Choice) and field == "status":
                value = value or "Accepted"
            editor.show_answer(value)
        self._show_notations(card)

    def _show_notations(self, card: Mapping[str, Any]) -> None:
        self.notation.clear()
        uid = str(card.get("uid") or "")
        try:
            chip = uid_bytes(uid)
        except ValueError as error:
            chip = None
            self.written.setText(str(error) if uid else "")
        for notation in typing.get_args(Notation):
            tag = "" if chip is None else f"   {id_tag_of(chip, notation)}"
            self.notation.addItem(f"{notation}{tag}", notation)
        at = self.notation.findData(card.get("notation") or "hex")
        self.notation.setCurrentIndex(at)
        self.notation.setEnabled(chip is not None and not card.get("id_tag"))
        if chip is not None:
            tag = card.get("id_tag") or id_tag_of(chip, card.get("notation") or "hex")
            self.written.setText(f"The DUT reports it as {tag}")

    def show_wrong(self, words: str) -> None:
        """Say what is wrong with the card; empty: nothing is."""
        self._wrong.setText(words)
        self._wrong.setVisible(bool(words))

    def take_uid(self, uid: str) -> None:
        """Take the number of a chip that was read; the idTag is made of it."""
        self._draft.set(None, "pixit", "cards", self.name, "id_tag")
        self._draft.set(uid, "pixit", "cards", self.name, "uid")
        self.show_values()

    def _edit(self, field: str, value: Any) -> None:
        self.show_wrong("")
        if field == "status" and value in (None, "Accepted"):
            value = None if self._draft.saved("pixit", "cards", self.name, field) is None else value
            self.editors[field].show_answer("Accepted")
        if field == "id_tag" and value:
            self._draft.set(None, "pixit", "cards", self.name, "notation")
        self._draft.set(value, "pixit", "cards", self.name, field)
        self._show_notations(self._draft.get("pixit", "cards", self.name) or {})

    def _choose_notation(self, index: int) -> None:
        chosen = self.notation.itemData(index)
        kept = None if chosen == "hex" else chosen
        self._draft.set(kept, "pixit", "cards", self.name, "notation")
        self._show_notations(self._draft.get("pixit", "cards", self.name) or {})


class Cards(QWidget):
    """All test cards, with a place to add one and the reading by tapping."""

    def __init__(self, draft: Draft, link: Link) -> None:
        super().__init__()
        self._draft, self._link = draft, link
        self.cards: dict[str, CardFields] = {}
        self.notice = Notice()
        self.new = QComboBox()
        self.new.setEditable(True)
        self.new.setAccessibleName("Name of the card to add")
        self.add = button("Add card", self._add)
        self._wait: str | None = None
        self._reply: QNetworkReply | None = None
        self._left = 0
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._count_down)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(GRID)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(text("Cards", "heading"))
        head.addStretch(1)
        head.addWidget(text("Name"))
        head.addWidget(self.new)
        head.addWidget(self.add)
        self._box.addLayout(head)
        self._box.addWidget(self.notice)
        self._none = Empty(
            "No card yet",
            "Cases that present a card need one named valid. Add it above, then type its idTag or "
            "hold it at the reader.",
        )
        self._box.addWidget(self._none)
        draft.changed.connect(self.update_cards)
        self.update_cards()

    def update_cards(self) -> None:
        """Show the cards as the draft has them."""
        wanted = list(self._draft.get("pixit", "cards") or {})
        if wanted != list(self.cards):
            for old in self.cards.values():
                old.hide()
                old.deleteLater()
            self.cards = {name: self._shown(name) for name in wanted}
            chosen = self.new.currentText()
            self.new.clear()
            self.new.addItems([name for name in USUAL if name not in wanted])
            if chosen and chosen not in wanted:
                self.new.setCurrentText(chosen)
        self._none.setVisible(not wanted)

    def discard(self) -> None:
        """Show everything anew."""
        for card in self.cards.values():
            card.show_values()
            card.show_wrong("")

    def show_wrong(self, wrong: Mapping[Path, str]) -> bool:
        """Say beside the cards what is wrong; tell whether anything is."""
        found = False
        for name, card in self.cards.items():
            words = [
                f"{' '.join(path[3:])} {text}".strip()
                for path, text in wrong.items()
                if path[:3] == ("pixit", "cards", name)
            ]
            card.show_wrong("; ".join(words))
            found = found or bool(words)
        return found

    def _shown(self, name: str) -> CardFields:
        card = CardFields(name, self._draft)
        card.removed.connect(lambda gone: self._draft.set(None, "pixit", "cards", gone))
        card.tapping.connect(self.tap)
        self._box.addWidget(card)
        return card

    def _add(self) -> None:
        name = self.new.currentText().strip()
        if not name or name in self.cards:
            why = f"There is a card {name!r} already." if name else "Give the card a name."
            self.notice.say(why, kind="note")
            return
        card = {"status": STATUSES[name]} if name in STATUSES else {}
        self._draft.set(card, "pixit", "cards", name)
        self.cards[name].editors["id_tag"].setFocus(Qt.FocusReason.OtherFocusReason)

    def tap(self, name: str) -> None:
        """Wait at the bench's reader for a card."""
        if self._wait is not None:
            return
        self._wait, self._left = name, WITHIN
        for card in self.cards.values():
            card.read.setEnabled(False)
        self._count_down()
        self._second.start()
        self._reply = self._link.post(
            "/bench/card",
            {"within": WITHIN},
            lambda found: self._read(name, found),
            lambda refusal: self._not_read(name, refusal),
            within=(WITHIN + 10) * 1000,
        )

    def _count_down(self) -> None:
        self.notice.say(
            f"Hold card {self._wait} at the bench's reader: {max(0, self._left)} s left.",
            kind="note",
            way_out="Cancel",
            then=self._give_up,
        )
        self._left -= 1

    def _give_up(self) -> None:
        """Wait no more; the reader is let go by making everything safe."""
        self._link.give_up(self._reply)
        self._ended()
        self._link.post("/bench/safe", {}, lambda _: None)

    def _ended(self) -> None:
        self._wait = None
        self._second.stop()
        for card in self.cards.values():
            card.read.setEnabled(True)

    def _read(self, name: str, found: Mapping[str, Any]) -> None:
        self._ended()
        uid = str(found["uid"])
        kind = f", {found['type']}" if found.get("type") else ""
        if name in self.cards:
            self.cards[name].take_uid(uid)
            words = f"Card {name} is {uid}{kind}. Check how the DUT writes it, then save."
            self.notice.say(words, kind="done")

    def _not_read(self, name: str, refusal: Refusal) -> None:
        self._ended()
        words = f"No card was read: {refusal.text}. The number can be typed as well."
        self.notice.say(words, way_out="Try again", then=lambda: self.tap(name))

"""Fields for the keys of `[pixit]`, tied to the draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QWidget

from gui.dut.draft import Draft, Path
from gui.dut.editors import Editor, Typed, editor_for, widen
from gui.dut.keys import Key
from gui.palette import px
from gui.parts import GRID, muted, restyle, sized, text


class Fields(QFrame):
    """A group of keys below one heading: label, field, meaning, and what is wrong."""

    def __init__(self, title: str, keys: Iterable[Key], draft: Draft, words: str = "") -> None:
        super().__init__()
        self._draft = draft
        self.setProperty("role", "card")
        self.editors: dict[Path, Editor] = {}
        self._wrong: dict[Path, Any] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID)
        sized(self, lambda: self._grid.setColumnMinimumWidth(0, px(160)))
        self._grid.setColumnStretch(2, 1)
        self._grid.addWidget(text(title, "heading"), 0, 0, 1, 3)
        if words:
            self._grid.addWidget(muted(words, wraps=True), 1, 0, 1, 3)
        for key in keys:
            self._add(title, key)
        draft.replaced.connect(self.update_fields)
        self.update_fields()

    def add_part(self, part: QWidget) -> None:
        """Put a widget below the fields."""
        self._grid.addWidget(part, self._grid.rowCount(), 0, 1, 3)

    def update_fields(self) -> None:
        """Show the values as the draft has them."""
        for path, editor in self.editors.items():
            if path not in self._draft.unreadable:
                editor.show_answer(self._draft.get(*path))

    def show_wrong(self, wrong: Mapping[Path, str]) -> bool:
        """Say beside the fields what is wrong; tell whether anything is."""
        for path, label in self._wrong.items():
            label.setText(wrong.get(path, ""))
            label.setVisible(path in wrong)
        return any(path in wrong for path in self._wrong)

    def _add(self, title: str, key: Key) -> None:
        row = self._grid.rowCount()
        editor = editor_for(f"{title}: {key.label}", key.kind)
        if isinstance(editor, Typed):
            editor.line.setPlaceholderText(key.default or "not set")
            widen(editor)
        label = text(key.label)
        label.setToolTip(".".join(key.path))
        top = Qt.AlignmentFlag.AlignVCenter
        self._grid.addWidget(label, row, 0, top)
        self._grid.addWidget(editor, row, 1, top)
        default = f" Default: {key.default}." if key.default else ""
        self._grid.addWidget(muted(key.meaning + default, wraps=True), row, 2, top)
        wrong = text(wraps=True)
        wrong.setProperty("role", "problem")
        wrong.hide()
        self._grid.addWidget(wrong, row + 1, 1, 1, 2)
        self.editors[key.path] = editor
        self._wrong[key.path] = wrong
        editor.edited.connect(lambda value, path=key.path: self._edited(path, value))
        editor.refused.connect(lambda why, path=key.path: self._refused(path, why))

    def _edited(self, path: Path, value: Any) -> None:
        self._wrong[path].hide()
        self._draft.set(value, *path)

    def _refused(self, path: Path, why: str) -> None:
        self._wrong[path].setText(why)
        self._wrong[path].show()
        self._draft.refuse(why, *path)
        restyle(self._wrong[path])

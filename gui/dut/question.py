"""One question of the questionnaire, with its field."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout

from bench.questionnaire import Question
from gui.dut.editors import editor_for
from gui.parts import GRID, muted, restyle, text


class Row(QFrame):
    """One question: item, text, field, and what is wrong with the answer."""

    def __init__(self, heading: str, question: Question) -> None:
        super().__init__()
        self.heading, self.question = heading, question
        self.setProperty("role", "card")
        grid = QGridLayout(self)
        grid.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        self.item = muted(question.item, wraps=False)
        self.item.setToolTip(question.item)
        asked = question.text[0].upper() + question.text[1:]
        self.text = text(asked.replace("`", ""), wraps=True)
        self.effect = muted()
        self.wrong = text(wraps=True)
        self.wrong.setProperty("role", "problem")
        self.wrong.hide()
        self.editor = editor_for(f"{question.item}, {asked}", question.answer)
        grid.addWidget(self.text, 0, 0)
        grid.addWidget(self.item, 1, 0)
        grid.addWidget(self.editor, 0, 1, 1, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.effect, 1, 1)
        grid.addWidget(self.wrong, 2, 0, 1, 2)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        self._searched = f"{question.item} {question.text} {heading}".lower()

    def fits(self, words: str) -> bool:
        """Tell whether a search finds it."""
        return all(word in self._searched for word in words.lower().split())

    def show_wrong(self, words: str) -> None:
        """Say beside the field what is wrong; empty: nothing is."""
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
        restyle(self)

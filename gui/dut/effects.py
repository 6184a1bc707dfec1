"""What each answer of the questionnaire switches on or off, and the panel that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from bench.intake import shown
from gui.parts import GRID, counted, muted, text


@dataclass(frozen=True, slots=True)
class Effect:
    """What one answer to one question does to the plan."""

    answer: Any
    on: tuple[str, ...]
    """Cases that apply then, and do not now."""
    off: tuple[str, ...]
    """Cases that apply now, or may, and do not then."""


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of every question, by item."""

    by_item: Mapping[str, tuple[Effect, ...]]
    named_by: Mapping[str, tuple[str, ...]]
    """Cases whose condition names the item."""
    waiting: Mapping[str, tuple[str, ...]]
    """Cases that can't be decided without an answer to it."""

    def of(self, item: str) -> tuple[Effect, ...]:
        """Return what the answers to a question do."""
        return self.by_item.get(item, ())

    def in_short(self, item: str) -> str:
        """Say it in a few words, for beside the question."""
        parts = []
        if waiting := self.waiting.get(item):
            parts.append(f"{counted(len(waiting), 'case')} undecided without it")
        for effect in self.of(item):
            counts = [
                f"{sign}{counted(len(cases), 'case')}"
                for sign, cases in (("+", effect.on), ("−", effect.off))
                if cases
            ]
            if counts:
                parts.append(f"{shown(effect.answer)}: {' '.join(counts)}")
        return "  ·  ".join(parts)


NO_EFFECTS = Effects({}, {}, {})


class EffectsPanel(QScrollArea):
    """The cases that hang on the question with the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("What the answers switch on and off")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._titles: Mapping[str, str] = {}
        self.item, self._effects = "", NO_EFFECTS
        self._show()

    def know(self, effects: Effects) -> None:
        """Take the effects."""
        self._effects = effects
        self._show()

    def name_cases(self, titles: Mapping[str, str]) -> None:
        """Take the titles of cases by id."""
        self._titles = titles
        self._show()

    def look_at(self, item: str) -> None:
        """Show what hangs on a question."""
        if item != self.item:
            self.item = item
            self._show()

    def _show(self) -> None:
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(2 * GRID, 0, GRID, 0)
        box.setSpacing(GRID // 2)
        box.addWidget(text("What hangs on it", "heading"))
        if not self.item:
            box.addWidget(muted("Choose a question to see which cases it decides.", wraps=True))
        else:
            box.addWidget(muted(self.item))
            some = [effect for effect in self._effects.of(self.item) if effect.on or effect.off]
            for effect in some:
                self._one(box, effect)
            named = self._effects.named_by.get(self.item, ())
            if named and not some:
                box.addWidget(muted("No other answer changes which cases apply.", wraps=True))
            waiting = self._effects.waiting.get(self.item, ())
            self._cases(box, "? can't be decided without it", waiting)
            listed = {case for one in some for case in (*one.on, *one.off)}
            others = [case for case in named if case not in listed and case not in waiting]
            self._cases(box, "○ look at it", others)
            if not named:
                box.addWidget(muted("No case depends on this answer.", wraps=True))
        box.addStretch(1)
        self.setWidget(page)

    def _one(self, box: QVBoxLayout, effect: Effect) -> None:
        box.addSpacing(GRID)
        box.addWidget(text(f"If {shown(effect.answer)}", "strong"))
        self._cases(box, "✓ switched on", effect.on)
        self._cases(box, "✕ switched off", effect.off)

    def _cases(self, box: QVBoxLayout, words: str, cases: Sequence[str]) -> None:
        if cases:
            box.addWidget(muted(f"{words} ({len(cases)})"))
            for case in cases:
                box.addWidget(text(f"{case}  {self._titles.get(case, '')}", wraps=True))


def read_effects(items: Iterable[Mapping[str, Any]]) -> Effects:
    """Read the effects of the questionnaire as the engine gives it."""
    found, named, waiting = {}, {}, {}
    for one in items:
        item = str(one["id"])
        named[item] = tuple(one["decides_on"])
        waiting[item] = tuple(one["holds_up"])
        found[item] = tuple(
            Effect(each["answer"], tuple(each["applicable"]), tuple(each["not_applicable"]))
            for each in one["effects"]
        )
    return Effects(found, named, waiting)

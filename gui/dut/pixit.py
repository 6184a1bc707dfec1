"""The PIXIT as a form: what is needed to test this sample."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from bench.answers import WORDS
from bench.dut import Charging, Firmware, Pixit, Setting, Timing
from bench.ocpp import monitors
from gui.dut.cards import Cards
from gui.dut.draft import Draft, Path
from gui.dut.fields import Fields
from gui.dut.keys import Key, keys_of
from gui.link import Link
from gui.parts import GRID


class PixitForm(QScrollArea):
    """Connectors, cards, waiting times, smart charging, firmware, waivers."""

    def __init__(self, draft: Draft, link: Link) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setAccessibleName("PIXIT")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.cards = Cards(draft, link)
        waivers = [
            Key(("pixit", "waivers", name), WORDS, "", "") for name in sorted(monitors.NAMES)
        ]
        self.groups = [
            Fields("Connectors", keys_of(Pixit, "pixit"), draft),
            Fields(
                "Waiting times",
                keys_of(Timing, "pixit", "timing"),
                draft,
                "In seconds. A field left empty has the default.",
            ),
            Fields("Smart charging", keys_of(Charging, "pixit", "charging"), draft),
            Fields("Firmware", keys_of(Firmware, "pixit", "firmware"), draft),
            Fields(
                "Refusing reservations",
                keys_of(Setting, "pixit", "reservations_off"),
                draft,
                "What makes the DUT refuse reservations; left empty, the operator is asked.",
            ),
            Fields(
                "Waived monitors",
                waivers,
                draft,
                "Findings of a waived monitor are warnings. Give the reason in words: the report "
                "prints it.",
            ),
        ]
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, GRID, GRID, 0)
        box.setSpacing(2 * GRID)
        box.addWidget(self.groups[0])
        box.addWidget(self.cards)
        for group in self.groups[1:]:
            box.addWidget(group)
        box.addStretch(1)
        self.setWidget(page)

    def show_wrong(self, wrong: Mapping[Path, str]) -> bool:
        """Say beside the fields what is wrong, and bring the first in sight."""
        found: QWidget | None = None
        for group in self.groups:
            if group.show_wrong(wrong):
                found = found or group
        if self.cards.show_wrong(wrong):
            found = self.cards
        if found is not None:
            self.ensureWidgetVisible(found)
        return found is not None

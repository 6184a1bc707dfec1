"""Which DUT of the engine the screen shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtWidgets import QComboBox


class DutChoice(QComboBox):
    """The DUTs by vendor, model and identity; which is chosen is decided by the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Device under test")
        self.setMinimumWidth(260)

    def offer(self, duts: Sequence[Mapping[str, Any]], identity: str) -> str:
        """Offer DUTs, and choose the one of an identity, else the first; return its identity."""
        names = [(_named(dut), str(dut.get("identity", ""))) for dut in duts]
        offered = [(self.itemText(at), self.itemData(at)) for at in range(self.count())]
        if names != offered:
            self.clear()
            for name, one in names:
                self.addItem(name, one)
            self.setCurrentIndex(max(0, self.findData(identity)))
        self.setEnabled(len(names) > 1)
        known = [one for _, one in names]
        return identity if identity in known or not known else known[0]

    def show_chosen(self, identity: str) -> None:
        """Show the DUT that is chosen."""
        self.setCurrentIndex(max(0, self.findData(identity)))


def _named(dut: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (dut.get(key, "") for key in ("vendor", "model", "identity"))))

"""What the window expects of its screens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QWidget

from gui.link import Link
from gui.live import LiveRun


class Screen(Protocol):
    """A screen of the window; it is a QWidget as well.

    It may have `deeds`, a list of QAction, which the command palette and the list of shortcuts
    show while it is in front. Where something is edited it has `is_dirty`, and `settle(then)`,
    which asks what to do with what is not saved, and then goes on.
    """

    title: str

    @abstractmethod
    def shown(self) -> None:
        """Come to the front: ask the engine for what may be stale."""


@dataclass(frozen=True, slots=True)
class Place:
    """A screen as the window registers it; it is made when it is first shown."""

    name: str
    """In object names and settings."""
    title: str
    make: Callable[[LiveRun, Link], QWidget]


def deeds_of(widget: QWidget) -> list[QAction]:
    """Return what a screen offers to the command palette."""
    found = getattr(widget, "deeds", [])
    return list(found)

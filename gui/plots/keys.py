"""What keys do while the plots have the focus."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent

from gui.cursor import TimeCursor
from gui.plots.view import TimeView

KEYS = (
    ("W, S", "Zoom in, zoom out; also the wheel"),
    ("A, D", "Move to earlier, to later; also Shift and the wheel, or dragging"),
    ("Space", "Freeze the plots while capture goes on, or follow the run again"),
    ("Home, End", "Show the whole run; follow the run"),
    ("←, →", "Move the cursor by a pixel, with Shift by ten"),
    ("B", "Set the second cursor; also Ctrl and a click"),
    ("Drag A or B", "Move a cursor by its line"),
    ("Shift-drag", "Measure a stretch: least, greatest, mean, RMS, difference"),
    ("Esc", "Take the cursors away"),
)
"""What the list of shortcuts tells of keys and mouse."""
_KEY = Qt.Key
COMMANDS = (
    *(_KEY.Key_W, _KEY.Key_S, _KEY.Key_A, _KEY.Key_D, _KEY.Key_B, _KEY.Key_Space),
    *(_KEY.Key_Plus, _KEY.Key_Minus, _KEY.Key_Escape, _KEY.Key_Home, _KEY.Key_End),
)
"""Keys that the plots take before shortcuts of the window do."""


def pressed(
    event: QKeyEvent,
    view: TimeView,
    cursor: TimeCursor,
    columns: int,
    under: float | None,
    measure: Callable[[float | None], None],
) -> bool:
    """Do what a key says, and tell whether it says anything.

    The view is painted in so many columns; `under` is the moment under the mouse, and `measure`
    sets the second cursor.
    """
    begin, end = view.range()
    at = cursor.moment
    if at is None or not begin <= at <= end:
        at = None
    is_far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
    step = (end - begin) / columns * (10 if is_far else 1)
    match _KEY(event.key()):
        case _KEY.Key_W | _KEY.Key_Plus:
            view.zoom(0.7, at)
        case _KEY.Key_S | _KEY.Key_Minus:
            view.zoom(1 / 0.7, at)
        case _KEY.Key_A:
            view.pan(-0.2)
        case _KEY.Key_D:
            view.pan(0.2)
        case _KEY.Key_Space:
            view.pause() if view.is_live else view.live()
        case _KEY.Key_Home:
            view.look(view.oldest, view.newest)
        case _KEY.Key_End:
            view.live()
        case _KEY.Key_Left | _KEY.Key_Right as key:
            way = -step if key == _KEY.Key_Left else step
            cursor.select((at if at is not None else (begin + end) / 2) + way)
        case _KEY.Key_B:
            measure(under if under is not None else at)
        case _KEY.Key_Escape:
            measure(None)
            cursor.clear()
        case _:
            return False
    return True

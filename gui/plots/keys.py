"""What keys and mouse do while the plots have the focus, as the list of shortcuts tells it."""

from __future__ import annotations

from PyQt6.QtCore import Qt

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
_KEY = Qt.Key
COMMANDS = (
    *(_KEY.Key_W, _KEY.Key_S, _KEY.Key_A, _KEY.Key_D, _KEY.Key_B, _KEY.Key_Space),
    *(_KEY.Key_Plus, _KEY.Key_Minus, _KEY.Key_Escape, _KEY.Key_Home, _KEY.Key_End),
)
"""Keys that the plots take before shortcuts of the window do."""

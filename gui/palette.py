"""Colours, and the marks of verdicts: shape, word and colour in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPen, QPixmap, QPolygonF
from PyQt6.QtWidgets import QApplication

FAMILIES = ["Inter", "DejaVu Sans"]
MONOSPACED = ["DejaVu Sans Mono"]
BASE = 14
"""Height of running text in logical pixels, before the operator's scale."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours; texts have a contrast of 4.5 or more on `surface` and `window`."""

    name: str
    window: str
    surface: str
    sunken: str
    hover: str
    text: str
    muted: str
    border: str
    accent: str
    on_accent: str
    selection: str
    """Background of what is selected, under `text`."""
    passed: str
    failed: str
    inconclusive: str
    error: str
    skipped: str
    attention: str
    """Background of what waits for the operator."""
    on_attention: str

    def of(self, mark: str) -> str:
        """Return the colour of a mark."""
        return {
            "pass": self.passed,
            "fail": self.failed,
            "inconclusive": self.inconclusive,
            "error": self.error,
            "running": self.accent,
        }.get(mark, self.skipped)


LIGHT = Theme(
    name="light",
    window="#F3F5F8",
    surface="#FFFFFF",
    sunken="#E9EDF2",
    hover="#EEF1F5",
    text="#15202B",
    muted="#536070",
    border="#D3DAE2",
    accent="#4F46C8",
    on_accent="#FFFFFF",
    selection="#E0DEF9",
    passed="#005F99",
    failed="#B84A00",
    inconclusive="#6B5000",
    error="#93195E",
    skipped="#555555",
    attention="#FFE08A",
    on_attention="#2B2100",
)
DARK = Theme(
    name="dark",
    window="#14181D",
    surface="#1E242B",
    sunken="#101418",
    hover="#28303A",
    text="#E9EDF1",
    muted="#9FACBA",
    border="#36404B",
    accent="#A9A1FF",
    on_accent="#14122E",
    selection="#383468",
    passed="#56B4E9",
    failed="#FF9248",
    inconclusive="#F0E442",
    error="#FF85CB",
    skipped="#BBBBBB",
    attention="#463A12",
    on_attention="#FFF3C4",
)
CONTRAST = Theme(
    name="contrast",
    window="#000000",
    surface="#000000",
    sunken="#000000",
    hover="#333333",
    text="#FFFFFF",
    muted="#FFFFFF",
    border="#FFFFFF",
    accent="#FFD75E",
    on_accent="#000000",
    selection="#004A8F",
    passed="#7CC8FF",
    failed="#FFA366",
    inconclusive="#FFF35C",
    error="#FF9AD5",
    skipped="#DDDDDD",
    attention="#000000",
    on_attention="#FFD75E",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK, CONTRAST)}


class Shape(StrEnum):
    """What a mark looks like without its colour."""

    CHECK = "check"
    CROSS = "cross"
    QUESTION = "question"
    EXCLAMATION = "exclamation"
    PLAY = "play"
    RING = "ring"
    DASH = "dash"
    SQUARE = "square"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a verdict or state is shown: always shape, word and colour together."""

    shape: Shape
    word: str


MARKS = {
    "pass": Mark(Shape.CHECK, "Pass"),
    "fail": Mark(Shape.CROSS, "Fail"),
    "inconclusive": Mark(Shape.QUESTION, "Inconclusive"),
    "error": Mark(Shape.EXCLAMATION, "Error"),
    "none": Mark(Shape.DASH, "No verdict"),
    "running": Mark(Shape.PLAY, "Running"),
    "waiting": Mark(Shape.RING, "To do"),
    "aborted": Mark(Shape.SQUARE, "Aborted"),
    "cut": Mark(Shape.SQUARE, "Cut short"),
    "not-applicable": Mark(Shape.DASH, "Not applicable"),
    "undetermined": Mark(Shape.DASH, "Undetermined"),
    "not-runnable": Mark(Shape.DASH, "Not runnable"),
    "deselected": Mark(Shape.DASH, "Not selected"),
}


def mark_of(name: str) -> Mark:
    """Return the mark of a verdict, of a state of a case, or of why a case does not run."""
    return MARKS.get(name, Mark(Shape.DASH, name.capitalize()))


def theme() -> Theme:
    """Return the theme in force."""
    app = QApplication.instance()
    name = app.property("theme") if app is not None else None
    return THEMES.get(str(name), LIGHT)


def scale() -> float:
    """Return the operator's scale of texts, 1 to 2."""
    app = QApplication.instance()
    found = app.property("scale") if app is not None else None
    return float(found) if isinstance(found, int | float) else 1.0


def px(size: float) -> int:
    """Return a size in logical pixels under the operator's scale."""
    return round(size * scale())


def font(size: float = BASE, *, bold: bool = False, monospaced: bool = False) -> QFont:
    """Return a font of a height in logical pixels."""
    found = QFont(MONOSPACED if monospaced else FAMILIES)
    found.setPixelSize(px(size))
    found.setFeature(QFont.Tag("tnum"), 1)  # digits of one width: numbers stand still
    found.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return found


def paint_mark(painter: QPainter, box: QRectF, name: str, colour: str | None = None) -> None:
    """Paint the shape of a mark in a square box: white on a disc in its colour, or the outline."""
    ink = QColor(colour or theme().of(name))
    shape = mark_of(name).shape
    side = min(box.width(), box.height())
    area = QRectF(0, 0, side, side)
    area.moveCenter(box.center())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QPen(ink, max(1.5, side / 9))
    line.setCapStyle(Qt.PenCapStyle.RoundCap)
    line.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    half = line.widthF() / 2
    if shape is Shape.RING:
        painter.setPen(line)
        painter.drawEllipse(area.adjusted(half, half, -half, -half))
    elif shape is Shape.DASH:
        painter.setPen(line)
        painter.drawLine(_at(area, 0.25, 0.5), _at(area, 0.75, 0.5))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(area)
        line.setColor(QColor(theme().surface))
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _inside(painter, area, shape)
    painter.restore()


def _inside(painter: QPainter, area: QRectF, shape: Shape) -> None:
    match shape:
        case Shape.CHECK:
            points = (_at(area, 0.28, 0.53), _at(area, 0.44, 0.68), _at(area, 0.72, 0.35))
            painter.drawPolyline(QPolygonF(points))
        case Shape.CROSS:
            painter.drawLine(_at(area, 0.33, 0.33), _at(area, 0.67, 0.67))
            painter.drawLine(_at(area, 0.67, 0.33), _at(area, 0.33, 0.67))
        case Shape.EXCLAMATION:
            painter.drawLine(_at(area, 0.5, 0.24), _at(area, 0.5, 0.56))
            painter.drawPoint(_at(area, 0.5, 0.75))
        case Shape.QUESTION:
            arc = QRectF(_at(area, 0.36, 0.22), _at(area, 0.64, 0.5))
            painter.drawArc(arc, 170 * 16, -230 * 16)
            painter.drawLine(_at(area, 0.5, 0.5), _at(area, 0.5, 0.58))
            painter.drawPoint(_at(area, 0.5, 0.76))
        case Shape.PLAY:
            painter.setBrush(painter.pen().color())
            points = (_at(area, 0.4, 0.32), _at(area, 0.4, 0.68), _at(area, 0.7, 0.5))
            painter.drawPolygon(QPolygonF(points))
        case Shape.SQUARE:
            painter.setBrush(painter.pen().color())
            painter.drawRect(QRectF(_at(area, 0.36, 0.36), _at(area, 0.64, 0.64)))
        case _:
            pass


def _at(area: QRectF, x: float, y: float) -> QPointF:
    return QPointF(area.left() + x * area.width(), area.top() + y * area.height())


def mark_icon(name: str, size: int = 18) -> QIcon:
    """Return the shape of a mark as an icon."""
    ratio = 2
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_mark(painter, QRectF(1, 1, size - 2, size - 2), name)
    painter.end()
    return QIcon(pixmap)


def qt_palette(colours: Theme) -> QPalette:
    """Return the palette of a theme for Qt's own widgets."""
    found = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.surface),
        (role.AlternateBase, colours.sunken),
        (role.Text, colours.text),
        (role.Button, colours.surface),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.failed),
        (role.Highlight, colours.selection),
        (role.HighlightedText, colours.text),
        (role.ToolTipBase, colours.surface),
        (role.ToolTipText, colours.text),
        (role.PlaceholderText, colours.muted),
        (role.Link, colours.accent),
        (role.Mid, colours.border),
        (role.Dark, colours.border),
        (role.Light, colours.surface),
        (role.Midlight, colours.hover),
        (role.Shadow, colours.border),
    ):
        found.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        found.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.muted))
    return found

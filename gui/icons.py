"""Icons of our own, drawn in the colour of the texts."""

from __future__ import annotations

from PyQt6.QtCore import QByteArray, QRectF, Qt
from PyQt6.QtGui import QIcon, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

from gui.palette import theme

_PATHS = {
    "run": '<path d="M7 4.5v15l12-7.5z"/>',
    "dut": '<rect x="6" y="3" width="12" height="18" rx="2"/><path d="M9 7h6M12 11l-2 4h4l-2 4"/>',
    "bench": '<rect x="3" y="4" width="7" height="6" rx="1.5"/>'
    '<rect x="14" y="4" width="7" height="6" rx="1.5"/>'
    '<rect x="8.5" y="15" width="7" height="6" rx="1.5"/>'
    '<path d="M6.500 10v2.500h11V10M12 12.500V15"/>',
    "results": '<path d="M4 20h16M7 16v-5M12 16V5M17 16v-8"/>',
    "share": '<circle cx="6" cy="12" r="2.500"/><circle cx="17.500" cy="6" r="2.500"/>'
    '<circle cx="17.500" cy="18" r="2.500"/><path d="M8.200 10.800l7-3.700M8.200 13.200l7 3.700"/>',
    "pause": '<path d="M8 5v14M16 5v14"/>',
    "stop": '<rect x="6" y="6" width="12" height="12" rx="1.500"/>',
    "search": '<circle cx="11" cy="11" r="6"/><path d="M15.500 15.500L20 20"/>',
}
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" '
    'stroke-width="1.800" stroke-linecap="round" stroke-linejoin="round">{path}</svg>'
)


def icon(name: str, colour: str | None = None, size: int = 26) -> QIcon:
    """Return an icon."""
    svg = _SVG.format(colour=colour or theme().text, path=_PATHS[name])
    ratio = 2
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(pixmap.rect()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return QIcon(pixmap)

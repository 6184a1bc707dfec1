"""The wiring as a diagram: the DUT in the middle, devices around it by what they touch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PyQt6.QtCore import QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui.bench.node import HEIGHT, WIDTH, Node
from gui.bench.wired import LEFT, RIGHT, Wired, by_group, health
from gui.palette import font, px
from gui.parts import GRID, sized, tone

RAIL = 20
"""Width of the two bars that stand for the bench computer."""
ADDRESS = 78
"""Least length of the line from the bench computer to a device, with its address."""
TOUCH = 64
"""Least length of the line from a device to the DUT."""
DUT = 160
"""Least width of the DUT's box."""
GAP = 6
TITLE = 20
"""Height of a group's title."""


@dataclass(frozen=True, slots=True)
class Product:
    """The DUT as the diagram shows it."""

    title: str
    lines: tuple[str, ...]
    connected: bool | None
    """None: nobody knows."""

    @property
    def connection(self) -> str:
        """Say whether it is connected."""
        if self.connected is None:
            return "○ connection unknown"
        return "● connected" if self.connected else "○ not connected"


def product_of(session: Mapping[str, Any], *, connected: bool) -> Product:
    """Read the DUT of a session; nobody knows of its connection while we are not `connected`."""
    duts: list[dict[str, Any]] = session.get("duts") or []
    dut = session.get("dut") or (duts[0] if len(duts) == 1 else None)
    ocpp = session.get("ocpp") or {}
    online = bool(ocpp.get("connected")) if connected else None
    listens = f"listens at {ocpp['listen']}" if ocpp.get("listen") else ""
    if dut is None:
        title = f"{len(duts)} DUTs" if duts else "No DUT"
        return Product(title, tuple(filter(None, (listens,))), online)
    lines = (dut.get("vendor", ""), dut.get("identity", ""), listens)
    return Product(dut["model"], tuple(filter(None, lines)), online)


class Diagram(QWidget):
    """Lays the devices out in two columns, so that every line is straight and none crosses."""

    chosen = pyqtSignal(str)
    """The name of the device that was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Wiring of the bench")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.nodes: dict[str, Node] = {}
        self._devices: list[Wired] = []
        self._product = Product("No DUT", (), False)
        self._titles: list[tuple[QRect, str]] = []
        self._dut = QRect()
        sized(self, self._rescale)

    def show_wiring(self, devices: Iterable[Wired], product: Product) -> None:
        """Show devices and the DUT as they are now."""
        self._devices, self._product = list(devices), product
        self.setAccessibleDescription(f"{product.title}: {product.connection}")
        wanted = {one.name: one for one in self._devices}
        for name in [name for name in self.nodes if name not in wanted]:
            gone = self.nodes.pop(name)
            gone.hide()
            gone.deleteLater()
        for name, device in wanted.items():
            if name in self.nodes:
                self.nodes[name].show_device(device)
            else:
                node = self.nodes[name] = Node(device, self)
                node.clicked.connect(lambda _down=False, name=name: self.chosen.emit(name))
                node.show()
        self._arrange()
        self.updateGeometry()
        self.update()

    def choose(self, name: str) -> None:
        """Mark a device as the chosen one."""
        if name in self.nodes:
            self.nodes[name].setChecked(True)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Wide enough for the addresses, high enough for the longer column."""
        return QSize(self.minimumSizeHint().width() + 100, self.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As narrow as still can be read."""
        width = 2 * (RAIL + px(ADDRESS) + px(WIDTH) + px(TOUCH)) + px(DUT)
        return QSize(width, max(self._height(LEFT), self._height(RIGHT), 240) + 2 * GRID)

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Lay out anew."""
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move between the devices with the arrows."""
        step = None if event is None else _ARROWS.get(Qt.Key(event.key()))
        here = next((node for node in self.nodes.values() if node.hasFocus()), None)
        if step is None or here is None:
            super().keyPressEvent(event)
            return
        there = _nearest(here, list(self.nodes.values()), step)
        if there is not None:
            there.setFocus(Qt.FocusReason.TabFocusReason)

    def _rescale(self) -> None:
        self._arrange()
        self.updateGeometry()

    def _height(self, names: Sequence[str]) -> int:
        groups = by_group(self._devices, names)
        return sum(px(TITLE) + len(some) * (px(HEIGHT) + GAP) + GAP for some in groups.values())

    def _arrange(self) -> None:
        self._titles = []
        spare = max(0, self.width() - self.minimumSizeHint().width())
        # What is left over makes the addresses longer first, then the DUT wider.
        address = px(ADDRESS) + min(spare // 4, px(230))
        rest = max(0, spare - 2 * (address - px(ADDRESS)))
        inner = RAIL + address + px(WIDTH) + px(TOUCH) + rest // 6
        height = max(self._height(LEFT), self._height(RIGHT), 240)
        top = max(GRID, (self.height() - height) // 2)
        self._dut = QRect(inner, top, self.width() - 2 * inner, height)
        self._column(LEFT, RAIL + address, top, height)
        self._column(RIGHT, self.width() - RAIL - address - px(WIDTH), top, height)

    def _column(self, names: Sequence[str], x: int, top: int, height: int) -> None:
        y = top + (height - self._height(names)) // 2
        last: QWidget | None = None
        for title, devices in by_group(self._devices, names).items():
            self._titles.append((QRect(x, y, px(WIDTH), px(TITLE)), title))
            y += px(TITLE)
            for device in devices:
                node = self.nodes[device.name]
                node.move(x, y)
                if last is not None:
                    QWidget.setTabOrder(last, node)
                last = node
                y += px(HEIGHT) + GAP
            y += GAP

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint rails, lines, titles and the DUT; the devices paint themselves."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = font(12)
        self._rails(painter, small)
        for device in self._devices:
            self._lines(painter, device, small)
        painter.setFont(font(11, bold=True))
        painter.setPen(tone("quiet"))
        for place, title in self._titles:
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, title.upper())
        self._paint_dut(painter, small)

    def _rails(self, painter: QPainter, small: QFont) -> None:
        painter.setFont(small)
        for x in (0, self.width() - RAIL):
            place = QRectF(x, self._dut.top(), RAIL, self._dut.height())
            painter.setPen(QPen(tone("edge"), 1))
            painter.setBrush(self.palette().alternateBase())
            painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.save()
            painter.translate(place.center())
            painter.rotate(-90 if x == 0 else 90)
            painter.setPen(tone("quiet"))
            turned = QRectF(-place.height() / 2, -RAIL / 2, place.height(), RAIL)
            painter.drawText(turned, Qt.AlignmentFlag.AlignCenter, "bench computer")
            painter.restore()

    def _lines(self, painter: QPainter, device: Wired, small: QFont) -> None:
        node = self.nodes[device.name].geometry()
        left = node.center().x() < self.width() / 2
        y = node.center().y()
        shown = health(device.state)
        pen = QPen(tone(shown.tone), 2)
        if shown.tone == "bad":
            pen.setStyle(Qt.PenStyle.DashLine)
        elif shown.tone == "quiet":
            pen = QPen(tone("quiet"), 1)
        touch = (node.right(), self._dut.left()) if left else (self._dut.right(), node.left())
        reach = (RAIL, node.left()) if left else (node.right(), self.width() - RAIL)
        painter.setPen(pen)
        painter.drawLine(touch[0], y, touch[1], y)
        if not device.by_hand:
            painter.drawLine(reach[0], y, reach[1], y)
        painter.setFont(small)
        self._above(
            painter, QRect(touch[0], y - 20, touch[1] - touch[0], 18), device.touches, small
        )
        address = (
            "by hand" if device.by_hand else device.link.partition("?")[0] or "in this computer"
        )
        self._above(painter, QRect(reach[0], y - 20, reach[1] - reach[0], 18), address, small)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone(shown.tone))
        end = self._dut.left() if left else self._dut.right()
        painter.drawEllipse(QRectF(end - 4, y - 4, 8, 8))

    @staticmethod
    def _above(painter: QPainter, place: QRect, words: str, small: QFont) -> None:
        painter.setPen(tone("quiet"))
        room = place.adjusted(6, 0, -6, 0)
        middle = Qt.TextElideMode.ElideMiddle
        shown = QFontMetricsF(small).elidedText(words, middle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, shown)

    def _paint_dut(self, painter: QPainter, small: QFont) -> None:
        product = self._product
        place = QRectF(self._dut).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(tone("accent"), 2))
        painter.setBrush(tone("ground"))
        painter.drawRoundedRect(place, 10, 10)
        title, running = font(18, bold=True), font(bold=True)
        ink = tone("ink")
        rows: list[tuple[str, QFont, QColor]] = [
            ("DEVICE UNDER TEST", small, tone("quiet")),
            (product.title, title, ink),
            *((line, small, tone("quiet")) for line in product.lines),
            (product.connection, running, tone("good" if product.connected else "quiet")),
        ]
        tested = {number for one in self._devices for number in one.connectors}
        rows += [(f"◉ connector {number}", small, ink) for number in sorted(tested)]
        heights = [QFontMetricsF(face).height() + 6 for _, face, _ in rows]
        y = place.center().y() - sum(heights) / 2
        for (words, face, colour), height in zip(rows, heights, strict=True):
            painter.setFont(face)
            painter.setPen(colour)
            room = QRectF(place.left() + GRID, y, place.width() - 2 * GRID, height)
            shown = QFontMetricsF(face).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, shown)
            y += height


_ARROWS: Mapping[Qt.Key, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def _nearest(here: Node, nodes: Sequence[Node], step: tuple[int, int]) -> Node | None:
    """Find the next node in a direction."""
    at = here.geometry().center()

    def away(node: Node) -> tuple[int, int]:
        there = node.geometry().center() - at
        along = there.x() * step[0] + there.y() * step[1]
        aside = abs(there.x() * step[1]) + abs(there.y() * step[0])
        return along, aside

    ahead = [node for node in nodes if away(node)[0] > 0 and (step[0] or away(node)[1] == 0)]
    return min(ahead, key=lambda node: away(node)[0] + 4 * away(node)[1], default=None)

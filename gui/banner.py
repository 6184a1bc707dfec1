"""The banner: state of the run, the current case, verdict counts, DUT; readable from 3 m."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from bench.clock import spoken
from bench.views import State
from gui.link import Link
from gui.live import LiveRun
from gui.palette import font, mark_of, paint_mark, px, theme

_VERDICTS = ("pass", "fail", "inconclusive", "error")
_SHORT = {"inconclusive": "Inconcl."}


class Banner(QWidget):
    """Paints what everybody in the room wants to know."""

    def __init__(self, run: LiveRun, link: Link | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName("State of the run")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._run = run
        self._link = link
        self._shown: tuple[Any, ...] = ()
        run.ticked.connect(self._look)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the wanted size."""
        return QSize(900, px(96))

    @property
    def state(self) -> tuple[str, str]:
        """Return the state in one word, and the name of its colour."""
        view, link = self._run.view, self._link
        if link is not None and link.state in ("lost", "refused"):
            return "NO ENGINE", "error"
        if view.started is None:
            return "READY", "none"
        if view.ended is None:
            if self._run.is_cut:
                return "UNFINISHED", "error"
            if view.aborted_by is not None:
                return "ABORTING", "error"
            if self._run.prompts:
                return "YOUR TURN", "attention"
            if link is None:
                return "REPLAY", "running"
            return ("PAUSED", "attention") if view.paused else ("RUNNING", "running")
        if view.aborted_by is not None:
            return "ABORTED", "error"
        worst = str(view.verdict)
        if not view.ended.complete and worst in ("pass", "none"):
            return "INCOMPLETE", "inconclusive"
        return "NO VERDICT" if worst == "none" else worst.upper(), worst

    @property
    def headline(self) -> tuple[str, str]:
        """Return the line on the current case, and the line below it."""
        view = self._run.view
        if view.started is None:
            session = self._link.session if self._link is not None else {}
            bench = str(session.get("bench", {}).get("name", ""))
            return bench or "No bench", "Choose cases on the left and start the run"
        ended = sum(case.state is State.ENDED for case in view.cases)
        progress = f"{ended} of {len(view.cases)} cases"
        if view.ended is not None:
            why = f" · {view.ended.reason}" if view.ended.reason else ""
            return f"Run {view.started.run}", f"{progress} in {spoken(view.duration)}{why}"
        if view.last is not None and not self._run.is_cut:
            left = view.remaining(view.last.mono)
            if left is not None and left > 0:
                progress += f" · about {spoken(left)} left"
        if view.case is None:
            return f"Run {view.started.run}", progress
        step = f" · {view.step.title}" if view.step is not None else ""
        return f"{view.case.id}  {view.case.title}", progress + step

    @property
    def about(self) -> tuple[str, str]:
        """Return the lines on the DUT, and on bench, connection and viewers."""
        view = self._run.view
        session: dict[str, Any] = self._link.session if self._link is not None else {}
        dut = view.started.dut if view.started is not None else session.get("dut")
        known = session.get("duts") or []
        if not dut and len(known) == 1:
            dut = known[0]
        name = f"{dut['vendor']} {dut['model']}" if dut else "No DUT"
        parts = []
        if dut and dut.get("identity"):
            parts.append(str(dut["identity"]))
        if self._link is not None and self._link.state == "connected" and session:
            connected = session.get("ocpp", {}).get("connected")
            parts.append("online" if connected else "offline")
            watching = len(session.get("viewers") or [])
            if watching:
                parts.append(f"{watching} watching")
            ahead = self._link.clock_ahead
            if ahead:
                parts.append(f"clocks {abs(ahead):.0f} s apart")
        return name, " · ".join(parts)

    @property
    def share(self) -> float:
        """Return which part of the cases has ended, 0 to 1."""
        cases = self._run.view.cases
        done = sum(case.state is State.ENDED for case in cases)
        return done / len(cases) if cases else 0.0

    def _look(self) -> None:
        shown = (self.state, self.headline, self.about, self._run.view.counts, self.share)
        if shown != self._shown:
            self._shown = shown
            word, (head, below) = shown[0][0], shown[1]
            counts = ", ".join(f"{n} {name}" for name, n in self._run.view.counts.items())
            self.setAccessibleDescription(f"{word}. {head}. {below}. {counts}. {shown[2][0]}")
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint from left to right: state, case, counts, DUT."""
        colours = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(colours.surface))
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(colours.border))
        gap = px(16)
        area = QRectF(self.rect()).adjusted(gap, px(12), -gap, -px(13))
        left = self._paint_state(painter, area)
        right = self._paint_about(painter, area)
        right = self._paint_counts(
            painter, QRectF(area.left(), area.top(), right - area.left(), area.height())
        )
        middle = QRectF(left + gap, area.top(), right - left - 2 * gap, area.height())
        self._paint_case(painter, middle)
        painter.end()

    def _paint_state(self, painter: QPainter, area: QRectF) -> float:
        colours = theme()
        word, kind = self.state
        fill = colours.attention if kind == "attention" else colours.of(kind)
        ink = colours.on_attention if kind == "attention" else colours.surface
        if kind == "attention" and colours.name == "contrast":
            fill, ink = ink, fill
        if kind == "none":
            fill, ink = colours.sunken, colours.text
        # Larger texts must leave the case its room.
        box = QRectF(area.left(), area.top(), min(px(252), self.width() * 0.2), area.height())
        room, size = box.width() * 0.86, 34.0
        while QFontMetrics(font(size, bold=True)).horizontalAdvance(word) > room and size > 18:
            size -= 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(fill))
        painter.drawRoundedRect(box, 8, 8)
        painter.setPen(QColor(ink))
        painter.setFont(font(size, bold=True))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)
        return box.right()

    def _paint_counts(self, painter: QPainter, area: QRectF) -> float:
        colours = theme()
        counts = self._run.view.counts
        width = min(px(84), self.width() * 0.075)
        left = area.right() - width * len(_VERDICTS)
        for index, name in enumerate(_VERDICTS):
            box = QRectF(left + index * width, area.top(), width, area.height())
            colour = colours.of(name) if counts[name] else colours.muted
            painter.setPen(QColor(colour))
            painter.setFont(font(38, bold=True))
            number = QRectF(box.left(), box.top() - px(2), box.width(), px(46))
            painter.drawText(number, Qt.AlignmentFlag.AlignCenter, str(counts[name]))
            painter.setFont(font(13, bold=True))
            word = _SHORT.get(name, mark_of(name).word)
            wide = QFontMetrics(painter.font()).horizontalAdvance(word)
            mark = px(14)
            start = box.center().x() - (wide + mark + px(5)) / 2
            line = QRectF(start + mark + px(5), box.bottom() - px(22), wide + 2, px(20))
            paint_mark(
                painter, QRectF(start, line.center().y() - mark / 2, mark, mark), name, colour
            )
            painter.setPen(QColor(colour))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, word)
        return left

    def _paint_about(self, painter: QPainter, area: QRectF) -> float:
        name, below = self.about
        width = min(px(300), max(min(px(180), self.width() * 0.18), self.width() * 0.17))
        box = QRectF(area.right() - width, area.top(), width, area.height())
        self._two_lines(painter, box.adjusted(px(16), 0, 0, 0), name, below, 17)
        painter.setPen(QColor(theme().border))
        painter.drawLine(box.topLeft(), box.bottomLeft())
        return box.left() - px(8)

    def _paint_case(self, painter: QPainter, area: QRectF) -> None:
        head, below = self.headline
        self._two_lines(painter, area.adjusted(0, 0, 0, -px(8)), head, below, 24)
        bar = QRectF(area.left(), area.bottom() - px(5), area.width(), px(5))
        colours = theme()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.sunken))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        if self.share:
            bar.setWidth(max(px(5), bar.width() * self.share))
            painter.setBrush(QColor(colours.accent))
            painter.drawRoundedRect(bar, 2.5, 2.5)

    def _two_lines(self, painter: QPainter, area: QRectF, head: str, below: str, size: int) -> None:
        colours, elide = theme(), Qt.TextElideMode.ElideRight
        for text, which, colour, box in (
            (
                head,
                font(size, bold=True),
                colours.text,
                QRectF(area.left(), area.top() + px(2), area.width(), px(34)),
            ),
            (
                below,
                font(15),
                colours.muted,
                QRectF(area.left(), area.top() + px(36), area.width(), px(24)),
            ),
        ):
            painter.setFont(which)
            painter.setPen(QColor(colour))
            fits = QFontMetrics(which).elidedText(text, elide, int(box.width()))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, fits)

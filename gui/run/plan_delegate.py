"""How a row of the plan is painted: box, id and title, mark with its word, duration."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PyQt6.QtWidgets import (
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionViewItem,
)

from bench.clock import spoken
from bench.views import State
from gui.palette import font, mark_of, paint_mark, px, theme
from gui.run.plan_entries import Entry, Group
from gui.run.plan_model import PlanModel

CASE_ROW, GROUP_ROW = 46, 34
_BOX = 16
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class PlanDelegate(QStyledItemDelegate):
    """Paints groups in one line and cases in two."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802
        """Return the size of a row."""
        is_group = not index.parent().isValid()
        return QSize(120, px(GROUP_ROW if is_group else CASE_ROW))

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint a row."""
        model = index.model()
        assert painter is not None
        assert isinstance(model, PlanModel)
        painter.save()
        entry = model.entry_at(index)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(theme().selection))
        elif entry is not None and entry.shown == "running":
            painter.fillRect(option.rect, QColor(theme().hover))
        box = QRectF(option.rect).adjusted(2, 0, -8, 0)
        checked = model.data(index, Qt.ItemDataRole.CheckStateRole)
        if checked is not None:
            self._check_box(painter, self.box_at(option.rect), checked, option)
            box.setLeft(box.left() + px(_BOX) + px(10))
        if entry is None:
            self._group(painter, box, model.groups[index.row()])
        else:
            self._case(painter, box, entry)
        painter.restore()

    def editorEvent(  # noqa: N802 - Qt's name
        self,
        event: QEvent | None,
        model: QAbstractItemModel | None,
        option: QStyleOptionViewItem,
        index: QModelIndex,
    ) -> bool:
        """Check or leave out, by a click on the box as it is painted here, or by Space."""
        assert model is not None
        checked = model.data(index, Qt.ItemDataRole.CheckStateRole)
        toggles = False
        if isinstance(event, QMouseEvent):
            box = self.box_at(option.rect).adjusted(-6, -6, 6, 6)
            inside = box.contains(event.position().toPoint())
            toggles = inside and event.type() == QEvent.Type.MouseButtonRelease
        elif isinstance(event, QKeyEvent):
            toggles = event.key() == Qt.Key.Key_Space
        if checked is None or not toggles:
            return False
        other = checked != Qt.CheckState.Checked
        after = Qt.CheckState.Checked if other else Qt.CheckState.Unchecked
        return model.setData(index, after, Qt.ItemDataRole.CheckStateRole)

    def box_at(self, row: QRect) -> QRect:
        """Return where the check box of a row is."""
        side = px(_BOX)
        return QRect(row.left() + 2, row.center().y() - side // 2, side, side)

    def _check_box(
        self, painter: QPainter, box: QRect, checked: Qt.CheckState, option: QStyleOptionViewItem
    ) -> None:
        button = QStyleOptionButton()
        button.rect = box
        button.state = QStyle.StateFlag.State_Enabled
        button.state |= {
            Qt.CheckState.Checked: QStyle.StateFlag.State_On,
            Qt.CheckState.PartiallyChecked: QStyle.StateFlag.State_NoChange,
        }.get(checked, QStyle.StateFlag.State_Off)
        widget = option.widget
        style = (widget.style() if widget is not None else None) or QApplication.style()
        assert style is not None
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, button, painter, widget
        )

    def _group(self, painter: QPainter, box: QRectF, group: Group) -> None:
        colours = theme()
        right = self._right(painter, box, group.progress, font(13), colours.muted)
        if group.worst:
            side = px(15)
            mark = QRectF(right - side, box.center().y() - side / 2, side, side)
            paint_mark(painter, mark, group.worst)
            right = mark.left()
        area = QRectF(box.left(), box.top(), right - box.left() - 8, box.height())
        _write(painter, area, group.title, font(14, bold=True), colours.text)

    def _case(self, painter: QPainter, box: QRectF, entry: Entry) -> None:
        colours = theme()
        half = box.height() / 2
        upper = QRectF(box.left(), box.top() + px(4), box.width(), half - px(3))
        lower = QRectF(box.left(), box.top() + half - px(1), box.width(), half - px(3))
        shown = entry.shown
        ends = upper.right()
        if shown:
            word, ink = mark_of(shown).word, colours.of(shown)
            bold = shown not in ("waiting",) and entry.runnable
            ends = self._right(painter, upper, word, font(13, bold=bold), ink)
            side = px(15)
            mark = QRectF(ends - side + 2, upper.center().y() - side / 2, side, side)
            paint_mark(painter, mark, shown)
            ends = mark.left()
        area = QRectF(upper.left(), upper.top(), ends - upper.left() - 8, upper.height())
        ink = colours.text if entry.runnable else colours.muted
        _write(painter, area, entry.id, font(13.5, bold=True), ink)
        ends = lower.right()
        if entry.view is not None and entry.view.state is not State.WAITING:
            took = spoken(entry.view.duration)
            ends = self._right(painter, lower, took, font(12.5), colours.muted)
        area = QRectF(lower.left(), lower.top(), ends - lower.left() - 8, lower.height())
        _write(painter, area, entry.title, font(13), colours.muted)

    def _right(self, painter: QPainter, box: QRectF, text: str, which: QFont, colour: str) -> float:
        """Write at the right end; return where the text begins, less a gap."""
        width = QFontMetrics(which).horizontalAdvance(text) + 2
        area = QRectF(box.right() - width, box.top(), width, box.height())
        _write(painter, area, text, which, colour)
        return area.left() - px(6)


def _write(painter: QPainter, area: QRectF, text: str, which: QFont, colour: str) -> None:
    painter.setFont(which)
    painter.setPen(QColor(colour))
    fits = QFontMetrics(which).elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()) + 1)
    painter.drawText(area, int(_LEFT), fits)

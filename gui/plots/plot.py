"""One plot: channels of one kind on one scale, with their names and values beside it."""

from __future__ import annotations

import pyqtgraph
from PyQt6.QtCore import QRectF

from gui.plots.axes import ValueAxis
from gui.plots.channel import Group
from gui.plots.curves import Curves, Shown
from gui.plots.legend import Legend
from gui.plots.view import TimeView


class Plot:
    """The parts of a plot, and where they stand."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.axis = ValueAxis(group.unit)
        self.box = pyqtgraph.ViewBox(enableMouse=False, enableMenu=False)
        self.box.disableAutoRange()
        self.axis.linkToView(self.box)
        self.curves = Curves(group, self.box, self.axis)
        self.legend = Legend(group)

    @property
    def area(self) -> QRectF:
        """The inside, in the scene."""
        return QRectF(self.box.geometry())

    @property
    def range(self) -> tuple[float, float] | None:
        """The scale."""
        return self.curves.range

    def forget_scale(self) -> None:
        """Take any scale for the next run."""
        self.curves.range = None

    def place(self, area: QRectF, right: float) -> None:
        """Put the inside into an area; the legend ends at `right`."""
        self.axis.setWidth(area.left())
        self.axis.setGeometry(QRectF(0, area.top(), area.left(), area.height()))
        self.box.setGeometry(area)
        beside = QRectF(area.right(), area.top(), max(0.0, right - area.right()), area.height())
        self.legend.setGeometry(beside)

    def enter(self, scene: pyqtgraph.GraphicsScene) -> None:
        """Stand in a scene."""
        for part in (self.axis, self.box, self.legend):
            scene.addItem(part)

    def leave(self, scene: pyqtgraph.GraphicsScene) -> None:
        """Stand in it no more."""
        self.axis.unlinkFromView()
        for part in (self.axis, self.box, self.legend):
            scene.removeItem(part)

    def prepare(self, shown: Shown, view: TimeView, moment: float | None) -> None:
        """Make all parts ready to be painted; the legend tells values at a moment."""
        self.curves.prepare(shown)
        scale = self.curves.range or (0.0, 1.0)
        self.legend.prepare(view, moment, scale, self.curves.inks(), shown.ratio)

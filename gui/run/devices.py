"""The devices of the bench: how they are, and what can be done with them by hand."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.link import Link
from gui.live import LiveRun
from gui.palette import mark_icon
from gui.parts import sized, text
from gui.replies import Refusal
from gui.run.act_form import ActForm, methods_of, said
from gui.safe import MakeSafe

LONGEST = 200_000
"""Milliseconds that an act may take: the operator may be the device."""
_MARKS = {
    "ready": "pass",
    "lost": "error",
    "absent": "error",
    "closed": "waiting",
    "failed": "fail",
}
_BUSY = "A run goes on; the devices are its own until it has ended."


class DevicesPanel(QWidget):
    """Lists the devices, and uses one capability of the chosen one."""

    def __init__(self, run: LiveRun, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._devices: dict[str, dict[str, Any]] = {}
        self._form: ActForm | None = None
        self._acting = False
        self.list = QTreeWidget()
        self.list.setObjectName("devices-list")
        self.list.setAccessibleName("Devices of the bench")
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setProperty("role", "plain")
        self.list.currentItemChanged.connect(self._chosen)
        header = self.list.header()
        assert header is not None
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.message = text(role="small", wraps=True)
        self.method = QComboBox()
        self.method.setObjectName("devices-method")
        self.method.setAccessibleName("What the device does")
        self.method.currentIndexChanged.connect(self._method_chosen)
        self.act_button = QPushButton("Do it")
        self.act_button.setObjectName("devices-act")
        self.act_button.setAccessibleName("Let the device do it")
        self.act_button.clicked.connect(self.act)
        self.safe_button = MakeSafe(link, "Make the lab safe")
        self.safe_button.setObjectName("devices-safe")
        self.safe_button.told.connect(self._safe_told)
        self.result = text(role="small", wraps=True)
        self._place = QVBoxLayout()
        row = QHBoxLayout()
        row.addWidget(self.method, 1)
        row.addWidget(self.act_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        column.addWidget(self.message)
        column.addLayout(row)
        column.addLayout(self._place)
        column.addWidget(self.result)
        column.addWidget(self.safe_button)
        link.session_changed.connect(self._session)
        link.state_changed.connect(lambda _: self._session(link.session))
        # It may come up when the link has long been there; marks have the colours of a theme.
        sized(self, lambda: self._session(link.session))

    def _session(self, session: dict[str, Any]) -> None:
        devices = {one["name"]: one for one in session.get("bench", {}).get("devices", ())}
        if list(devices) != list(self._devices):
            self.list.clear()
            for name in devices:
                item = QTreeWidgetItem([name, ""])
                item.setData(0, Qt.ItemDataRole.UserRole, name)
                self.list.addTopLevelItem(item)
        self._devices = devices
        for row in range(self.list.topLevelItemCount()):
            shown = self.list.topLevelItem(row)
            assert shown is not None
            self._show(shown, devices[str(shown.data(0, Qt.ItemDataRole.UserRole))])
        if self.list.currentItem() is None and devices:
            self.list.setCurrentItem(self.list.topLevelItem(0))
        self._tell_message()
        self._enable()

    def _show(self, item: QTreeWidgetItem, device: dict[str, Any]) -> None:
        # What was known before the connection was lost need not be so any more.
        state = str(device["state"]) if self._link.state == "connected" else "unknown"
        mark = _MARKS.get(state, "none")
        item.setText(1, state)
        item.setIcon(1, mark_icon(mark))
        item.setToolTip(0, f"{device['driver']}: {', '.join(device['offers'])}")
        item.setData(
            0, Qt.ItemDataRole.AccessibleTextRole, f"{device['name']}, {device['driver']}, {state}"
        )

    @property
    def device(self) -> dict[str, Any] | None:
        """The chosen device."""
        item = self.list.currentItem()
        return None if item is None else self._devices.get(item.data(0, Qt.ItemDataRole.UserRole))

    def _chosen(self) -> None:
        device = self.device
        self.method.blockSignals(True)
        self.method.clear()
        for capability, method in methods_of(device["offers"] if device else ()):
            self.method.addItem(said(method), (capability, method))
        self.method.blockSignals(False)
        self._method_chosen()
        self.result.clear()
        self._tell_message()
        self._enable()

    def _tell_message(self) -> None:
        device = self.device
        self.message.setText(f"{device['driver']}  {device['message']}" if device else "")

    def _method_chosen(self) -> None:
        if self._form is not None:
            self._place.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
            self._form = None
        chosen = self.method.currentData()
        if chosen is not None:
            self._form = ActForm(*chosen)
            self._place.addWidget(self._form)

    def _enable(self, *_: object) -> None:
        busy = self._link.session.get("run") is not None
        connected = self._link.state == "connected"
        can = connected and not busy and not self._acting
        self.act_button.setEnabled(can and self._form is not None)
        self.method.setEnabled(can)
        self.safe_button.setEnabled(connected and not busy)
        if busy:
            self.result.setText(_BUSY)
        elif self.result.text() == _BUSY:
            self.result.clear()

    def act(self) -> None:
        """Let the device do what was chosen, under the interlocks of the bench."""
        device, form = self.device, self._form
        if device is None or form is None:
            return
        try:
            arguments = form.arguments()
        except ValueError as error:
            self.result.setText(str(error))
            return
        self._acting = True
        self.result.setText(f"{said(form.method)}…")
        self._enable()
        body = {
            "device": device["name"],
            "capability": form.capability,
            "method": form.method,
            "arguments": arguments,
        }
        self._link.post("/bench/act", body, self._acted, self._not_acted, within=LONGEST)

    def _acted(self, answer: dict[str, Any]) -> None:
        self._acting = False
        self.result.setText(_in_words(answer.get("result")))
        self._link.refresh()
        self._enable()

    def _not_acted(self, refusal: Refusal) -> None:
        self._acting = False
        self.result.setText(f"Not done: {refusal.text}")
        self._link.refresh()
        self._enable()

    def _safe_told(self, _is_safe: bool, words: str) -> None:
        self.result.setText(words)
        self._enable()


def _in_words(result: Any) -> str:
    match result:
        case None:
            return "Done."
        case dict():
            parts = (f"{name} {_value(value)}" for name, value in result.items())
            return ", ".join(parts)
        case _:
            return str(result)


def _value(value: Any) -> str:
    if isinstance(value, dict) and {"value", "unit"} <= set(value):
        return f"{value['value']:.6g} {value['unit']}"
    if isinstance(value, list):
        return "/".join(_value(one) for one in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)

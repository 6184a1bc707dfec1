"""The first page: the simulated lab with one click, a bench, or an engine elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QStandardPaths, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeyEvent
from PyQt6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.engine import Order
from gui.parts import GRID, Notice, button, text
from gui.recent import Recent, recents

FIRST_RUN = {
    "groups": [
        "core-configuration",
        "core-start-session",
        "core-stop-session",
        "core-remote-happy",
        "core-unlock-happy",
        "core-basic-non-happy",
        "core-power-failure",
        "local-authorization-list",
        "smart-charging",
    ]
}
"""What a newcomer sees: a run of well below a minute that has something of everything."""


def simulated_lab() -> Order:
    """Return the order of the simulated lab, whose runs are kept with this person's data."""
    place = QStandardPaths.StandardLocation.AppLocalDataLocation
    return Order(Path(QStandardPaths.writableLocation(place)) / "simulated-lab")


class StartPage(QWidget):
    """Asks what to work on, and tells how far its start is."""

    lab_wanted = pyqtSignal()
    order_wanted = pyqtSignal(object)
    """An `Order`."""
    engine_wanted = pyqtSignal(str, str)
    """URL and token file."""
    cancelled = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("start-page")
        self.setWindowTitle("Pilotbench")
        self.setAutoFillBackground(True)
        self.resize(1080, 620)
        self.problem = Notice()
        self.bench = _field("start-bench", "bench.toml of the bench", "bench.toml")
        self.dut = _field("start-dut", "dut.toml of the product", "dut.toml (may follow later)")
        self.url = _field("start-url", "URL of the engine", "http://127.0.0.1:8280")
        self.token = _field("start-token", "File with the operator's token", "operator.token")
        self.lab_button = _named("start-lab", "Start the simulated lab", self._lab, "primary")
        self.bench_button = _named("start-open", "Open the bench", self._open_bench)
        self.engine_button = _named("start-connect", "Connect", self._connect)
        for field, go in (
            (self.bench, self._open_bench),
            (self.dut, self._open_bench),
            (self.url, self._connect),
            (self.token, self._connect),
        ):
            field.returnPressed.connect(go)
        self.recent = QListWidget()
        self.recent.setObjectName("start-recent")
        self.recent.setAccessibleName("Opened lately")
        self.recent.setProperty("role", "plain")
        self.recent.itemActivated.connect(self._again)
        self.doing = text(role="heading")
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setAccessibleName("The engine is being started")
        self.cancel_button = _named("start-cancel", "Cancel", self.cancelled.emit)
        self._working = QWidget()
        row = QHBoxLayout(self._working)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        row.addWidget(self.doing)
        row.addWidget(self.busy, 1)
        row.addWidget(self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 40, 48, 32)
        column.setSpacing(2 * GRID)
        column.addWidget(text("Pilotbench", "title"))
        column.addWidget(
            text("Certification runs on charging stations, with the bench that you have.", "muted")
        )
        column.addWidget(self.problem)
        column.addWidget(self._working)
        cards = QHBoxLayout()
        cards.setSpacing(2 * GRID)
        for card in self._cards():
            cards.addWidget(card, 1)
        column.addSpacing(GRID)
        column.addLayout(cards)
        column.addSpacing(GRID)
        self._recent_title = text("Opened lately", "heading")
        column.addWidget(self._recent_title)
        column.addWidget(self.recent, 1)
        column.addStretch(0)
        self.idle()

    def _cards(self) -> list[QFrame]:
        return [
            _card(
                "Simulated lab",
                "A charging station and eight devices in software. A run of half a minute starts "
                "at once; a few steps ask for you. Nothing has to be connected.",
                [],
                self.lab_button,
            ),
            _card(
                "A bench of your own",
                "What is wired stands in bench.toml, the product in dut.toml.",
                [_choosing(self.bench, "bench.toml"), _choosing(self.dut, "dut.toml")],
                self.bench_button,
            ),
            _card(
                "An engine that runs already",
                "On this machine or elsewhere, started with pilotbench serve.",
                [self.url, _choosing(self.token, "operator.token", "Token files (*)")],
                self.engine_button,
            ),
        ]

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Press the button that has the keyboard on Enter, too."""
        assert event is not None
        front = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(front, QPushButton):
            front.click()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave nothing behind that was being started."""
        if not self._working.isHidden():
            self.cancelled.emit()
        super().closeEvent(event)

    # What is going on.

    def idle(self) -> None:
        """Ask what to work on."""
        self._working.hide()
        self._enable(True)
        self.recent.clear()
        for one in recents():
            item = QListWidgetItem(f"{one.title}   —   {one.about}")
            item.setData(Qt.ItemDataRole.UserRole, one)
            self.recent.addItem(item)
        self.recent.setVisible(self.recent.count() > 0)
        self._recent_title.setVisible(self.recent.count() > 0)
        self.lab_button.setFocus()

    def work(self, doing: str) -> None:
        """Tell what is being done; it can be cancelled."""
        self.problem.hide()
        self.doing.setText(doing)
        self._working.show()
        self._enable(False)
        self.cancel_button.setFocus()

    def fail(self, why: str, way_out: str = "", then: Callable[[], object] | None = None) -> None:
        """Tell why it could not be done."""
        self.idle()
        self.problem.say(why, way_out=way_out, then=then)

    def _enable(self, can: bool) -> None:
        for widget in (self.lab_button, self.bench_button, self.engine_button, self.recent):
            widget.setEnabled(can)

    # What is wanted.

    def _lab(self) -> None:
        self.lab_wanted.emit()

    def _open_bench(self) -> None:
        bench, dut = _path(self.bench), _path(self.dut)
        for path, what in ((bench, "bench.toml"), (dut, "dut.toml")):
            if path is not None and not path.is_file():
                self.problem.say(f"{path}: there is no such file, expected a {what}.")
                return
        if bench is None:
            self.problem.say("Choose the bench.toml first.")
            return
        duts = () if dut is None else (dut.resolve(),)
        self.order_wanted.emit(Order(bench.resolve().parent / "runs", bench.resolve(), duts))

    def _connect(self) -> None:
        url, token = self.url.text().strip(), self.token.text().strip()
        if not url.startswith(("http://", "https://")):
            self.problem.say(f"“{url}” is no URL of an engine, expected http://HOST:PORT.")
        elif not token:
            self.problem.say("Choose the file with the operator's token; serve prints its place.")
        else:
            self.engine_wanted.emit(url, token)

    def _again(self, item: QListWidgetItem) -> None:
        one = item.data(Qt.ItemDataRole.UserRole)
        if not isinstance(one, Recent):
            return
        if one.order is not None:
            self.order_wanted.emit(one.order)
        else:
            self.engine_wanted.emit(one.url, one.token_file)


def _field(name: str, what: str, hint: str) -> QLineEdit:
    field = QLineEdit()
    field.setObjectName(name)
    field.setAccessibleName(what)
    field.setPlaceholderText(hint)
    return field


def _named(name: str, words: str, act: Callable[[], object], role: str = "") -> QPushButton:
    made = button(words, act, role=role)
    made.setObjectName(name)
    return made


def _path(field: QLineEdit) -> Path | None:
    words = field.text().strip()
    return Path(words).expanduser() if words else None


def _choosing(field: QLineEdit, name: str, kind: str = "TOML files (*.toml)") -> QWidget:
    """Put a button beside a field that looks for a file."""

    def choose() -> None:
        chosen, _ = QFileDialog.getOpenFileName(field.window(), f"Choose {name}", "", kind)
        if chosen:
            field.setText(chosen)

    widget = QWidget()
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    row.addWidget(field, 1)
    row.addWidget(button("Choose…", choose, name=f"Choose {field.accessibleName()}"))
    return widget


def _card(title: str, about: str, fields: list[QWidget], act: QPushButton) -> QFrame:
    card = QFrame()
    card.setProperty("role", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
    column.setSpacing(GRID + 4)
    column.addWidget(text(title, "heading"))
    column.addWidget(text(about, "muted", wraps=True))
    column.addStretch(1)
    for field in fields:
        column.addWidget(field)
    column.addWidget(act)
    return card

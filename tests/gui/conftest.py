"""The desktop app under test: no screen, settings of its own, nothing left behind by a test."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PyQt6.QtCore import QCoreApplication, QEvent, QSettings
from PyQt6.QtWidgets import QApplication

from gui.application import dress, make_application
from tests.gui.hands import windows

if TYPE_CHECKING:
    from tests.gui.served import Served


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The application as the program makes it, with its own fonts and colours."""
    app = make_application()
    # What was imported stays: the collections after each test leave it alone.
    gc.freeze()
    return app


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Hide and collect what the test has let go before anything is painted once more.

    Else it is collected in the middle of its own painting, which crashes.
    """
    for widget in windows():
        widget.hide()
    gc.collect()
    gc.enable()
    yield


@pytest.fixture(autouse=True)
def _apart(qapp: QApplication, tmp_path: Path) -> Iterator[None]:
    """Give each test settings of its own, and take its widgets away when it is over.

    A widget that a failed test leaves alive would be painted in a later one, and crash it.
    """
    form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(form, scope, str(tmp_path / "settings"))
    # A window that a test has let go must not be collected while it is being painted.
    gc.disable()
    yield
    for widget in windows():
        widget.hide()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QCoreApplication.processEvents()
    gc.collect()
    gc.enable()
    if qapp.property("theme") != "light" or qapp.property("scale") != 1.0:
        dress(qapp, "light", 1.0)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An engine on a simulated lab, one for all tests that a worker has."""
    from tests.gui.served import serving_apart

    with serving_apart(tmp_path_factory.mktemp("served")) as one:
        gc.freeze()
        yield one

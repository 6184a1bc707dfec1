"""Pictures of the desktop app in states that never change (`python -m tests.gui.pictures FOLDER`).

Without a folder, it makes those anew that the tests compare with (`make pictures`): look at them
before you keep them. Screens are fed with recorded runs, and with answers of an engine that were
recorded as well (`--answers` records them anew). Clock, zone, settings and fonts are pinned.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson

GOLDEN = Path(__file__).parents[1] / "golden"
PICTURES = GOLDEN / "pictures"
ANSWERS = PICTURES / "answers.json"
PROMPT, FAIL = 52, 34
"""Records of the recorded run: the bench asks; a case has failed."""
LEFT, BOTTOM = 470, 540
"""Of what is kept of a window at a scale of 2."""
FIRST, SECOND = "20310101T000000Z-sample", "20310101T000001Z-cut"
PATIENCE = 20.0
"""Longest wait in s until a screen stands still; only a defect makes it wait so long."""


class Then(datetime):
    """A clock that stands still: 92 s before the deadline of the recorded question."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Then:
        """Return the pinned moment."""
        return cls(2026, 11, 21, 8, 14, 24, tzinfo=UTC).astimezone(tz)


def take(folder: Path, scale: int) -> None:
    """Take the pictures of one scale; in a process of its own, since Qt scales a whole process."""
    with tempfile.TemporaryDirectory() as home:
        pinned = {
            "QT_QPA_PLATFORM": "offscreen",
            "QT_SCALE_FACTOR": str(scale),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "XDG_DATA_HOME": home,
        }
        command = [sys.executable, "-m", "tests.gui.pictures", str(folder), "--scale", str(scale)]
        environment = {**os.environ, **pinned}
        subprocess.run(command, cwd=GOLDEN.parents[1], env=environment, check=True)


def _paint(folder: Path, scale: int) -> None:
    from PyQt6.QtCore import QCoreApplication, QEvent
    from PyQt6.QtWidgets import QWidget

    from gui.application import dress, make_application
    from tests.gui.hands import windows

    app = make_application()
    app.setCursorFlashTime(0)
    scenes: dict[str, tuple[str, Callable[[], QWidget]]] = {
        "run-prompt": ("light", lambda: _run(PROMPT)),
        "run-prompt-dark": ("dark", lambda: _run(PROMPT)),
    }
    if scale == 1:
        scenes |= {
            "run-fail": ("light", lambda: _run(FAIL, select=30)),
            "sequence": ("light", lambda: _run(FAIL, dock="sequence")),
            "plots": ("light", _plots),
            "dut": ("light", lambda: _screen("dut")),
            "bench": ("light", lambda: _screen("bench")),
            "results": ("light", _results),
            "share": ("light", lambda: _screen("share")),
            "start": ("light", _start),
        }
    with patch("gui.run.question.datetime", Then), patch("gui.share.screen.datetime", Then):
        for name, (theme, make) in scenes.items():
            dress(app, theme)
            shown = make()
            ending = "" if scale == 1 else f"@{scale}x"
            _stand_still(shown).save(str(folder / f"{name}{ending}.png"), quality=0)
            for widget in windows():
                widget.hide()
                widget.deleteLater()
            del shown
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            QCoreApplication.processEvents()
    os._exit(0)  # nothing is to be kept, and nothing painted while Python takes Qt apart


def _pass(seconds: float) -> None:
    from PyQt6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


def _stand_still(widget: Any) -> Any:
    """Grab a widget as soon as three grabs in a row are equal."""
    before: list[Any] = []
    for _ in range(int(PATIENCE / 0.08)):
        _pass(0.08)
        area = widget.rect()
        if widget.devicePixelRatioF() > 1:
            area.setLeft(LEFT)
            area.setBottom(BOTTOM)
        now = widget.grab(area).toImage()
        if len(before) >= 3 and all(now == one for one in before[-3:]):
            return _plain(now)
        before = [*before[-3:], now]
    raise SystemExit(f"{widget.objectName()} never stands still")


def _plain(image: Any) -> Any:
    """Leave an image its upper bits, of which a file is made that is half as large."""
    import numpy as np

    image = image.convertToFormat(image.Format.Format_RGB32)
    bits = image.bits()
    bits.setsize(image.sizeInBytes())
    pixels = np.frombuffer(bits, np.uint8)
    steps = (pixels.astype(np.uint16) * 7 + 127) // 255
    np.multiply(steps, 255 / 7, out=pixels, casting="unsafe")
    return image


# The scenes.


def _window() -> Any:
    from gui.live import LiveRun
    from gui.operator import set_operator_name
    from gui.window import MainWindow
    from tests.gui.asked import AskedLink

    link, run = AskedLink(), LiveRun()
    link.answers = orjson.loads(ANSWERS.read_bytes())
    link.session = link.answers["/session"]
    run.is_live = True
    set_operator_name("Ada")
    window = MainWindow(run, link)
    window.resize(1366, 768)
    window.show()
    link.session_changed.emit(link.session)
    _pass(0.05)
    return window


def _run(until: int, *, select: int | None = None, dock: str = "messages") -> Any:
    from tests.gui.recorded import records, shown

    window = _window()
    screen = window.screen_named("run")
    window.link.session |= {"run": "run", "ocpp": {"connected": True}}
    shown(window.run, records()[:until])
    window.link.session_changed.emit(window.link.session)
    if select is not None:
        record = records()[select - 1]
        window.run.cursor.select(record.mono, record.n)
    screen.docks[dock].raise_()
    return window


def _plots() -> Any:
    from tests.gui.recorded import records, shown

    window = _window()
    folder = GOLDEN / "version-1-last"
    window.run.samples = folder / "samples.mcap"
    shown(window.run, records(folder / "journal.jsonl"))
    screen = window.screen_named("run")
    screen.docks["plots"].raise_()
    screen.resizeDocks([screen.docks["plots"]], [420], _vertical())
    return window


def _vertical() -> Any:
    from PyQt6.QtCore import Qt

    return Qt.Orientation.Vertical


def _screen(name: str) -> Any:
    window = _window()
    window.show_screen(name)
    return window


def _results() -> Any:
    window = _screen("results")
    screen = window.screen_named("results")
    screen.table.choose(FIRST, SECOND)
    screen.details.acts["compare"].click()
    return window


def _start() -> Any:
    from gui.start import StartPage

    page = StartPage()
    page.show()
    return page


# The answers of an engine.


def _record_answers() -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from urllib.request import Request, urlopen

    from tests.engine.service import TOKEN
    from tests.gui.served import serving_apart

    with tempfile.TemporaryDirectory() as name, serving_apart(Path(name)) as one:

        def ask(path: str, body: Any = None) -> Any:
            data = None if body is None else orjson.dumps(body)
            heads = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            request = Request(f"{one.service.url}/api/v1{path}", data, heads)
            return orjson.loads(urlopen(request, timeout=PATIENCE).read())

        identity = ask("/session")["duts"][0]["identity"]
        dut = f"/duts/{identity}"
        for body in (
            {"name": "Example Charging Ltd", "expires": "30d", "dut": identity},
            {"name": "Example Motors", "expires": "12h", "run": FIRST},
        ):
            ask("/shares", body)
        paths = ["/session", "/procedures", "/bench", "/runs", "/shares"]
        paths += [dut, f"{dut}/questionnaire", f"{dut}/configuration"]
        paths += [f"/compare?first={FIRST}&second={SECOND}"]
        found = orjson.dumps({path: ask(path) for path in paths}, option=orjson.OPT_INDENT_2)
        text = re.sub(r"(127\.0\.0\.1):\d+", r"\1:8180", found.decode().replace(name, "/lab"))
        ANSWERS.write_text(text + "\n", "utf-8")


def main() -> int:
    """Take the pictures of both scales, or of one that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PICTURES)
    parser.add_argument("--scale", type=int, help="of this process; set QT_SCALE_FACTOR, too")
    parser.add_argument("--answers", action="store_true", help="record the engine's answers anew")
    options = parser.parse_args()
    if options.answers:
        _record_answers()
    elif options.scale:
        _paint(options.folder, options.scale)
    else:
        for scale in (1, 2):
            take(options.folder, scale)
    return 0


if __name__ == "__main__":
    sys.exit(main())

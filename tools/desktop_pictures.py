"""Pictures of the desktop app on a simulated lab: runs with and without a defect, offscreen.

`tools/screenshots.py` starts it in a process of its own: `desktop_pictures.py FOLDER IMAGES`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_SCALE_FACTOR"] = "1.5"

import numpy as np
from PyQt6.QtCore import QEventLoop, QSettings, Qt, QTimer
from PyQt6.QtGui import QImage

from drivers.sim.lab_process import running_lab
from gui.application import make_application, settings
from gui.desktop import Desktop
from gui.engine import Order
from gui.results.screen import ResultsScreen
from gui.run.screen import RunScreen

SIZE = (1440, 900)
DEFECT, CAUGHT_BY = "invalid-card-starts", "TC_023_CS"
BEFORE = ("TC_019_CS", "TC_003_CS", "TC_004_1_CS", "TC_010_CS", "TC_021_CS")
ASK = ("TC_017_1_CS", "TC_018_1_CS", "TC_030_CS", "TC_045_1_CS", "TC_055_CS", "TC_056_CS")
"""In one of these the bench asks something."""
LONGEST = 300.0
LOOKING = 50
"""Milliseconds between two looks."""


def wait(holds: Callable[[], object], what: str, within: float = LONGEST) -> None:
    """Let the window work until something is so; ends with a message after so many s."""
    for _ in range(int(within * 1000 / LOOKING)):
        if holds():
            return
        rest()
    raise SystemExit(f"desktop pictures: {what} did not come within {within:.0f} s")


def rest(milliseconds: int = LOOKING) -> None:
    """Let the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Photographer:
    """A window on an engine, and where its pictures go."""

    def __init__(self, order: Order, images: Path) -> None:
        self.images = images
        self.desktop = Desktop()
        self.desktop.start(order)
        wait(lambda: self.desktop.window is not None, "the window", 60)
        window = self.window = self.desktop.window
        assert window is not None
        window.resize(*SIZE)
        wait(lambda: window.link.state == "connected" and window.link.session, "the engine", 60)
        self.screen = cast(RunScreen, window.screen_named("run"))
        wait(lambda: self.screen.docks["plots"].widget() is not None, "the docks", 60)

    def run(self, cases: Sequence[str], *, asked: bool = False) -> str:
        """Run cases to the end, or until the bench asks something; return the run's name."""
        run = self.desktop.run
        before = run.run
        self.window.link.post("/runs", {"cases": [*cases]}, lambda _: None, within=120_000)
        wait(lambda: run.run not in (None, before), "the run")
        if asked:
            wait(lambda: run.prompts, "a question")
        else:
            wait(lambda: run.view.ended is not None, "the end of the run")
        return str(run.run)

    def end(self) -> None:
        """End the engine, and whatever it does."""
        engine = self.desktop.engine
        assert engine is not None
        engine.stop()
        if self.desktop.run.prompts:
            rest(500)
            engine.stop()  # nobody will answer
        wait(lambda: not engine.is_running, "the end of the engine")

    def show(self, dock: str) -> None:
        """Bring a dock to the front, and give it half of the room."""
        self.screen.docks[dock].raise_()
        self.screen.resizeDocks([self.screen.docks[dock]], [400], Qt.Orientation.Vertical)

    def take(self, name: str) -> None:
        """Take a picture; colours in steps of 5 make a smaller file."""
        rest(1500)
        image = self.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        bits = image.bits()
        assert bits is not None
        bits.setsize(image.sizeInBytes())
        pixels = np.frombuffer(bits, np.uint8)
        np.multiply((pixels.astype(np.uint16) + 2) // 5, 5, out=pixels, casting="unsafe")
        image.save(str(self.images / f"{name}.png"), quality=0)


def order_of(files: dict[str, str], runs: Path) -> Order:
    """Order an engine on a simulated lab."""
    return Order(runs, Path(files["bench"]), (Path(files["dut"]),))


def main() -> int:
    """Take the pictures."""
    folder, images = (Path(one) for one in sys.argv[1:])
    ini, user = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(ini, user, str(folder / "settings"))
    app = make_application()
    app.setQuitOnLastWindowClosed(False)
    settings().setValue("operator/name", "Ada")
    runs = folder / "desktop-runs"
    by_hand = Photographer(Order(folder / "by-hand"), images)
    by_hand.run((*BEFORE, *ASK), asked=True)
    by_hand.show("plots")
    by_hand.take("desktop-run")
    by_hand.end()
    with running_lab() as files:
        good = Photographer(order_of(files, runs), images)
        first = good.run((*BEFORE, CAUGHT_BY))
        good.run(BEFORE)
        good.end()
    with running_lab("--defect", DEFECT) as files:
        bad = Photographer(order_of(files, runs), images)
        second = bad.run((*BEFORE, CAUGHT_BY))
        failed = next(one for one in bad.desktop.run.timeline.messages if one.verdict == "fail")
        bad.desktop.run.cursor.select(failed.moment, failed.n)
        bad.show("messages")
        bad.screen.plan.go_to(CAUGHT_BY)
        bad.take("desktop-fail")
        results = cast(ResultsScreen, bad.window.screen_named("results"))
        bad.window.show_screen("results")
        wait(lambda: len(results.model.rows) >= 3, "the list of runs")
        results.table.choose(first, second)
        results.details.acts["compare"].click()
        wait(lambda: results.comparison.found, "the comparison")
        bad.take("desktop-results")
        bad.end()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

"""The screens of the window, in the order of its side bar."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget

from gui.link import Link
from gui.live import LiveRun
from gui.screen import Place


def _run(run: LiveRun, link: Link) -> QWidget:
    from gui.run.screen import RunScreen

    return RunScreen(run, link)


def _dut(run: LiveRun, link: Link) -> QWidget:
    from gui.dut.screen import DutScreen

    return DutScreen(run, link)


def _bench(run: LiveRun, link: Link) -> QWidget:
    from gui.bench.screen import BenchScreen

    return BenchScreen(run, link)


def _results(run: LiveRun, link: Link) -> QWidget:
    from gui.results.screen import ResultsScreen

    return ResultsScreen(run, link)


def _share(run: LiveRun, link: Link) -> QWidget:
    from gui.share.screen import ShareScreen

    return ShareScreen(run, link)


# Each is imported when it is first shown: the window is there sooner.
SCREENS = (
    Place("run", "Run", _run),
    Place("dut", "DUT", _dut),
    Place("bench", "Bench", _bench),
    Place("results", "Results", _results),
    Place("share", "Share", _share),
)

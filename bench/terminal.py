"""Progress of a run in the terminal: a live table, or plain lines where there is no terminal."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bench.clock import monotonic, spoken
from bench.events import (
    AbortRequested,
    CaseEnded,
    CaseStarted,
    DeviceLost,
    EarlierResultsVoid,
    Interlocked,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
)
from bench.journal import Record
from bench.runview import RunView
from bench.views import CaseView, State

REFRESH = 0.125
"""Seconds between two paintings of the live table."""
STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "error": "bold magenta"}


class Progress:
    """Shows a run while the context lasts; `show` takes its records."""

    def __init__(self, out: TextIO, *, mono: Callable[[], float] = monotonic) -> None:
        """`mono` tells the time on the records' clock, which of a replay is not ours."""
        self.view = RunView()
        self._clock = mono
        self._out = out
        self._console = Console(file=out, highlight=False, markup=False, soft_wrap=False)
        self._live: Live | None = None
        self._tick: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=self._painted,
                auto_refresh=False,
                transient=True,
            )
            self._paint()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._tick is not None:
            self._tick.cancel()
        if self._live is not None:
            self._live.stop()
            if self.view.started is not None:
                self._console.print(self._table(self.view.cases, whole=True), self._footer())

    def show(self, record: Record) -> None:
        """Take a record of the run."""
        self.view.apply(record)
        if self._live is None:
            for line in plain_lines(self.view, record):
                self.say(line)
        elif self._is_asking:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print a line, above the table if there is one."""
        if self._live is None:
            encoding = self._out.encoding or "utf-8"
            self._out.write(_clean(text).encode(encoding, "replace").decode(encoding) + "\n")
            self._out.flush()
        else:
            self._console.print(Text(_clean(text)))

    @property
    def _is_asking(self) -> bool:
        """Tell whether the operator is at the keyboard, where nothing may be painted."""
        return any(prompt.is_open for prompt in self.view.prompts.values())

    def _paint(self) -> None:
        if self._live is not None and not self._is_asking:
            self._live.start()
            self._live.refresh()
        self._tick = asyncio.get_running_loop().call_later(REFRESH, self._paint)

    def _painted(self) -> Group:
        cases, room = self.view.cases, max(3, self._console.height - 6)
        running = next((i for i, c in enumerate(cases) if c.state is not State.ENDED), len(cases))
        first = max(0, min(running - room // 2, len(cases) - room))
        return Group(self._table(cases[first : first + room]), self._footer())

    def _table(self, cases: list[CaseView], *, whole: bool = False) -> Table:
        """Draw cases, one line each; with `whole` reasons take the lines that they need."""
        table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
        table.add_column("case", no_wrap=True)
        table.add_column("title", no_wrap=True, ratio=2)
        table.add_column("verdict", no_wrap=True, min_width=12)
        table.add_column("duration", no_wrap=True, justify="right", min_width=9)
        table.add_column("reason" if whole else "step or reason", no_wrap=not whole, ratio=3)
        for case in cases:
            duration = "" if case.started is None else spoken(case.duration)
            verdict, doing = case.verdict, case.reason or ""
            if case.state is State.RUNNING:
                verdict, step = "running", self.view.step
                doing = f"{step.number}. {step.title}" if step else case.phase
                duration = spoken(max(0.0, self._mono() - case.started.mono) if case.started else 0)
            elif case.state is State.WAITING:
                verdict = ""
            style = STYLES.get(verdict, "cyan" if verdict == "running" else "dim")
            table.add_row(
                Text(case.id, "dim" if case.state is State.WAITING else ""),
                Text(_clean(case.title), "dim" if case.state is State.WAITING else ""),
                Text(verdict, style),
                duration,
                Text(_clean(doing), "dim" if verdict in ("", "pass") else ""),
            )
        return table

    def _footer(self) -> Text:
        view = self.view
        elapsed = 0.0 if view.first is None else max(0.0, self._mono() - view.first.mono)
        parts = [summary(view), f"{spoken(elapsed)} elapsed"]
        if view.ended is None:
            parts.append(left(view, self._mono()))
            parts.append("station connected" if view.connected else "station not connected")
        lost = [device.name for device in view.devices.values() if device.state == "lost"]
        parts += [f"lost: {', '.join(lost)}"] if lost else []
        if view.aborted_by is not None and view.ended is None:
            parts.append("aborting, the lab is made safe")
        elif view.paused:
            parts.append("PAUSED")
        return Text("\n" + _clean(" · ".join(part for part in parts if part)), "bold")

    def _mono(self) -> float:
        if self.view.ended is not None and self.view.last is not None:
            return self.view.last.mono
        return self._clock()


def plain_lines(view: RunView, record: Record) -> list[str]:
    """Say a record in lines for a log; most records are not worth one."""
    match record.event:
        case RunStarted(run=run, bench=bench, dut=dut, cases=cases):
            what = f"{dut.get('vendor', '')} {dut.get('model', '')}"
            count = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
            return [f"Run {run}: {count}, {what} on {bench.get('name', '')}"]
        case CaseStarted(case=case, title=title):
            return [f"{_position(view)} {case} begins: {title}"]
        case CaseEnded(case=case, verdict=verdict, reason=reason, duration=duration):
            more = left(view, record.mono)
            line = f"{_position(view)} {case} {verdict} in {spoken(duration)}"
            return [f"{line}{f' ({more})' if more else ''}{f': {reason}' if reason else ''}"]
        case DeviceLost(device, reason):
            return [f"Device {device} was lost: {reason}"]
        case Interlocked(device, did, reason):
            return [f"Interlock: {device} {did}: {reason}"]
        case EarlierResultsVoid(why=why, runs=runs):
            of = f" of {', '.join(runs[:3])}{' …' if len(runs) > 3 else ''}" if runs else ""
            return [f"Earlier results{of} are void: {why}"]
        case RunPaused(by):
            return [f"Paused by {by}"]
        case RunResumed(by):
            return [f"Resumed by {by}"]
        case AbortRequested(by):
            return [f"Abort requested by {by}: the lab is made safe"]
        case RunEnded():
            return [f"Run ended: {summary(view)} in {spoken(view.duration)}"]
        case _:
            return []


def summary(view: RunView) -> str:
    """Say how far a run is, and its verdicts so far."""
    counts = [f"{count} {verdict}" for verdict, count in view.counts.items() if count]
    return ", ".join([f"{sum(view.counts.values())} of {len(view.cases)} cases", *counts])


def left(view: RunView, mono: float) -> str:
    """Say the estimated time to go; empty when there is nothing to estimate by."""
    seconds = view.remaining(mono)
    if not seconds:
        return ""
    rounded = math.ceil(seconds)
    return f"about {rounded} s left" if rounded < 60 else f"about {spoken(rounded)} left"


def _position(view: RunView) -> str:
    """Say which of the planned cases began last, as [ 3/21]."""
    total = len(view.cases)
    begun = sum(case.state is not State.WAITING for case in view.cases)
    return f"[{begun:>{len(str(total))}}/{total}]"


def _clean(text: str) -> str:
    """Drop what would move the cursor or can't be encoded; a DUT's messages may hold anything."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)

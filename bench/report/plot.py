"""Plots of what was sampled, as small SVG drawings: least and greatest value in parts of the time.

Drawn by hand, since a plot is a few polylines: nothing to install, and nothing that looks different
on another machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from bench.errors import in_one_line
from bench.events import ChannelDeclared
from bench.history import SampleReader
from bench.report.parts import Plot
from bench.sample_file import SAMPLES

POINTS = 320
"""Parts of the time of a plot, each with its least and greatest value."""
LONGEST = 300.0
"""Seconds that a plot spans at most: its last ones."""
MOST = 60
"""Plots of a report; a run with more explains the first ones."""
_GAP, _PAUSE = 0.04, 0.4
"""Part of the width, and seconds, from which on a line is interrupted without samples."""
_WIDTH, _LEFT, _RIGHT, _PANEL, _BETWEEN, _TOP, _BOTTOM = 760, 56, 172, 76, 14, 24, 34
_COLOURS = ("#2166ac", "#b2182b", "#1b7837", "#7b3294", "#b35806", "#01665e")
_DASHES = ("", "6 3", "2 2", "8 3 2 3", "1 3", "10 4")
"""Traces differ by dash as well as by colour."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plot to be drawn: which time, what it shows, where its marks stand."""

    title: str
    begin: float
    """Seconds of the monotonic clock, like all times here."""
    end: float
    zero: float
    """What the time axis counts from."""
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(slots=True)
class Envelope:
    """Least and greatest value of a channel in each part of a window of time."""

    begin: float
    end: float
    least: list[float] = field(default_factory=lambda: [math.inf] * POINTS)
    greatest: list[float] = field(default_factory=lambda: [-math.inf] * POINTS)

    def add(self, times: Sequence[float], values: Sequence[float]) -> None:
        """Take some samples; those of another time do not count."""
        width = (self.end - self.begin) / POINTS
        for time, value in zip(times, values, strict=True):
            if self.begin <= time <= self.end and math.isfinite(value):
                part = min(POINTS - 1, int((time - self.begin) / width))
                self.least[part] = min(self.least[part], value)
                self.greatest[part] = max(self.greatest[part], value)

    def points(self) -> Iterator[tuple[float, float, float]]:
        """Yield time, least and greatest of the parts that have samples."""
        width = (self.end - self.begin) / POINTS
        for part, (least, greatest) in enumerate(zip(self.least, self.greatest, strict=True)):
            if least <= greatest:
                yield self.begin + (part + 0.5) * width, least, greatest


@dataclass(frozen=True, slots=True)
class _Panel:
    """Channels of one unit that share an axis."""

    title: str
    traces: tuple[tuple[str, Envelope], ...]


def plots(
    folder: Path, channels: Mapping[int, ChannelDeclared], wanted: Sequence[Wanted]
) -> tuple[list[Plot | None], str]:
    """Draw what is wanted of a run's samples, None where there are none, and say what went wrong.

    The file is read once, and only where one of the plots is.
    """
    shown = {number: one for number, one in channels.items() if _panel_of(one) is not None}
    wanted = list(wanted[:MOST])
    found: list[dict[int, Envelope]] = [{} for _ in wanted]
    windows = [(max(one.begin, one.end - LONGEST), one.end) for one in wanted]
    path, fault = folder / SAMPLES, ""
    if shown and wanted and path.is_file():
        try:
            for number, block in SampleReader(path).during(windows):
                if block.channel in shown and windows[number][1] > windows[number][0]:
                    own = found[number]
                    if block.channel not in own:
                        own[block.channel] = Envelope(*windows[number])
                    own[block.channel].add(block.times, block.values)
        except (OSError, ValueError) as error:
            fault = in_one_line(str(error))
    return [
        _plot(one, window, _panels(shown, envelopes))
        for one, window, envelopes in zip(wanted, windows, found, strict=True)
    ], fault


def _panel_of(channel: ChannelDeclared) -> str | None:
    if channel.name in ("pilot-high", "pilot-low"):
        return "Control pilot, V"
    if channel.name == "pilot-duty":
        return "Duty cycle, %"
    return "Current, A" if channel.unit == "A" else None


def _panels(
    channels: Mapping[int, ChannelDeclared], envelopes: Mapping[int, Envelope]
) -> list[_Panel]:
    titles = ("Control pilot, V", "Duty cycle, %", "Current, A")
    return [
        _Panel(title, own)
        for title in titles
        if (
            own := tuple(
                (_name(channels[number]), envelope)
                for number, envelope in sorted(envelopes.items())
                if _panel_of(channels[number]) == title and any(envelope.points())
            )[: len(_COLOURS)]
        )
    ]


def _name(channel: ChannelDeclared) -> str:
    connector = "" if channel.connector is None else f" {channel.connector}"
    return f"{channel.instrument} {channel.name}{connector}"


def _plot(wanted: Wanted, window: tuple[float, float], panels: Sequence[_Panel]) -> Plot | None:
    if not panels:
        return None
    said = "; ".join(
        f"{panel.title}: "
        + ", ".join(f"{name} {_range(envelope)}" for name, envelope in panel.traces)
        for panel in panels
    )
    begin, end = window[0] - wanted.zero, window[1] - wanted.zero
    marks = "".join(f"; {text} at {at - wanted.zero:.3f} s" for at, text in wanted.marks)
    alt = f"{wanted.title}, {begin:.1f} s to {end:.1f} s. {said}{marks}."
    return Plot(wanted.title, _draw(wanted, window, panels, alt), alt)


def _range(envelope: Envelope) -> str:
    points = list(envelope.points())
    least, greatest = min(p[1] for p in points), max(p[2] for p in points)
    return f"{least:.4g}" if least == greatest else f"{least:.4g} to {greatest:.4g}"


def _draw(wanted: Wanted, window: tuple[float, float], panels: Sequence[_Panel], alt: str) -> str:
    height = _TOP + len(panels) * (_PANEL + _BETWEEN) + _BOTTOM
    right = _WIDTH - _RIGHT
    begin, end = window

    def x(time: float) -> float:
        return _LEFT + (time - begin) / (end - begin) * (right - _LEFT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(alt, {chr(34): "&quot;"})}" '
        'font-family="DejaVu Sans, sans-serif" font-size="10" fill="currentColor">'
    ]
    bottom = _TOP
    for index, panel in enumerate(panels):
        top = _TOP + index * (_PANEL + _BETWEEN)
        bottom = top + _PANEL
        parts += _panel(panel, top, x, max(_GAP * (end - begin), _PAUSE))
    for tick in _ticks(begin - wanted.zero, end - wanted.zero, 8):
        at = x(tick + wanted.zero)
        parts.append(
            f'<path d="M{at:.1f} {bottom}v4" stroke="currentColor" stroke-width=".8"/>'
            f'<text x="{at:.1f}" y="{bottom + 15}" text-anchor="middle">{tick:g}</text>'
        )
    parts.append(
        f'<text x="{right}" y="{bottom + 28}" text-anchor="end">s since the case began</text>'
    )
    for at, text in wanted.marks:
        if begin <= at <= end:
            place = x(at)
            anchor = "end" if place > (_LEFT + right) / 2 else "start"
            shift = -4 if anchor == "end" else 4
            parts.append(
                f'<path d="M{place:.1f} {_TOP - 8}V{bottom}" stroke="#c21f2c" stroke-width="1.2" '
                f'stroke-dasharray="4 2"/><text x="{place + shift:.1f}" y="{_TOP - 9}" '
                f'text-anchor="{anchor}" fill="#c21f2c" font-weight="bold">{escape(text)}</text>'
            )
    return "".join(parts) + "</svg>"


def _panel(panel: _Panel, top: float, x: Callable[[float], float], gap: float) -> list[str]:
    right = _WIDTH - _RIGHT
    points = [list(envelope.points()) for _, envelope in panel.traces]
    least = min(point[1] for own in points for point in own)
    greatest = max(point[2] for own in points for point in own)
    ticks = _ticks(min(least, 0.0), max(greatest, 1.0), 4)
    step = ticks[1] - ticks[0]
    low, high = math.floor(least / step) * step, math.ceil(greatest / step - 1e-9) * step
    low, high = min(low, 0.0), max(high, ticks[-1])
    ticks = _ticks(low, high, 5)

    def y(value: float) -> float:
        return top + _PANEL - (value - low) / (high - low) * _PANEL

    parts = []
    for tick in ticks:
        parts.append(
            f'<path d="M{_LEFT} {y(tick):.1f}H{right}" stroke="#8a939e" stroke-width=".4"/>'
            f'<text x="{_LEFT - 5}" y="{y(tick) + 3.5:.1f}" text-anchor="end">{tick:g}</text>'
        )
    parts.append(
        f'<path d="M{_LEFT} {top}V{top + _PANEL}H{right}" fill="none" stroke="currentColor" '
        'stroke-width=".8"/>'
        f'<text x="12" y="{top + _PANEL / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 12 {top + _PANEL / 2:.0f})">{escape(panel.title)}</text>'
    )
    for index, ((name, _), own) in enumerate(zip(panel.traces, points, strict=True)):
        style = (
            f'class="t{index}" stroke="{_COLOURS[index]}" stroke-width="1.3" stroke-linecap="round"'
        )
        style += f' stroke-dasharray="{_DASHES[index]}"' if _DASHES[index] else ""
        parts.append(f'<path d="{_line(own, x, y, gap)}" fill="none" {style}/>')
        line = top + 8 + index * 13
        parts.append(
            f'<path d="M{right + 8} {line}h18" {style}/>'
            f'<text x="{right + 30}" y="{line + 3.5}">{escape(name)}</text>'
        )
    return parts


def _line(
    points: Sequence[tuple[float, float, float]],
    x: Callable[[float], float],
    y: Callable[[float], float],
    gap: float,
) -> str:
    """Draw a trace, as a short stroke where a sample stands alone."""
    path, before = [], -math.inf
    for time, least, greatest in points:
        path.append(f"{'L' if time - before < gap else 'M'}{x(time):.1f} {y(least):.1f}")
        path.append(f"V{y(greatest):.1f}" if greatest > least else "h.6")
        before = time
    return "".join(path)


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Choose round numbers that span a range: steps of 1, 2 or 5 times a power of ten."""
    span = max(high - low, 1e-9)
    step = 10.0 ** math.floor(math.log10(span / most))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 9) for number in range(first, last + 1)]

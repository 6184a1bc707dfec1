"""One line of the benchmark table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured, beside a baseline measured in the same run or an aim."""

    what: str
    value: str
    beside: str = ""
    ratio: str = ""


def show(lines: list[Line]) -> str:
    """Write the lines as one table."""
    heads = Line("measured", "value", "baseline or aim", "ratio")
    rows = [(line.what, line.value, line.beside, line.ratio) for line in (heads, *lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )

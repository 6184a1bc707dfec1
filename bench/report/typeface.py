"""The fonts that PDF reports are set in: shipped with the package, so that none is missing.

Open Sans for text, DejaVu Sans Mono for what was on the wire, DejaVu Sans for signs and other
scripts. A character that none of them has stands as its code point: nothing disappears silently,
and nothing that a DUT sends can keep a report from being made.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
_JOINERS = "\u200b\u200c\u200d\u00ad"
"""Invisible characters that do no harm; others of their kind can turn a text around."""


class Shown(dict[int, str | int]):
    """A table for `str.translate` that writes what the fonts can't show as code points."""

    def __missing__(self, code: int) -> str | int:
        shown: str | int = code if _is_shown(code) else f"⟨U+{code:04X}⟩"
        self[code] = shown
        return shown


SHOWN = Shown({ord("\n"): "\n", ord("\t"): " ", ord("\r"): " "})


def _is_shown(code: int) -> bool:
    if chr(code) in _JOINERS:
        return True
    return code in covered() and unicodedata.category(chr(code))[0] != "C"


@cache
def covered() -> frozenset[int]:
    """Return the code points that the fonts have glyphs for."""
    return frozenset(code for path in sorted(FONTS.glob("*.ttf")) for code in _characters(path))


def _characters(font: Path) -> Iterator[int]:
    """Read the characters of a font from its table `cmap` (ISO/IEC 14496-22 clause 5.2.1)."""
    data = font.read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    places = {
        data[12 + 16 * i :][:4]: struct.unpack_from(">I", data, 20 + 16 * i)[0]
        for i in range(count)
    }
    start = places[b"cmap"]
    (tables,) = struct.unpack_from(">H", data, start + 2)
    for index in range(tables):
        platform, encoding, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * index)
        place = start + offset
        (form,) = struct.unpack_from(">H", data, place)
        if form == 12:
            yield from _groups(data, place)
        elif form == 4 and (platform, encoding) in ((3, 1), (0, 3)):
            yield from _segments(data, place)


def _groups(data: bytes, place: int) -> Iterator[int]:
    """Read a table of format 12: ranges of characters."""
    (count,) = struct.unpack_from(">I", data, place + 12)
    for index in range(count):
        first, last, _ = struct.unpack_from(">III", data, place + 16 + 12 * index)
        yield from range(first, last + 1)


def _segments(data: bytes, place: int) -> Iterator[int]:
    """Read a table of format 4: ranges of characters, in which some may have no glyph."""
    (double,) = struct.unpack_from(">H", data, place + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", data, place + 14)
    starts = struct.unpack_from(f">{count}H", data, place + 16 + double)
    deltas = struct.unpack_from(f">{count}H", data, place + 16 + 2 * double)
    offsets_at = place + 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", data, offsets_at)
    for index, (start, end, delta, offset) in enumerate(
        zip(starts, ends, deltas, offsets, strict=True)
    ):
        for code in range(start, end + 1):
            glyph = code
            if offset:
                at = offsets_at + 2 * index + offset + 2 * (code - start)
                (glyph,) = struct.unpack_from(">H", data, at)
            if (not offset or glyph) and (glyph + delta) & 0xFFFF:
                yield code

"""The pages of a report, rendered and compared with those that were looked at.

When a page is meant to look different, look at the new one, which the failure names, and put it in
the place of the old.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PyQt6.QtGui import QImage

from bench.report import lay_out, read_run
from bench.report.composition import document_of

RESOLUTION = 50
"""Pixels per inch."""
RECORDED = Path(__file__).parent / "refused-card"
LOOKED_AT = Path(__file__).parent / "pages"
DARK, MOST = 24, 0.00005
"""How much a pixel may differ, of 255, and the part of the pixels that may differ more: another
version of the program that renders may shade an edge otherwise, but not one word."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Render the report and the declaration of a recorded run, whatever lies beside it."""
    folder = tmp_path_factory.mktemp("pages")
    run = shutil.copytree(RECORDED, folder / "refused-card")
    document = replace(document_of([read_run(run)]), rendered_by="0")
    for kind in ("pdf", "declaration"):
        file = folder / f"{kind}.pdf"
        file.write_bytes(lay_out(document, kind))
        command: list[str | Path] = ["pdftoppm", "-gray", "-png", "-r", str(RESOLUTION)]
        subprocess.run([*command, file, folder / kind], check=True, capture_output=True)
    return {path.name: path for path in sorted(folder.glob("*.png"))}


def grey(path: Path) -> npt.NDArray[np.int16]:
    """Read a picture as rows of grey pixels."""
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    assert bits is not None
    pixels = np.frombuffer(bits.asstring(image.sizeInBytes()), np.uint8)
    rows = pixels.reshape(image.height(), image.bytesPerLine())[:, : image.width()]
    return rows.astype(np.int16)


def test_there_are_as_many_pages_as_were_looked_at(pages: dict[str, Path]) -> None:
    assert sorted(pages) == sorted(path.name for path in LOOKED_AT.glob("*.png"))


@pytest.mark.parametrize("looked_at", sorted(LOOKED_AT.glob("*.png")), ids=lambda path: path.stem)
def test_a_page_looks_as_it_did(pages: dict[str, Path], looked_at: Path) -> None:
    was, now = grey(looked_at), grey(pages[looked_at.name])
    assert was.shape == now.shape
    differs = float(np.mean(np.abs(was - now) > DARK))
    assert differs <= MOST, f"{differs:.2%} of {pages[looked_at.name]} differs from {looked_at}"

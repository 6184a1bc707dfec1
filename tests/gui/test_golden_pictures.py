"""The screens of the desktop app look as they did when somebody looked at them.

When they are meant to look different: `make pictures`, and look at each that changed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PyQt6.QtGui import QImage

from tests.gui.pictures import PICTURES, take

FAR = 48
"""How much of 255 a colour of a pixel may differ; colours are kept in steps of 32."""
MOST, MEAN = 0.0005, 0.1
"""The part of the pixels that may differ more, and how much all may differ on average: edges may
be shaded otherwise by another Qt, but no word may be another."""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take all pictures, in processes of their own."""
    folder = tmp_path_factory.mktemp("pictures")
    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(lambda scale: take(folder, scale), (1, 2)))
    return folder


def pixels(path: Path) -> npt.NDArray[np.int16]:
    """Read a picture as rows of pixels of three colours."""
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    assert bits is not None, path
    flat = np.frombuffer(bits.asstring(image.sizeInBytes()), np.uint8)
    return flat.reshape(image.height(), image.width(), 4)[:, :, :3].astype(np.int16)


def difference(was: npt.NDArray[np.int16], now: npt.NDArray[np.int16]) -> tuple[float, float]:
    """Return the part of the pixels that differ, and the mean difference."""
    apart = np.abs(was - now)
    return float(np.mean(apart.max(axis=2) > FAR)), float(np.mean(apart))


def alike(was: npt.NDArray[np.int16], now: npt.NDArray[np.int16]) -> bool:
    """Tell whether nobody would see a difference."""
    part, mean = difference(was, now)
    return part <= MOST and mean <= MEAN


def test_each_picture_was_looked_at(taken: Path) -> None:
    assert sorted(path.name for path in taken.glob("*.png")) == sorted(
        path.name for path in PICTURES.glob("*.png")
    )


@pytest.mark.parametrize("golden", sorted(PICTURES.glob("*.png")), ids=lambda path: path.stem)
def test_a_screen_looks_as_it_did(taken: Path, tmp_path: Path, golden: Path) -> None:
    actual = taken / golden.name
    was, now = pixels(golden), pixels(actual)
    assert was.shape == now.shape, f"{actual} has another size than {golden}"
    if not alike(was, now):
        marked = np.abs(was - now).max(axis=2).astype(np.uint8)
        height, width = marked.shape
        apart = tmp_path / f"difference-{golden.name}"
        grey = QImage.Format.Format_Grayscale8
        QImage(marked.tobytes(), width, height, width, grey).save(str(apart))
        part, mean = difference(was, now)
        pytest.fail(f"{part:.2%} differs ({mean:.2f} on average): {actual}, {golden}, {apart}")


def test_another_word_is_another_picture() -> None:
    was = pixels(PICTURES / "share.png")
    now = was.copy()
    now[20:75, 20:268] = was[20:75, 20:268][:, ::-1]  # the state, mirrored
    assert alike(was, was)
    assert not alike(was, now)

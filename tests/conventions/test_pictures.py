"""Every drawing that a prompt may name is there, is sound, and is named by some driver."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.pictures import Picture

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "bench" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"

KNOWN = {"svg", "title", "g", "rect", "circle", "path", "text"}
"""Elements that the viewer page and Qt draw alike."""


def test_every_file_has_a_name_and_every_name_a_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(Picture)


@pytest.mark.parametrize("picture", list(Picture))
def test_a_drawing_stands_for_itself(picture: Picture) -> None:
    root = ElementTree.fromstring(picture.svg())
    assert root.get("viewBox") == "0 0 400 220"
    assert (root.findtext(f"{SVG}title") or "").strip()
    elements = list(root.iter())
    assert {element.tag.removeprefix(SVG) for element in elements} <= KNOWN
    keys = {key for element in elements for key in element.keys()}
    assert not {key for key in keys if key.startswith("on") or "href" in key or key == "style"}


@pytest.mark.parametrize("picture", list(Picture))
def test_a_drawing_is_used_and_listed(picture: Picture) -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "drivers").glob("manual*.py"))
    assert re.search(rf"\bPicture\.{picture.name}\b", sources)
    page = (ROOT / "docs" / "drivers" / "manual.md").read_text("utf-8")
    assert f"bench/pictures/{picture}.svg)" in page

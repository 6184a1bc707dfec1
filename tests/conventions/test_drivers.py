"""Every driver has its page, its source, its keys, and a twin or a reason to have none."""

from __future__ import annotations

import dataclasses
import importlib
import re
import tomllib
from pathlib import Path

import pytest

from bench.device import Driver
from tests.contract.rigs import NO_TWIN, ROWS

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "drivers"

POINTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "entry-points"
]["pilotbench.drivers"]

SHARED = {
    "e3372-hilink": "e3372",
    "e3372-stick": "e3372",
    "register-meter": "meters",
}
"""Drivers whose page has another name."""

EACH = pytest.mark.parametrize("name", sorted(POINTS))


def by_hand(name: str) -> bool:
    return ":MANUAL_" in POINTS[name]


def page_of(name: str) -> Path:
    return PAGES / ("manual.md" if by_hand(name) else f"{SHARED.get(name, name)}.md")


def module_of(name: str) -> str:
    return POINTS[name].partition(":")[0]


@EACH
def test_it_has_a_page_that_says_how_to_wire_it_and_where_it_ends(name: str) -> None:
    text = page_of(name).read_text("utf-8")
    assert name in text
    for part in ("what to buy", "how to wire", "limits"):
        assert part in text.lower(), f"{page_of(name).name} does not say {part!r}"


@EACH
def test_its_page_shows_it_in_a_bench_or_names_it_among_its_like(name: str) -> None:
    examples = "\n".join(
        re.findall(r"^```toml\n(.*?)^```", page_of(name).read_text("utf-8"), re.S | re.M)
    )
    shown = f'driver = "{name}"' in examples
    assert shown or (by_hand(name) and f"| `{name}` |" in page_of(name).read_text("utf-8"))


@EACH
def test_its_page_tells_every_key(name: str) -> None:
    driver = getattr(importlib.import_module(module_of(name)), POINTS[name].partition(":")[2])
    assert isinstance(driver, Driver)
    text = page_of(name).read_text("utf-8")
    keys = [each.name for each in dataclasses.fields(driver.settings)]
    missing = [key for key in keys if f"`{key}`" not in text and f"{key} = " not in text]
    assert not missing, f"{page_of(name).name} lacks {missing}"


@EACH
def test_a_machine_has_a_source_and_a_twin_or_a_reason(name: str) -> None:
    if by_hand(name):
        return
    source = importlib.import_module(module_of(name)).__doc__ or ""
    told = f"{source}\n{page_of(name).read_text('utf-8')}"
    assert re.search(r"\b[Ss]ources?\b", told), "nothing says where the protocol is from"
    twins = [row for row in ROWS if row.driver == POINTS[name]]
    assert bool(twins) is not (POINTS[name] in NO_TWIN)


def test_every_page_is_listed_and_belongs_to_a_driver() -> None:
    listed = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = {page.name for page in PAGES.glob("*.md")}
    assert {page for page in pages if f"(drivers/{page})" not in listed} == set()
    assert pages - {page_of(name).name for name in POINTS} == {"cards.md"}, "cards are no driver"

"""The parts of the viewer page on their own: its fold, its connection, its samples, its files."""

from __future__ import annotations

import hashlib
import re
import struct
import tomllib
from collections.abc import AsyncIterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from bench.journal import JOURNAL, JournalReader, Record, as_json
from bench.ocpp.frame import Broken, CallError, CallResult, Frame, parse
from bench.runview import RunView, fold
from bench.server.page import FILES
from bench.views import CaseView
from tests.browser.chromium import View, viewing
from tests.engine.service import idle_engine, served
from tests.unit.recorded import record

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def view(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[View]:
    """The page with no link: nothing happens in it by itself."""
    folder = tmp_path_factory.mktemp("engine")
    async with served(idle_engine(folder), folder) as bench:
        async with viewing(browser, f"{bench.url}/view/") as one:
            await one.until("#link.refused")
            yield one


def kind_of(frame: Frame) -> str:
    kinds = {Broken: "broken", CallResult: "result", CallError: "error"}
    return kinds.get(type(frame), "call")


def case_of(case: CaseView, records: list[Record]) -> dict[str, Any]:
    number = {one.mono: one.n for one in records if type(one.event).__name__ == "CaseStarted"}
    return {
        **{name: getattr(case, name) for name in ("id", "title", "mark", "group", "phase")},
        **{name: getattr(case, name) for name in ("verdict", "ended", "reason", "purpose")},
        "state": str(case.state),
        "duration": pytest.approx(case.duration),
        "started": None if case.started is None else number[case.started.mono],
        "steps": [
            {
                **{name: getattr(step, name) for name in ("number", "phase", "title")},
                **{name: getattr(step, name) for name in ("verdict", "reason")},
                "now": step.verdict_now,
                "duration": None if step.duration is None else pytest.approx(step.duration),
                "checks": [check.n for check in step.checks],
                "measured": [[one.name, pytest.approx(one.value)] for one in step.measured],
            }
            for step in case.steps
        ],
    }


def expected(records: list[Record]) -> dict[str, Any]:
    """Say what RunView makes of records, as the page's fold says it."""
    view = fold(records)
    frames = [one for n in (one.n for one in records) if (one := view.frame(n)) is not None]
    growing, remaining = RunView(), []
    for each in records:
        growing.apply(each)
        seconds = growing.remaining(each.mono)
        remaining.append(None if seconds is None else pytest.approx(seconds, abs=1e-6))
    return {
        "counts": view.counts,
        "verdict": str(view.verdict),
        "complete": view.complete,
        "paused": view.paused,
        "void": [one.why for one in view.void],
        "aborted": view.aborted_by,
        "connected": None if view.connected is None else view.connected.connection,
        "remaining": remaining,
        "devices": [[one.name, one.state, one.message] for one in view.devices.values()],
        "prompts": [
            [name, None if one.answer is None else one.answer.answer, one.withdrawn]
            for name, one in view.prompts.items()
        ],
        "cases": [case_of(case, records) for case in view.cases],
        "frames": [
            {
                "n": one.n,
                "received": one.from_station,
                "kind": kind_of(one.frame),
                "action": one.action,
                "lost": one.lost,
                "unanswered": one.left_unanswered,
                "checks": [check.n for check in one.checks],
            }
            for one in frames
        ],
    }


def wire(one: Record) -> Any:
    return orjson.loads(as_json(one))


@pytest.mark.parametrize(
    "defects",
    [(), ("starts-anyway", "odd-status", "meter-gone"), ("mute",), ("restless", "low-voltage")],
    ids=["good", "defects", "mute", "restless"],
)
async def test_the_fold_is_that_of_runview(
    view: View, tmp_path: Path, defects: tuple[str, ...]
) -> None:
    await record(tmp_path, *defects)
    records = list(JournalReader(tmp_path / "run" / JOURNAL))
    # At its end, and cut in its middle, where a case and a step are open.
    for part in (records, records[: len(records) // 2]):
        found = await view.script("folded", [wire(one) for one in part])
        assert found == expected(part)


async def test_the_fold_is_that_of_runview_on_the_golden_runs(view: View) -> None:
    paths = sorted((ROOT / "tests" / "golden").glob("*/journal.jsonl"))
    assert len(paths) >= 3
    for path in paths:
        records = list(JournalReader(path))
        assert await view.script("folded", [wire(one) for one in records]) == expected(records)


FRAMES = """\
[2,"1","A",{}]
[3,"1",{}]
[4,"1","GenericError","",{}]
[]
{}
nonsense
[2]
[2,7,"A",{}]
[2,"1",7,{}]
[2,"1","A",[]]
[2,"1","A",null]
[3,"1",7]
[4,"1",1,"",{}]
[4,"1","E",1,{}]
[4,"1","E","",[]]
[5,"1",{}]
["2","1","A",{}]
[true,"1","A",{}]
[3,"123456789012345678901234567890123456",{}]
[3,"1234567890123456789012345678901234567",{}]
[3,"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",{}]"""


@pytest.mark.parametrize("text", FRAMES.splitlines())
async def test_a_frame_is_broken_here_when_it_is_for_the_engine(view: View, text: str) -> None:
    found = await view.look(
        "async (text) => (await import('/view/fold.js')).parse(text).kind", text
    )
    assert found == kind_of(parse(text))


async def test_a_record_that_comes_twice_counts_once_and_a_gap_is_filled(view: View) -> None:
    asked, got, proxied = await view.script("cut_off")
    assert got == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert asked == ["1", "4", "5"]
    assert proxied == 3


def samples(number: int, begin: float, end: float, *entries: tuple[int, int, float, float]) -> str:
    parts = [struct.pack("<HHIdd", 1, len(entries), number, begin, end)]
    parts += [
        struct.pack("<IIffff", channel, many, least, most, (least + most) / 2, most)
        for channel, many, least, most in entries
    ]
    return b"".join(parts).hex()


async def test_samples_become_points_in_the_time_of_the_records(view: View) -> None:
    frame = samples(3, 12.0, 12.1, (1, 5, 5.5, 6.0), (2, 1, 0.5, 0.5), (9, 1, 1.0, 1.0))
    found = await view.script("sampled", frame)
    ((label, xs, ys),) = found["pilot"]
    assert label == "box 2 high"
    assert xs == pytest.approx([101, 101.5, 101.5, 102.1, 102.1], abs=1e-3)
    assert ys == [1, 2, 3, 5.5, 6]
    ((label, xs, ys),) = found["energy"]
    assert (label, xs, ys) == ("meter", [pytest.approx(102.1)], [pytest.approx(1234567.5)])
    assert [channel for channel, _ in found["asked"]] == [1, 2]
    assert found["other"] is None


async def test_a_long_series_is_drawn_by_its_extremes(view: View) -> None:
    xs, ys = await view.script("thinned")
    assert len(xs) <= 1010
    assert sorted(xs) == xs
    assert (max(ys), min(ys)) == (99, -99)
    assert (xs[0], xs[-1]) == (pytest.approx(50_000, abs=100), pytest.approx(90_000, abs=100))


async def test_the_page_keeps_to_itself(tmp_path: Path) -> None:
    async with served(idle_engine(tmp_path), tmp_path) as bench:
        async with httpx.AsyncClient(base_url=bench.url, trust_env=False) as http:
            for path in ("/view/", "/view/main.js", "/view/style.css", "/view/uplot/uPlot.min.css"):
                answer = await http.get(path)
                assert answer.status_code == 200, path
                policy = answer.headers["content-security-policy"]
                assert policy.startswith("default-src 'none'; script-src 'self';")
                assert "unsafe" not in policy
                assert answer.headers["referrer-policy"] == "no-referrer"
                assert answer.headers["x-content-type-options"] == "nosniff"
            moved = await http.get("/view")
            assert moved.headers["location"].endswith("/view/")
            for path in ("/view/none.js", "/view/..%2f__init__.py", "/view/%2e%2e/page.py"):
                assert (await http.get(path)).status_code == 404, path


async def test_what_is_from_others_is_as_they_made_it() -> None:
    for folder in (FILES / "uplot", Path(__file__).parent / "axe"):
        sums = re.findall(
            r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (folder / "README.md").read_text()
        )
        assert sums
        for name, digest in sums:
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
        assert (folder / "LICENSE").is_file()


async def test_every_file_of_the_page_is_in_the_package_and_names_nothing_elsewhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["bench.server"]
    for path in (one for one in FILES.rglob("*") if one.is_file()):
        name = str(path.relative_to(FILES.parent))
        assert any(fnmatch(name, pattern) for pattern in patterns), name
        if path.parent == FILES:
            text = path.read_text("utf-8")
            assert not re.search(r"https?://|//cdn", text), name
            # What a station says reaches the page as text, never as HTML or a script.
            assert not re.search(
                r"(inner|outer)HTML|HTML\(|\beval\b|Function\(|document\.write", text
            ), name

"""The parts of the viewer page on their own: its fold, its connection, its samples, its files."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import AsyncIterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
import tomllib
from playwright.async_api import Browser

from bench.journal import JOURNAL, JournalReader, Record, as_json
from bench.ocpp.frame import Broken, CallError, CallResult
from bench.runview import RunView, fold
from bench.server.page import FILES
from bench.views import CaseView, FrameView
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


PROJECTION = """async (records) => {
  const { Run, joined, verdictNow } = await import("/view/fold.js");
  const run = new Run("r");
  const remaining = [];
  for (const one of records) {
    run.apply(one);
    remaining.push(run.remaining(one.mono));
  }
  const frames = [...run.frames.values()];
  return {
    counts: run.counts, verdict: run.verdict, complete: run.ended?.complete ?? false,
    paused: run.paused, aborted: run.abortedBy, connected: run.connected?.connection ?? null, remaining,
    devices: [...run.devices.values()].map((one) => [one.device, one.state, one.message]),
    prompts: [...run.prompts.values()].map((one) => [one.prompt, one.answer?.answer ?? null, one.withdrawn]),
    cases: run.cases.map((one) => ({
      id: one.id, title: one.title, mark: one.mark, group: one.group, state: one.state, phase: one.phase,
      verdict: one.verdict, ended: one.ended, reason: one.reason, duration: one.duration, purpose: one.purpose,
      started: one.started?.n ?? null,
      steps: one.steps.map((step) => ({
        number: step.number, phase: step.phase, title: step.title, verdict: step.verdict, now: verdictNow(step),
        reason: step.reason, duration: step.duration, checks: step.checks.map((check) => check.n),
        measured: step.measured.map((value) => [value.name, value.value]),
      })),
    })),
    frames: frames.map((one) => ({
      n: one.n, received: one.received, kind: one.kind, action: one.action, lost: one.lost,
      unanswered: one.leftUnanswered, checks: one.checks.map((check) => check.n),
    })),
  };
}"""


def kind_of(view: FrameView) -> str:
    kinds = {Broken: "broken", CallResult: "result", CallError: "error"}
    return kinds.get(type(view.frame), "call")


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
    for one in records:
        growing.apply(one)
        seconds = growing.remaining(one.mono)
        remaining.append(None if seconds is None else pytest.approx(seconds, abs=1e-6))
    return {
        "counts": view.counts,
        "verdict": str(view.verdict),
        "complete": view.complete,
        "paused": view.paused,
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
                "kind": kind_of(one),
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
        found = await view.look(PROJECTION, [wire(one) for one in part])
        assert found == expected(part)


async def test_the_fold_is_that_of_runview_on_the_golden_run(view: View) -> None:
    (path,) = (ROOT / "tests" / "golden").glob("*/journal.jsonl")
    records = list(JournalReader(path))
    assert await view.look(PROJECTION, [wire(one) for one in records]) == expected(records)


@pytest.mark.parametrize(
    "text",
    [
        '[2,"1","A",{}]', '[3,"1",{}]', '[4,"1","GenericError","",{}]', "[]", "{}", "nonsense", "[2]",
        '[2,7,"A",{}]', '[2,"1",7,{}]', '[2,"1","A",[]]', '[2,"1","A",null]', '[3,"1",7]', '[4,"1",1,"",{}]',
        '[4,"1","E",1,{}]', '[4,"1","E","",[]]', '[5,"1",{}]', '["2","1","A",{}]', '[true,"1","A",{}]',
        f'[3,"{"x" * 36}",{{}}]', f'[3,"{"x" * 37}",{{}}]', '[3,"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",{}]',
    ],
)  # fmt: skip
async def test_a_frame_is_broken_here_when_it_is_for_the_engine(view: View, text: str) -> None:
    from bench.ocpp.frame import parse

    kinds = {Broken: "broken", CallResult: "result", CallError: "error"}
    found = await view.look(
        "async (text) => (await import('/view/fold.js')).parse(text).kind", text
    )
    assert found == kinds.get(type(parse(text)), "call")


async def test_a_record_that_comes_twice_counts_once_and_a_gap_is_filled(view: View) -> None:
    asked, got = await view.look(
        """async () => {
        const { Link } = await import("/view/link.js");
        const asked = [];
        const plans = [[1, 2, 3], [3, 4, 7, 8], [5, 6, 7, 8, 9]];
        const { fetch, WebSocket } = window;
        window.fetch = async () => new Response("{}");
        window.WebSocket = class {
          static OPEN = 1;
          readyState = 1;
          constructor(url) {
            asked.push(new URL(url).searchParams.get("from"));
            const plan = plans[asked.length - 1];
            setTimeout(() => {
              this.say({ snapshot: {} });
              for (const n of plan) this.say({ run: "r", n });
              if (asked.length === 1) this.onclose({ code: 1006, reason: "" });
            });
          }
          say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
          close() {}
        };
        const got = [];
        await new Promise((resolve) => {
          const link = new Link("t", { snapshot() {}, samples() {}, changed() {},
            record: ({ n }) => { got.push(n); if (n === 9) resolve(); } });
          link.watch();
        });
        Object.assign(window, { fetch, WebSocket });
        return [asked, got];
      }"""
    )
    assert got == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert asked == ["1", "4", "5"]


def samples(number: int, begin: float, end: float, *entries: tuple[int, int, float, float]) -> str:
    parts = [struct.pack("<HHIdd", 1, len(entries), number, begin, end)]
    parts += [
        struct.pack("<IIffff", channel, many, least, most, (least + most) / 2, most)
        for channel, many, least, most in entries
    ]
    return b"".join(parts).hex()


async def test_samples_become_points_in_the_time_of_the_records(view: View) -> None:
    frame = samples(3, 12.0, 12.1, (1, 5, 5.5, 6.0), (2, 1, 0.5, 0.5), (9, 1, 1.0, 1.0))
    found = await view.look(
        """async (hex) => {
        const bytes = Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
        const { Samples, decode } = await import("/view/samples.js");
        const { Measurements } = await import("/view/series.js");
        const measurements = new Measurements();
        measurements.take({ utc: "1970-01-01T00:01:40.000Z", mono: 10, event: "RunStarted", data: {} });
        const before = { time: [11, 11.5], min: [1, 2], max: [1, 3] };
        const asked = [];
        let answered;
        const done = new Promise((resolve) => { answered = resolve; });
        const samples = new Samples(measurements, async (channel, begin) => {
          asked.push([channel, begin]);
          setTimeout(() => asked.length === 2 && answered());
          return channel === 1 ? before : null;
        });
        const pilot = { channel: 1, name: "pilot-high", unit: "V", instrument: "box", connector: 2, zero: 0 };
        samples.declare(pilot);
        samples.declare({ channel: 2, name: "energy", unit: "Wh", instrument: "meter", connector: null, zero: 1234567 });
        samples.declare({ channel: 3, name: "response-time", unit: "s", instrument: "OCPP", connector: null, zero: 0 });
        samples.take(bytes.buffer);
        await done;
        const drawn = (panel) => measurements.panels.get(panel).series.map((one) => [one.label, one.xs, one.ys]);
        const other = new Uint8Array(bytes);
        other[0] = 2;
        return { pilot: drawn("pilot"), energy: drawn("energy"), asked, other: decode(other.buffer) };
      }""",
        frame,
    )
    ((label, xs, ys),) = found["pilot"]
    assert label == "box 2 high"
    assert xs == pytest.approx([101, 101.5, 101.5, 102.1, 102.1], abs=1e-3)
    assert ys == [1, 2, 3, 5.5, 6]
    ((label, xs, ys),) = found["energy"]
    assert (label, xs, ys) == ("meter", [pytest.approx(102.1)], [pytest.approx(1234.5675)])
    assert [channel for channel, _ in found["asked"]] == [1, 2]
    assert found["other"] is None


async def test_a_long_series_is_drawn_by_its_extremes(view: View) -> None:
    xs, ys = await view.look(
        """async () => {
        const { Series } = await import("/view/series.js");
        const series = new Series("current", "meter");
        for (let i = 0; i < 100_000; i += 1) series.add(i, i === 70_123 ? 99 : i === 70_456 ? -99 : Math.sin(i));
        return series.between(50_000, 90_000, 1000);
      }"""
    )
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
        sums = re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (folder / "README.md").read_text())
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
            assert not re.search(r"https?://|//cdn", path.read_text("utf-8")), name

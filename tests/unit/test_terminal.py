"""Progress of a run in a log and in a terminal."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.clock import now, spoken
from bench.events import (
    AbortRequested,
    Answered,
    CaseEnded,
    CaseStarted,
    DeviceLost,
    DeviceOpened,
    Event,
    Prompted,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    StepStarted,
)
from bench.journal import JournalReader, Record
from bench.terminal import REFRESH, Progress
from tests.unit.recorded import record


class Screen(io.StringIO):
    """A terminal that keeps everything that was ever painted."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "100"), ("LINES", "12")):
        monkeypatch.setenv(name, value)


def show(progress: Progress, *events: Event) -> None:
    """Show events that happen now."""
    for event in events:
        n = progress.view.records + 1
        progress.show(Record(n, datetime.now(UTC), now().mono, event))


def planned(*ids: str) -> RunStarted:
    cases = [{"id": name, "title": f"title {name}", "mark": "M", "group": "g"} for name in ids]
    dut = {"vendor": "V", "model": "M"}
    return RunStarted("r1", "0", 1, {"name": "B"}, dut, cases, [], {}, {}, {})


def started(case: str) -> CaseStarted:
    return CaseStarted(case, f"title {case}", "M", "g", "p", [])


def ended(case: str, verdict: str, reason: str | None = None) -> CaseEnded:
    return CaseEnded(case, verdict, "completed", reason, None, "body", 2.0, [])


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


async def test_without_a_terminal_there_is_a_line_for_what_matters() -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        show(
            progress,
            planned("A", "B"),
            DeviceOpened("mains", "d", [], {}),
            started("A"),
            StepStarted(1, "body", "not worth a line"),
            ended("A", "pass"),
            started("B"),
            RunPaused("Ada"),
            RunResumed("Ada"),
            DeviceLost("mains", "no answer"),
            AbortRequested("Ctrl-C"),
            ended("B", "fail", "it fell"),
            RunEnded(False, "aborted", {}),
        )
    assert out.getvalue().splitlines()[:-1] == [
        "Run r1: 2 cases, V M on B",
        "[1/2] A begins: title A",
        "[1/2] A pass in 2.00 s (about 2 s left)",
        "[2/2] B begins: title B",
        "Paused by Ada",
        "Resumed by Ada",
        "Device mains was lost: no answer",
        "Abort requested by Ctrl-C: the lab is made safe",
        "[2/2] B fail in 2.00 s: it fell",
    ]
    assert out.getvalue().splitlines()[-1].startswith("Run ended: 2 of 2 cases, 1 pass, 1 fail in")
    assert "\x1b" not in out.getvalue()


async def test_a_recorded_run_reads_as_a_log(tmp_path: Path) -> None:
    outcome = await record(tmp_path, "starts-anyway")
    out = io.StringIO()
    with Progress(out) as progress:
        for one in JournalReader(outcome.folder / "journal.jsonl"):
            progress.show(one)
    text = out.getvalue()
    assert text.count(" begins: ") == 4
    assert "TC_902_CS fail in" in text
    assert "no StartTransaction() was allowed" in text
    assert "Run ended: 4 of 4 cases, 2 pass, 1 fail, 1 inconclusive" in text


async def test_the_live_table_shows_cases_steps_and_time() -> None:
    screen = Screen()
    with Progress(screen) as progress:
        show(progress, planned("A", "B", "C"), started("A"), ended("A", "fail", "it fell"))
        show(progress, started("B"), StepStarted(4, "body", "Plug in"))
        await asyncio.sleep(2 * REFRESH)  # what is tested is painting on a clock
        painted = plain(screen.getvalue())
    assert re.search(r"A +title A +fail +2\.00 s +it fell", painted)
    assert re.search(r"B +title B +running +\d+ ms +4\. Plug in", painted)
    assert re.search(r"C +title C", painted)
    assert "1 of 3 cases, 1 fail" in painted
    assert "elapsed" in painted
    assert "about 4 s left" in painted
    assert "station not connected" in painted


async def test_a_long_plan_is_cut_to_the_screen_and_shown_whole_at_the_end() -> None:
    screen = Screen()
    names = [f"CASE{n:02d}" for n in range(40)]
    with Progress(screen) as progress:
        show(progress, planned(*names))
        for name in names[:20]:
            show(progress, started(name), ended(name, "pass"))
        show(progress, started(names[20]))
        await asyncio.sleep(2 * REFRESH)
        live = plain(screen.getvalue())
        show(progress, ended(names[20], "error", "a very long reason " * 20 + "with an end"))
    assert "CASE20" in live
    assert "CASE00" not in live[live.rindex("CASE20") :]
    assert "CASE39" not in live[live.rindex("CASE20") :]
    whole = plain(screen.getvalue())[len(live) :]
    assert all(name in whole for name in names)
    assert "with an end" in " ".join(whole.split())


async def test_nothing_is_painted_while_the_operator_types() -> None:
    screen = Screen()
    with Progress(screen) as progress:
        show(progress, planned("A"), started("A"))
        show(progress, Prompted("p1", "confirm", "Plug in", [], "", None))
        progress.say("Prompt p1: Plug in")
        before = screen.getvalue()
        await asyncio.sleep(2 * REFRESH)
        assert screen.getvalue() == before
        assert plain(before).rstrip().endswith("Prompt p1: Plug in")
        show(progress, Answered("p1", True, "Ada", ""))
        await asyncio.sleep(2 * REFRESH)
        assert len(screen.getvalue()) > len(before)


@pytest.mark.parametrize("kind", [io.StringIO, Screen])
async def test_what_a_station_sends_cannot_move_the_cursor(kind: type[io.StringIO]) -> None:
    out = kind()
    with Progress(out) as progress:
        show(progress, planned("A"), started("A"))
        show(progress, ended("A", "fail", "evil \x1b[2J\x07 [bold]half \ud800 pair"))
        progress.say("said \x1b[2J")
    text = out.getvalue()
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "evil \ufffd[2J\ufffd [bold]half \ufffd pair" in " ".join(plain(text).split())
    text.encode()


async def test_a_terminal_that_knows_little_gets_what_it_can_show() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    with Progress(out) as progress:
        show(progress, planned("A"), started("A"), ended("A", "fail", "größer als 5 °C"))
    assert b"gr??er als 5 ?C" in raw.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0 ms"),
        (0.35, "350 ms"),
        (0.9996, "1.00 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (245, "4 min 05 s"),
        (3599.6, "1 h 00 min"),
        (7620, "2 h 07 min"),
    ],
)
def test_durations_are_said_as_people_do(seconds: float, text: str) -> None:
    assert spoken(seconds) == text

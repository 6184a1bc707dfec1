"""Ctrl-C and SIGTERM at any moment of a run: the lab is safe, the record is whole and true."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.events import (
    AbortRequested,
    Acted,
    CaseEnded,
    CaseStarted,
    DeviceOpened,
    FrameReceived,
    MadeSafe,
    PhaseEntered,
    Prompted,
    RunEnded,
    RunStarted,
    StepStarted,
)
from bench.journal import Record
from bench.verify import verify
from drivers.sim.lab import Lab, open_lab
from tests.engine.meanwhile import check_sound
from tests.engine.programs import (
    DEADLINE,
    Ended,
    becomes_live,
    becomes_safe,
    events,
    recorded,
    records,
    results,
    run_on,
    running,
    with_timing,
)
from tests.procedures.simulated import simulated

BY = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


SLOW = 0.15
"""How late in s a slow device answers: within its deadline, but each time."""


@dataclass(frozen=True)
class Moment:
    """A moment of a run, and the lab in which the run dwells there."""

    name: str
    comes: Callable[[Lab, Path], Awaitable[object]]
    defects: Sequence[str] = ()
    slow: str | None = None
    """A device that takes its time."""


async def _plugged(lab: Lab, folder: Path) -> None:
    await recorded(folder, StepStarted, lambda step: step.title.startswith("Plug the cable in"))
    connector = lab.world.connectors[1]
    await lab.world.until(lambda: connector.pilot_state() == "B", within=DEADLINE)


async def _cleaning_up(lab: Lab, folder: Path) -> None:
    await recorded(folder, StepStarted, lambda step: step.title.startswith("Present a valid card"))
    # From here on the box is slow: the clean-up is still at work when the signal comes.
    lab.twins["pilot-box"].faults.late = SLOW
    await recorded(folder, PhaseEntered, lambda entered: entered.phase == "postamble")


MOMENTS = [
    Moment(
        "before the first device is open",
        lambda lab, folder: recorded(folder, RunStarted),
        slow="pilot-box",
    ),
    Moment(
        "while devices open",
        lambda lab, folder: recorded(folder, DeviceOpened),
        slow="card-changer",
    ),
    Moment(
        "at CaseStarted",
        lambda lab, folder: recorded(folder, CaseStarted),
        defects=["mute"],
    ),
    Moment(
        "in the preamble",
        lambda lab, folder: recorded(folder, StepStarted, lambda step: step.phase == "preamble"),
        defects=["mute"],
    ),
    Moment("right after plug_in", _plugged, defects=["preparing-not-reported"]),
    Moment(
        "while charging",
        lambda lab, folder: becomes_live(lab),
        defects=["charging-reported-as-suspended"],
    ),
    Moment("in the clean-up", _cleaning_up),
    Moment("between two cases", lambda lab, folder: recorded(folder, CaseEnded)),
]


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        *((moment, signal.SIGINT) for moment in MOMENTS),
        *((moment, signal.SIGTERM) for moment in MOMENTS if moment.name == "while charging"),
    ],
    ids=lambda value: value.name.replace(" ", "-"),
)
async def test_a_signal_ends_a_run_in_good_order(
    tmp_path: Path, moment: Moment, number: signal.Signals
) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path, defects=moment.defects) as lab:
        # No run ends by itself before the signal comes: the last case would take a minute.
        with_timing(lab.dut_file, triggered=60.0, settling=60.0, boot=60.0)
        if moment.slow:
            lab.twins[moment.slow].faults.late = SLOW
        async with running(*run_on(lab, out, "TC_003_CS", "TC_023_CS")) as engine:
            async with asyncio.timeout(DEADLINE):
                await moment.comes(lab, out)
            engine.process.send_signal(number)
            await recorded(out, AbortRequested)
            for twin in lab.twins.values():
                twin.faults.clear()
            ended = await engine.ended()
        await becomes_safe(lab)
    check_the_record(out, ended, BY[number])
    assert verify(out).faults == ()


def check_the_record(folder: Path, ended: Ended, by: str) -> None:
    """Check that the end of an interrupted run is told everywhere, and the same."""
    assert ended.code == 130, ended.errors
    assert ended.lines == [f"pilotbench: the run is not complete: aborted by {by}"]
    written = records(folder)
    last = written[-1].event
    assert isinstance(last, RunEnded)
    assert (last.complete, last.reason) == (False, f"aborted by {by}")
    assert [asked.by for asked in events(folder, AbortRequested)] == [by]
    document = results(folder)
    assert document["complete"] is False
    assert {one["verdict"] for one in document["cases"]} <= {"pass", "inconclusive", "none"}
    assert (folder / "report.html").exists()
    assert (folder / "junit.xml").exists()


MANUAL = """
[bench]
name = "By hand"

[ocpp]
listen = "127.0.0.1:0"

[[device]]
name = "cable"
driver = "manual-coupler"

[[device]]
name = "vehicle"
driver = "manual-vehicle"

[[device]]
name = "cards"
driver = "manual-cards"
"""


def asks(method: str) -> Callable[[Prompted], bool]:
    return lambda prompt: prompt.action is not None and prompt.action["method"] == method


async def test_a_job_whose_program_does_not_answer_ends_and_says_so(tmp_path: Path) -> None:
    """No operator ever comes: what is not answered in time is inconclusive, and nothing waits."""
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        listen = lab.bench_file.read_text("utf-8").partition('listen = "')[2].partition('"')[0]
        impatient = f"{MANUAL.replace('127.0.0.1:0', listen)}\n[operator]\nwithin = 0.2\n"
        lab.bench_file.write_text(impatient, "utf-8")
        async with running(*run_on(lab, out, "TC_003_CS", operator="api")) as engine:
            ended = await engine.ended()
    assert ended.code == 2
    assert ended.lines[0].startswith("API: http://127.0.0.1:")
    (case,) = results(out)["cases"]
    assert case["verdict"] == "inconclusive"
    assert "not answered within 0.2 s" in case["reason"]
    assert not list(out.glob("operator.token"))


async def test_a_second_ctrl_c_waits_for_nobody(tmp_path: Path) -> None:
    """The operator is gone: neither the case's prompt nor those that undo it are answered."""
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        listen = lab.bench_file.read_text("utf-8").partition('listen = "')[2].partition('"')[0]
        lab.bench_file.write_text(MANUAL.replace("127.0.0.1:0", listen), "utf-8")
        async with running(*run_on(lab, out, "TC_003_CS", operator="terminal")) as engine:
            await recorded(out, Prompted, asks("is_plugged_in"))
            await engine.is_told("no")
            await recorded(out, Prompted, asks("plug_in"))
            engine.process.send_signal(signal.SIGINT)
            await recorded(out, Prompted, asks("unplug"))
            engine.process.send_signal(signal.SIGINT)
            ended = await engine.ended()
        await becomes_safe(lab)
    check_the_record(out, ended, "Ctrl-C")
    safe = events(out, MadeSafe)
    assert "withdrawn: the run was aborted by Ctrl-C" in safe[-1].failures["cable"]
    assert verify(out).faults == ()


async def test_a_second_ctrl_c_cuts_the_clean_up_short_and_the_lab_is_safe(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path, defects=["charging-reported-as-suspended"]) as lab:
        with_timing(lab.dut_file, triggered=60.0)
        async with running(*run_on(lab, out, "TC_003_CS")) as engine:
            async with asyncio.timeout(DEADLINE):
                await becomes_live(lab)
            lab.twins["pilot-box"].faults.late = SLOW
            engine.process.send_signal(signal.SIGINT)
            # Once the transaction is over, the clean-up takes the cable out.
            await recorded(out, FrameReceived, lambda frame: "StopTransaction" in str(frame.text))
            engine.process.send_signal(signal.SIGINT)
            cut = await recorded(out, Acted, lambda acted: acted.method == "unplug")
            lab.twins["pilot-box"].faults.clear()
            ended = await engine.ended()
        await becomes_safe(lab)
    assert cut.error == "CancelledError"
    check_the_record(out, ended, "Ctrl-C")
    (safe,) = events(out, MadeSafe)
    assert safe.failures == {}
    assert verify(out).faults == ()


async def test_a_second_ctrl_c_does_not_wait_for_devices_that_do_not_open(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        for name in ("card-changer", "meter", "mains"):
            lab.twins[name].faults.silent = True
        async with running(*run_on(lab, out, "TC_019_CS")) as engine:
            await recorded(out, DeviceOpened, lambda opened: opened.device == "pilot-box")
            engine.process.send_signal(signal.SIGINT)
            await recorded(out, AbortRequested)
            engine.process.send_signal(signal.SIGINT)
            ended = await engine.ended()
        await becomes_safe(lab)
    assert ended.code == 130
    assert [opened.device for opened in events(out, DeviceOpened)] == ["load", "pilot-box"]
    reason = "aborted by Ctrl-C before all devices were open"
    assert ended.lines == [f"pilotbench: the run is not complete: {reason}"]
    assert verify(out).faults == ()


async def test_ctrl_c_while_the_reports_are_written_leaves_them_whole(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    # Writing the report goes on only when somebody reads it.
    pipe = out / ".report.html.new"
    os.mkfifo(pipe)
    async with open_lab(tmp_path) as lab:
        async with running(*run_on(lab, out, "TC_019_CS")) as engine:
            await recorded(out, RunEnded)
            engine.process.send_signal(signal.SIGINT)
            async with asyncio.timeout(DEADLINE):
                report = await asyncio.to_thread(pipe.read_text, "utf-8")
            ended = await engine.ended()
        await becomes_safe(lab)
    assert ended.code == 130
    assert ended.errors == ""
    assert report.rstrip().endswith("</html>")
    # The run itself was over: what it yielded is not touched by the signal.
    assert results(out)["complete"] is True
    assert results(out)["counts"]["pass"] == 1
    assert verify(out).faults == ()


@pytest.mark.parametrize("moment", [RunStarted, CaseStarted])
async def test_a_run_that_is_cancelled_from_outside_ends_in_good_order(
    tmp_path: Path, moment: type
) -> None:
    """So ends a run whose program is stopped by other means than a signal of ours."""
    async with simulated(tmp_path) as bench:
        bench.lab.twins["pilot-box"].faults.late = SLOW
        run = asyncio.create_task(bench.run("TC_003_CS"))

        def cancel(record: Record) -> None:
            if isinstance(record.event, moment):
                asyncio.get_running_loop().call_soon(run.cancel)

        with bench.session.stream.watched_by(cancel):
            result = await run
        await becomes_safe(bench.lab)
        last = bench.records[-1].event
    assert isinstance(last, RunEnded)
    assert not last.complete
    assert last.reason is not None
    assert last.reason.startswith("aborted by the end of the engine")
    check_sound(result)

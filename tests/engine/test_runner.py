"""Cases from start to verdict: phases, clean-up, abort, devices that fail, checks that don't."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench import cancellation, case_limit
from bench.bench import Bench
from bench.capability import Load, PowerSwitch, VehicleCoupler
from bench.case import Case
from bench.config import BenchConfig, BenchSettings, DeviceEntry
from bench.control import Control
from bench.device import Answer, Driver, DriverContext, Identity
from bench.dut import DutConfig, DutIdentity, Pixit, Timing
from bench.errors import CheckFailed, DeviceError, LinkError, Unverifiable
from bench.events import (
    Acted,
    CaseEnded,
    Checked,
    DeviceLost,
    DeviceOpened,
    MadeSafe,
    Noted,
    Retried,
    StepEnded,
    StepStarted,
)
from bench.journal import JournalWriter
from bench.metrology import Limit, Quantity
from bench.ocpp import v16
from bench.ocpp.message import Observed
from bench.ocpp.predicate import ABSENT
from bench.ocpp.station import Station
from bench.procedure import Body, Procedure, procedure
from bench.runner import Runner
from bench.stream import Stream
from bench.transfer.files import FileSettings
from tests.engine.support import BOOT, Peer, Rig, rig

DUT = DutConfig(
    Path("dut.toml"),
    DutIdentity("charging-station", "CP", "v", "m"),
    pixit=Pixit(timing=Timing(response=20, triggered=0.2, boot=20)),
)
IMPATIENT = replace(DUT, pixit=Pixit(timing=Timing(response=0.5, triggered=0.2, boot=0.5)))
"""For cases whose deadlines pass."""


@dataclass
class Switch:
    """A power switch that fails on demand and tells what was done to it."""

    done: list[str] = field(default_factory=list)
    fails: Exception | None = None
    unsafe: Exception | None = None
    slow: asyncio.Event | None = None
    refuses_to_open: bool = False

    async def __aenter__(self) -> Switch:
        if self.refuses_to_open:
            raise LinkError("no answer")
        self.done.append("opened")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.done.append("closed")

    async def identify(self) -> Identity:
        return Identity("Test", "Switch")

    async def make_safe(self) -> None:
        if self.unsafe is not None:
            raise self.unsafe
        if self.slow is not None:
            await self.slow.wait()
        self.done.append("safe")

    async def switch_on(self) -> None:
        await self._do("on")

    async def switch_off(self) -> None:
        await self._do("off")

    async def cycle(self, *, off_for: float) -> None:
        await self._do(f"cycle {off_for:g}")

    async def is_on(self) -> bool:
        return True

    async def _do(self, what: str) -> None:
        if self.fails:
            raise self.fails
        self.done.append(what)


class NoOperator:
    async def ask(self, kind: str, text: str, **_: Any) -> Answer:
        raise Unverifiable("nobody answers")


@dataclass(frozen=True)
class Settings:
    pass


@dataclass
class Lab:
    """A runner on a rig, with one switch."""

    csms: Rig
    runner: Runner
    control: Control
    switch: Switch

    async def run(self, body: Body, reset: Procedure | None = None) -> CaseEnded:
        one = procedure("TC_900_CS", title="t", mark="M", refs=["r"])(body)
        await self.runner.run_case(one, reset)
        ended: CaseEnded = self.csms.events(CaseEnded)[-1]
        return ended


@asynccontextmanager
async def lab(switch: Switch | None = None, dut: DutConfig = DUT) -> AsyncIterator[Lab]:
    device = switch or Switch()

    def make(settings: Settings, context: DriverContext) -> Any:
        return device

    entry = DeviceEntry("mains", "test", Driver(Settings, (PowerSwitch,), make), Settings())
    config = BenchConfig(Path("bench.toml"), BenchSettings("b"), devices=(entry,))
    async with rig() as csms:
        stream = csms.dialogue.stream
        bench = Bench(config, stream)
        control = Control(stream)
        async with bench.opened(NoOperator(), lambda: ""):
            runner = Runner(
                stream=stream,
                bench=bench,
                dialogue=csms.dialogue,
                dut=dut,
                operator=NoOperator(),
                control=control,
                files=FileSettings(),
                folder=Path("no-run"),
            )
            yield Lab(csms, runner, control, device)


def _same(device: Switch, settings: Settings, context: DriverContext) -> Any:
    return device


@asynccontextmanager
async def bench_of(**devices: tuple[type, Switch]) -> AsyncIterator[tuple[Bench, list[Any]]]:
    """Open a bench of devices that offer one capability each, with what it records."""
    entries = tuple(
        DeviceEntry(
            name,
            "test",
            Driver(Settings, (capability,), partial(_same, device)),
            Settings(),
        )
        for name, (capability, device) in devices.items()
    )
    stream = Stream()
    events: list[Any] = []
    bench = Bench(BenchConfig(Path("bench.toml"), BenchSettings("b"), devices=entries), stream)
    with stream.watched_by(lambda record: events.append(record.event)):
        async with bench.opened(NoOperator(), lambda: ""):
            yield bench, events


async def test_a_defect_in_one_driver_keeps_no_other_from_being_made_safe() -> None:
    broken, box, mains = Switch(unsafe=RuntimeError("a defect")), Switch(), Switch()
    async with bench_of(
        load=(Load, broken), box=(VehicleCoupler, box), mains=(PowerSwitch, mains)
    ) as (bench, events):
        assert await bench.make_safe() == {"load": "a defect"}
        assert box.done[-1] == mains.done[-1] == "safe"
        assert MadeSafe({"load": "a defect"}) in events
        broken.unsafe = None


async def test_loads_are_made_safe_first_and_others_last() -> None:
    order: list[str] = []

    class Told(Switch):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        async def make_safe(self) -> None:
            await asyncio.sleep(0)
            order.append(self.name)

        async def __aenter__(self) -> Told:
            order.append(f"{self.name} opened")
            return self

        async def __aexit__(self, *_: object) -> None:
            order.append(f"{self.name} left")

    async with bench_of(
        mains=(PowerSwitch, Told("mains")),
        box=(VehicleCoupler, Told("box")),
        load=(Load, Told("load")),
    ) as (bench, _):
        assert order == ["load opened", "box opened", "mains opened"]
        order.clear()
        await bench.make_safe()
        assert order == ["load", "box", "mains"]
        order.clear()
    assert order == ["load", "mains left", "box left", "load left"]


async def test_a_cancellation_that_a_driver_swallows_ends_the_opening_all_the_same() -> None:
    here, left = asyncio.Event(), []

    class Deaf(Switch):
        async def __aenter__(self) -> Deaf:
            here.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return self

        async def __aexit__(self, *_: object) -> None:
            left.append("deaf")

    other = Switch()

    async def opening() -> None:
        async with bench_of(load=(Load, Deaf()), mains=(PowerSwitch, other)):
            pass

    task = asyncio.ensure_future(opening())
    await here.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left == ["deaf"]
    assert other.done == []


async def test_a_device_that_was_asked_who_it_is_when_the_opening_was_cancelled_is_left() -> None:
    asked = asyncio.Event()

    class Slow(Switch):
        async def identify(self) -> Identity:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    slow = Slow()

    async def opening() -> None:
        async with bench_of(mains=(PowerSwitch, slow)):
            pass

    task = asyncio.ensure_future(opening())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.done == ["opened", "closed"]


async def test_a_cancellation_waits_until_the_lab_is_safe() -> None:
    held = asyncio.Event()
    load, mains = Switch(slow=held), Switch()
    async with bench_of(load=(Load, load), mains=(PowerSwitch, mains)) as (bench, events):
        making = asyncio.ensure_future(bench.make_safe())
        for _ in range(3):
            await asyncio.sleep(0)
            making.cancel()
        held.set()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert load.done[-1] == mains.done[-1] == "safe"
        assert MadeSafe({}) in events


async def test_a_journal_that_is_lost_keeps_nothing_from_being_made_safe(tmp_path: Path) -> None:
    load, mains = Switch(unsafe=LinkError("gone")), Switch()
    async with bench_of(load=(Load, load), mains=(PowerSwitch, mains)) as (bench, _):
        journal = JournalWriter(tmp_path / "journal.jsonl")
        journal.close()
        bench._stream.journal = journal
        assert set(await bench.make_safe()) == {"load"}
        assert mains.done[-1] == "safe"


async def test_a_case_that_checks_passes() -> None:
    async def body(case: Case) -> None:
        """Check one thing."""
        async with case.step("Look"):
            case.check("one is one", 1, 1)

    async with lab() as bench:
        ended = await bench.run(body)
        assert (ended.verdict, ended.ended, ended.reason) == ("pass", "completed", None)
        (started,) = bench.csms.events(StepStarted)
        assert (started.title, started.phase) == ("Look", "body")


async def test_a_case_that_checks_nothing_is_inconclusive() -> None:
    async def body(case: Case) -> None:
        """Check nothing."""

    async with lab() as bench:
        ended = await bench.run(body)
        assert (ended.verdict, ended.reason) == ("inconclusive", "nothing was checked")


def failing(error: Exception) -> Callable[[Case], Awaitable[None]]:
    async def body(case: Case) -> None:
        """Fail in the body."""
        async with case.step("Fail"):
            raise error

    return body


def failing_early(error: Exception) -> Callable[[Case], Awaitable[None]]:
    async def body(case: Case) -> None:
        """Fail in the preamble."""
        async with case.preamble(), case.step("Prepare"):
            raise error

    return body


@pytest.mark.parametrize(
    ("make", "error", "verdict"),
    [
        (failing, CheckFailed("x"), "fail"),
        (failing_early, CheckFailed("x"), "inconclusive"),
        (failing, Unverifiable("x"), "inconclusive"),
        (failing_early, Unverifiable("x"), "inconclusive"),
        (failing, DeviceError("x"), "error"),
        (failing_early, LinkError("x"), "error"),
        (failing, ZeroDivisionError("x"), "error"),
    ],
)
async def test_what_is_raised_decides(
    make: Callable[[Exception], Body], error: Exception, verdict: str
) -> None:
    async with lab() as bench:
        ended = await bench.run(make(error))
        assert ended.verdict == verdict
        assert ended.cause == type(error).__name__
        assert (ended.traceback is not None) == isinstance(error, ZeroDivisionError)
        steps = bench.csms.events(StepEnded)
        assert {step.verdict for step in steps} == {verdict}
        tried_twice = make is failing_early and isinstance(error, CheckFailed)
        assert len(steps) == 1 + tried_twice


async def test_what_was_judged_before_another_try_is_void() -> None:
    acts: list[str] = []

    async def undo() -> None:
        acts.append("undone")

    async def body(case: Case) -> None:
        """Reach the starting point at the second try."""
        acts.append("tried")
        async with case.preamble(), case.step("Prepare"):
            case.afterwards(undo)
            case.check("tries", acts.count("tried"), 2)
        async with case.step("Judge"):
            case.check("something", True)

    async with lab() as bench:
        ended = await bench.run(body)
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert acts == ["tried", "undone", "tried", "undone"]
        (again,) = bench.csms.events(Retried)
        assert again.reason == "tries: expected 2, came 1"


async def test_failing_reset_is_inconclusive_with_its_reason() -> None:
    async def restore(case: Case, station: Station) -> None:
        """Restore."""
        async with case.step("Restore"):
            await station.connects(within=0.01)

    async def body(case: Case) -> None:
        """Never runs."""
        raise AssertionError

    async with lab() as bench:
        reset = procedure("000_RESET", title="r", mark="-", refs=["r"])(restore)
        ended = await bench.run(body, reset)
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")
        assert ended.reason is not None
        assert "connection was not open" in ended.reason


async def test_a_check_that_is_not_fatal_counts_and_the_first_reason_stays() -> None:
    async def body(case: Case) -> None:
        """Check thrice."""
        case.check("a", 1, 2, fatal=False)
        case.check("b", 1, 3, fatal=False)
        case.check("c", 1, 1)

    async with lab() as bench:
        ended = await bench.run(body)
        assert (ended.verdict, ended.reason) == ("fail", "a: expected 2, came 1")
        assert [c.verdict for c in bench.csms.checked()] == ["fail", "fail", "pass"]


async def test_a_measurement_with_a_limit_is_a_check() -> None:
    async def body(case: Case) -> None:
        """Measure."""
        case.measure("time", Quantity(2.0, "s"), limit=Limit(high=1.0))

    async with lab() as bench:
        ended = await bench.run(body)
        assert ended.verdict == "fail"
        assert ended.reason == "time: expected -∞ … 1 s, came 2 s"


async def test_a_measurement_of_nothing_is_a_failed_check() -> None:
    async def body(case: Case) -> None:
        """Measure."""
        case.measure("time", Observed(ABSENT, {"kind": "given", "value": {"$absent": True}}))

    async with lab() as bench:
        ended = await bench.run(body)
        assert ended.verdict == "fail"
        assert ended.reason == "time can be measured: expected a number, came nothing"


async def test_a_check_that_fails_in_one_of_several_tasks_is_a_failed_check() -> None:
    async def look(case: Case) -> None:
        case.check("x", 1, 2)

    async def body(case: Case) -> None:
        """Look in a task."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(look(case))

    async with lab() as bench:
        ended = await bench.run(body)
        assert (ended.verdict, ended.cause) == ("fail", "CheckFailed")


async def test_clean_up_runs_newest_first_even_after_a_failure_and_then_the_lab_is_safe() -> None:
    order: list[str] = []

    async def note(text: str) -> None:
        order.append(text)

    async def stuck() -> None:
        await asyncio.Event().wait()

    async def body(case: Case, power: PowerSwitch) -> None:
        """Make a mess."""
        case.afterwards(note, "first")
        case.afterwards(stuck, within=0.01)
        case.afterwards(note, "third")
        await power.switch_off()
        raise CheckFailed("x")

    async with lab() as bench:
        ended = await bench.run(body)
        assert order == ["third", "first"]
        assert bench.switch.done == ["opened", "off", "safe"]
        assert ended.verdict == "fail"
        (failure,) = bench.csms.events(Noted)
        assert "did not end within 0.01 s" in failure.text
        assert bench.csms.events(MadeSafe) == [MadeSafe({})]


async def test_capability_calls_are_recorded() -> None:
    async def body(case: Case, power: PowerSwitch) -> None:
        """Use the switch."""
        await power.cycle(off_for=3)
        case.check("x", 1, 1)

    async with lab() as bench:
        await bench.run(body)
        (acted,) = bench.csms.events(Acted)
        assert (acted.device, acted.capability, acted.method) == ("mains", "PowerSwitch", "cycle")
        assert acted.arguments == {"off_for": 3}
        assert acted.error is None


async def test_a_lost_device_is_an_error_and_is_opened_anew_before_the_next_case() -> None:
    async def body(case: Case, power: PowerSwitch) -> None:
        """Use the switch."""
        await power.switch_off()
        case.check("x", 1, 1)

    switch = Switch(fails=LinkError("pulled out"))
    async with lab(switch) as bench:
        ended = await bench.run(body)
        assert (ended.verdict, ended.reason) == ("error", "pulled out")
        assert bench.csms.events(DeviceLost) == [DeviceLost("mains", "pulled out")]
        switch.refuses_to_open = True
        ended = await bench.run(body)
        assert (ended.verdict, ended.reason) == ("error", "mains was lost: no answer")
        switch.refuses_to_open, switch.fails = False, None
        ended = await bench.run(body)
        assert ended.verdict == "pass"
        assert len(bench.csms.events(DeviceOpened)) == 2


async def test_abort_ends_the_case_and_makes_the_lab_safe() -> None:
    cleaned = asyncio.Event()

    async def body(case: Case, power: PowerSwitch) -> None:
        """Wait for ever."""

        async def clean() -> None:
            cleaned.set()

        case.afterwards(clean)
        await power.switch_off()
        running.set()
        await asyncio.Event().wait()

    running = asyncio.Event()
    async with lab() as bench, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.run(body))
        await running.wait()
        bench.control.abort("Ctrl-C")
        ended = await task
        assert (ended.verdict, ended.ended) == ("inconclusive", "aborted")
        assert ended.reason == "aborted by Ctrl-C"
        assert cleaned.is_set()
        assert bench.switch.done[-1] == "safe"


async def test_an_abort_is_not_lost_on_a_library_that_swallows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancellation, "INSISTING", 0.01)
    running = asyncio.Event()

    async def body(case: Case) -> None:
        """Take the first cancellation for nothing."""
        running.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async with lab() as bench, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.run(body))
        await running.wait()
        bench.control.abort("Ctrl-C")
        assert (await task).ended == "aborted"


async def test_a_case_that_waits_for_ever_is_ended_and_the_lab_made_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(case_limit, "TIMES", 0.0001)
    cleaned = asyncio.Event()

    async def body(case: Case, switch: PowerSwitch) -> None:
        """Wait for what never comes."""

        async def clean() -> None:
            cleaned.set()

        case.afterwards(clean)
        async with case.step("Wait"):
            case.check("all is well", actual=True)
            await asyncio.Event().wait()

    async with lab() as bench:
        ended = await bench.run(body)
        assert (ended.verdict, ended.ended, ended.cause) == ("error", "completed", "CaseOverdue")
        assert ended.reason == "the case did not come to an end by itself within 0.06 s"
        assert ended.traceback is None
        assert cleaned.is_set()
        assert bench.switch.done[-1] == "safe"


async def test_second_abort_cuts_a_stuck_clean_up_short_but_not_the_safety() -> None:
    running, cleaning = asyncio.Event(), asyncio.Event()

    async def stuck() -> None:
        cleaning.set()
        await asyncio.Event().wait()

    async def body(case: Case) -> None:
        """Wait for ever."""
        case.afterwards(stuck)
        running.set()
        await asyncio.Event().wait()

    async with lab() as bench, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.run(body))
        await running.wait()
        bench.control.abort("Ctrl-C")
        await cleaning.wait()
        bench.control.abort("Ctrl-C")
        assert (await task).ended == "aborted"
        assert bench.switch.done[-1] == "safe"


async def test_a_paused_run_waits_at_the_next_step() -> None:
    async def body(case: Case) -> None:
        """Two steps."""
        async with case.step("one"):
            bench.control.pause("operator")
            case.check("x", 1, 1)
        paused.set()
        async with case.step("two"):
            case.check("x", 1, 1)

    paused = asyncio.Event()
    async with lab() as bench, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.run(body))
        await paused.wait()
        await asyncio.sleep(0)
        assert [step.title for step in bench.csms.events(StepStarted)] == ["one"]
        bench.control.resume("operator")
        assert (await task).verdict == "pass"


async def test_an_unasked_restart_fails_the_case() -> None:
    async def body(case: Case, station: Station) -> None:
        """Let the station restart."""
        async with case.step("Wait"):
            waiting.set()
            await station.expect(v16.Heartbeat())

    waiting = asyncio.Event()
    async with lab() as bench, bench.csms.connect() as socket, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.run(body))
        peer = Peer(socket)
        await waiting.wait()
        await peer.call("BootNotification", **BOOT)
        await peer.call("Heartbeat")
        await peer.lives()
        ended = await task
        assert ended.verdict == "fail"
        assert ended.reason is not None
        assert "restarted unasked: BootNotification" in ended.reason


async def test_a_monitors_finding_fails_the_case_but_does_not_end_it() -> None:
    async def body(case: Case, station: Station) -> None:
        """See a heartbeat after a broken frame."""
        async with case.step("Wait"):
            waiting.set()
            await station.expect(v16.Heartbeat())

    waiting = asyncio.Event()
    async with lab() as bench, bench.csms.connect() as socket, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.run(body))
        peer = Peer(socket)
        await waiting.wait()
        await peer.send("nonsense")
        await peer.call("Heartbeat")
        await peer.lives()
        ended = await task
        assert ended.verdict == "fail"
        assert ended.reason is not None
        assert ended.reason.startswith("Every message is an OCPP-J frame: expected an OCPP-J frame")
        assert [c.verdict for c in bench.csms.events(Checked)] == ["fail", *["pass"] * 3]


async def after_a_case(*, silent: bool = False, gone: bool = False) -> CaseEnded:
    """Run a case that passes, with a station that is there when it begins."""

    async def body(case: Case) -> None:
        """Pass."""
        async with case.step("Judge"):
            case.check("something", True)
            if gone:
                await socket.close()
                await station_gone.wait()

    dut = IMPATIENT if silent or gone else DUT
    async with (
        lab(dut=dut) as bench,
        bench.csms.connect() as socket,
        asyncio.TaskGroup() as tasks,
    ):
        peer = Peer(socket)
        await peer.call("Heartbeat")
        station_gone = asyncio.Event()
        watching = tasks.create_task(until_gone(bench, station_gone))
        task = tasks.create_task(bench.run(body))
        if not (silent or gone):
            await peer.lives()
        ended = await task
        watching.cancel()
        return ended


async def until_gone(bench: Lab, gone: asyncio.Event) -> None:
    await bench.csms.dialogue.until_connected(False, within=60)
    gone.set()


async def test_a_station_that_answers_after_the_case_is_alive() -> None:
    assert (await after_a_case()).verdict == "pass"


async def test_a_station_that_says_nothing_after_the_case_has_failed_it() -> None:
    ended = await after_a_case(silent=True)
    assert ended.verdict == "fail"
    assert ended.reason == "GetConfiguration was not answered within 0.5 s"


async def test_a_station_that_does_not_come_back_after_the_case_has_failed_it() -> None:
    ended = await after_a_case(gone=True)
    assert ended.verdict == "fail"
    assert ended.reason == "the DUT's connection was not open within 0.5 s"


async def test_devices_that_do_not_open_are_all_named() -> None:
    with pytest.raises(DeviceError, match="1 of 1 devices did not open: mains: no answer"):
        async with lab(Switch(refuses_to_open=True)):
            pass


async def test_steps_do_not_nest() -> None:
    async def body(case: Case) -> None:
        """Nest."""
        async with case.step("one"), case.step("two"):
            pass

    async with lab() as bench:
        ended = await bench.run(body)
        assert ended.verdict == "error"
        assert ended.cause == "RuntimeError"


def test_a_parameter_that_is_no_capability_is_refused() -> None:
    async def body(case: Case, thing: int) -> None:
        """Need something strange."""

    with pytest.raises(TypeError, match="parameter thing"):
        procedure("TC_901_CS", title="t", mark="M", refs=["r"])(body)


def test_a_body_without_a_test_purpose_is_refused() -> None:
    async def body(case: Case) -> None:
        pass

    with pytest.raises(TypeError, match="no docstring"):
        procedure("TC_901_CS", title="t", mark="M", refs=["r"])(body)

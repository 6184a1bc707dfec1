"""A device that vanishes while a case needs it, and comes back, or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.capability import PowerMeter
from bench.case import Case
from bench.events import CaseEnded, DeviceClosed, DeviceLost, DeviceOpened, MadeSafe, StepStarted
from bench.plan import Plan, load_suites
from bench.procedure import procedure
from drivers.sim.pilot import UNPLUGGED
from tests.engine.meanwhile import check_sound, happened, meanwhile
from tests.procedures.simulated import Simulated, simulated

(SUITE,) = load_suites()


def titled(begin: str) -> Callable[[StepStarted], bool]:
    return lambda step: step.title.startswith(begin)


def of(case: str) -> Callable[[CaseEnded], bool]:
    return lambda end: end.case == case


def verdicts(bench: Simulated) -> dict[str, str]:
    return {case: end.verdict for case, end in bench.ended().items()}


def check_error(bench: Simulated, case: str, device: str) -> None:
    """Check that a case is an error that names the device, and that the others were made safe."""
    end = bench.ended()[case]
    assert (end.verdict, end.cause) == ("error", "LinkError")
    assert end.reason is not None
    assert end.reason.startswith(f"{device} (")
    assert [loss.device for loss in happened(bench, DeviceLost)][:1] == [device]
    # The lab is made safe right before the case ends.
    before = bench.records[: [record.event for record in bench.records].index(end)]
    safe = [record.event for record in before if isinstance(record.event, MadeSafe)][-1]
    assert set(safe.failures) <= {device}


async def test_a_card_changer_that_is_away_stops_only_the_cases_that_need_it(
    tmp_path: Path,
) -> None:
    async with simulated(tmp_path) as bench:
        twin = bench.lab.twins["card-changer"]
        async with (
            meanwhile(bench, StepStarted, titled("Present a valid card"), twin.disconnect),
            meanwhile(bench, CaseEnded, of("TC_010_CS"), twin.connect),
        ):
            result = await bench.run("TC_003_CS", "TC_010_CS", "TC_023_CS")
        check_error(bench, "TC_003_CS", "card-changer")
        # It is opened anew between two cases, once it is back.
        assert verdicts(bench) == {"TC_003_CS": "error", "TC_010_CS": "pass", "TC_023_CS": "pass"}
        opened = [event.device for event in happened(bench, DeviceOpened)]
        assert opened.count("card-changer") == 2
        assert len(opened) == 9
        assert result.complete
        check_sound(result)


async def test_a_pilot_box_that_is_away_while_plugged_in_is_safe_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with simulated(tmp_path) as bench:
        twin, connector = bench.lab.twins["pilot-box"], bench.lab.world.connectors[1]
        plugged = []

        async def back() -> None:
            # Its relays kept their position. It can be reached now, but the case can't go on:
            # nobody knows what it missed.
            plugged.append(connector.circuit != UNPLUGGED)
            await twin.connect()

        async with (
            meanwhile(bench, StepStarted, titled("Present a valid card"), twin.disconnect),
            meanwhile(bench, DeviceLost, lambda loss: True, back),
        ):
            result = await bench.run("TC_003_CS", "TC_010_CS")
        check_error(bench, "TC_003_CS", "pilot-box")
        assert plugged == [True]
        assert verdicts(bench) == {"TC_003_CS": "error", "TC_010_CS": "pass"}
        assert connector.circuit == UNPLUGGED
        check_sound(result)


async def test_a_device_that_stays_away_is_named_in_each_case_and_at_the_end(
    tmp_path: Path,
) -> None:
    async with simulated(tmp_path) as bench:
        twin = bench.lab.twins["pilot-box"]
        async with meanwhile(bench, StepStarted, titled("Present a valid card"), twin.disconnect):
            result = await bench.run("TC_003_CS", "TC_010_CS")
        check_error(bench, "TC_003_CS", "pilot-box")
        end = bench.ended()["TC_010_CS"]
        assert (end.verdict, end.phase) == ("error", "preamble")
        assert end.reason is not None
        assert end.reason.startswith("pilot-box was lost: pilot-box (")
        assert "can't connect" in end.reason
        assert [loss.device for loss in happened(bench, DeviceLost)] == ["pilot-box"] * 2
        closed = [event.device for event in happened(bench, DeviceClosed)]
        assert sorted(closed) == [
            "card-changer",
            "load",
            "mains",
            "meter",
            "modem",
            "network",
            "service-port",
        ]
        assert result.complete
        assert result.counts == {"error": 2}
        check_sound(result)


async def test_mains_that_are_away_stop_only_the_cases_that_need_them(tmp_path: Path) -> None:
    async with simulated(tmp_path) as bench:
        twin = bench.lab.twins["mains"]
        async with meanwhile(bench, StepStarted, titled("Cycle the supply"), twin.disconnect):
            result = await bench.run("TC_001_CS", "TC_019_CS")
        check_error(bench, "TC_001_CS", "mains")
        assert verdicts(bench) == {"TC_001_CS": "error", "TC_019_CS": "pass"}
        check_sound(result)


@procedure("TC_901_CS", title="Read the meter", mark="O", refs=["none"])
async def the_meter_can_be_read(case: Case, meter: PowerMeter) -> None:
    """The meter in the supply line can be read."""
    async with case.step("Read the meter"):
        reading = await meter.read()
        case.check("Voltage of the first phase in V", round(reading.voltage[0].value), 230)


async def test_a_meter_that_is_away_stops_only_the_cases_that_need_it(tmp_path: Path) -> None:
    others = [one for one in SUITE.procedures if one.id == "TC_019_CS"]
    plan = Plan(SUITE, (the_meter_can_be_read, *others), ())
    async with simulated(tmp_path) as bench:
        twin = bench.lab.twins["meter"]
        async with meanwhile(bench, StepStarted, titled("Read the meter"), twin.disconnect):
            result = await bench.session.run(plan, tmp_path / "run1")
        check_error(bench, "TC_901_CS", "meter")
        assert verdicts(bench) == {"TC_901_CS": "error", "TC_019_CS": "pass"}
        check_sound(result)


async def test_a_loss_that_only_making_safe_notices_is_mended_before_the_next_case(
    tmp_path: Path,
) -> None:
    """The case that ran meanwhile did not need the device, so its verdict stands."""
    async with simulated(tmp_path) as bench:
        twin = bench.lab.twins["pilot-box"]
        async with meanwhile(bench, StepStarted, titled("Ask for all keys"), twin.restart):
            result = await bench.run("TC_019_CS", "TC_010_CS")
        (loss,) = happened(bench, DeviceLost)
        assert loss.device == "pilot-box"
        (first, second) = happened(bench, MadeSafe)
        assert (set(first.failures), second.failures) == ({"pilot-box"}, {})
        assert verdicts(bench) == {"TC_019_CS": "pass", "TC_010_CS": "pass"}
        check_sound(result)

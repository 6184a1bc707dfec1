"""What the bench refuses, reduces and switches off, through real drivers on their twins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.capability import (
    Load,
    PilotFault,
    PowerMeter,
    VehicleCoupler,
    VehicleEmulator,
)
from bench.case import Case
from bench.device import Answer
from bench.errors import DeviceError
from bench.events import Acted, MadeSafe, Noted
from bench.procedure import Body
from bench.report import write_all
from bench.verify import verify
from tests.engine.loaded import Bench, charging, loaded_bench


async def refused(folder: Path, body: Body, more: str = "") -> Bench:
    """Run a body whose load is refused; check that it never was on, and the record."""
    async with loaded_bench(folder, more) as bench:
        ended = await bench.run(body)
        ((device, did, reason),) = bench.interlocked
        assert (device, did) == ("load", "refused")
        assert ended.reason == f"interlock: load is not switched on: {reason}"
        acted = next(one for one in bench.events(Acted) if one.capability == "Load" and one.error)
        assert (acted.method, acted.error) == ("draw", ended.reason)
        assert bench.lab.load.values["SINK:CURR"] == 0.0
        check_sound(bench)
    return bench


def check_sound(bench: Bench) -> None:
    folder = bench.lab.folder / "run"
    write_all(folder)
    assert verify(folder).faults == ()


async def test_no_load_without_a_vehicle(tmp_path: Path) -> None:
    async def body(case: Case, load: Load) -> None:
        """Draw at once."""
        await load.draw(current=6)

    bench = await refused(tmp_path, body)
    assert bench.interlocked[0][2] == "the control pilot is in state A, expected C or D"


async def test_no_load_before_the_vehicle_asks(tmp_path: Path) -> None:
    async def body(case: Case, coupler: VehicleCoupler, load: Load) -> None:
        """Draw in B."""
        await coupler.plug_in(1)
        await load.draw(current=6)

    bench = await refused(tmp_path, body)
    assert "state B, expected C or D" in bench.interlocked[0][2]


async def test_no_load_without_pwm(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path) as bench:

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Draw in C1."""
            bench.lab.offer(None)
            await coupler.plug_in(1)
            await vehicle.draw(1)
            await load.draw(current=6)

        ended = await bench.run(body)
        assert ended.verdict == "error"
        assert "state C without PWM: the station is not ready" in bench.interlocked[0][2]


async def test_a_load_is_off_before_the_vehicle_goes_from_c_to_d(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path) as bench:

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Ask for ventilation under load."""
            await charging(load, coupler, vehicle)
            await load.draw(current=10)
            await vehicle.draw(1)
            case.check("It asks as before", await load.is_drawing(), True)
            await vehicle.draw(1, ventilation=True)
            case.check("It asks for more", await load.is_drawing(), False)
            await load.draw(current=10)
            case.check("In D", await load.is_drawing(), True)

        ended = await bench.run(body)
        assert ended.verdict == "pass"
        before = "before pilot-box: draw: nothing is interrupted under load"
        assert bench.interlocked == [("load", "switched off", before)]


async def test_no_load_on_an_open_contactor(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path) as bench:
        contactor = bench.lab.world.connectors[1]

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Draw from a station whose contactor does not close."""
            contactor.close_contactor = lambda closed: None  # type: ignore[method-assign]
            await coupler.plug_in(1)
            await vehicle.draw(1)
            await load.draw(current=6)

        ended = await bench.run(body)
        assert ended.verdict == "error"
        assert "0 V at its terminals" in bench.interlocked[0][2]
        assert "the contactor is open" in bench.interlocked[0][2]


@pytest.mark.parametrize(
    ("current", "offer", "more", "says"),
    [
        (17, 16.0, "", "17 A is too much: the duty cycle of 26.67 % offers 16.002 A, the cable"),
        (21, 32.0, "", "21 A is too much: the cable allows 20 A, the load is made for 30 A"),
        (19, 32.0, "[limits]\ncurrent = 18\n", "19 A is too much: [limits] current is 18 A"),
        (11, 32.0, "[limits]\npower = 3250\n", "[limits] power is, at 325 V, 10 A"),
        (5, 32.0, "[limits]\nvoltage = 300\n", "325 V at its terminals, [limits] voltage is 300"),
        (-1, 16.0, "", "current is -1 A, expected more than 0"),
    ],
)
async def test_the_lowest_bound_counts(
    current: float, offer: float, more: str, says: str, tmp_path: Path
) -> None:
    async with loaded_bench(tmp_path, more) as bench:

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Draw too much."""
            bench.lab.offer(offer)
            await charging(load, coupler, vehicle)
            await load.draw(current=current)

        ended = await bench.run(body)
        assert ended.verdict == "error"
        ((_, did, reason),) = bench.interlocked
        assert did == "refused"
        assert says in reason
        check_sound(bench)


async def test_what_is_allowed_is_drawn_and_followed_when_the_offer_drops(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path) as bench:
        lab = bench.lab

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Draw while the offer changes."""
            await charging(load, coupler, vehicle)
            await load.draw(current=16)
            case.check("It draws", lab.load.drawn(), 16.0)
            lab.offer(10.0)
            await until(lambda: 0 < lab.load.drawn() < 10.1)
            lab.offer(None)
            await until(lambda: not lab.load.on)
            case.check("It is off", await load.is_drawing(), False)

        ended = await bench.run(body)
        assert ended.verdict == "pass", ended.reason
        reduced, off = bench.interlocked
        assert reduced[:2] == ("load", "reduced")
        assert reduced[2].startswith("from 16 A: the duty cycle of 16.67 % offers 10.")
        assert off[:2] == ("load", "switched off")
        assert "without PWM" in off[2]


async def forever() -> None:
    """Wait for an interlock to end the case."""
    async with asyncio.timeout(20.0):
        await asyncio.Event().wait()


async def until(holds: Any) -> None:
    """Wait for what the interlocks do by themselves."""
    async with asyncio.timeout(20.0):
        while not holds():  # noqa: ASYNC110 - the twin tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("more", "spoil", "reason"),
    [
        (
            "[limits]\ntemperature = 60\n",
            lambda lab: setattr(lab.meter, "celsius", 71.5),
            "meter: temperature reads 71.5 °C, [limits] temperature is 60 °C",
        ),
        (
            "[limits]\ncurrent = 12\n",
            lambda lab: lab.world.connectors[1].load(15.0),
            "meter: current of L1 reads 15 A, [limits] current is 12 A",
        ),
        ("", lambda lab: lab.load.alarm(), "load switched itself off"),
    ],
)
async def test_what_is_too_hot_or_too_much_ends_the_case(
    more: str, spoil: Any, reason: str, tmp_path: Path
) -> None:
    async with loaded_bench(tmp_path, more) as bench:
        lab = bench.lab

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Draw until something goes wrong."""
            await charging(load, coupler, vehicle)
            await load.draw(current=10)
            async with case.step("Wait"):
                spoil(lab)
                await forever()

        ended = await bench.run(body)
        assert (ended.verdict, ended.cause) == ("error", "DeviceError")
        assert ended.reason == f"interlock: load was switched off: {reason}"
        assert bench.interlocked == [("load", "switched off", reason)]
        # It was safe before the case's own clean-up.
        names = [type(one.event).__name__ for one in bench.records]
        assert names.index("Interlocked") < names.index("CaseEnded")
        assert not lab.load.on
        assert lab.pilot == "A"
        check_sound(bench)


async def test_a_meter_that_watches_over_a_limit_and_is_lost_ends_the_case(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path, "[limits]\ntemperature = 60\n") as bench:
        lab = bench.lab

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Draw without a meter."""
            await charging(load, coupler, vehicle)
            await load.draw(current=10)
            await lab.twins["meter"].disconnect()
            await forever()

        ended = await bench.run(body)
        assert ended.verdict == "error"
        assert ended.reason is not None
        assert "lost while the load was on: meter (" in ended.reason
        assert not lab.load.on


@pytest.mark.parametrize("act", ["unplug", "suspend", "fault", "plug in"])
async def test_nothing_is_interrupted_under_load(act: str, tmp_path: Path) -> None:
    async with loaded_bench(tmp_path) as bench:
        lab = bench.lab
        interrupted: list[str] = []
        connector = lab.world.connectors[1]
        wire = connector.wire

        def watched(circuit: Any) -> None:
            if lab.load.on:
                interrupted.append(f"{connector.circuit} -> {circuit}")
            wire(circuit)

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Interrupt it."""
            await charging(load, coupler, vehicle)
            await load.draw(current=10)
            connector.wire = watched  # type: ignore[method-assign]
            match act:
                case "unplug":
                    await coupler.unplug(1)
                case "suspend":
                    await vehicle.suspend(1)
                case "fault":
                    await vehicle.set_fault(1, PilotFault.CP_PE_SHORT)
                case _:
                    await coupler.plug_in(1)
            case.check("The load is off", await load.is_drawing(), False)

        ended = await bench.run(body)
        assert ended.verdict == "pass", ended.reason
        assert interrupted == []
        ((_, did, reason),) = bench.interlocked
        assert did == "switched off"
        assert reason.startswith("before pilot-box: ")


async def test_a_load_that_does_not_go_off_keeps_the_plug_in(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path) as bench:
        lab = bench.lab

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Unplug under load."""
            await charging(load, coupler, vehicle)
            await load.draw(current=10)
            lab.load.stuck = True
            try:
                await coupler.unplug(1)
            finally:
                case.note(f"pilot {lab.pilot}")

        ended = await bench.run(body)
        assert ended.verdict == "error"
        assert ended.reason is not None
        assert "load reads on, commanded off" in ended.reason
        assert Noted("pilot C") in bench.events(Noted)
        lab.load.stuck = False


async def test_a_bench_that_sees_no_pilot_draws_nothing(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path) as bench:
        config = bench.session.config
        others = tuple(one for one in config.devices if one.name != "pilot-box")
        blind = replace(config, devices=others)
        bench.session.bench._config = blind
        bench.session.bench.interlocks._observers._config = blind

        async def body(case: Case, load: Load) -> None:
            """Draw blindly."""
            await load.draw(current=6)

        ended = await bench.run(body)
        assert ended.verdict == "inconclusive"
        text = "no device of the bench observes the control pilot of connector 1"
        assert ended.reason == f"interlock: load is not switched on: {text}"


def operating(bench: Bench) -> list[str]:
    """Have every prompt of the bench answered with yes; return their texts."""
    desk, texts = bench.session.desk, []

    async def ask(kind: str, text: str, **_: Any) -> Answer:
        texts.append(text)
        return Answer(True, by="Ada")

    desk.ask = ask  # type: ignore[method-assign]
    return texts


async def test_a_load_by_hand_is_bound_by_what_devices_see(tmp_path: Path) -> None:
    async with loaded_bench(tmp_path, load='driver = "manual-load"') as bench:
        prompts = operating(bench)

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Ask a person."""
            await coupler.plug_in(1)
            with pytest.raises(DeviceError, match="state B, expected C or D"):
                await load.draw(current=10)
            await vehicle.draw(1)
            await load.draw(current=10)
            bench.lab.offer(6.0)
            await until(lambda: any("6 A" in text for text in prompts))
            await coupler.unplug(1)
            case.check("Prompts", len(prompts), 3)

        ended = await bench.run(body)
        assert ended.verdict == "pass", ended.reason
        assert prompts == [
            "Set the load to 10 A and switch it on.",
            "Set the load to 6 A and switch it on.",
            "Switch the load off.",
        ]


async def test_where_only_people_can_look_they_answer_for_it(tmp_path: Path) -> None:
    async with loaded_bench(
        tmp_path, load='driver = "manual-load"', pilot_box='driver = "manual-vehicle"'
    ) as bench:
        operating(bench)

        async def body(case: Case, load: Load) -> None:
            """Ask a person who sees what no device sees."""
            with pytest.raises(DeviceError, match="14 A is too much: the cable allows 13 A"):
                await load.draw(current=14)
            await load.draw(current=13)
            case.check("It draws", await load.is_drawing(), True)

        ended = await bench.run(body)
        assert ended.verdict == "pass", ended.reason
        assert [note.text for note in bench.events(Noted)] == [
            "no device of the bench observes the control pilot of connector 1: "
            "the operator answers for load",
            "no device of the bench knows the cable of connector 1: it counts as one for 13 A",
        ]


async def test_the_watch_ends_with_the_load_and_the_load_goes_first(tmp_path: Path) -> None:
    """A case that leaves its load on: the load goes off before the pilot moves."""
    async with loaded_bench(tmp_path) as bench:
        lab = bench.lab

        async def body(
            case: Case,
            coupler: VehicleCoupler,
            vehicle: VehicleEmulator,
            load: Load,
            meter: PowerMeter,
        ) -> None:
            """Leave it on."""
            await charging(load, coupler, vehicle)
            await load.draw(current=10)
            case.check("It flows", (await meter.read()).current[0].value, 10.0)
            connector = lab.world.connectors[1]
            wire = connector.wire

            def watched(circuit: Any) -> None:
                assert not lab.load.on
                wire(circuit)

            connector.wire = watched  # type: ignore[method-assign]

        ended = await bench.run(body)
        assert ended.verdict == "pass", ended.reason
        assert bench.events(MadeSafe) == [MadeSafe({})]
        assert not any(
            task.get_name().startswith(("watch over", "renewal of")) for task in asyncio.all_tasks()
        )


@pytest.mark.parametrize("by_case", [False, True])
async def test_who_is_told_to_be_off_did_not_switch_itself_off(
    by_case: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with loaded_bench(tmp_path) as bench:

        async def body(
            case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load
        ) -> None:
            """Have the watch look while the load is being released."""
            await charging(load, coupler, vehicle)
            await load.draw(current=16)
            device: Any = bench.session.bench._devices["load"]
            release, look, seen = device.release, device.is_drawing, asyncio.Event()

            async def slow_release() -> None:
                await release()
                seen.clear()
                async with asyncio.timeout(20.0):
                    await seen.wait()

            async def watched_look() -> bool:
                drawing: bool = await look()
                seen.set()
                return drawing

            monkeypatch.setattr(device, "release", slow_release)
            monkeypatch.setattr(device, "is_drawing", watched_look)
            await (load.release() if by_case else coupler.unplug(1))
            monkeypatch.undo()  # nobody looks at a load that is off
            case.check("It is off", bench.lab.load.on, False)

        ended = await bench.run(body)
        assert ended.verdict == "pass", ended.reason
        assert [did for _, did, _ in bench.interlocked] == ([] if by_case else ["switched off"])
        check_sound(bench)

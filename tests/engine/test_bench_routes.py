"""The operator sees, checks and moves the bench over the API while no run goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.acts import read_act
from bench.config import load_bench
from bench.dut import load_dut
from bench.engine import Engine
from bench.events import Acted, Interlocked
from bench.journal import Record
from bench.workplace import Busy
from drivers.sim.lab import open_lab
from tests.engine.loaded import loaded_lab
from tests.engine.programs import becomes_safe
from tests.engine.service import DEADLINE, Service, impatient, served

READER = """
[[device]]
name = "desk-reader"
driver = "manual-card-reader"
calibration = { certificate = "C-1", issuer = "Lab 7", date = 2026-03-02 }
"""


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Service]:
    """Serve an idle engine on the lab, whose operator reads the lab's cards as well."""
    async with open_lab(folder) as lab:
        out = folder / "runs"
        out.mkdir()
        path = lab.bench_file
        text = await asyncio.to_thread(path.read_text)
        await asyncio.to_thread(path.write_text, text + READER)
        engine = Engine(load_bench(path), [impatient(load_dut(lab.dut_file))], out)
        async with served(engine, out) as bench:
            bench.lab = lab
            yield bench


async def act(bench: Service, device: str, method: str, status: int = 200, **arguments: Any) -> Any:
    body = {"device": device, "method": method, "arguments": arguments}
    answer = await bench.post("/bench/act", status, **body)
    return answer["result"] if status == 200 else answer["detail"]


async def test_whoever_comes_to_an_idle_engine_sees_all_of_it_and_what_is_done_by_hand(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as bench, bench.stream() as viewer:
        assert bench.lab is not None
        connector = bench.lab.world.connectors[1]
        snapshot = viewer.snapshot
        assert snapshot["dut"]["model"]
        assert {one["state"] for one in snapshot["bench"]["devices"]} == {"closed"}
        assert len(snapshot["bench"]["devices"]) == len(bench.engine.config.devices)

        assert await act(bench, "pilot-box", "plug_in", connector=1) is None
        assert (await act(bench, "pilot-box", "read_pilot", connector=1))["state"] == "B"
        assert connector.pilot_state() == "B"
        done = (await viewer.event("Acted"))["data"]
        assert (done["device"], done["method"]) == ("pilot-box", "plug_in")
        assert {frame["run"] for frame in viewer.frames} == {None}

        wiring = await bench.get("/bench")
        box = next(one for one in wiring["devices"] if one["name"] == "pilot-box")
        assert (box["state"], box["connectors"], box["by_hand"]) == ("ready", [1], False)
        assert box["link"].startswith("modbus-tcp://")
        paper = {"certificate": "C-1", "issuer": "Lab 7", "date": "2026-03-02", "due": None}
        assert wiring["devices"][-1]["calibration"] == {**paper, "note": ""}
        assert (await bench.post("/bench/safe"))["failures"] == {}
        await becomes_safe(bench.lab)
        states = (await bench.get("/session"))["bench"]["devices"]
        assert {one["state"] for one in states} == {"closed"}

        # What was pulled out is looked for again at the next act.
        await act(bench, "meter", "read")
        await bench.lab.twins["meter"].disconnect()
        assert "meter" in await act(bench, "meter", "read", 500)
        assert "meter" in (await viewer.event("DeviceLost"))["data"]["device"]
        await bench.lab.twins["meter"].connect()
        assert (await act(bench, "meter", "read"))["power"]["value"] == 0

        # The check takes every device by itself, so the hands have let go of them.
        rows = await bench.post("/bench/test", devices=["meter", "desk-reader"])
        assert [(one["name"], one["state"]) for one in rows] == [
            ("meter", "sound"),
            ("desk-reader", "answers"),
        ]
        assert (await viewer.event("DeviceChecked"))["data"]["state"] == "sound"
        wiring = await bench.get("/bench")
        checked = {one["name"]: one["checked"] for one in wiring["devices"]}
        assert checked["meter"]["state"] == "sound"
        assert checked["pilot-box"] is None
        detail = (await bench.post("/bench/test", 422, devices=["metre"]))["detail"]
        assert detail == "there is no device 'metre', did you mean 'meter'?"


async def test_one_absent_device_keeps_no_other_from_working(tmp_path: Path) -> None:
    async with desk(tmp_path) as bench, bench.stream() as viewer:
        assert bench.lab is not None
        connector = bench.lab.world.connectors[1]
        await bench.lab.twins["meter"].disconnect()
        await act(bench, "pilot-box", "plug_in", connector=1)
        assert connector.pilot_state() == "B"
        lost = (await viewer.event("DeviceLost"))["data"]
        assert lost["device"] == "meter"

        devices = {one["name"]: one for one in (await bench.get("/bench"))["devices"]}
        assert (devices["meter"]["state"], devices["meter"]["message"]) == (
            "absent",
            lost["reason"],
        )
        assert {one["state"] for one in devices.values()} == {"ready", "absent", "closed"}
        assert await act(bench, "meter", "read", 500) == f"meter is absent: {lost['reason']}"
        assert (await act(bench, "pilot-box", "read_pilot", connector=1))["state"] == "B"

        # What can't be reached is not called safe, and what comes back serves again.
        assert (await bench.post("/bench/safe"))["failures"] == {"meter": lost["reason"]}
        await becomes_safe(bench.lab)
        await act(bench, "pilot-box", "plug_in", connector=1)
        await bench.lab.twins["meter"].connect()
        assert (await act(bench, "meter", "read"))["power"]["value"] == 0
        assert (await bench.post("/bench/safe"))["failures"] == {}
        await becomes_safe(bench.lab)


async def test_what_the_interlocks_have_to_know_is_not_absent(tmp_path: Path) -> None:
    async with loaded_lab(tmp_path) as lab:
        out = tmp_path / "runs"
        out.mkdir()
        engine = Engine(load_bench(lab.bench_file()), [load_dut(lab.dut_file())], out)
        did: list[Interlocked | Acted] = []

        def note(record: Record) -> None:
            if isinstance(record.event, Interlocked | Acted):
                did.append(record.event)

        await lab.twins["load"].disconnect()
        async with served(engine, out) as bench:
            with engine.stream.watched_by(note):
                why = await act(bench, "pilot-box", "plug_in", 500, connector=1)
            assert why.startswith("interlock: pilot-box: plug_in is refused: load is absent: ")
            assert lab.pilot == "A"
            refused, acted = did
            assert isinstance(refused, Interlocked)
            assert (refused.device, refused.did) == ("pilot-box", "refused")
            assert isinstance(acted, Acted)
            assert acted.error == why
            assert (await act(bench, "pilot-box", "read_pilot", connector=1))["state"] == "A"
            assert "load is absent" in await act(bench, "pilot-box", "draw", 500, connector=1)

            await lab.twins["load"].connect()
            await act(bench, "pilot-box", "plug_in", connector=1)
            assert lab.pilot == "B"
        assert lab.pilot == "A"
        assert not lab.load.on


async def test_an_act_that_can_not_be_done_is_refused_and_recorded(tmp_path: Path) -> None:
    async with desk(tmp_path) as bench, bench.stream() as viewer:
        bench.engine.desk.refuse("nobody is there")
        why = await act(bench, "desk-reader", "await_card", 422, within=1.0)
        assert "nobody is there" in why
        done = (await viewer.event("Acted"))["data"]
        assert (done["device"], done["method"]) == ("desk-reader", "await_card")
        assert done["error"].startswith(why)


async def test_no_secret_of_the_bench_is_recorded_of_what_is_done_by_hand(tmp_path: Path) -> None:
    async with open_lab(tmp_path) as lab:
        text = await asyncio.to_thread(lab.bench_file.read_text)
        text = text.replace('driver = "netio"', 'driver = "netio"\npassword = "open-sesame"')
        await asyncio.to_thread(lab.bench_file.write_text, text)
        out = tmp_path / "runs"
        out.mkdir()
        async with served(Engine(load_bench(lab.bench_file), [], out), out) as bench:
            async with bench.stream() as viewer:
                card = {"name": "open-sesame", "id_tag": "open-sesame"}
                body = {"device": "card-changer", "method": "present", "arguments": {"card": card}}
                await bench.post("/bench/act", 500, **body)
                done = await viewer.event("Acted")
    assert done["data"]["arguments"]["card"]["id_tag"] == "***"


async def test_what_does_not_fit_a_capability_moves_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as bench:
        for device, method, arguments, text in (
            ("pilotbox", "plug_in", {}, "no device 'pilotbox', did you mean 'pilot-box'?"),
            ("pilot-box", "plugin", {}, "has no method 'plugin', did you mean 'plug_in'?"),
            ("pilot-box", "__init__", {}, "has no method '__init__'"),
            ("pilot-box", "plug_in", {}, "argument 'connector' is missing"),
            ("pilot-box", "plug_in", {"connector": 9}, "expected one of 1"),
            ("pilot-box", "plug_in", {"connector": "1"}, '"1", expected a whole number'),
            ("pilot-box", "plug_in", {"conector": 1}, "did you mean 'connector'?"),
            ("pilot-box", "draw", {"connector": 1, "current": "NaN"}, "expected a number"),
            ("pilot-box", "draw", {"connector": 1, "current": 10**400}, "of usual size"),
            ("pilot-box", "unplug", {"connector": 1, "end": "left"}, "one of both, vehicle"),
            ("meter", "read", {"x": 1}, "no argument 'x', it has none"),
            ("card-changer", "present", {"card": "gold"}, "no card named 'gold'"),
            ("network", "cut", {}, "stands before the OCPP endpoint"),
        ):
            status = 501 if device == "network" else 422
            assert text in await act(bench, device, method, status, **arguments)
        body = '{"device": "pilot-box", "method": "draw", "arguments": {"current": NaN}}'
        answer = await bench.http.post("/api/v1/bench/act", content=body)
        assert answer.status_code == 422
        journals = list((tmp_path / "runs" / "engine").glob("*.jsonl"))
        assert not any(b'"DeviceOpened"' in path.read_bytes() for path in journals)


async def test_a_card_on_the_labs_reader_is_written_as_stations_do(tmp_path: Path) -> None:
    async with desk(tmp_path) as bench:

        async def lay(answer: Any) -> None:
            async for prompts in bench.engine.desk.changes():
                if prompts:
                    await bench.post(f"/prompts/{prompts[0].id}/answer", answer=answer)
                    return

        reading = asyncio.create_task(bench.post("/bench/card", within=DEADLINE))
        async with asyncio.timeout(DEADLINE):
            await lay("04 A1 B2 C3")
        card = await reading
        assert card["uid"] == "04A1B2C3"
        assert card["notations"]["upper"] == "04A1B2C3"
        assert card["notations"]["reversed"] == "C3B2A104"
        assert card["notations"]["decimal"] == str(0x04A1B2C3)
        # Another card is another turn.
        detail = (await bench.post("/bench/card", 504, within=0.05))["detail"]
        assert detail == "desk-reader: no card within 0.05 s"


async def test_an_act_that_comes_while_the_lab_is_made_safe_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as bench:
        assert bench.lab is not None
        place = bench.engine.workplace
        config, pixit = bench.engine.config, bench.engine.duts.pixit
        plugging = read_act(config, pixit, "pilot-box", "plug_in", {"connector": 1}, None)
        safe = asyncio.create_task(place.make_safe())
        act_of = asyncio.create_task(place.act(place.actuators.do(plugging)))
        await asyncio.wait([safe, act_of])
        assert safe.result() == {}
        refused = act_of.exception()
        assert isinstance(refused, Busy)
        assert str(refused) == "the lab is made safe"
        await becomes_safe(bench.lab)


async def test_the_bench_is_for_one_at_a_time(tmp_path: Path) -> None:
    async with desk(tmp_path) as bench:
        # A card is waited for; whoever makes the lab safe does not wait with it.
        waiting = asyncio.create_task(bench.http.post("/api/v1/bench/card", json={"within": 100}))
        async for prompts in bench.engine.desk.changes():
            if prompts:
                break
        assert "at work" in (await bench.post("/bench/test", 409))["detail"]
        assert "at work" in (await bench.post("/runs", 409, cases=["TC_019_CS"]))["detail"]
        assert (await bench.post("/bench/safe"))["failures"] == {}
        assert (await waiting).status_code == 409
        async with bench.stream() as viewer:
            await bench.start("TC_019_CS")
            for path in ("/test", "/scan", "/safe", "/card"):
                assert "is going on" in (await bench.post(f"/bench{path}", 409))["detail"]
            assert "is going on" in await act(bench, "meter", "read", 409)
            await viewer.event("RunEnded")


async def test_the_end_of_the_engine_cuts_short_what_is_done_by_hand(tmp_path: Path) -> None:
    async with desk(tmp_path) as bench:
        await act(bench, "pilot-box", "plug_in", connector=1)
        long = {"device": "mains", "method": "cycle", "arguments": {"off_for": 1000}}
        answer = asyncio.create_task(bench.http.post("/api/v1/bench/act", json=long))
        assert bench.lab is not None
        world = bench.lab.world
        async with asyncio.timeout(DEADLINE):
            await world.until(lambda: not world.mains, within=DEADLINE)
        bench.engine.close("the test")
        assert (await answer).json() == {"detail": "the engine ends"}
    await becomes_safe(bench.lab)

"""The bench as the hands of another test tool: switched on, in turn with runs, recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.capability import Load
from bench.config import ApiSettings, load_bench
from bench.dut import load_dut
from bench.engine import Engine
from bench.events import Acted, Interlocked
from bench.journal import JournalReader, Record
from drivers.sim.lab import Lab, open_lab
from tests.engine.loaded import loaded_lab
from tests.engine.programs import becomes_safe
from tests.engine.service import DEADLINE, Service, impatient, served, service


@asynccontextmanager
async def hands(folder: Path) -> AsyncIterator[tuple[Service, Lab]]:
    async with open_lab(folder) as lab:
        out = folder / "runs"
        out.mkdir()
        config = replace(load_bench(lab.bench_file), api=ApiSettings(actuators=True))
        engine = Engine(config, [impatient(load_dut(lab.dut_file))], out)
        async with served(engine, out) as bench:
            yield bench, lab


async def act(bench: Service, path: str, status: int = 200) -> str:
    answer = await bench.http.post(f"/api/v1{path}")
    assert answer.status_code == status, answer.text
    return answer.text


async def test_another_tool_moves_the_lab_and_leaves_it_safe(tmp_path: Path) -> None:
    async with hands(tmp_path) as (bench, lab):
        connector = lab.world.connectors[1]
        assert await act(bench, "/plugin?evse_id=1&connector_id=1") == "OK"
        async with asyncio.timeout(DEADLINE):
            await lab.world.until(lambda: connector.pilot_state() == "B", within=DEADLINE)
        assert await act(bench, "/plugout") == "OK"
        async with asyncio.timeout(DEADLINE):
            await lab.world.until(lambda: connector.pilot_state() == "A", within=DEADLINE)
        card = load_dut(lab.dut_file).pixit.card("valid")
        await act(bench, f"/authorize?id={card.id_tag}&type=ISO14443")
        assert "no card 'none'" in await act(bench, "/authorize?id=none", 500)
        await act(bench, "/plugin")
        await act(bench, "/end")
        await becomes_safe(lab)
    (journal,) = (tmp_path / "runs" / "engine").glob("*.jsonl")
    acts = [one.event for one in JournalReader(journal) if isinstance(one.event, Acted)]
    assert [(one.capability, one.method) for one in acts if one.error is None][:3] == [
        ("VehicleCoupler", "plug_in"),
        ("VehicleCoupler", "unplug"),
        ("CardPresenter", "present"),
    ]


async def test_a_run_begins_with_a_safe_lab_and_shuts_the_hands_out(tmp_path: Path) -> None:
    async with hands(tmp_path) as (bench, _):
        await act(bench, "/plugin")
        async with bench.stream() as viewer:
            run = await bench.start("TC_019_CS")
            for path in ("/plugin", "/plugout", "/authorize?id=x", "/reboot", "/state", "/end"):
                assert "is going on" in await act(bench, path, 409)
            assert (await viewer.event("RunEnded"))["data"]["counts"] == {"pass": 1}
        await act(bench, "/plugin")
        assert [one["run"] for one in await bench.get("/runs")] == [run]


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/plugin?halfway=true", 501, "halfway"),
        ("/parkingbay?occupied=true", 501, "no device of the bench moves a vehicle onto a parking"),
        ("/parkingbay?occupied=maybe", 422, "query.occupied"),
        ("/plugin?evse_id=9", 501, "not exactly one device with VehicleCoupler for connector 9"),
        ("/plugin?evse_id=0", 422, "query.evse_id"),
        ("/authorize", 422, "query.id: Field required"),
        ("/state?charging_limit=-1", 422, "query.charging_limit"),
    ],
)
async def test_what_the_bench_can_not_do_is_said(
    tmp_path: Path, path: str, status: int, text: str
) -> None:
    async with hands(tmp_path) as (bench, _):
        assert text in await act(bench, path, status)


async def test_the_hands_are_off_unless_switched_on(tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        for path in ("/plugin", "/plugout", "/authorize?id=x", "/reboot", "/state", "/end"):
            await act(bench, path, 404)


async def test_states_of_vehicle_pilot_and_station_are_brought_about(tmp_path: Path) -> None:
    async with hands(tmp_path) as (bench, lab):
        connector = lab.world.connectors[1]

        async def pilot(letter: str) -> None:
            await lab.world.until(lambda: connector.pilot_state() == letter, within=DEADLINE)

        await act(bench, "/plugin")
        await act(bench, "/state?ready=true")
        await pilot("C")
        await act(bench, "/state?ready=false&unlock_failed=true")
        await pilot("B")
        assert connector.lock_blocked
        await act(bench, "/state?unlock_failed=false&refused_local_auth_list=true")
        assert not connector.lock_blocked
        assert not lab.world.list_storage_works
        await act(bench, "/state?refused_local_auth_list=false")
        assert lab.world.list_storage_works
        await act(bench, "/state?faulted=true")
        assert connector.circuit.pilot_shorted
        await act(bench, "/state?faulted=false")
        assert not connector.circuit.pilot_shorted
        problem = await act(bench, "/state?charging_limit=10", 500)
        assert "pilot-box" in problem
        assert await act(bench, "/state") == "OK"


async def test_the_hands_keep_the_interlocks(tmp_path: Path) -> None:
    async with loaded_lab(tmp_path) as lab:
        config = replace(load_bench(lab.bench_file()), api=ApiSettings(actuators=True))
        out = tmp_path / "runs"
        out.mkdir()
        engine = Engine(config, [load_dut(lab.dut_file())], out)
        did: list[Interlocked | Acted] = []

        def note(record: Record) -> None:
            if isinstance(record.event, Interlocked | Acted):
                did.append(record.event)

        async with served(engine, out) as bench:
            await act(bench, "/plugin")
            await act(bench, "/state?ready=true")
            await lab.sees(lambda: lab.world.connectors[1].live)
            # Whatever else of the bench is on by then: nothing is interrupted under load.
            async with engine.workplace.actuators._device(Load, 1) as (load, _):
                await load.draw(current=6)
            assert lab.load.on
            with engine.stream.watched_by(note):
                await act(bench, "/plugout")
            assert not lab.load.on
        interlocked, acted = did
        assert isinstance(interlocked, Interlocked)
        assert (interlocked.device, interlocked.did) == ("load", "switched off")
        assert isinstance(acted, Acted)
        assert acted.method == "unplug"
        assert lab.pilot == "A"


async def test_a_watch_that_loses_its_cancellation_keeps_no_load_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with loaded_lab(tmp_path) as lab:
        config = replace(load_bench(lab.bench_file()), api=ApiSettings(actuators=True))
        out = tmp_path / "runs"
        out.mkdir()
        engine = Engine(config, [load_dut(lab.dut_file())], out)
        hands = engine.workplace.actuators
        looking, lost = asyncio.Event(), asyncio.Event()
        async with served(engine, out) as bench:
            await act(bench, "/plugin")
            await act(bench, "/state?ready=true")
            await lab.sees(lambda: lab.world.connectors[1].live)
            device: Any = hands.bench._devices["load"]
            look = device.is_drawing

            async def is_drawing() -> bool:
                """Swallow one cancellation, as a library may."""
                if not lost.is_set():
                    looking.set()
                    with suppress(asyncio.CancelledError):
                        await asyncio.Event().wait()
                    lost.set()
                drawing: bool = await look()
                return drawing

            async with hands._device(Load, 1) as (load, _):
                await load.draw(current=6)
            monkeypatch.setattr(device, "is_drawing", is_drawing)
            async with asyncio.timeout(DEADLINE):
                await looking.wait()
                await hands.release()
            assert lost.is_set()
            assert not lab.load.on


async def test_what_is_there_is_made_safe_before_what_is_gone_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with loaded_lab(tmp_path) as lab:
        config = replace(load_bench(lab.bench_file()), api=ApiSettings(actuators=True))
        out = tmp_path / "runs"
        out.mkdir()
        engine = Engine(config, [load_dut(lab.dut_file())], out)
        bench = engine.workplace.actuators.bench
        seen: list[str] = []
        reopen = bench.reopen_lost

        async def watched(only: Collection[str] | None = None) -> None:
            seen.append(lab.pilot)
            await reopen(only)

        async with served(engine, out) as service:
            await lab.twins["meter"].disconnect()
            await act(service, "/plugin")
            assert lab.pilot == "B"
            monkeypatch.setattr(bench, "reopen_lost", watched)
            failures = (await service.post("/bench/safe"))["failures"]
        assert set(failures) == {"meter"}
        assert seen == ["A"]

"""The scans of drivers: what is found on twins, and that nothing is sent to strangers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.errors import LinkError
from drivers import hilink_scan, modbus_scan
from drivers.sim.e3372_hilink import E3372Hilink
from drivers.sim.energy_meter import EnergyMeter
from drivers.sim.modbus import ModbusLine, Unit
from drivers.sim.phoenix_ev_cc import PhoenixEvCc
from drivers.sim.radio import Radio
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire, TcpWire
from drivers.sim.world import World
from tests.wire.responders import modbus_tcp, tcp_server

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
NEAR = HEAD + "usb0\t0000007F\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
"""127.0.0.0/24 on an interface, as the kernel prints it."""
ELSEWHERE = {
    "a default route": HEAD + "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
    "a default route on the link": HEAD
    + "wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n",
    "through a gateway": HEAD + "eth0\t0000007F\t0102A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
    "a wide network": HEAD + "tun0\t0000007F\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n",
    "another network": HEAD + "eth0\t0008A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
    "no route": HEAD,
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.timeline.stop()


def routes(folder: Path, text: str) -> Path:
    path = folder / "route"
    path.write_text(text, "ascii")
    return path


async def test_a_dongle_on_an_interface_is_found(world: World, tmp_path: Path) -> None:
    async with Twin(E3372Hilink(Radio(world.timeline)), TcpWire("http")) as twin:
        found = await hilink_scan.scan(twin.link, routes=routes(tmp_path, NEAR))
    assert len(found) == 1
    assert found[0].startswith(f"{twin.link} (E3372")
    assert await hilink_scan.scan(twin.link, routes=routes(tmp_path, NEAR)) == []


@pytest.mark.parametrize("table", ELSEWHERE)
async def test_nothing_is_sent_through_a_gateway(table: str, tmp_path: Path) -> None:
    connections = []

    async def talk(reader: object, writer: object) -> None:
        connections.append(reader)

    async with tcp_server(talk) as port:
        base = f"http://127.0.0.1:{port}"
        assert await hilink_scan.scan(base, routes=routes(tmp_path, ELSEWHERE[table])) == []
    assert connections == []


@asynccontextmanager
async def line(world: World, *units: Unit) -> AsyncIterator[str]:
    wire = PtyWire("modbus-rtu", baudrate=115200)
    async with Twin(ModbusLine(units, "rtu"), wire) as twin:
        yield twin.link


async def scanned(link: str, units: range) -> dict[int, str]:
    return {unit: text async for unit, text in modbus_scan.scan(link, units)}


async def test_units_are_told_by_what_they_say_of_themselves(world: World) -> None:
    meter = EnergyMeter(world.supply, world.timeline, address=2)
    controller = PhoenixEvCc(world.connectors[1], world.timeline, address=4)
    async with line(world, meter, controller) as link:
        found = await scanned(link, range(1, 6))
    assert sorted(found) == [2, 4]
    assert "eastron-sdm630" in found[2]
    assert found[4] == "phoenix-ev-cc, EV-CC-AC1-M3-CBC-SER-HS"


async def test_a_scan_ends_in_time_and_says_where(world: World) -> None:
    async with line(world) as link:
        found = [each async for each in modbus_scan.scan(link, range(1, 100), within=0.0)]
    assert found == [(1, "not asked, nor those after it: 0 s are over")]


async def test_a_scan_only_reads() -> None:
    asked: set[int] = set()

    async def answer(unit: int, request: bytes) -> bytes | None:
        asked.add(request[0])
        return bytes((request[0] | 0x80, 2))

    async with modbus_tcp(answer) as link:
        assert await scanned(link, range(7, 8)) == {7: "answers, and is none that Pilotbench knows"}
    assert asked <= {1, 3, 4}


async def test_a_line_that_breaks_ends_the_scan(world: World) -> None:
    meter = EnergyMeter(world.supply, world.timeline)
    async with Twin(ModbusLine([meter], "tcp"), TcpWire("modbus-tcp")) as twin:
        scan = modbus_scan.scan(twin.link, range(1, 3))
        assert (await anext(scan))[0] == 1
        await twin.disconnect()
        with pytest.raises(LinkError, match=r"^scan \(modbus-tcp"):
            await anext(scan)

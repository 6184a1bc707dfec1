"""The simulated lab as a whole, with a stub of a station: its files, its power, its life."""

from __future__ import annotations

import asyncio
import socket
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bench.capability import CAPABILITIES, CardReader, Multimeter, ReferenceEvse
from bench.config import load_bench
from bench.dut import load_dut
from bench.errors import ConfigError
from drivers.sim.bench_files import free_port, listen_address
from drivers.sim.lab import READ_TIME, open_lab
from stations.hardware import CardRead
from tests.wire.stub_station import DEADLINE, Stub, expect_life, stub_of
from tests.wire.terminal import Serial


async def test_the_files_fit_the_lab(tmp_path: Path) -> None:
    async with open_lab(tmp_path, make_station=Stub, defects=["mute"]) as lab:
        assert (lab.bench_file, lab.dut_file) == (tmp_path / "bench.toml", tmp_path / "dut.toml")
        bench = load_bench(lab.bench_file)
        links = {device.name: getattr(device.settings, "link", None) for device in bench.devices}
        assert links == {name: twin.link for name, twin in lab.twins.items()} | {"network": None}
        offered = {capability for device in bench.devices for capability in device.driver.offers}
        # These serve the lab itself, no case; everything else needs nobody's hand.
        assert offered == set(CAPABILITIES) - {CardReader, Multimeter, ReferenceEvse}
        station = stub_of(lab)
        assert station.settings.url == f"ws://{bench.ocpp.listen}/ocpp"
        assert list(station.defects) == ["mute"]
        dut = load_dut(lab.dut_file)
        assert dut.dut.identity == station.settings.identity
        assert dut.pixit.connectors == len(station.hardware.connectors)
        assert dut.pixit.card("valid").parent == dut.pixit.card("second").parent
        assert dut.pixit.card("invalid").status == "Invalid"
        assert dut.pics["C-07"] is True


async def test_the_outlet_is_the_stations_power(tmp_path: Path) -> None:
    async with open_lab(tmp_path, make_station=Stub) as lab:
        await expect_life(lab, "boots")
        url = f"{lab.twins['mains'].link}/netio.json"
        async with httpx.AsyncClient(timeout=DEADLINE) as client:
            await client.post(url, json={"Outputs": [{"ID": 2, "Action": 0}]})
            await client.post(url, json={"Outputs": [{"ID": 1, "Action": 0}]})
            await expect_life(lab, "dies")
            assert not lab.world.mains
            await client.post(url, json={"Outputs": [{"ID": 1, "Action": 1}]})
            await expect_life(lab, "boots")


async def test_a_dip_of_the_mains_is_a_reboot(tmp_path: Path) -> None:
    async with open_lab(tmp_path, make_station=Stub) as lab:
        await expect_life(lab, "boots")
        lab.world.set_mains(False)
        lab.world.set_mains(True)
        await expect_life(lab, "dies", "boots")
    assert stub_of(lab).life.get_nowait() == "dies"


async def test_a_finger_reaches_the_reader(tmp_path: Path) -> None:
    async with open_lab(tmp_path, make_station=Stub) as lab:
        await expect_life(lab, "boots")
        line = Serial(lab.twins["card-changer"].link)
        line.write(bytes.fromhex("84 02 40 3E"))  # the third card, 8000 quarters of a us
        async with asyncio.timeout(DEADLINE):
            assert await stub_of(lab).sensed.get() == CardRead("0400C0FFEE0000", 1)
        line.close()


async def test_a_station_that_crashes_ends_the_lab(tmp_path: Path) -> None:
    class Crashing(Stub):
        async def run(self) -> None:
            raise ZeroDivisionError("in the station")

    with pytest.raises(ZeroDivisionError, match="in the station"):
        async with open_lab(tmp_path, make_station=Crashing):
            await asyncio.sleep(DEADLINE)


async def test_an_error_of_the_test_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with open_lab(tmp_path, make_station=Stub):
            raise LookupError("mine")


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    for _ in range(2):
        async with open_lab(tmp_path, make_station=Stub) as lab:
            port = urlsplit(lab.twins["mains"].link).port
            assert port
            assert (tmp_path / "meter.tty").is_symlink()
        assert asyncio.all_tasks() == before
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert not (tmp_path / "meter.tty").is_symlink()


async def test_two_labs_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with (
        open_lab(tmp_path / "a", make_station=Stub) as one,
        open_lab(tmp_path / "b", make_station=Stub) as other,
    ):
        assert not {twin.link for twin in one.twins.values()} & {
            twin.link for twin in other.twins.values()
        }
        one.world.connectors[1].plug_in()
        assert other.world.connectors[1].pilot_state() == "A"


async def test_no_such_variant(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'tandem', known are default"):
        async with open_lab(tmp_path, variant="tandem", make_station=Stub):
            pass


@pytest.mark.parametrize(
    ("csms", "listen"),
    [
        ("ws://127.0.0.1:9123/ocpp", "127.0.0.1:9123"),
        ("ws://localhost:9123", "localhost:9123"),
        ("ws://[::1]:9123/x/y", "[::1]:9123"),
    ],
)
def test_the_bench_listens_where_the_csms_is(csms: str, listen: str) -> None:
    assert listen_address(csms) == listen


def test_a_csms_elsewhere_leaves_the_bench_a_free_port() -> None:
    assert listen_address("wss://csms.example/ocpp").startswith("127.0.0.1:")


def test_a_free_port_is_none_that_the_system_hands_out() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    port = free_port()
    assert 10_000 <= port < lowest
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))


async def test_a_card_is_held_clearly_longer_than_the_reader_needs(tmp_path: Path) -> None:
    """Else a busy machine decides whether a card was read."""
    async with open_lab(tmp_path, make_station=Stub) as lab:
        bench = tomllib.loads(lab.bench_file.read_text("utf-8"))
    (changer,) = (one for one in bench["device"] if one["driver"] == "card-changer")
    assert changer["hold"] >= 4 * READ_TIME > 0

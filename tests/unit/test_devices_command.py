"""`pilotbench devices`: one device that fails neither hides the others nor goes unnamed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

import bench.checkup
import bench.scan
from bench.capability import PowerSwitch
from bench.checkup import Finding, check_up
from bench.cli import main
from bench.config import BenchConfig, BenchSettings, DeviceEntry, load_bench
from bench.device import Device, Driver, Identity
from bench.errors import ConfigError, DeviceError, DeviceTimeout, LinkError, Unverifiable
from bench.scan import scan
from drivers.sim.lab import Lab, open_lab
from drivers.transcript import recording, replaying
from tests.wire.stub_station import Stub


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, make_station=Stub) as lab:
        yield lab


async def run(*arguments: str | Path) -> tuple[int | None, list[dict[str, Any]], str]:
    """Run the command in a process of its own: exit code, rows, errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "devices", "--json", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, json.loads(out or "[]"), err.decode()


async def test_every_device_of_the_simulated_lab_is_sound(lab: Lab) -> None:
    code, rows, errors = await run("--bench", lab.bench_file, "--test")
    assert (code, errors) == (0, "")
    config = await asyncio.to_thread(load_bench, lab.bench_file)
    names = [device.name for device in config.devices]
    assert [(row["name"], row["state"]) for row in rows] == [(name, "sound") for name in names]
    assert {key for row in rows for key in row} == {"name", "driver", "offers", "state", "message"}
    assert rows[0]["offers"] == ["VehicleCoupler", "VehicleEmulator"]
    assert "A, B, C, B, A" in rows[0]["message"]


async def test_one_that_is_unplugged_is_named_and_the_others_are_tested(lab: Lab) -> None:
    await lab.twins["meter"].disconnect()
    code, rows, errors = await run("--bench", lab.bench_file, "--test")
    assert code == 2
    states = {row["name"]: row["state"] for row in rows}
    assert states.pop("meter") == "absent"
    assert len(states) >= 4
    assert set(states.values()) == {"sound"}
    assert errors.startswith("pilotbench: meter is absent: meter (modbus-rtu:")
    assert len(errors.splitlines()) == 1


async def test_each_device_of_the_lab_is_named_when_it_is_unplugged(lab: Lab) -> None:
    config = await asyncio.to_thread(load_bench, lab.bench_file)
    assert {device.name for device in config.devices} == {*lab.twins, "network"}
    for name, twin in lab.twins.items():
        await twin.disconnect()
        states = {each.name: each.state async for each in check_up(config, test=False)}
        assert states.pop(name) == "absent", name
        assert set(states.values()) == {"answers"}, name
        await twin.connect()
    assert {each.state async for each in check_up(config, test=False)} == {"answers"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--bench", "no.toml"],
        [],
        ["--scan", "--test"],
        ["--bench", "no.toml", "--modbus", "modbus-tcp://127.0.0.1:1"],
        ["--scan", "--modbus", "carrier-pigeon://loft"],
    ],
)
def test_a_wrong_command_line_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", *arguments]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("units", ["0-3", "5-1", "240-248", "x", "1-", "-1"])
def test_wrong_units_are_a_usage_error(units: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["devices", "--scan", "--modbus", "modbus-tcp://127.0.0.1:1", f"--units={units}"]) == 3
    )
    assert "expected" in capsys.readouterr().err


async def test_a_scan_tells_which_modbus_units_answer(lab: Lab) -> None:
    twin = lab.twins["meter"]
    code, rows, errors = await run("--scan", "--modbus", twin.link, "--units", "1-2")
    assert (code, errors) == (0, "")
    (meter,) = [row for row in rows if row["name"].startswith("modbus-rtu:")]
    assert meter["name"] == f"{twin.link} unit 1"
    assert meter["state"] == "found"
    assert "profile eastron-sdm630, serial number" in meter["message"]


async def test_a_scan_of_a_link_that_is_not_there_goes_on(lab: Lab) -> None:
    box = lab.twins["pilot-box"].link
    gone = "modbus-tcp://127.0.0.1:1"
    code, rows, _ = await run("--scan", "--modbus", gone, "--modbus", box, "--units", "1-4")
    assert code == 0
    found = {row["name"]: (row["state"], row["message"]) for row in rows}
    assert found[gone][0] == "unknown"
    assert "can't connect" in found[gone][1]
    board = ("found", "relay board of eight, version 2.00, as pilot-box has them")
    assert found[f"{box} unit 1"] == found[f"{box} unit 2"] == board
    assert found[f"{box} unit 3"] == ("found", "answers, and is none that Pilotbench knows")
    assert f"{box} unit 4" not in found


@dataclass(frozen=True, slots=True)
class Settings:
    """No keys."""


class Thing(Device, PowerSwitch):
    """A device that does what a test says when it is opened, tested or left."""

    def __init__(
        self,
        *,
        opening: Exception | float = 0.0,
        testing: Exception | float = 0.0,
        leaving: Exception | float = 0.0,
    ) -> None:
        self._opening, self._testing, self._leaving = opening, testing, leaving

    async def __aenter__(self) -> Self:
        await _go(self._opening)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await _go(self._leaving)

    async def identify(self) -> Identity:
        return Identity("Acme", "Thing", serial="7")

    async def make_safe(self) -> None: ...

    async def self_test(self) -> str:
        await _go(self._testing)
        return "does it"

    async def switch_on(self) -> None: ...
    async def switch_off(self) -> None: ...
    async def cycle(self, *, off_for: float) -> None: ...
    async def is_on(self) -> bool:
        return True


async def _go(how: Exception | float) -> None:
    if isinstance(how, Exception):
        raise how
    await asyncio.sleep(how)


def bench_of(*things: Thing, by_hand: bool = False) -> BenchConfig:
    def entry(number: int, thing: Thing) -> DeviceEntry:
        driver = Driver(Settings, (PowerSwitch,), lambda settings, context: thing, by_hand=by_hand)
        return DeviceEntry(f"thing-{number}", "thing", driver, Settings())

    entries = tuple(entry(number, thing) for number, thing in enumerate(things, start=1))
    return BenchConfig(Path("bench.toml"), BenchSettings("B"), devices=entries)


async def checked(*things: Thing, test: bool = True, **more: Any) -> list[tuple[str, str]]:
    findings = [finding async for finding in check_up(bench_of(*things, **more), test=test)]
    assert [finding.name for finding in findings] == [f"thing-{i + 1}" for i in range(len(things))]
    return [(finding.state, finding.message) for finding in findings]


async def test_what_a_device_does_decides_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENING", "SELF_TEST", "MAKING_SAFE"):
        monkeypatch.setattr(bench.checkup, name, 0.02)
    assert await checked(
        Thing(opening=9.0),
        Thing(opening=LinkError("no port")),
        Thing(opening=DeviceTimeout("no word")),
        Thing(opening=DeviceError("another one")),
        Thing(testing=9.0),
        Thing(testing=DeviceError("stuck")),
        Thing(testing=Unverifiable("no mains")),
        Thing(leaving=9.0),
        Thing(testing=DeviceError("stuck"), leaving=DeviceError("still on")),
        Thing(),
    ) == [
        ("absent", "did not answer within 0.02 s"),
        ("absent", "no port"),
        ("absent", "no word"),
        ("faulty", "another one"),
        ("faulty", "Acme Thing serial number 7: its self-test did not end within 0.02 s"),
        ("faulty", "stuck"),
        ("untested", "Acme Thing serial number 7: no mains"),
        ("faulty", "Acme Thing serial number 7: does it; not left safe within 0.02 s"),
        ("faulty", "stuck; not left safe: still on"),
        ("sound", "Acme Thing serial number 7: does it"),
    ]


async def test_nothing_is_tested_that_was_not_asked_for() -> None:
    defect = Thing(testing=DeviceError("stuck"))
    assert await checked(defect, test=False) == [("answers", "Acme Thing serial number 7")]
    assert await checked(defect, by_hand=True) == [("answers", "Acme Thing serial number 7")]


@dataclass(frozen=True, slots=True)
class Point:
    """An entry point of a driver."""

    name: str
    driver: Driver | None

    def load(self) -> Driver:
        if self.driver is None:
            raise ModuleNotFoundError(name="pysnmp.hlapi")
        return self.driver


async def test_a_scan_lists_what_drivers_find(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two() -> list[str]:
        return ["http://10.0.0.1", "http://10.0.0.2"]

    async def fails() -> list[str]:
        raise DeviceError("no daemon")

    async def hangs() -> list[str]:
        await asyncio.Event().wait()
        return []

    def driver(found: Any) -> Driver:
        return Driver(Settings, (PowerSwitch,), lambda settings, context: Thing(), scan=found)

    points = [
        Point("a", driver(two)),
        Point("b", driver(fails)),
        Point("c", driver(hangs)),
        Point("d", driver(None)),
        Point("e", None),
    ]
    monkeypatch.setattr(bench.scan, "entry_points", lambda group: points)
    monkeypatch.setattr(bench.scan, "WITHIN", 0.02)
    found = [finding async for finding in scan() if finding.driver]
    assert [(finding.name, finding.state, finding.message) for finding in found] == [
        ("a", "found", "http://10.0.0.1"),
        ("a", "found", "http://10.0.0.2"),
        ("b", "unknown", "no daemon"),
        ("c", "unknown", "its scan did not end within 0.02 s"),
        (
            "e",
            "unknown",
            "not looked for, which needs the package pysnmp, install pilotbench[snmp]",
        ),
    ]
    assert all(finding.good for finding in found)


async def test_what_was_recorded_answers_in_place_of_the_devices(tmp_path: Path) -> None:
    file = tmp_path / "lab.jsonl"
    (tmp_path / "lab").mkdir()
    async with open_lab(tmp_path / "lab", make_station=Stub) as lab:
        config = await asyncio.to_thread(load_bench, lab.bench_file)
        async with recording(file) as rewire:
            live = [each async for each in check_up(config, test=True, rewire=rewire)]
    assert {finding.state for finding in live} == {"sound"}
    async with replaying(file) as rewire:
        assert [each async for each in check_up(config, test=True, rewire=rewire)] == live
    text = await asyncio.to_thread(file.read_text, "utf-8")
    assert '"sent": "a1"' in text, "the card changer was asked for its errors"
    assert b"Host: 127".hex(" ") not in text
    with pytest.raises(ConfigError, match=r"transcript .*lab.jsonl: File exists"):
        async with recording(file):
            pass


def changer_bench(tmp_path: Path) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(
        '[bench]\nname = "B"\n[[device]]\nname = "changer"\ndriver = "card-changer"\n'
        'link = "serial:/dev/ttyX?baudrate=115200"\nslots = { valid = 0 }\n'
    )
    return path


CHANGER = """\
{"at": 0.0, "link": "serial:/dev/ttyX", "connection": 1, "sent": "a1"}
{"at": 0.1, "link": "serial:/dev/ttyX", "connection": 1, "received": "00"}
{"at": 0.1, "link": "serial:/dev/ttyX", "connection": 1, "received": "00"}
{"at": 0.2, "link": "serial:/dev/ttyX", "connection": 1, "sent": "93"}
{"at": 0.3, "link": "serial:/dev/ttyX", "connection": 1, "received": "00"}
{"at": 0.4, "link": "serial:/dev/ttyX", "connection": 1, "sent": "84 00 20 1f 90 00"}
{"at": 0.5, "link": "serial:/dev/ttyX", "connection": 1, "received": "a0 0f"}
"""


async def replayed(tmp_path: Path, text: str) -> Finding:
    file = tmp_path / "changer.jsonl"
    file.write_text(text)
    config = await asyncio.to_thread(load_bench, changer_bench(tmp_path))
    async with replaying(file) as rewire:
        (finding,) = [each async for each in check_up(config, test=False, rewire=rewire)]
    return finding


async def test_a_replay_tells_what_was_otherwise(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"changer.jsonl, line 4: serial:/dev/ttyX was sent 93, "):
        await replayed(tmp_path, CHANGER.replace('"93"', '"92"'))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "line 1: none of sent, received and closed"),
        ('{"sent": "zz", "link": "x", "connection": 1}', "line 1: non-hexadecimal"),
        ('{"sent": "00"}', "line 1: 'link'"),
        ("[]", "line 1: expected one JSON object"),
        ("nonsense", "line 1: expected one JSON object"),
    ],
)
async def test_what_is_no_transcript_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"changer.jsonl, {message}"):
        await replayed(tmp_path, text)

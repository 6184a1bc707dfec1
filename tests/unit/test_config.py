"""Files that a lab edits: every mistake is named with file, table and key."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.config import load_bench
from bench.dut import load_dut
from bench.errors import ConfigError
from bench.toml import load

DUT = """
[dut]
kind = "charging-station"
identity = "CP1"
vendor = "V"
model = "M"

[pics]
"C-07" = true
"C-06" = "Both"

[pixit]
connector = 1
connectors = 2

[pixit.cards.valid]
id_tag = "CARD1"

[pixit.charging]
unit = "W"
local_limit = 11000

[pixit.timing]
response = 5
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "dut.toml"
    path.write_text(text)
    return path


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    dut = load_dut(write(tmp_path, DUT))
    assert dut.dut.identity == "CP1"
    assert dut.pics == {"C-07": True, "C-06": "Both"}
    assert dut.pixit.card("valid").id_tag == "CARD1"
    assert (dut.pixit.charging.unit, dut.pixit.charging.local_limit) == ("W", 11000.0)
    assert dut.pixit.timing.response == 5.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[dut]", "[dutt]", "unknown table [dutt], did you mean 'dut'?"),
        ("[dut]\n", "[dut]\ncolour = 1\n", "table [dut]: unknown key 'colour'"),
        ('identity = "CP1"', "identity = 1", "key 'identity': 1, expected a string"),
        ('identity = "CP1"\n', "", "table [dut]: key 'identity' is missing"),
        ('"charging-station"', '"car"', "key 'kind': \"car\", expected one of charging-station"),
        ('"C-07" = true', '"C-07" = "yes"', "key 'C-07': \"yes\", expected true or false"),
        ('"C-07" = true', '"C-99" = true', "key 'C-99': no such PICS item"),
        ('"Both"', '"Maybe"', "key 'C-06': \"Maybe\", expected one of Yes, No, Both"),
        ('"C-07" = true', "GEN.ms = true", "write the item in quotes"),
        ("connector = 1", "connector = 3", "key 'connector': 3, expected 1 to connectors = 2"),
        ("connectors = 2", "connectors = 2.5", "key 'connectors': 2.5, expected a whole number"),
        ("connectors = 2", "connectors = true", "key 'connectors': true, expected a whole number"),
        ("response = 5", "response = 0", "key 'response': 0, expected more than 0 s"),
        (
            'unit = "W"',
            'unit = "kW"',
            "key 'charging', key 'unit': \"kW\", expected one of A, W",
        ),
        ("local_limit = 11000", "local_limit = 0", "key 'local_limit': 0, expected more than 0"),
        ("local_limit = 11000", "stack_level = -1", "key 'stack_level': -1, expected 0 or more"),
        ("local_limit = 11000", "phases = 4", "key 'phases': 4, expected one of 1, 2, 3"),
        ("response = 5", "reponse = 5", "unknown key 'reponse', did you mean 'response'?"),
        ('"CARD1"', f'"{"X" * 21}"', "key 'id_tag': 21 characters, expected at most 20"),
        ("response = 5", "response = ", "not TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path, DUT.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_dut(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        load(tmp_path / "nowhere.toml")


def test_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path)


BENCH = """
[bench]
name = "b"

[[device]]
name = "box"
driver = "pilot-box"
link = "modbus-tcp://127.0.0.1:502"
"""


def test_a_sound_bench_is_read(tmp_path: Path) -> None:
    bench = load_bench(write(tmp_path, BENCH))
    assert [device.name for device in bench.devices] == ["box"]
    assert bench.ocpp.listen == "127.0.0.1:8180"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[bench]", "[ocpp]", "table [bench] is missing"),
        ("[[device]]", "[device]", "[device] is a single table, expected [[device]]"),
        ('name = "box"\n', "", "[[device]] 1, key 'name': none, expected a string"),
        ('"pilot-box"', '"robot"', "[[device]] 'box', key 'driver': no driver 'robot', known are"),
        ("modbus-tcp", "mqtt", "[[device]] 'box'"),
        ('driver = "pilot-box"', 'driver = "pilot-box"\nspeed = 1', "unknown key 'speed'"),
        (
            'name = "b"',
            'name = "b"\n[ocpp]\nlisten = "here"',
            "key 'listen': 'here', expected HOST",
        ),
        ("[[device]]", "[limits]\ncurent = 1\n[[device]]", "[limits]: unknown key 'curent', did"),
        ("[[device]]", "[limits]\npower = 0\n[[device]]", "[limits]: 'power' is 0, expected more"),
        ("[[device]]", "[limits]\nvoltage = nan\n[[device]]", "[limits]: 'voltage' is nan, expec"),
        (
            "[[device]]",
            '[limits]\ntemperature = "hot"\n[[device]]',
            "table [limits], key 'temperature': \"hot\", expected a number",
        ),
        (
            '127.0.0.1:502"\n',
            '127.0.0.1:502"\n[device.calibration]\ncertificate = "1"\nissuer = "L"\ndate = "May"',
            "[device.calibration], key 'date': \"May\", expected a date such as 2026-03-02",
        ),
        (
            '127.0.0.1:502"\n',
            '127.0.0.1:502"\n[device.calibration]\ncertificate = "1"\nissuer = "L"\n'
            "date = 2026-03-02T10:00:00Z",
            "key 'date': 2026-03-02 10:00:00+00:00, expected a date such as 2026-03-02",
        ),
        (
            '127.0.0.1:502"\n',
            '127.0.0.1:502"\n[device.calibration]\ncertificate = "1"\nissuer = "L"\n'
            "date = 2026-03-02\ndue = 2026-03-01",
            "key 'due': 2026-03-01, expected a day after 2026-03-02",
        ),
        ("[[device]]", '[[device]]\nname = "x"\ndriver = "tcp-relay"\n' * 2 + "[[device]]", "two "),
    ],
)
def test_mistakes_in_a_bench_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path, BENCH.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_bench(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_only_one_device_can_stand_before_the_endpoint(tmp_path: Path) -> None:
    relays = "".join(f'[[device]]\nname = "r{i}"\ndriver = "tcp-relay"\n' for i in (1, 2))
    with pytest.raises(ConfigError, match=r"r1 and r2 both want to stand before \[ocpp\] listen"):
        load_bench(write(tmp_path, BENCH + relays))


def test_a_driver_whose_package_is_missing_names_the_extra(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pymodbus'] = None; "
        "from bench.cli import main; sys.exit(main(['check', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", program, str(write(tmp_path, BENCH))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "key 'driver': driver 'pilot-box' needs the package pymodbus" in done.stderr
    assert "install pilotbench[modbus]" in done.stderr


def test_a_port_of_the_file_servers_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    for line, said in (
        ("ftp_port = 70000", "table [files]: port 70000, expected 0 to 65535"),
        ("passive_ports = [50000, -1]", "table [files]: port -1, expected 0 to 65535"),
        ("root = '/srv'", "table [files]: unknown key 'root'"),
    ):
        path.write_text(f"[bench]\nname = 'b'\n[files]\n{line}\n", "utf-8")
        with pytest.raises(ConfigError, match=re.escape(said)):
            load_bench(path)
    path.write_text("[bench]\nname = 'b'\n[files]\npassive_ports = [50000]\n", "utf-8")
    assert load_bench(path).files.passive_ports == (50000,)


def test_firmware_files_are_found_beside_the_dut_file(tmp_path: Path) -> None:
    text = DUT + "[pixit.firmware]\ngood = 'fw/good.bin'\nbad = '/lab/bad.bin'\n"
    firmware = load_dut(write(tmp_path, text)).pixit.firmware
    assert (firmware.good, firmware.bad) == (tmp_path / "fw/good.bin", Path("/lab/bad.bin"))


def test_what_switches_reservations_off_is_a_key_and_its_value(tmp_path: Path) -> None:
    text = DUT + "[pixit.reservations_off]\nkey = 'Reservations'\n"
    with pytest.raises(ConfigError, match=r"'reservations_off': key 'value' is missing"):
        load_dut(write(tmp_path, text))

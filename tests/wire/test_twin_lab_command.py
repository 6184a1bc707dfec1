"""The commands `lab` and `demo`, as processes."""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import bench.cli
from bench.command import Command
from bench.dut import load_dut
from bench.errors import BenchError, ConfigError
from drivers.sim.command import DEMO, LAB
from drivers.sim.lab_process import running_lab

DEADLINE = 20.0
LAB_COMMAND = [sys.executable, "-m", "bench", "lab"]


def parse(command: Command, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--debug", action="store_true")
    command.configure(parser)
    return parser.parse_args(arguments)


def mains_port(files: dict[str, str]) -> int:
    """Return the port of the power switch's twin."""
    document = tomllib.loads(Path(files["bench"]).read_text("utf-8"))
    (mains,) = [table for table in document["device"] if table["name"] == "mains"]
    return int(mains["link"].rpartition(":")[2])


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(*options: str) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """Start the lab and read its line."""
    process = subprocess.Popen(
        [*LAB_COMMAND, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], DEADLINE)[0]:
        process.kill()
        raise TimeoutError("the lab says nothing")
    files: dict[str, str] = json.loads(process.stdout.readline())
    return process, files


def end(process: subprocess.Popen[bytes]) -> int:
    """Wait for the process and close its pipes."""
    try:
        return process.wait(DEADLINE)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_lab_in_good_order(number: int, tmp_path: Path) -> None:
    process, files = start("--dir", str(tmp_path / "lab"))
    assert files == {
        "bench": str(tmp_path / "lab" / "bench.toml"),
        "dut": str(tmp_path / "lab" / "dut.toml"),
    }
    assert load_dut(Path(files["dut"])).dut.kind == "charging-station"
    port = mains_port(files)
    assert is_listening(port)
    process.send_signal(number)
    assert end(process) == 0
    assert not is_listening(port)
    assert Path(files["bench"]).exists(), "a folder that was asked for stays"


def test_the_lab_ends_with_its_input_and_takes_its_folder_along() -> None:
    process, files = start("--until-eof")
    assert process.stdin is not None
    process.stdin.close()
    assert end(process) == 0
    assert not Path(files["bench"]).parent.exists()


def test_the_demos_lab_dies_with_a_killed_demo() -> None:
    script = (
        "import sys, json, time\n"
        "from drivers.sim.lab_process import running_lab\n"
        "with running_lab() as files:\n"
        "    port = open(files['bench']).read()\n"
        "    print(json.dumps(files), flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    port = mains_port(json.loads(process.stdout.readline()))
    os.kill(process.pid, signal.SIGKILL)
    end(process)
    deadline = time.monotonic() + DEADLINE
    while is_listening(port):
        assert time.monotonic() < deadline, "the lab outlives the demo"
        time.sleep(0.02)


def test_a_running_lab_ends_with_its_block() -> None:
    ports = []

    def interrupted() -> None:
        with running_lab() as files:
            ports.append(mains_port(files))
            assert is_listening(ports[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not is_listening(ports[0])


def test_a_lab_that_does_not_start_says_why() -> None:
    with pytest.raises(BenchError, match=r"did not start: .*no station variant 'tandem'"):
        with running_lab("--variant", "tandem"):
            pass


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--defect", "no-such-thing-at-all"], "--defect 'no-such-thing-at-all': no such defect"),
        (["--csms", "localhost:9000"], "--csms 'localhost:9000': expected ws://"),
        (["--variant", "tandem"], "no station variant 'tandem', known are default"),
    ],
)
def test_usage_errors(options: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        LAB.run(parse(LAB, *options))


def test_a_folder_that_can_not_be() -> None:
    with pytest.raises(BenchError, match=r"lab can't run: .*/dev/null/lab"):
        LAB.run(parse(LAB, "--dir", "/dev/null/lab"))


def test_the_defects_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert LAB.run(parse(LAB, "--list-defects", "--json")) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert all(set(row) == {"name", "text", "caught_by", "variant"} for row in rows)
    assert LAB.run(parse(LAB, "--list-defects")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [row["name"] for row in rows]
    with pytest.raises(ConfigError, match=f"did you mean {rows[0]['name']}"):
        LAB.run(parse(LAB, "--defect", rows[0]["name"] + "x"))


def test_the_demo_runs_the_engine_on_a_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[list[str]] = []
    ports: list[int] = []

    def main(arguments: list[str]) -> int:
        seen.append(arguments)
        ports.append(mains_port({"bench": arguments[arguments.index("--bench") + 1]}))
        assert is_listening(ports[0])
        return 1

    monkeypatch.setattr(bench.cli, "main", main)
    out = str(tmp_path / "run")
    assert DEMO.run(parse(DEMO, "--headless", "--out", out, "TC_001_CS")) == 1
    assert seen[0][0] == "run"
    assert seen[0][-1] == "TC_001_CS"
    assert seen[0][seen[0].index("--out") + 1] == out
    assert not is_listening(ports[0])


def test_parsing_options_imports_nothing_slow() -> None:
    script = (
        "import argparse, sys\n"
        "from drivers.sim.command import DEMO, LAB\n"
        "for command in (LAB, DEMO): command.configure(argparse.ArgumentParser())\n"
        "slow = {'asyncio', 'websockets', 'pymodbus', 'serialx', 'httpx'} & set(sys.modules)\n"
        "sys.exit(', '.join(slow) or 0)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=DEADLINE).returncode == 0

"""Whole runs against a station that is not ours, on a manual bench, answered over the API."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.peers.process import hand, peer, running

BENCH = """
[bench]
name = "manual"

[ocpp]
listen = "127.0.0.1:{port}"

[operator]
within = 20

[[device]]
name = "cable"
driver = "manual-coupler"

[[device]]
name = "vehicle"
driver = "manual-vehicle"

[[device]]
name = "cards"
driver = "manual-cards"

[[device]]
name = "meter"
driver = "manual-meter"

[[device]]
name = "supply"
driver = "manual-power"

[[device]]
name = "network"
driver = "manual-network"
"""

DUT = """
[dut]
kind = "charging-station"
identity = "CP_PEER"
vendor = "Other Works"
model = "Peer One"

[pics]
"FP.Core" = true
"GEN.fixed_cable" = true
"C-07" = true
"C-08" = true
"AQ-2" = false

[pixit]
connector = 1
connectors = 1

[pixit.cards.valid]
id_tag = "PEER-CARD-1"

[pixit.timing]
response = 10
triggered = 10
boot = 20
quiet = 1
settling = 1
off = 0.3
deviation = 1
heartbeat_interval = 2
retry_interval = 2
meter_interval = 1
connection_timeout = 20
"""

CASES = ["TC_001_CS", "TC_004_1_CS", "TC_012_CS", "TC_013_CS", "TC_019_CS"]


def free_port() -> int:
    """Find a port for the station to connect to, which must be known before the engine runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def api_of(engine: asyncio.subprocess.Process) -> tuple[str, Path]:
    """Read from the engine's errors where its API is; the rest of them is the test's failure."""
    assert engine.stderr is not None
    said = b""
    async with asyncio.timeout(30):
        while line := await engine.stderr.readline():
            said += line
            if found := re.fullmatch(r"API: (\S+) token file (.+)\n", line.decode()):
                return found[1], Path(found[2])
    raise AssertionError(f"the engine ended without an API: {said.decode()}")


@pytest.mark.slow
async def test_cases_pass_against_a_station_that_is_not_ours(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "bench.toml").write_text(BENCH.format(port=port))
    (tmp_path / "dut.toml").write_text(DUT)
    out = tmp_path / "run"
    options = (
        *("--bench", str(tmp_path / "bench.toml"), "--dut", str(tmp_path / "dut.toml")),
        *("--operator", "api", "--api", "127.0.0.1:0", "--out", str(out)),
    )
    async with (
        peer(f"ws://127.0.0.1:{port}/ocpp", "CP_PEER") as station,
        running("-m", "bench", "run", *CASES, *options) as engine,
    ):
        url, token_file = await api_of(engine)
        async with hand(url, token_file, station), asyncio.timeout(90):
            said, errors = await engine.communicate()
    results = json.loads((out / "results.json").read_text())
    verdicts = {case["id"]: (case["verdict"], case["reason"]) for case in results["cases"]}
    assert verdicts == dict.fromkeys(CASES, ("pass", None)), errors.decode() + said.decode()
    assert engine.returncode == 0
    assert results["complete"] is True
    assert results["counts"]["pass"] == len(CASES)
    check_answers(out)


def check_answers(out: Path) -> None:
    """Check that every prompt was put to the hand as an act, and answered by it."""
    lines = (out / "journal.jsonl").read_text().splitlines()
    records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    asked = [one["data"] for one in records if one["event"] == "Prompted"]
    answered = [one["data"] for one in records if one["event"] == "Answered"]
    assert {one["prompt"] for one in asked} == {one["prompt"] for one in answered}
    assert {one["by"] for one in answered} == {"hand"}
    acts = {(one["action"]["capability"], one["action"]["method"]) for one in asked}
    assert acts >= {
        ("PowerSwitch", "cycle"),
        ("CardPresenter", "present"),
        ("VehicleCoupler", "plug_in"),
        ("VehicleCoupler", "unplug"),
    }

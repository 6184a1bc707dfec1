"""The pipeline steps of examples/ci on a real engine with the simulated lab: green and red."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from bench.config import load_bench
from bench.dut import load_dut
from bench.engine import Engine
from drivers.sim.lab import open_lab
from tests.engine.programs import ROOT, Ended, Program
from tests.engine.service import TOKEN, Service, impatient, served

EXAMPLES = ROOT / "examples" / "ci"
CAUGHT = ("TC_023_CS", "invalid-card-starts")
"""A case, and the defect of the station that it catches."""


async def start(script: str, *arguments: str, folder: Path, **environment: str) -> Program:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return Program(
        await asyncio.create_subprocess_exec(
            str(EXAMPLES / script),
            *arguments,
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    )


async def step(script: str, *arguments: str, folder: Path, **environment: str) -> Ended:
    return await (await start(script, *arguments, folder=folder, **environment)).ended()


def failures(results: Path) -> int:
    document = ET.fromstring((results / "junit.xml").read_bytes())
    assert document.findall(".//testcase")
    return len(document.findall(".//failure"))


@asynccontextmanager
async def bench(folder: Path, *defects: str) -> AsyncIterator[Service]:
    async with open_lab(folder, defects=defects) as lab:
        out = folder / "runs"
        out.mkdir()
        dut = impatient(load_dut(lab.dut_file))
        async with served(Engine(load_bench(lab.bench_file), [dut], out), out) as one:
            yield one


async def test_over_the_api_it_is_green_when_all_passes(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        secrets = {"PILOTBENCH_URL": one.url, "PILOTBENCH_TOKEN": TOKEN}
        done = await step("over-the-api.sh", "TC_019_CS", folder=tmp_path, **secrets)
        (run,) = await one.get("/runs")
    assert (done.code, done.errors) == (0, "")
    assert f"Run {run['run']}\n" in done.out
    assert "TC_019_CS pass\n" in done.out
    results = tmp_path / "results"
    assert failures(results) == 0
    assert b"TC_019_CS" in (results / "report.html").read_bytes()
    assert (results / "results.json").is_file()


async def test_over_the_api_it_is_red_when_a_case_fails(tmp_path: Path) -> None:
    case, defect = CAUGHT
    async with bench(tmp_path, defect) as one:
        secrets = {"PILOTBENCH_URL": one.url, "PILOTBENCH_TOKEN": TOKEN}
        done = await step("over-the-api.sh", case, folder=tmp_path, RESULTS="red", **secrets)
    assert done.code == 1
    assert f"{case} fail: " in done.out
    assert failures(tmp_path / "red") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_over_the_api_a_cancelled_pipeline_ends_its_run(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with bench(tmp_path) as one, one.stream() as viewer:
        secrets = {"PILOTBENCH_URL": one.url, "PILOTBENCH_TOKEN": TOKEN}
        # Far more than it can do until the signal comes.
        program = await start("certify.py", "--group", "core", folder=tmp_path, **secrets)
        assert program.process.stdout is not None
        async with asyncio.timeout(30):
            await program.process.stdout.readline()
        program.process.send_signal(number)
        assert (await program.ended()).code == 130
        ended = await viewer.event("RunEnded")
        assert ended["data"]["reason"].startswith("aborted by the pipeline")


@pytest.mark.parametrize(
    ("arguments", "secrets", "why"),
    [
        (["TC_0"], {}, "POST runs: unknown case 'TC_0'"),
        (["TC_019_CS"], {"PILOTBENCH_TOKEN": "x"}, "POST runs: the token is not valid here"),
        (["TC_019_CS"], {"PILOTBENCH_URL": "http://127.0.0.1:9"}, "can't be reached"),
        (["TC_019_CS"], {"PILOTBENCH_URL": ""}, "--url (or PILOTBENCH_URL)"),
    ],
)
async def test_over_the_api_it_says_what_is_wrong(
    tmp_path: Path, arguments: list[str], secrets: dict[str, str], why: str
) -> None:
    async with bench(tmp_path) as one:
        known = {"PILOTBENCH_URL": one.url, "PILOTBENCH_TOKEN": TOKEN, **secrets}
        done = await step("over-the-api.sh", *arguments, folder=tmp_path, **known)
    assert done.code == 3
    assert len(done.lines) == 1
    assert why in done.lines[0]


@pytest.mark.parametrize(("defects", "code"), [((), 0), ((CAUGHT[1],), 1)], ids=["good", "bad"])
async def test_alone_it_is_green_or_red(
    tmp_path: Path, defects: tuple[str, ...], code: int
) -> None:
    async with open_lab(tmp_path, defects=defects) as lab:
        files = {"BENCH": str(lab.bench_file), "DUT": str(lab.dut_file)}
        done = await step("alone.sh", CAUGHT[0], folder=tmp_path, **files)
    assert done.code == code, done.errors
    assert failures(tmp_path / "results") == code


async def test_the_pipelines_call_what_is_there() -> None:
    for name in ("github-actions.yml", "gitlab-ci.yml"):
        text = (EXAMPLES / name).read_text("utf-8")
        assert isinstance(yaml.safe_load(text), dict)
        called = re.findall(r"\bci/(\S+\.sh)", text)
        assert called
        assert all(os.access(EXAMPLES / script, os.X_OK) for script in called)

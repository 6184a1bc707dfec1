"""Asking for what can't be run: refused in one line, with the exit code that says whose fault."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli import main
from bench.events import DeviceClosed, DeviceOpened, RunEnded
from bench.verify import verify
from drivers.sim.lab import open_lab
from tests.engine.programs import (
    DEADLINE,
    becomes_safe,
    events,
    pilotbench,
    results,
    run_on,
)
from tests.engine.test_mishaps_files import FILES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TC_0003_CS"], "unknown case 'TC_0003_CS', did you mean 'TC_003_CS'?"),
        (["--group", "cores"], "unknown group 'cores', did you mean 'core'?"),
        ([], "no case to run: name cases, groups, --all or --plan"),
        (["--plan", "{empty}"], "no case to run: name cases, groups, --all or --plan"),
        (["TC_003_CS"], "TC_003_CS will not run: not-applicable, needs C-07"),
        (["--group", "core-start-session"], "no case to run: pilotbench list --why says why not"),
        (["--all", "--out", "{file}/run"], "--out {file}/run: Not a directory"),
        (["--all", "--out", "{file}"], "--out {file}: File exists"),
        (["--all", "--out", "{held}"], "--out {held}: the folder already holds a run"),
    ],
)
def test_what_can_not_be_run_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    bench, dut = tmp_path / "bench.toml", tmp_path / "dut.toml"
    bench.write_text(FILES["bench.toml"], "utf-8")
    # A product without a reader: no case with a card concerns it.
    dut.write_text(FILES["dut.toml"].replace('"C-07" = true', '"C-07" = false'), "utf-8")
    (tmp_path / "plan.toml").write_text("[plan]\n", "utf-8")
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "journal.jsonl").touch()
    names = {
        "empty": str(tmp_path / "plan.toml"),
        "file": str(dut),
        "held": str(tmp_path / "held"),
    }
    options = [f"--bench={bench}", f"--dut={dut}", "--operator=refuse"]
    code = main(["run", *options, *(text.format(**names) for text in arguments)])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"pilotbench: {message.format(**names)}\n")
    assert code == 3
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("arguments", [["run"], ["run", "--frobnicate"], ["walk"], []])
def test_what_is_no_command_line_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    # Without a command it is the desktop app, which has nowhere to be here.
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(arguments) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("pilotbench")
    assert said.err.endswith("--help\n")
    assert said.err.count("\n") == 1


def test_a_reader_who_leaves_early_is_no_error() -> None:
    """As in `pilotbench list | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "bench", "list"]
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, b"")


async def test_a_case_that_does_not_concern_the_product_is_named_and_the_others_run(
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        dut = lab.dut_file.read_text("utf-8")
        lab.dut_file.write_text(dut.replace('"C-07" = true', '"C-07" = false'), "utf-8")
        ended = await pilotbench(*run_on(lab, out, "TC_003_CS", "TC_010_CS"))
    (line,) = ended.lines
    assert line.startswith("pilotbench: TC_003_CS will not run: not-applicable, needs C-07")
    assert ended.code == 2
    assert results(out)["counts"]["pass"] == 1
    (refused,) = [one for one in results(out)["not_run"] if one["id"] == "TC_003_CS"]
    assert refused["outcome"] == "not-applicable"


@pytest.mark.parametrize("relay", [True, False], ids=["by-the-relay", "by-the-engine"])
async def test_an_endpoint_that_is_taken_is_named(tmp_path: Path, relay: bool) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        bench = lab.bench_file.read_text("utf-8")
        listen = bench.partition('listen = "')[2].partition('"')[0]
        if not relay:
            lab.bench_file.write_text(bench.partition('[[device]]\nname = "network"')[0], "utf-8")
        with socket.create_server(("127.0.0.1", int(listen.rpartition(":")[2]))):
            ended = await pilotbench(*run_on(lab, out, "TC_019_CS"))
        await becomes_safe(lab)
    assert ended.code == 2
    (line,) = ended.lines
    begin = "network: can't listen at " if relay else "[ocpp] listen "
    assert f"{begin}{listen}: " in line
    assert line.endswith("ddress already in use")
    check_not_begun(out)


async def test_devices_that_do_not_answer_at_the_start_are_all_named(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with open_lab(tmp_path) as lab:
        lab.twins["pilot-box"].faults.silent = True
        for name in ("card-changer", "meter", "load", "mains", "modem", "service-port"):
            await lab.twins[name].disconnect()
        ended = await pilotbench(*run_on(lab, out, "TC_019_CS"))
    assert ended.code == 2
    (line,) = ended.lines
    begin = "pilotbench: the run is not complete: 7 of 8 devices did not open: "
    assert line.startswith(begin)
    causes = line.removeprefix(begin).split("; ")
    names = [cause.partition(" ")[0] for cause in causes]
    assert names == ["load", "pilot-box", "card-changer", "meter", "mains", "modem", "service-port"]
    check_not_begun(out)
    opened = [event.device for event in events(out, DeviceOpened)]
    assert opened == [event.device for event in events(out, DeviceClosed)] == ["network"]


def check_not_begun(folder: Path) -> None:
    """Check that a run which could not begin tells so everywhere."""
    (end,) = events(folder, RunEnded)
    assert not end.complete
    (case,) = results(folder)["cases"]
    assert case["verdict"] == "none"
    assert case["reason"] == f"not begun: {end.reason}"
    assert verify(folder).faults == ()

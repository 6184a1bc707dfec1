"""Engines on demand: a process that has imported everything forks one for each line it reads.

A line is JSON: bench, dut and out. It prints `forked PID` and, when that
process has ended, `ended PID STATUS`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from bench.commands.run import _signals
from bench.config import load_bench
from bench.dut import load_dut
from bench.session import Session
from drivers import box_relays, ea_psb, lifecycle, pilot_box
from drivers.link.modbus import ModbusLink, modbus_link
from tests.engine.loaded import energy_flows, plan_of


def _be_patient() -> None:
    """Give a machine that is busy with other tests the time that it needs.

    The death of a process takes nothing from what the system has, so nobody waits for the disk.
    """
    for name in ("fsync", "fdatasync"):
        setattr(os, name, lambda file: None)
    ea_psb._ANSWER_WITHIN = ea_psb._OFF_WITHIN = ea_psb._ON_WITHIN = 5.0
    box_relays._SAFE_WITHIN = box_relays._RELAYS_WITHIN = pilot_box._PILOT_WITHIN = 5.0
    patient: list[Any] = [lifecycle.leave, ModbusLink.__init__, modbus_link]
    for act in patient:
        act.__kwdefaults__["within"] = 5.0


async def _engine(order: dict[str, str]) -> int:
    """Make the run that `pilotbench run` would make."""
    bench, dut = load_bench(Path(order["bench"])), load_dut(Path(order["dut"]))
    session = Session(bench, dut, refuse_prompts=True)
    with _signals(session):
        result = await session.run(plan_of(energy_flows), Path(order["out"]))
    return 0 if result.complete and result.counts == {"pass": 1} else 130


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _bury(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    _say(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def main() -> None:
    """Fork until standard input ends."""
    # The drivers come through entry points, which find them in here once they are imported.
    with suppress(IndexError):
        load_bench(Path(sys.argv[1]))
    _be_patient()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = asyncio.run(_engine(json.loads(line)))
            finally:
                sys.stderr.flush()
                os._exit(code)
        _say(f"forked {pid}")
        Thread(target=_bury, args=(pid,), daemon=True).start()


if __name__ == "__main__":
    main()

"""`pilotbench devices`: what is wired, what answers, and what each device's self-test says."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import Command

if TYPE_CHECKING:
    from bench.checkup import Finding, Rewire
    from bench.config import BenchConfig


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bench", type=Path, metavar="F", help="open the devices of this file")
    parser.add_argument("--scan", action="store_true", help="list what is plugged in")
    parser.add_argument(
        "--modbus",
        action="append",
        default=[],
        metavar="LINK",
        help="with --scan: read which Modbus units answer on modbus-rtu:/dev/… or modbus-tcp://…",
    )
    parser.add_argument(
        "--units",
        type=_units,
        default=range(1, 17),
        metavar="A-B",
        help="the units that --modbus asks, 1-16 when left out",
    )
    parser.add_argument("--test", action="store_true", help="run each device's self-test")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    transcript = parser.add_mutually_exclusive_group()
    transcript.add_argument(
        "--record", type=Path, metavar="FILE", help="write every byte on the links to a transcript"
    )
    transcript.add_argument(
        "--replay", type=Path, metavar="FILE", help="let a transcript answer for the devices"
    )


def _units(text: str) -> range:
    found = re.fullmatch(r"([0-9]{1,3})(?:-([0-9]{1,3}))?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}, expected such as 1-16 or 5")
    units = range(int(found[1]), int(found[2] or found[1]) + 1)
    if not units or units[0] < 1 or units[-1] > 247:
        raise argparse.ArgumentTypeError(f"{text!r}, expected units from 1 to 247")
    return units


def _run(options: argparse.Namespace) -> int:
    from bench.config import load_bench
    from bench.errors import ConfigError

    if options.bench is None:
        for name in ("test", "record", "replay"):
            if getattr(options, name):
                raise ConfigError(f"--{name} needs --bench")
        if not options.scan:
            raise ConfigError("nothing to do: give --bench, --scan or both")
    if options.modbus and not options.scan:
        raise ConfigError("--modbus needs --scan")
    config = load_bench(options.bench) if options.bench else None
    try:
        findings = asyncio.run(_check(options, config))
    except asyncio.CancelledError:
        return 130
    if options.json:
        rows = [asdict(finding) for finding in findings]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    bad = [finding for finding in findings if not finding.good]
    for finding in bad:
        sys.stderr.write(f"pilotbench: {finding.name} is {finding.state}: {finding.message}\n")
    return 2 if bad else 0


@asynccontextmanager
async def _transcript(options: argparse.Namespace) -> AsyncIterator[Rewire | None]:
    """Put a recorder on the links, or a recording in their place, as asked."""
    from bench.errors import ConfigError

    for name in ("record", "replay"):
        path = getattr(options, name)
        if path is not None:
            (point,) = entry_points(group="pilotbench.transcripts", name=name)
            try:
                transcript = point.load()
            except ModuleNotFoundError as error:
                text = f"--{name} needs the package {error.name}, install pilotbench[serial]"
                raise ConfigError(text) from error
            async with transcript(path) as rewire:
                yield rewire
            return
    yield None


def _show(finding: Finding, *, as_json: bool) -> None:
    """Print a finding as soon as it is there, unless all come as one array."""
    if not as_json:
        offers = ", ".join(finding.offers)
        line = f"{finding.name:<16}{finding.driver:<16}{finding.state:<10}{finding.message}"
        sys.stdout.write(f"{line}{f'  [{offers}]' if offers else ''}\n")
        sys.stdout.flush()


async def _check(options: argparse.Namespace, config: BenchConfig | None) -> list[Finding]:
    from bench.checkup import check_up
    from bench.errors import ConfigError
    from bench.scan import scan, scan_modbus

    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    findings: list[Finding] = []
    async with AsyncExitStack() as stack:
        if config is not None:
            rewire = await stack.enter_async_context(_transcript(options))
            async for finding in check_up(config, test=options.test, rewire=rewire):
                findings.append(finding)
                _show(finding, as_json=options.json)
        if options.scan:
            scans = [scan(), *(scan_modbus(link, options.units) for link in options.modbus)]
            try:
                for each in scans:
                    async for finding in each:
                        findings.append(finding)
                        _show(finding, as_json=options.json)
            except ConfigError as error:
                raise ConfigError(f"--modbus: {error}") from error
    return findings


COMMAND = Command(
    "devices", "what is wired, whether it answers, and its self-test", _configure, _run
)

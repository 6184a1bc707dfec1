"""The commands `lab` and `demo`: the simulated lab alone, and with the engine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.command import Command
from bench.errors import BenchError, ConfigError
from drivers.sim.variants import VARIANTS


def _configure_lab(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, VARIANTS))
    products = [f"  {name:<{width}}  {one.summary}" for name, one in VARIANTS.items()]
    parser.epilog = "\n".join(["products (--variant NAME):", *products])
    parser.add_argument(
        "--csms", metavar="URL", help="where the station connects (default: the lab's own bench)"
    )
    parser.add_argument("--variant", metavar="NAME", default="default", help="which product")
    parser.add_argument(
        "--defect", metavar="NAME", action="append", default=[], dest="defects", help="repeatable"
    )
    parser.add_argument("--dir", type=Path, metavar="DIR", help="folder of the lab (default: new)")
    parser.add_argument(
        "--hand",
        type=Path,
        metavar="RUNS",
        help="failures are provoked by the operator of the engine that serves this folder",
    )
    parser.add_argument("--list-defects", action="store_true", help="print them, and who sees them")
    parser.add_argument("--json", action="store_true", help="with --list-defects: one JSON array")
    parser.add_argument(
        "--until-eof", action="store_true", help="also stop when standard input ends"
    )


def _run_lab(options: argparse.Namespace) -> int:
    if options.list_defects:
        return _list_defects(as_json=options.json)
    import asyncio
    import tempfile

    _check_defects(options.defects)
    _check_csms(options.csms)
    try:
        if options.dir is not None:
            options.dir.mkdir(parents=True, exist_ok=True)
            return asyncio.run(_serve(options.dir.resolve(), options))
        with tempfile.TemporaryDirectory(prefix="pilotbench-lab-") as name:
            return asyncio.run(_serve(Path(name), options))
    except OSError as error:
        raise BenchError(f"the simulated lab can't run: {error}") from error


async def _serve(folder: Path, options: argparse.Namespace) -> int:
    import asyncio
    import os
    import signal

    from drivers.sim.lab import open_lab

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if options.until_eof:
        standard_input = sys.stdin.fileno()

        def read() -> None:
            if not os.read(standard_input, 1024):
                loop.remove_reader(standard_input)
                stop.set()

        loop.add_reader(standard_input, read)
    async with open_lab(
        folder,
        csms=options.csms,
        defects=options.defects,
        variant=options.variant,
        hand=None if options.hand is None else options.hand.resolve(),
    ) as lab:
        files = {"bench": str(lab.bench_file), "dut": str(lab.dut_file)}
        sys.stdout.write(json.dumps(files) + "\n")
        sys.stdout.flush()
        await stop.wait()
    return 0


def _check_csms(url: str | None) -> None:
    from urllib.parse import urlsplit

    if url is not None and (
        urlsplit(url).scheme not in ("ws", "wss") or not urlsplit(url).hostname
    ):
        raise ConfigError(f"--csms {url!r}: expected ws://HOST:PORT/PATH or wss://HOST:PORT/PATH")


def _check_defects(names: list[str]) -> None:
    if not names:
        return
    import difflib

    from stations.defects import DEFECTS

    known = [defect.name for defect in DEFECTS]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "see lab --list-defects"
            raise ConfigError(f"--defect {name!r}: no such defect, {hint}")


def _list_defects(*, as_json: bool) -> int:
    from stations.defects import DEFECTS

    if as_json:
        rows = [
            {
                "name": defect.name,
                "text": defect.text,
                "caught_by": defect.caught_by,
                "variant": defect.variant,
            }
            for defect in DEFECTS
        ]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    width = max(len(defect.name) for defect in DEFECTS)
    for defect in DEFECTS:
        sys.stdout.write(f"{defect.name:<{width}}  {defect.caught_by:<12}  {defect.text}\n")
    return 0


def _configure_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cases", nargs="*", metavar="CASE", help="ids (default: the whole plan)")
    parser.add_argument("--headless", action="store_true", help="no desktop app")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run's folder; with desktop app or --serve: of all",
    )
    parser.add_argument("--serve", action="store_true", help="the lab and an engine, no run")


def _run_demo(options: argparse.Namespace) -> int:
    from bench.cli import USUAL, commands, main
    from drivers.sim.lab_process import running_lab

    debug = ["--debug"] if options.debug else []
    out = [] if options.out is None else ["--out", str(options.out)]
    if options.serve:
        if options.cases:
            raise ConfigError("--serve: cases are started over the API")
        runs = options.out or Path("runs")
        with running_lab("--hand", str(runs)) as files:
            wired = ["--bench", files["bench"], "--dut", files["dut"], "--out", str(runs)]
            return main(["serve", *wired, "--api", "127.0.0.1:0", *debug])
    desktop = next((one for one in commands() if one.name == USUAL), None)
    if not options.headless and desktop is not None and desktop.hindrance() is None:
        return main([USUAL, "--demo", *out, *debug, *options.cases])
    with running_lab() as files:
        arguments = ["run", "--bench", files["bench"], "--dut", files["dut"], *out, *debug]
        # Nobody need be there: the simulated lab has a device for every capability.
        return main([*arguments, "--operator", "refuse", *(options.cases or ["--all"])])


LAB = Command("lab", "the simulated lab alone, until stopped", _configure_lab, _run_lab)
DEMO = Command("demo", "simulated lab, engine and the default plan", _configure_demo, _run_demo)

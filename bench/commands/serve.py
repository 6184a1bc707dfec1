"""`pilotbench serve`: the engine as a service, for the desktop app, CI jobs and remote viewers."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import Command

if TYPE_CHECKING:
    from bench.config import BenchConfig
    from bench.dut import DutConfig

API = "127.0.0.1:8280"
RUNS = Path("runs")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bench", type=Path, metavar="F", required=True, help="the bench.toml")
    parser.add_argument(
        "--dut",
        type=Path,
        metavar="F",
        action="append",
        default=[],
        dest="duts",
        help="a dut.toml; repeatable, a run then names the DUT's identity",
    )
    parser.add_argument("--api", metavar="HOST:PORT", default=API, help=f"default {API}")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=RUNS, help=f"folder of the runs ({RUNS})"
    )


def _run(options: argparse.Namespace) -> int:
    from bench.config import load_bench, split_address
    from bench.dut import load_dut
    from bench.errors import ConfigError
    from bench.server.loop import run_loop

    bench = load_bench(options.bench)
    duts = [load_dut(path) for path in options.duts]
    address = split_address(options.api, "--api")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {options.out}: {error.strerror}") from error
    return run_loop(_serve(bench, duts, options.out, address))


async def _serve(
    bench: BenchConfig, duts: list[DutConfig], out: Path, address: tuple[str, int]
) -> int:
    from bench.engine import Engine
    from bench.served import alone, announced
    from bench.server import serving
    from bench.server.place import tls_of
    from bench.server.shares import Shares
    from bench.server.token import operator_token

    ended = asyncio.Event()
    engine = Engine(bench, duts, out, prefix=f"{secrets.token_hex(2)}-")

    def end(by: str) -> None:
        # A second signal cuts the clean-ups of a run short.
        engine.close(by)
        ended.set()

    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        for number, name in ((signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")):
            loop.add_signal_handler(number, end, name)
            stack.callback(loop.remove_signal_handler, number)
        stack.enter_context(alone(out))
        path, token = operator_token(out)
        host, port = address
        serve = serving(
            engine,
            host=host,
            port=port,
            token=token,
            shares=Shares(out),
            tls=tls_of(bench, host),
            absent_after=bench.api.absent_after,
        )
        # The journal outlives the server, and that the last run: viewers see how it ends.
        await stack.enter_async_context(engine.opened())
        url = await stack.enter_async_context(serve)
        await stack.enter_async_context(engine.at_work())
        stack.enter_context(announced(out, url))
        sys.stdout.write(f"API: {url} token file {path}\n")
        sys.stdout.flush()
        await ended.wait()
    return 0


COMMAND = Command("serve", "the engine as a service with an HTTP API", _configure, _run)

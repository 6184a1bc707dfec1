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
from bench.commands.name import configure_by, who

if TYPE_CHECKING:
    from bench.config import BenchConfig
    from bench.dut import DutConfig
    from bench.engine import Keeper

API = "127.0.0.1:8280"
RUNS = Path("runs")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bench", type=Path, metavar="F", help="the bench.toml")
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
        "--out", type=Path, metavar="DIR", help=f"folder of the runs ({RUNS} if none)"
    )
    parser.add_argument(
        "--campaign",
        type=Path,
        metavar="DIR",
        help="make the runs of a campaign, in its folder and with its files",
    )
    configure_by(parser)


def _run(options: argparse.Namespace) -> int:
    from bench.config import load_bench, split_address
    from bench.dut import load_dut
    from bench.errors import ConfigError
    from bench.server.loop import run_loop

    address = split_address(options.api, "--api")
    if options.campaign is not None:
        return run_loop(_serve(*_of_campaign(options), address))
    if options.bench is None:
        raise ConfigError("--bench F is missing, or --campaign DIR")
    bench = load_bench(options.bench)
    duts = [load_dut(path) for path in options.duts]
    out = options.out or RUNS
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}") from error
    return run_loop(_serve(bench, duts, out, None, address))


def _of_campaign(
    options: argparse.Namespace,
) -> tuple[BenchConfig, list[DutConfig], Path, Keeper]:
    """Take what a campaign says is in force; raises `ConfigError`."""
    from bench.campaign.folder import RUNS as ITS_RUNS
    from bench.campaign.folder import changing
    from bench.campaign.inputs import take
    from bench.campaign.running import CampaignKeeper, read_inputs
    from bench.errors import ConfigError

    if options.out is not None or len(options.duts) > 1:
        raise ConfigError("--campaign: expected no --out, and at most one --dut")
    keeper = CampaignKeeper(options.campaign, who(options))
    dut = options.duts[0] if options.duts else None
    with changing(options.campaign) as campaign:
        inputs = read_inputs(options.campaign, campaign.view, options.bench, dut, None)
        for what in take(campaign, inputs, keeper.by):
            sys.stderr.write(f"pilotbench: changed: {what}\n")
    return inputs.bench, [inputs.dut], options.campaign / ITS_RUNS, keeper


async def _serve(
    bench: BenchConfig,
    duts: list[DutConfig],
    out: Path,
    keeper: Keeper | None,
    address: tuple[str, int],
) -> int:
    from bench.engine import Engine
    from bench.plan import load_suites
    from bench.served import alone, announced
    from bench.server import serving
    from bench.server.loop import settle
    from bench.server.place import tls_of
    from bench.server.shares import Shares
    from bench.server.token import operator_token

    ended = asyncio.Event()
    engine = Engine(bench, duts, out, prefix=f"{secrets.token_hex(2)}-")
    engine.keeper = keeper

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
        load_suites()
        settle()
        stack.enter_context(announced(out, url))
        sys.stdout.write(f"API: {url} token file {path}\n")
        sys.stdout.flush()
        await ended.wait()
    return 0


COMMAND = Command("serve", "the engine as a service with an HTTP API", _configure, _run)

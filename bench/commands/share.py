"""`pilotbench share`: links by which a vendor watches its own DUT, and nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import Command

if TYPE_CHECKING:
    from bench.server.shares import Shares

RUNS = Path("runs")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", type=Path, metavar="RUN", help="share this run's folder")
    parser.add_argument("--dut", type=Path, metavar="F", help="share all runs of this dut.toml")
    parser.add_argument("--for", metavar="NAME", dest="name", help="the vendor, for the records")
    parser.add_argument("--expires", metavar="DURATION", help="such as 90m, 12h, 7d, 2w")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"folder of the runs that are served ({RUNS})"
    )
    parser.add_argument(
        "--url", metavar="URL", help="where the vendor reaches the engine (default: where it is)"
    )
    parser.add_argument("--list", action="store_true", dest="listing", help="print all links")
    parser.add_argument("--revoke", metavar="ID", help="make a link good for nothing")


def _run(options: argparse.Namespace) -> int:
    from bench.errors import ConfigError
    from bench.server.shares import Shares

    making = options.run is not None or options.dut is not None
    if options.listing + (options.revoke is not None) + making != 1:
        raise ConfigError("expected one of RUN, --dut F, --list and --revoke ID")
    out = options.out or (options.run.resolve().parent if options.run else RUNS)
    if not out.is_dir():
        raise ConfigError(f"--out {out}: no such folder")
    shares = Shares(out)
    if options.listing:
        return _list(shares)
    if options.revoke is not None:
        share = shares.revoke(options.revoke).share
        sys.stdout.write(f"revoked {share.id} for {share.name}\n")
        return 0
    return _make(options, shares, out)


def _make(options: argparse.Namespace, shares: Shares, out: Path) -> int:
    from dataclasses import asdict

    from bench.archive import dut_key
    from bench.dut import load_dut
    from bench.errors import ConfigError, JournalError
    from bench.served import where_served
    from bench.server.shares import duration, link
    from bench.summary import gather

    if options.run is not None and options.dut is not None:
        raise ConfigError("share RUN or --dut F, not both")
    if not options.name or len(options.name) > 200 or not options.name.isprintable():
        raise ConfigError("--for: expected the vendor's name")
    if options.expires is None:
        raise ConfigError("--expires is missing, such as 12h or 7d")
    try:
        lasting = duration(options.expires)
    except ValueError as error:
        raise ConfigError(f"--expires: {error}") from error
    served = where_served(out)
    url = options.url or (None if served is None else served.url)
    if url is None:
        raise ConfigError(f"no engine serves {out}: start pilotbench serve, or give --url")
    dut, run = None, None
    if options.dut is not None:
        dut = dut_key(asdict(load_dut(options.dut).dut))
    else:
        try:
            run = gather(options.run.resolve()).summary.run
        except (OSError, ValueError, JournalError) as error:
            raise ConfigError(f"{options.run}: no run's folder: {error}") from error
    share, token = shares.make(options.name, lasting, dut=dut, run=run)
    sys.stderr.write(f"share {share.id} for {share.name} until {share.expires}\n")
    sys.stdout.write(f"{link(url, token)}\n")
    return 0


def _list(shares: Shares) -> int:
    from datetime import UTC, datetime

    moment = datetime.now(UTC)
    for one in shares.listed():
        share = one.share
        state = "revoked" if one.revoked else "expired" if share.is_over(moment) else "good"
        what = f"run {share.run}" if share.dut is None else " ".join(share.dut)
        sys.stdout.write(f"{share.id}  {state:<8}{share.expires}  {share.name}: {what}\n")
    return 0


COMMAND = Command("share", "a link by which a vendor watches its own DUT", _configure, _run)

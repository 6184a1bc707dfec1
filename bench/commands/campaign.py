"""`pilotbench campaign`: the certification session of a DUT, over days, in one folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.command import Command
from bench.commands import campaign_acts as acts
from bench.commands.campaign_acts import acting
from bench.commands.name import configure_by, who
from bench.commands.run import configure_operator


def _configure(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(metavar="WHAT", required=True)
    for one in WHAT:
        sub = subparsers.add_parser(one.name, help=one.summary, description=one.summary)
        sub.add_argument("folder", type=Path, metavar="DIR", help="the campaign's folder")
        one.configure(sub)
        sub.set_defaults(act=one)


def _run(options: argparse.Namespace) -> int:
    act: Command = options.act
    return act.run(options)


def _inputs(parser: argparse.ArgumentParser, *, required: bool) -> None:
    kept = "" if required else " (default: where it was)"
    parser.add_argument(
        "--bench", type=Path, metavar="F", required=required, help=f"the bench.toml{kept}"
    )
    parser.add_argument(
        "--dut", type=Path, metavar="F", required=required, help=f"the dut.toml{kept}"
    )
    parser.add_argument("--plan", type=Path, metavar="F", help=f"a plan.toml{kept}")


def _configure_new(parser: argparse.ArgumentParser) -> None:
    _inputs(parser, required=True)
    configure_by(parser)


def _new(options: argparse.Namespace) -> int:
    from bench import __version__
    from bench.campaign.acts import left
    from bench.campaign.events import SCHEMA, CampaignOpened
    from bench.campaign.folder import begun
    from bench.campaign.inputs import load, take

    folder, by = options.folder.resolve(), who(options)
    inputs = load(options.bench, options.dut, options.plan)
    with begun(folder) as campaign:
        campaign.add(CampaignOpened(folder.name, __version__, SCHEMA, by))
        take(campaign, inputs, by)
        cases = left(campaign.view, undecided=False)
    sys.stdout.write(f"{options.folder}: a new campaign, {len(cases)} cases to run\n")
    return 0


def _configure_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _status(options: argparse.Namespace) -> int:
    import json

    from bench.campaign.folder import read
    from bench.campaign.status import as_json, lines

    view = read(options.folder)
    if options.json:
        data = as_json(options.folder, view)
        sys.stdout.write(f"{json.dumps(data, indent=2, ensure_ascii=False)}\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines(options.folder, view)))
    return 0


def _configure_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="ids (default: what is left to be run)"
    )
    parser.add_argument(
        "--reason", metavar="TEXT", help="why cases are run again that have a result"
    )
    _inputs(parser, required=False)
    configure_operator(parser)
    configure_by(parser)


def _make_run(options: argparse.Namespace) -> int:
    from bench.campaign.acts import settle
    from bench.campaign.folder import changing
    from bench.campaign.running import begin
    from bench.commands.run import perform

    by = who(options)
    begun = begin(
        options.folder,
        by,
        cases=options.cases,
        reason=options.reason,
        bench=options.bench,
        dut=options.dut,
        plan=options.plan,
        say=lambda text: sys.stderr.write(f"pilotbench: {text}\n"),
    )
    code = perform(options, begun.bench, begun.dut, begun.plan, begun.folder)
    with changing(options.folder) as campaign:
        settle(campaign, by)
    return code


def _configure_close(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--note", metavar="TEXT", default="", help="how it ended")
    parser.add_argument("--by", metavar="NAME", required=True, help="who closes it")


def _close(options: argparse.Namespace) -> int:
    import asyncio

    from bench.campaign.acts import close
    from bench.campaign.folder import read
    from bench.campaign.inputs import places
    from bench.config import load_bench
    from bench.lab_key import key_of
    from bench.seal import SEAL, seal

    view = read(options.folder)
    bench = load_bench(places(options.folder, view)[0])
    key = key_of(bench)
    promised = view.closed is not None and (view.closed.signer or view.closed.timestamp)
    if not promised or (options.folder / SEAL).exists():
        with acting(options) as (campaign, by):
            points = close(
                campaign,
                by,
                options.note,
                signer=key.public if key else None,
                timestamp=bench.lab.timestamp,
            )
        for point in points:
            sys.stdout.write(f"not settled: {point}\n")
    # A program that died in between has closed the record, and left it without its seal.
    failed = asyncio.run(seal(options.folder, read(options.folder).sealing, key, bench.lab))
    if failed is not None:
        sys.stderr.write(f"pilotbench: the campaign has no time stamp: {failed}\n")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from bench.campaign.check import verify_campaign
    from bench.commands.verify import tell

    return tell(verify_campaign(options.folder))


WHAT = (
    Command("new", "begin a campaign in a new folder", _configure_new, _new),
    acts.INTAKE,
    acts.CONNECTION,
    Command("status", "what was done, what counts, what is open", _configure_status, _status),
    Command("run", "run what is left, or cases again", _configure_run, _make_run),
    acts.ADD,
    acts.REASON,
    acts.NOTE,
    acts.ATTACH,
    acts.CHANGED,
    acts.WAIVE,
    Command("close", "close the campaign", _configure_close, _close),
    Command("verify", "check the record, the files and every run", lambda _: None, _verify),
)
"""What can be done to a campaign."""

COMMAND = Command("campaign", "the certification session of a DUT, over days", _configure, _run)

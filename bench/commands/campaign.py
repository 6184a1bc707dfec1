"""`pilotbench campaign`: the certification session of a DUT, over days, in one folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench.command import Command
from bench.commands.name import configure_by, who
from bench.commands.run import configure_operator

Configure = Callable[[argparse.ArgumentParser], None]


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


def _configure_intake(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--works",
        choices=("yes", "no"),
        required=True,
        help="whether the short function check showed a DUT that works and is not damaged",
    )
    parser.add_argument(
        "--milliseconds",
        choices=("yes", "no"),
        required=True,
        help="whether the vendor says that its messages carry milliseconds",
    )
    parser.add_argument("--note", metavar="TEXT", default="", help="what was seen")
    configure_by(parser)


def _intake(options: argparse.Namespace) -> int:
    from bench.campaign.events import IntakeDone
    from bench.campaign.folder import changing

    works, milliseconds = options.works == "yes", options.milliseconds == "yes"
    with changing(options.folder) as campaign:
        campaign.add(IntakeDone(who(options), works, milliseconds, options.note))
    return 0


def _configure_connection(parser: argparse.ArgumentParser) -> None:
    technologies = ("WiFi", "ethernet", "mobile")
    parser.add_argument("--technology", choices=technologies, required=True, help="how it connects")
    parser.add_argument(
        "--bandwidth", type=float, metavar="N", required=True, help="kB per second, at least 5"
    )
    parser.add_argument(
        "--latency", type=float, metavar="N", required=True, help="ms, at most 1000"
    )
    parser.add_argument(
        "--rssi", type=float, metavar="N", help="dBm of a mobile connection, at least -81"
    )
    parser.add_argument("--note", metavar="TEXT", default="", help="how it was measured")
    configure_by(parser)


def _connection(options: argparse.Namespace) -> int:
    import math

    from bench.campaign.events import ConnectionMeasured
    from bench.campaign.findings import misses
    from bench.campaign.folder import changing
    from bench.errors import ConfigError

    for name in ("bandwidth", "latency"):
        if not 0 <= getattr(options, name) < math.inf:
            raise ConfigError(f"--{name}: {getattr(options, name):g}, expected 0 or more")
    if options.rssi is not None and not -150 <= options.rssi <= 0:
        raise ConfigError(f"--rssi: {options.rssi:g}, expected -150 to 0 dBm")
    measured = ConnectionMeasured(
        who(options),
        options.technology,
        options.bandwidth,
        options.latency,
        options.rssi,
        options.note,
    )
    with changing(options.folder) as campaign:
        campaign.add(measured)
    for what in misses(measured):
        sys.stdout.write(f"not good enough for the test setup: {what}\n")
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


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("--reason", metavar="TEXT", help="why it ran cases that have a result")
    configure_by(parser)


def _add(options: argparse.Namespace) -> int:
    from bench.campaign.acts import add_run, settle
    from bench.campaign.folder import changing

    by = who(options)
    with changing(options.folder) as campaign:
        settle(campaign, by)
        event = add_run(campaign, options.run, by, options.reason)
    sys.stdout.write(f"run {event.run}: {len(event.cases)} cases, added\n")
    return 0


def _configure_reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's name")
    parser.add_argument("text", metavar="TEXT", help="why it ran cases that had a result")
    configure_by(parser)


def _reason(options: argparse.Namespace) -> int:
    from bench.campaign.acts import give_reason, settle
    from bench.campaign.folder import changing

    with changing(options.folder) as campaign:
        settle(campaign, who(options))
        give_reason(campaign, options.run, who(options), options.text)
    return 0


def _about(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--about", metavar="CASE|RUN", default="", help="what it belongs to")


def _configure_note(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT")
    _about(parser)
    configure_by(parser)


def _note(options: argparse.Namespace) -> int:
    from bench.campaign.acts import settle, write_note
    from bench.campaign.folder import changing

    with changing(options.folder) as campaign:
        settle(campaign, who(options))
        write_note(campaign, options.text, who(options), options.about)
    return 0


def _configure_attach(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a photo, a letter, a log")
    parser.add_argument("--note", metavar="TEXT", default="", help="what it shows")
    _about(parser)
    configure_by(parser)


def _attach(options: argparse.Namespace) -> int:
    from bench.campaign.acts import attach, settle
    from bench.campaign.folder import changing

    with changing(options.folder) as campaign:
        settle(campaign, who(options))
        event = attach(campaign, options.file, options.note, who(options), options.about)
    sys.stdout.write(f"{options.folder / event.file}: {event.size} bytes, {event.sha256}\n")
    return 0


def _configure_changed(parser: argparse.ArgumentParser) -> None:
    from bench.campaign.events import RESETTING

    kinds = (*RESETTING, "ocpp")
    parser.add_argument(
        "kind", choices=kinds, metavar="KIND", help=f"{', '.join(kinds[:-1])}, or ocpp"
    )
    parser.add_argument("text", metavar="TEXT", help="what changed; all but ocpp start over")
    configure_by(parser)


def _changed(options: argparse.Namespace) -> int:
    from bench.campaign.acts import change, settle
    from bench.campaign.folder import changing

    with changing(options.folder) as campaign:
        settle(campaign, who(options))
        resets = change(campaign, options.kind, options.text, who(options))
    sys.stdout.write("all cases start over\n" if resets else "results stay as they are\n")
    return 0


def _configure_waive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="CASE|MONITOR", help="a case's id or a monitor's name")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="who allowed it, and why")
    parser.add_argument("--withdraw", action="store_true", help="let it hold no more")
    configure_by(parser)


def _waive(options: argparse.Namespace) -> int:
    from bench.campaign.acts import grant, withdraw
    from bench.campaign.folder import changing

    act = withdraw if options.withdraw else grant
    with changing(options.folder) as campaign:
        act(campaign, options.what, who(options), options.reason)
    return 0


def _configure_close(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--note", metavar="TEXT", default="", help="how it ended")
    parser.add_argument("--by", metavar="NAME", required=True, help="who closes it")


def _close(options: argparse.Namespace) -> int:
    import asyncio

    from bench.campaign.acts import close, settle
    from bench.campaign.folder import changing, read
    from bench.campaign.inputs import places
    from bench.config import load_bench
    from bench.lab_key import key_of
    from bench.seal import SEAL, seal

    view = read(options.folder)
    bench = load_bench(places(options.folder, view)[0])
    key = key_of(bench)
    promised = view.closed is not None and (view.closed.signer or view.closed.timestamp)
    if not promised or (options.folder / SEAL).exists():
        with changing(options.folder) as campaign:
            settle(campaign, who(options))
            points = close(
                campaign,
                who(options),
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
    Command("intake", "record the intake of the DUT", _configure_intake, _intake),
    Command(
        "connection", "record the measured network connection", _configure_connection, _connection
    ),
    Command("status", "what was done, what counts, what is open", _configure_status, _status),
    Command("run", "run what is left, or cases again", _configure_run, _make_run),
    Command("add", "add a run that was made elsewhere", _configure_add, _add),
    Command("reason", "say why a run ran cases again", _configure_reason, _reason),
    Command("note", "write something down", _configure_note, _note),
    Command("attach", "put a file in", _configure_attach, _attach),
    Command("changed", "record a change of the DUT", _configure_changed, _changed),
    Command("waive", "waive a case or a monitor", _configure_waive, _waive),
    Command("close", "close the campaign", _configure_close, _close),
    Command("verify", "check the record, the files and every run", lambda _: None, _verify),
)
"""What can be done to a campaign."""

COMMAND = Command("campaign", "the certification session of a DUT, over days", _configure, _run)

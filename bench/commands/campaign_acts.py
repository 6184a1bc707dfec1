"""What people record in a campaign: subcommands of `pilotbench campaign`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import Command
from bench.commands.name import configure_by, who

if TYPE_CHECKING:
    from bench.campaign.folder import Campaign


@contextmanager
def acting(options: argparse.Namespace) -> Iterator[tuple[Campaign, str]]:
    """Let somebody add to a campaign, once the runs that are over are taken up."""
    from bench.campaign.acts import settle
    from bench.campaign.folder import changing

    by = who(options)
    with changing(options.folder) as campaign:
        settle(campaign, by)
        yield campaign, by


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

    works, milliseconds = options.works == "yes", options.milliseconds == "yes"
    with acting(options) as (campaign, by):
        campaign.add(IntakeDone(by, works, milliseconds, options.note))
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
    from bench.errors import ConfigError

    for name in ("bandwidth", "latency"):
        if not 0 <= getattr(options, name) < math.inf:
            raise ConfigError(f"--{name}: {getattr(options, name):g}, expected 0 or more")
    if options.rssi is not None and not -150 <= options.rssi <= 0:
        raise ConfigError(f"--rssi: {options.rssi:g}, expected -150 to 0 dBm")
    values = options.bandwidth, options.latency, options.rssi
    with acting(options) as (campaign, by):
        measured = ConnectionMeasured(by, options.technology, *values, options.note)
        campaign.add(measured)
    for what in misses(measured):
        sys.stdout.write(f"not good enough for the test setup: {what}\n")
    return 0


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("--reason", metavar="TEXT", help="why it ran cases that have a result")
    configure_by(parser)


def _add(options: argparse.Namespace) -> int:
    from bench.campaign.acts import add_run

    with acting(options) as (campaign, by):
        event = add_run(campaign, options.run, by, options.reason)
    sys.stdout.write(f"run {event.run}: {len(event.cases)} cases, added\n")
    return 0


def _configure_reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's name")
    parser.add_argument("text", metavar="TEXT", help="why it ran cases that had a result")
    configure_by(parser)


def _reason(options: argparse.Namespace) -> int:
    from bench.campaign.acts import give_reason

    with acting(options) as (campaign, by):
        give_reason(campaign, options.run, by, options.text)
    return 0


def _about(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--about", metavar="CASE|RUN", default="", help="what it belongs to")


def _configure_note(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT")
    _about(parser)
    configure_by(parser)


def _note(options: argparse.Namespace) -> int:
    from bench.campaign.acts import write_note

    with acting(options) as (campaign, by):
        write_note(campaign, options.text, by, options.about)
    return 0


def _configure_attach(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a photo, a letter, a log")
    parser.add_argument("--note", metavar="TEXT", default="", help="what it shows")
    _about(parser)
    configure_by(parser)


def _attach(options: argparse.Namespace) -> int:
    from bench.campaign.acts import attach

    with acting(options) as (campaign, by):
        event = attach(campaign, options.file, options.note, by, options.about)
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
    from bench.campaign.acts import change

    with acting(options) as (campaign, by):
        resets = change(campaign, options.kind, options.text, by)
    sys.stdout.write("all cases start over\n" if resets else "results stay as they are\n")
    return 0


def _configure_waive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="CASE|MONITOR", help="a case's id or a monitor's name")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="who allowed it, and why")
    parser.add_argument("--withdraw", action="store_true", help="let it hold no more")
    configure_by(parser)


def _waive(options: argparse.Namespace) -> int:
    from bench.campaign.acts import grant, withdraw

    act = withdraw if options.withdraw else grant
    with acting(options) as (campaign, by):
        act(campaign, options.what, by, options.reason)
    return 0


INTAKE = Command("intake", "record the intake of the DUT", _configure_intake, _intake)
CONNECTION = Command(
    "connection", "record the measured network connection", _configure_connection, _connection
)
ADD = Command("add", "add a run that was made elsewhere", _configure_add, _add)
REASON = Command("reason", "say why a run ran cases again", _configure_reason, _reason)
NOTE = Command("note", "write something down", _configure_note, _note)
ATTACH = Command("attach", "put a file in", _configure_attach, _attach)
CHANGED = Command("changed", "record a change of the DUT", _configure_changed, _changed)
WAIVE = Command("waive", "waive a case or a monitor", _configure_waive, _waive)

"""`pilotbench run`: run cases in-process, with live progress, results and report."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import Command

if TYPE_CHECKING:
    from bench.config import BenchConfig
    from bench.dut import DutConfig
    from bench.plan import Plan, Selection
    from bench.session import RunResult, Session
    from bench.terminal import Progress


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cases", nargs="*", metavar="CASE", help="ids, such as TC_001_CS")
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="G",
        dest="groups",
        help="repeatable, such as core-start-session",
    )
    parser.add_argument("--all", action="store_true", help="every applicable case")
    parser.add_argument("--plan", type=Path, metavar="F", help="a plan.toml")
    parser.add_argument("--bench", type=Path, metavar="F", required=True, help="the bench.toml")
    parser.add_argument("--dut", type=Path, metavar="F", required=True, help="the dut.toml")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the run's folder (runs/… if none)")
    configure_operator(parser)


def configure_operator(parser: argparse.ArgumentParser) -> None:
    """Add the options by which somebody answers prompts."""
    parser.add_argument(
        "--operator",
        choices=("terminal", "api", "refuse"),
        default="terminal",
        help="who answers prompts: you, here (if none is named); a program, over the API; nobody",
    )
    parser.add_argument(
        "--api", metavar="HOST:PORT", default="127.0.0.1:0", help="where --operator api serves"
    )


def _run(options: argparse.Namespace) -> int:
    from bench.config import load_bench
    from bench.dut import load_dut

    bench, dut = load_bench(options.bench), load_dut(options.dut)
    plan = planned(_selection(options), dut, bench)
    return perform(options, bench, dut, plan, options.out or _new_folder(dut.dut.model))


def planned(selection: Selection, dut: DutConfig, bench: BenchConfig) -> Plan:
    """Plan a run and say what is left out; raises `ConfigError` when there is nothing to run."""
    from bench.errors import ConfigError
    from bench.plan import load_suites, make_plan

    plan = make_plan(load_suites(), selection, dut, bench)
    if not plan.cases:
        raise ConfigError("; ".join(plan.refusals) or _nothing_to_run(selection))
    for text in plan.refusals:
        sys.stderr.write(f"pilotbench: {text}\n")
    return plan


def perform(
    options: argparse.Namespace, bench: BenchConfig, dut: DutConfig, plan: Plan, folder: Path
) -> int:
    """Make a run in a folder, with progress, results and report; return the exit code.

    Raises `ConfigError` when the folder holds a run or the lab's key can't be read, `JournalError`
    when its record is lost.
    """
    from bench.errors import ConfigError
    from bench.journal import JOURNAL
    from bench.session import Session

    session = Session(bench, dut, refuse_prompts=options.operator == "refuse")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / JOURNAL).exists():
            raise ConfigError(f"--out {folder}: the folder already holds a run")
    except OSError as error:
        raise ConfigError(f"--out {folder}: {error.strerror}") from error
    return asyncio.run(_make_run(options, session, plan, folder))


def _selection(options: argparse.Namespace) -> Selection:
    from bench.plan import Selection, load_plan

    planned = load_plan(options.plan) if options.plan else Selection()
    every = ("all",) if options.all else ()
    return Selection(
        cases=(*planned.cases, *options.cases),
        groups=(*planned.groups, *options.groups, *every),
    )


def _nothing_to_run(selection: Selection) -> str:
    if selection.cases or selection.groups:
        return "no case to run: pilotbench list --why says why not"
    return "no case to run: name cases, groups, --all or --plan"


def _new_folder(model: str) -> Path:
    name = "".join(c if c.isalnum() else "-" for c in model.lower())
    return Path("runs") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"


async def _make_run(options: argparse.Namespace, session: Session, plan: Plan, folder: Path) -> int:
    from bench.errors import BenchError, JournalError
    from bench.report import write_all
    from bench.terminal import Progress

    with _signals(session):
        # A Ctrl-C from before, which cancels this task, takes effect while nothing has begun.
        await asyncio.sleep(0)
        try:
            async with AsyncExitStack() as stack:
                progress = stack.enter_context(Progress(sys.stdout))
                stack.enter_context(session.stream.watched_by(progress.show))
                await _open_operator(options, session, folder, stack, progress)
                result = await session.run(plan, folder)
        except JournalError:
            # What was recorded before is worth its reports, if there is room for them.
            with suppress(OSError, BenchError):
                await asyncio.to_thread(write_all, folder)
            raise
        try:
            # In a thread, so that a signal is noted at once and still leaves whole reports.
            await asyncio.to_thread(write_all, folder)
        except OSError as error:
            text = f"{error.filename}: {error.strerror}, but the run's journal is whole"
            raise BenchError(text) from error
    with suppress(BrokenPipeError):
        _say_result(result)
    return _exit_code(session, plan, result)


async def _open_operator(
    options: argparse.Namespace,
    session: Session,
    folder: Path,
    stack: AsyncExitStack,
    progress: Progress,
) -> None:
    if options.operator == "api":
        from bench.config import split_address
        from bench.engine import Engine
        from bench.server import serving
        from bench.server.place import tls_of
        from bench.server.token import operator_token

        host, port = split_address(options.api, "--api")
        path, token = operator_token(folder)
        stack.callback(path.unlink, missing_ok=True)
        engine = Engine(session.config, [session.dut], folder, only=session)
        tls = tls_of(session.config, host)
        serve = serving(engine, host=host, port=port, token=token, tls=tls)
        url = await stack.enter_async_context(serve)
        sys.stderr.write(f"API: {url} token file {path}\n")
    elif options.operator == "terminal":
        from bench.terminal_operator import answering

        await stack.enter_async_context(answering(session.desk, progress.say))


@contextmanager
def _signals(session: Session) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into an abort that leaves the lab safe."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, session.abort, "Ctrl-C")
    loop.add_signal_handler(signal.SIGTERM, session.abort, "SIGTERM")
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


def _say_result(result: RunResult) -> None:
    from bench.errors import in_one_line

    if result.reason:
        reason = in_one_line(result.reason)
        sys.stderr.write(f"pilotbench: the run is not complete: {reason}\n")
    parts = [f"{count} {verdict}" for verdict, count in sorted(result.counts.items())]
    sys.stdout.write(f"Verdicts: {', '.join(parts) or 'none'}\n")
    sys.stdout.write(f"Results:  {result.folder / 'results.json'}\n")
    sys.stdout.write(f"Report:   {result.folder / 'report.html'}\n")


def _exit_code(session: Session, plan: Plan, result: RunResult) -> int:
    if (result.aborted_by or session.control.aborted_by) in ("Ctrl-C", "SIGTERM"):
        return 130
    if result.counts.get("fail"):
        return 1
    passed = result.counts.get("pass", 0) == len(plan.cases)
    return 0 if passed and result.complete and not plan.refused else 2


COMMAND = Command("run", "run cases on a bench, with results and report", _configure, _run)

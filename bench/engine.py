"""The engine as a service: one bench, its DUTs, and the runs made on it, one after the other."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from bench import __version__
from bench.apart import Apart
from bench.archive import Archive, new_folder
from bench.config import BenchConfig
from bench.dut import DutConfig
from bench.duts import Duts
from bench.errors import BenchError, ConfigError, JournalError
from bench.events import RunStarted
from bench.journal import JOURNAL, JournalWriter, Record
from bench.operator import PromptDesk
from bench.plan import Outcome, Plan, Selection, judge, load_suites, make_plan
from bench.report import write_all
from bench.session import Session
from bench.stream import COMPARING, Stream, comparing_clocks
from bench.workplace import Workplace

log = logging.getLogger(__name__)

_BEGINNING = "a run is beginning"


class NotRunning(BenchError):
    """The run is not going on."""


class Keeper(Protocol):
    """Who keeps a record of all runs, as they belong together."""

    @abstractmethod
    def begins(self, run: Path, dut: DutConfig, plan: Plan, reason: str | None) -> DutConfig:
        """Hear that a run begins in a folder; return the DUT as it is to be tested.

        Raises `ConfigError` when it must not.
        """

    @abstractmethod
    def is_over(self) -> None:
        """Hear that the run is over; raises `BenchError`. Called in another process."""


class Engine:
    """One bench as a service; front ends see its session, its runs and its stream."""

    def __init__(
        self,
        bench: BenchConfig,
        duts: Sequence[DutConfig],
        out: Path,
        *,
        only: Session | None = None,
        prefix: str = "",
    ) -> None:
        """Make the engine; `only` is a session whose single run, in `out`, somebody else makes.

        With a `prefix` of its own a late answer to a prompt of an earlier engine finds none here.
        Raises `ConfigError` when two DUTs have one identity.
        """
        self.config = bench
        self.duts = Duts(duts)
        self.duts.is_under_test, self.duts.on_change = self._is_under_test, self._renew
        if only is None:
            self.desk = PromptDesk(Stream(), within=bench.operator.within, prefix=prefix)
            self.archive = Archive(out)
            self._sessions = {
                identity: Session(bench, dut, desk=self.desk) for identity, dut in self.duts.items()
            }
        else:
            self.desk = only.desk
            self.archive = Archive(out.parent, only=out.name)
            self._sessions = {only.dut.dut.identity: only}
        self.stream = self.desk.stream
        for path in (bench.path, *(dut.path for dut in duts)):
            with suppress(OSError, UnicodeDecodeError):  # what can't be read now is told by a run
                self.stream.masks.toml(path.read_text("utf-8"))
        self._runs_are_ours = only is None
        self._session = next(iter(self._sessions.values()), None)
        self.workplace = Workplace(bench, self.desk, lambda: self.duts.pixit, self._keeps_the_bench)
        self.apart = Apart()
        """Where reports are rendered, and runs verified."""
        self._run: asyncio.Task[None] | None = None
        self._reports: set[asyncio.Task[None]] = set()
        self._closing: str | None = None
        """Who asked the engine to end."""
        self.keeper: Keeper | None = None
        """Who is told of every run."""
        self.on_run_over: Callable[[], None] = lambda: None
        """Called when a run is over and the engine is free again."""

    @property
    def session(self) -> Session | None:
        """The session of the run that goes on, or of the last one."""
        return self._session

    @property
    def run_id(self) -> str | None:
        """The run that goes on."""
        return None if self._session is None else self._session.run_id

    def _is_under_test(self, identity: str) -> bool:
        if not self._runs_are_ours or self.workplace.taken == _BEGINNING:
            return True
        tested = None if self._session is None else self._session.dut.dut.identity
        return self._run is not None and tested == identity

    def _renew(self, dut: DutConfig) -> None:
        """Let the next run be made with a DUT as it is now."""
        identity = dut.dut.identity
        before = self._sessions[identity]
        session = self._sessions[identity] = Session(self.config, dut, desk=self.desk)
        if self._session is before:
            self._session = session

    def procedures(self, identity: str | None = None) -> list[Outcome]:
        """List all procedures, and whether they would run on this bench and DUT."""
        dut = self.duts.one(identity) if identity is not None or len(self.duts) == 1 else None
        return [
            judge(suite, one, dut, self.config)
            for suite in load_suites()
            for one in suite.procedures
        ]

    @staticmethod
    def catalogue() -> list[Outcome]:
        """List all procedures, judged for no DUT and no bench."""
        suites = load_suites()
        return [judge(suite, one, None, None) for suite in suites for one in suite.procedures]

    def plan(self, selection: Selection, identity: str | None) -> tuple[DutConfig, Plan]:
        """Plan a run; raises `ConfigError` when there is nothing to run, saying why."""
        known = self.duts.one(identity)
        if known is None:
            raise ConfigError("there is no DUT: start the engine with --dut")
        dut = self.duts.refreshed(known.dut.identity)
        plan = make_plan(load_suites(), selection, dut, self.config)
        if not plan.cases:
            nothing = "no case to run: name cases, groups or a plan"
            raise ConfigError("; ".join(plan.refusals) or nothing)
        return dut, plan

    async def start(self, dut: DutConfig, plan: Plan, reason: str | None = None) -> str:
        """Start a run and return its id once it is recorded that it began.

        `reason` is why cases are run again, which a campaign wants to know. Raises `Busy`,
        `UnderTest`, or what keeps the run from beginning.
        """
        self.duts.hold(dut.dut.identity)
        async with self.workplace.taking(_BEGINNING):
            return await self._begin(dut, plan, reason)

    def _keeps_the_bench(self) -> str | None:
        """Say what keeps everything else from the bench, None when nothing does."""
        if self._closing is not None:
            return "the engine ends"
        if not self._runs_are_ours:
            return "the engine makes a single run"
        if self._run is not None:
            return f"run {self.run_id} is going on" if self.run_id else _BEGINNING
        return None

    async def _begin(self, dut: DutConfig, plan: Plan, reason: str | None) -> str:
        session = self._sessions[dut.dut.identity]
        folder = new_folder(self.archive.root, dut.dut.model)
        if self.keeper is not None:
            session.dut = await asyncio.to_thread(self.keeper.begins, folder, dut, plan, reason)
        began = asyncio.Event()

        def note(record: Record) -> None:
            if isinstance(record.event, RunStarted):
                began.set()

        self._session = session
        self._run = run = asyncio.create_task(self._make(session, plan, folder))
        with self.stream.watched_by(note):
            beginning = asyncio.create_task(began.wait())
            await asyncio.wait([run, beginning], return_when=asyncio.FIRST_COMPLETED)
            beginning.cancel()
        if not began.is_set():
            await run
        return folder.name

    async def _make(self, session: Session, plan: Plan, folder: Path) -> None:
        try:
            await session.run(plan, folder)
        except JournalError as error:
            log.error("run %s: %s", folder.name, error)  # noqa: TRY400 - no defect of ours
            if not (folder / JOURNAL).exists():
                raise
        except BaseException:
            log.exception("run %s ended by a defect", folder.name)
            raise
        finally:
            self._run = None
            self.on_run_over()
        reports = asyncio.create_task(self._report(folder))
        self._reports.add(reports)
        reports.add_done_callback(self._reports.discard)

    async def _report(self, folder: Path) -> None:
        """Write a run's reports while the engine goes on."""
        try:
            await self.apart.call(write_all, folder)
        except (OSError, BenchError) as error:
            log.warning("run %s: its reports could not be written: %s", folder.name, error)
        if self.keeper is not None:
            try:
                await self.apart.call(self.keeper.is_over)
            except BenchError as error:
                log.warning("run %s is not in the campaign's record: %s", folder.name, error)

    def abort(self, run: str, by: str) -> None:
        """End the run that goes on; raises `NotRunning`."""
        self._going_on(run).abort(by)

    def pause(self, run: str, by: str) -> None:
        """Hold the run that goes on at its next step; raises `NotRunning`."""
        self._going_on(run).control.pause(by)

    def resume(self, run: str, by: str) -> None:
        """Let the run that goes on continue; raises `NotRunning`."""
        self._going_on(run).control.resume(by)

    def _going_on(self, run: str) -> Session:
        if self._session is None or self._session.run_id != run:
            raise NotRunning(f"run {run} is not going on")
        return self._session

    def close(self, by: str) -> None:
        """End the run that goes on, and start none any more."""
        self._closing = by
        self.workplace.cut_short()
        if self._session is not None and self._session.run_id is not None:
            self._session.abort(by)

    @asynccontextmanager
    async def opened(self, *, comparing: float = COMPARING) -> AsyncIterator[None]:
        """Record what happens while no run goes on in a journal of the engine's own.

        The clocks are compared at once and every `comparing` s.
        """
        folder = self.archive.root / "engine"
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder}: {error.strerror}") from error
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.jsonl"
        with JournalWriter(folder / name) as journal, self.stream.recording(journal):
            # A run compares them in its own journal.
            async with comparing_clocks(
                self.stream, every=comparing, unless=lambda: self.run_id is not None
            ):
                yield

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let runs be made; in the end the last one has ended with the lab safe."""
        try:
            yield
        finally:
            if self._closing is None:
                self.close("the end of the engine")
            while self._run is not None:
                with suppress(Exception):
                    await asyncio.shield(self._run)
            await self.workplace.end()
            await self.workplace.actuators.release()
            if self._reports:
                await asyncio.wait(self._reports)
            await self.apart.close()

    @property
    def devices(self) -> list[dict[str, Any]]:
        """Describe the devices for front ends, whoever has them open."""
        return self.workplace.devices(None if self._session is None else self._session.bench)

    def snapshot(self) -> dict[str, Any]:
        """Describe bench, DUT, device states and current run for a front end that just came."""
        session = self._session
        state: dict[str, Any] = (
            {
                "version": __version__,
                "dut": None,
                "ocpp": {"listen": None, "connected": False},
                "run": None,
                "paused": False,
                "held": self.desk.held,
            }
            if session is None
            else session.snapshot()
        )
        return {**state, "bench": {"name": self.config.bench.name, "devices": self.devices}}

"""The engine as a service: one bench, its DUTs, and the runs made on it, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from bench import __version__, toml
from bench.actuators import Actuators, InUse
from bench.apart import Apart
from bench.archive import Archive, new_folder
from bench.bench import described
from bench.checkup import Finding, check_up
from bench.config import BenchConfig
from bench.dut import DutConfig, Pixit, parse_dut
from bench.errors import BenchError, ConfigError, JournalError
from bench.events import DeviceChecked, RunStarted
from bench.journal import JOURNAL, JournalWriter, Record
from bench.operator import PromptDesk
from bench.plan import Outcome, Plan, Selection, judge, load_suites, make_plan
from bench.report import write_all
from bench.scan import scan, scan_modbus
from bench.session import Session
from bench.stream import COMPARING, Stream, comparing_clocks

log = logging.getLogger(__name__)

T = TypeVar("T")


_BEGINNING = "a run is beginning"


class Busy(BenchError):
    """The bench is taken: one run at a time."""


class NotRunning(BenchError):
    """The run is not going on."""


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
        self.duts = {dut.dut.identity: dut for dut in duts}
        if len(self.duts) < len(duts):
            raise ConfigError("--dut: two DUTs have the same identity")
        self._texts = {identity: _text(dut) for identity, dut in self.duts.items()}
        """What their files held when they were read."""
        self._changing: set[str] = set()
        """The DUTs whose files are being written."""
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
        self._runs_are_ours = only is None
        self._session = next(iter(self._sessions.values()), None)
        self.actuators = Actuators(bench, lambda: self.pixit, self.desk)
        self.apart = Apart()
        """Where reports are rendered, and runs verified."""
        self._run: asyncio.Task[None] | None = None
        self._reports: set[asyncio.Task[None]] = set()
        self._errands: set[asyncio.Task[Any]] = set()
        """What is done by hand with the devices, while no run goes on."""
        self.checked: dict[str, tuple[datetime, Finding]] = {}
        """What the last check of each device came to."""
        self._taken: str | None = None
        """What keeps everything else from the bench, beside a run."""
        self._closing: str | None = None
        """Who asked the engine to end."""
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

    def dut(self, identity: str | None) -> DutConfig | None:
        """Return a DUT by identity, the only one when None; raises `ConfigError`."""
        if identity is None:
            if len(self.duts) > 1:
                known = ", ".join(self.duts)
                raise ConfigError(f"this engine has several DUTs, name one of {known}")
            return next(iter(self.duts.values()), None)
        if identity not in self.duts:
            known = ", ".join(self.duts) or "none"
            raise ConfigError(f"no DUT {identity!r}, known are {known}")
        return self.duts[identity]

    @property
    def pixit(self) -> Pixit:
        """What is known of the sample that acts by hand are for: the first DUT."""
        return next((dut.pixit for dut in self.duts.values()), Pixit())

    def is_under_test(self, identity: str) -> bool:
        """Tell whether a run with a DUT goes on or begins."""
        if not self._runs_are_ours or self._taken == _BEGINNING:
            return True
        tested = None if self._session is None else self._session.dut.dut.identity
        return self._run is not None and tested == identity

    def refreshed(self, identity: str) -> DutConfig:
        """Return a DUT as its file has it now, if no run holds on to what it had.

        Raises `ConfigError` when the file is not sound.
        """
        dut = self.duts[identity]
        text = _text(dut)
        if text is None or text == self._texts[identity] or self.is_under_test(identity):
            return dut
        self._replace(identity, parse_dut(dut.path, text), text)
        return self.duts[identity]

    def _replace(self, identity: str, dut: DutConfig, text: str | None) -> None:
        if dut.dut.identity != identity:
            where = f"{dut.path}: table [dut], key 'identity'"
            problem = f"the engine was started with {identity!r}"
            raise ConfigError(f"{where}: {dut.dut.identity!r}, but {problem}")
        before, session = self._sessions[identity], Session(self.config, dut, desk=self.desk)
        self.duts[identity], self._texts[identity] = dut, text
        self._sessions[identity] = session
        if self._session is before:
            self._session = session

    async def change_dut(self, identity: str, change: Callable[[Path], T]) -> T:
        """Let a function write a DUT's file, for the next run; return what it returns.

        Raises `Busy` while the DUT is under test.
        """
        if self.is_under_test(identity) or self._closing is not None:
            raise Busy(f"{identity} is under test")
        if identity in self._changing:
            raise Busy(f"{self.duts[identity].path.name} is being written")
        self._changing.add(identity)
        try:
            return await asyncio.to_thread(change, self.duts[identity].path)
        finally:
            self._changing.discard(identity)

    def procedures(self, identity: str | None = None) -> list[Outcome]:
        """List all procedures, and whether they would run on this bench and DUT."""
        dut = self.dut(identity) if identity is not None or len(self.duts) == 1 else None
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
        dut = self.dut(identity)
        if dut is None:
            raise ConfigError("there is no DUT: start the engine with --dut")
        dut = self.refreshed(dut.dut.identity)
        plan = make_plan(load_suites(), selection, dut, self.config)
        if not plan.cases:
            nothing = "no case to run: name cases, groups or a plan"
            raise ConfigError("; ".join(plan.refusals) or nothing)
        return dut, plan

    async def start(self, dut: DutConfig, plan: Plan) -> str:
        """Start a run and return its id once it is recorded that it began.

        Raises `Busy`, or what keeps the run from beginning.
        """
        if dut.dut.identity in self._changing:
            raise Busy(f"{dut.path.name} is being written")
        async with self._taking(_BEGINNING):
            return await self._begin(dut, plan)

    async def act(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something by hand with the devices; raises `Busy` while a run goes on.

        The end of the engine cuts it short.
        """
        try:
            self.refuse_when_busy()
        except Busy:
            work.close()
            raise
        return await self._errand(work)

    async def make_safe(self) -> dict[str, str]:
        """Cut short what is done by hand, make every device safe, and say what failed, by device.

        Raises `Busy` while a run goes on, whose end is safe by itself.
        """
        self.refuse_when_busy()
        for errand in self._errands:
            errand.cancel()
        if self._errands:
            await asyncio.wait(self._errands)
        return await self.act(self.actuators.make_safe())

    async def check_up(self, devices: Sequence[str] = (), *, test: bool) -> list[Finding]:
        """Open devices by themselves, all when none is named, and test them if asked.

        Raises `Busy`, or `ConfigError` for a name that no device has.
        """
        names = [one.name for one in self.config.devices]
        for name in devices:
            if name not in names:
                raise ConfigError(f"there is no device {name!r}{toml.near(name, names)}")
        chosen = [one for one in self.config.devices if not devices or one.name in devices]
        config = replace(self.config, devices=tuple(chosen))
        return await self._examine("the devices are being checked", self._check_up(config, test))

    async def _check_up(self, config: BenchConfig, test: bool) -> list[Finding]:
        found = []
        async for one in check_up(config, test=test):
            record = self.stream.emit(DeviceChecked(one.name, one.driver, one.state, one.message))
            self.checked[one.name] = record.utc, one
            found.append(one)
        return found

    async def scan(self, links: Sequence[str], units: Sequence[int]) -> list[Finding]:
        """List what is plugged in, and the Modbus units that answer on links.

        Raises `Busy`, or `ConfigError` for a link that is none.
        """
        return await self._examine("the bench is being scanned", self._scan(links, units))

    async def _scan(self, links: Sequence[str], units: Sequence[int]) -> list[Finding]:
        scans = [scan(), *(scan_modbus(link, units) for link in links)]
        return [finding for each in scans async for finding in each]

    async def _examine(self, doing: str, work: Coroutine[Any, Any, T]) -> T:
        """Do what suffers nothing beside it, as `act`."""
        try:
            async with self._taking(doing):
                return await self._errand(work)
        finally:
            work.close()

    @asynccontextmanager
    async def _taking(self, doing: str) -> AsyncIterator[None]:
        """Take the whole bench, with every device safe and closed; raises `Busy`."""
        self.refuse_when_busy()
        self._taken = doing
        try:
            # Somebody may have left the cable in.
            await self.actuators.release()
            yield
        except InUse as error:
            raise Busy(str(error)) from error
        finally:
            self._taken = None

    async def _errand(self, work: Coroutine[Any, Any, T]) -> T:
        errand = asyncio.create_task(work)
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)
        try:
            await asyncio.wait([errand])
        except asyncio.CancelledError:
            errand.cancel()
            await asyncio.wait([errand])
            raise
        if errand.cancelled():
            raise Busy("the engine ends")
        return errand.result()

    def refuse_when_busy(self) -> None:
        """Raise `Busy` unless the bench is free."""
        if self._closing is not None:
            raise Busy("the engine ends")
        if not self._runs_are_ours:
            raise Busy("the engine makes a single run")
        if self._run is not None:
            raise Busy(f"run {self.run_id} is going on" if self.run_id else _BEGINNING)
        if self._taken is not None:
            raise Busy(self._taken)

    async def _begin(self, dut: DutConfig, plan: Plan) -> str:
        session = self._sessions[dut.dut.identity]
        folder = new_folder(self.archive.root, dut.dut.model)
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
        for errand in self._errands:
            errand.cancel()
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
            if self._errands:
                await asyncio.wait(self._errands)
            await self.actuators.release()
            if self._reports:
                await asyncio.wait(self._reports)
            await self.apart.close()

    @property
    def devices(self) -> list[dict[str, Any]]:
        """Describe the devices for front ends, whoever has them open."""
        states = {one.name: described(one) for one in self.config.devices}
        benches = [] if self._session is None else [self._session.bench]
        if self.actuators.are_open:
            benches.append(self.actuators.bench)
        for bench in benches:
            states |= {one["name"]: one for one in bench.states}
        return list(states.values())

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


def _text(dut: DutConfig) -> str | None:
    try:
        return dut.path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # a run says what is wrong with it

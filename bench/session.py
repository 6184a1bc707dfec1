"""The session: one opened bench and the runs made on it; the only object a front end talks to."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import __version__
from bench.bench import Bench
from bench.config import BenchConfig, split_address
from bench.control import Control
from bench.dut import DutConfig
from bench.earlier import EarlierRun, changes, earlier_runs
from bench.errors import BenchError, JournalError, RunAborted
from bench.events import SCHEMA, EarlierResultsVoid, RunEnded, RunStarted
from bench.journal import JOURNAL, JournalWriter
from bench.lab_key import key_of
from bench.ocpp.csms import Book, Csms
from bench.ocpp.dialogue import Dialogue
from bench.ocpp.monitors import NAMES, Monitors
from bench.ocpp.server import OcppServer
from bench.operator import PromptDesk
from bench.plan import Plan
from bench.response_times import ResponseTimes
from bench.runner import Runner
from bench.seal import Closed, seal
from bench.stream import Stream, comparing_clocks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    folder: Path
    counts: dict[str, int]
    complete: bool
    reason: str | None
    """Why it is not complete."""
    aborted_by: str | None
    """Who or what ended it before its time."""


class Session:
    """One bench, one DUT, one stream of records, and the runs made."""

    def __init__(
        self,
        bench: BenchConfig,
        dut: DutConfig,
        *,
        refuse_prompts: bool = False,
        desk: PromptDesk | None = None,
    ) -> None:
        """Make a session; `desk` when several share one operator, and so one stream.

        Raises `ConfigError` when the lab's key can't be read.
        """
        self.config = bench
        self.dut = dut
        self._key = key_of(bench)
        self.desk = desk or PromptDesk(
            Stream(), within=bench.operator.within, refusing=refuse_prompts
        )
        self.stream = self.desk.stream
        self.bench = Bench(bench, self.stream)
        self.control = Control(self.stream)
        self.run_id: str | None = None
        """The run that is going on."""
        self.listening_at: str | None = None
        """HOST:PORT where the DUT connects, once the session is open."""
        self._upstream = bench.ocpp.listen
        self._unrecorded: JournalError | None = None
        """Why the journal takes nothing more."""
        pixit = dut.pixit
        cards = {pixit.card(name).id_tag.lower(): pixit.card(name) for name in pixit.cards}
        book = Book(cards, heartbeat_interval=pixit.timing.heartbeat_interval)
        self.dialogue = Dialogue(self.stream, self._monitors(), Csms(book, lambda _: None))

    def _monitors(self) -> Monitors:
        pixit = self.dut.pixit
        return Monitors(
            connectors=pixit.connectors,
            deviation=pixit.timing.deviation,
            triggered=pixit.timing.triggered,
            waived=pixit.waivers,
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open the devices and the OCPP endpoint; leave every device safe.

        Raises `DeviceError` when devices do not open, `BenchError` when the address is taken.
        """
        host, port = split_address(self.config.ocpp.listen, "[ocpp] listen")
        fronted = any(entry.driver.fronts_ocpp for entry in self.config.devices)
        if fronted:
            host, port = "127.0.0.1", 0
        server = OcppServer(
            self.dialogue, identity=self.dut.dut.identity, max_frame=self.config.ocpp.max_frame
        )
        async with AsyncExitStack() as stack:
            # The endpoint opens first: a device in front of it needs its address.
            try:
                self._upstream = await stack.enter_async_context(server.listening(host, port))
            except OSError as error:
                text = error.strerror or str(error)
                raise BenchError(f"[ocpp] listen {self.config.ocpp.listen}: {text}") from error
            await stack.enter_async_context(self.bench.opened(self.desk, lambda: self._upstream))
            self.listening_at = self.bench.ocpp_front or self._upstream
            yield

    async def run(self, plan: Plan, folder: Path) -> RunResult:
        """Make a run: open everything, run the plan's cases, record all in `folder`.

        One run at a time; its records count from 1. Raises `JournalError` when the record can't be
        kept; the lab is safe by then.
        """
        if self.run_id is not None:
            raise BenchError(f"run {self.run_id} is going on")
        self.run_id = folder.name
        try:
            earlier = await asyncio.to_thread(earlier_runs, folder, self.dut)
            files = self._copy_inputs(plan, folder)
            with JournalWriter(folder / JOURNAL) as journal, self.stream.recording(journal):
                result = await self._recorded(plan, folder, files, earlier)
                closed = Closed(folder.name, self.stream.last, journal.head)
            failed = await seal(folder, closed, self._key, self.config.lab)
            if failed is not None:
                log.warning("run %s has no time stamp: %s", folder.name, failed)
            return result
        finally:
            self.run_id = None
            # What asked to end this run does not end the next one.
            self.control, self._unrecorded = Control(self.stream), None
            self.desk.reopen()

    async def _recorded(
        self, plan: Plan, folder: Path, files: dict[str, str], earlier: Sequence[EarlierRun]
    ) -> RunResult:
        self.dialogue.monitors = self._monitors()
        runner = Runner(
            stream=self.stream,
            bench=self.bench,
            dialogue=self.dialogue,
            dut=self.dut,
            operator=self.desk,
            control=self.control,
            files=self.config.files,
            folder=folder,
            earlier=earlier,
        )
        self.stream.lost = self._journal_lost
        complete, reason = False, None
        self.stream.emit(self._run_started(plan, files))
        if earlier and (changed := changes(earlier[0], self.dut)):
            runs = [one.run for one in earlier]
            self.stream.emit(EarlierResultsVoid("; ".join(changed), runs))
        try:
            async with (
                comparing_clocks(self.stream),
                self.stream.samples.recording(folder),
                AsyncExitStack() as stack,
            ):
                stack.enter_context(self.stream.watched_by(ResponseTimes(self.stream.samples)))
                await self._open(stack)
                complete = await runner.run(plan)
        except BenchError as error:
            reason = str(error)
        if self._unrecorded is not None:
            raise self._unrecorded
        aborted_by = self.control.aborted_by
        if not complete and reason is None:
            reason = f"aborted by {aborted_by}"
        self.stream.emit(RunEnded(complete, reason, dict(runner.counts)))
        return RunResult(folder, dict(runner.counts), complete, reason, aborted_by)

    async def _open(self, stack: AsyncExitStack) -> None:
        """Open devices and endpoint; raises `RunAborted` when it was asked for twice.

        The first time they are opened all the same, as that is what makes the lab safe.
        """
        task = asyncio.current_task()
        assert task is not None

        def hurry() -> None:
            if self.control.hurried:
                task.cancel()

        self.control.cancels(hurry)
        try:
            await stack.enter_async_context(self.opened())
        except asyncio.CancelledError:
            if self.control.aborted_by is None:
                self.control.abort("the end of the engine")
            task.uncancel()
            text = f"aborted by {self.control.aborted_by} before all devices were open"
            raise RunAborted(text) from None
        finally:
            self.control.cancels(None)

    def _journal_lost(self, error: JournalError) -> None:
        self._unrecorded = error
        if self.control.aborted_by is None:
            self.control.abort(f"the loss of the journal ({error})")

    def _copy_inputs(self, plan: Plan, folder: Path) -> dict[str, str]:
        names = "".join(f'    "{one.id}",\n' for one in plan.cases)
        copies = {"plan.toml": f"[plan]\ncases = [\n{names}]\n"}
        for path, name in ((self.config.path, "bench.toml"), (self.dut.path, "dut.toml")):
            copies[name] = self.stream.masks.toml(path.read_text("utf-8"))
        for name, text in copies.items():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, "utf-8")
            except OSError as error:
                raise JournalError(f"{folder / name}: {error.strerror}") from error
        return {name: hashlib.sha256(copies[name].encode()).hexdigest() for name in sorted(copies)}

    def _run_started(self, plan: Plan, files: dict[str, str]) -> RunStarted:
        dut = self.dut.dut
        return RunStarted(
            run=self.run_id or "",
            version=__version__,
            schema=SCHEMA,
            bench={"name": self.config.bench.name, "calibrations": self._calibrations()},
            dut={
                "kind": dut.kind,
                "identity": dut.identity,
                "vendor": dut.vendor,
                "model": dut.model,
                "software": dut.software,
            },
            cases=[
                {
                    "id": one.id,
                    "title": one.title,
                    "mark": one.mark,
                    "group": one.group,
                    "waits": one.waits(self.dut.pixit.timing),
                }
                for one in plan.cases
            ],
            not_run=[
                {
                    "id": outcome.procedure.id,
                    "title": outcome.procedure.title,
                    "mark": outcome.procedure.mark,
                    "group": outcome.procedure.group,
                    "outcome": outcome.outcome,
                    "reason": outcome.reason,
                }
                for outcome in plan.not_run
            ],
            pics=dict(self.dut.pics),
            pixit=asdict(self.dut.pixit),
            files=files,
            monitors=list(NAMES),
            signer=None if self._key is None else self._key.public.to_json(),
            timestamp=self.config.lab.timestamp,
        )

    def _calibrations(self) -> dict[str, dict[str, str]]:
        """Write the certificates of the bench's devices as plain data, by device."""
        return {
            one.name: {key: str(value) for key, value in asdict(one.calibration).items() if value}
            for one in self.config.devices
            if one.calibration is not None
        }

    def abort(self, by: str) -> None:
        """End the run that is going on; a second call cuts its clean-ups short.

        By then nobody waits for the operator any more.
        """
        self.control.abort(by)
        if self.control.hurried:
            self.desk.refuse(f"the run was aborted by {by}")

    def snapshot(self) -> dict[str, Any]:
        """Describe DUT and current run for a front end that just came."""
        dut = self.dut.dut
        return {
            "version": __version__,
            "dut": {"kind": dut.kind, "vendor": dut.vendor, "model": dut.model},
            "ocpp": {"listen": self.listening_at, "connected": self.dialogue.is_connected},
            "run": self.run_id,
            "paused": self.control.is_paused,
            "held": self.desk.held,
        }

"""A simulated lab and a session on its bench, all in one process: in virtual or in real time.

Everything on the bench is what it is in real life: the drivers, their protocols, the twins, the
engine's WebSocket server and the station's client. In virtual time their connections stay in
memory (`drivers.sim.virtual_time`), serial ports become such connections, and no second is waited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench.config import (
    BenchConfig,
    DeviceEntry,
    SampleSettings,
    load_bench,
    split_address,
)
from bench.device import DriverContext
from bench.dut import DutConfig, load_dut
from bench.events import CaseEnded, Checked
from bench.journal import Record
from bench.plan import Selection, load_suites, make_plan
from bench.session import RunResult, Session
from drivers import tcp_relay
from drivers.sim.lab import Lab, open_lab
from drivers.sim.memory_network import Network, PortListener
from drivers.sim.virtual_time import VirtualTimeLoop

T = TypeVar("T")

UNPOLLED = SampleSettings(pilot=0, meters=0, loads=0, modem=0)

_CSMS = "ws://127.0.0.1:8180/ocpp"
"""Where the station connects in memory; the relay of the bench listens there."""


@dataclass(frozen=True)
class SimulatedBench:
    """A simulated lab and a session on it, with every record."""

    lab: Lab
    session: Session
    records: list[Record]
    folder: Path

    async def run(self, *cases: str, groups: Sequence[str] = ()) -> RunResult:
        """Run cases and return how it ended."""
        selection = Selection(cases=cases, groups=tuple(groups))
        plan = make_plan(load_suites(), selection, self.session.dut, self.session.config)
        number = sum(1 for _ in self.folder.glob("run*")) + 1
        return await self.session.run(plan, self.folder / f"run{number}")

    def ended(self) -> dict[str, CaseEnded]:
        """Return the ends of the cases by id."""
        events = (record.event for record in self.records)
        return {event.case: event for event in events if isinstance(event, CaseEnded)}

    def failures(self) -> list[Checked]:
        """Return the checks that say something against the DUT."""
        events = (record.event for record in self.records)
        bad = ("fail", "inconclusive")
        return [event for event in events if isinstance(event, Checked) and event.verdict in bad]


@asynccontextmanager
async def open_bench(
    folder: Path,
    *,
    variant: str = "default",
    defects: Sequence[str] = (),
    change: Callable[[DutConfig], DutConfig] = lambda dut: dut,
    samples: SampleSettings = UNPOLLED,
) -> AsyncIterator[SimulatedBench]:
    """Open a simulated lab and a session on its bench, in the time of the running event loop.

    `change` may alter what the `dut.toml` of the lab says, for example its deadlines; `samples`
    counts in virtual time alone.
    """
    loop = asyncio.get_running_loop()
    network = loop.network if isinstance(loop, VirtualTimeLoop) else None
    lab_of = partial(open_lab, folder, variant=variant, defects=defects)
    async with lab_of() if network is None else lab_of(csms=_CSMS, serial=False) as lab:
        config = load_bench(lab.bench_file)
        if network is not None:
            # What passes in no time needs no samples either, unless a test asks for them.
            config = replace(_in_memory(config, network), samples=samples)
        session = Session(config, change(load_dut(lab.dut_file)), refuse_prompts=True)
        records: list[Record] = []
        with session.stream.watched_by(records.append):
            yield SimulatedBench(lab, session, records, folder)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run a program in virtual time, in an event loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def _in_memory(config: BenchConfig, network: Network) -> BenchConfig:
    """Let the relay, which has a socket of the system in its hands, listen in memory instead."""

    def entry(device: DeviceEntry) -> DeviceEntry:
        if device.driver is not tcp_relay.DRIVER:
            return device
        return replace(device, driver=replace(device.driver, make=make))

    def make(_: Any, context: DriverContext) -> tcp_relay.TcpRelay:
        assert context.ocpp_upstream is not None
        host, port = split_address(context.ocpp_listen, "[ocpp] listen")
        listener = PortListener(network, host, port)
        return tcp_relay.TcpRelay(context.name, listener, context.ocpp_upstream)

    return replace(config, devices=tuple(map(entry, config.devices)))

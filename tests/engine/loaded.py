"""A lab with a load: pilot box, meter and EA-PSB on their wires, and a station of a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.capability import Load, PowerMeter, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.config import load_bench
from bench.dut import load_dut
from bench.events import CaseEnded, Event, Interlocked
from bench.journal import Record
from bench.plan import Plan
from bench.procedure import Body, Procedure, Suite, procedure
from bench.session import Session
from drivers.sim.connector import Contactor
from drivers.sim.ea_psb import EaPsb
from drivers.sim.energy_meter import EnergyMeter
from drivers.sim.modbus import ModbusLine
from drivers.sim.pilot_box import PilotBox
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World

VOLTS = 325.0
"""At the load, once the station has closed its contactor."""

DUT = """\
[dut]
kind = "charging-station"
identity = "CP"
vendor = "V"
model = "M"
"""

WARM = 0x300
"""Register of the sensor."""


class Clock:
    """The event loop's clock, which can be put forward."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._loop.time() + self._ahead

    def put_forward(self, seconds: float) -> None:
        self._ahead += seconds


class WarmMeter(EnergyMeter):
    """A meter with a sensor: input register 0x300, float."""

    celsius = 25.0

    def __init__(self, world: World) -> None:
        super().__init__(world.supply, world.timeline, interval=0.0)
        self._model = replace(self._model, size=WARM + 2)

    def _update(self) -> None:
        super()._update()
        self._input[WARM] = self.celsius


@dataclass(frozen=True)
class LoadedLab:
    """What a test may look at and meddle with."""

    folder: Path
    clock: Clock
    world: World
    twins: dict[str, Twin[Any]]
    meter: WarmMeter

    @property
    def load(self) -> EaPsb:
        device: EaPsb = self.twins["load"].device
        return device

    @property
    def pilot(self) -> str:
        return self.world.connectors[1].pilot_state()

    def offer(self, current: float | None) -> None:
        """Have the station offer so much."""
        self.world.connectors[1].offer(current)

    def bench_file(self, more: str = "", **tables: str) -> Path:
        """Write the bench.toml, with `more` before the devices; `tables` replace devices' keys."""
        profile = self.folder / "warm.toml"
        shipped = Path("drivers/profiles/eastron-sdm630.toml").read_text("utf-8")
        warm = '[quantities]\ntemperature = { register = 0x300, unit = "°C" }\n'
        profile.write_text(shipped.replace("[quantities]\n", warm), "utf-8")
        keys = {
            "load": 'driver = "ea-psb"\nmax_current = 30',
            "pilot-box": 'driver = "pilot-box"\ncable = 20',
            "meter": f'driver = "register-meter"\nprofile = "{profile}"',
        }
        keys |= {name.replace("_", "-"): table for name, table in tables.items()}
        text = '[bench]\nname = "Loaded"\n\n[ocpp]\nlisten = "127.0.0.1:0"\n\n' + more
        for name, table in keys.items():
            link = "" if "manual" in table else f'link = "{self.twins[name].link}"'
            text += f'\n[[device]]\nname = "{name}"\n{link}\n{table}\n'
        path = self.folder / "bench.toml"
        path.write_text(text, "utf-8")
        return path

    def dut_file(self) -> Path:
        path = self.folder / "dut.toml"
        path.write_text(DUT, "utf-8")
        return path

    async def sees(self, holds: Any) -> None:
        """Wait until something holds in the lab."""
        await self.world.until(holds, within=20.0)


@asynccontextmanager
async def loaded_lab(folder: Path) -> AsyncIterator[LoadedLab]:
    """Run the lab; its station offers 16 A and closes its contactor in states C and D."""
    clock = Clock()
    world = World(clock=clock, contactor=Contactor(closing=0.02, opening=0.02))
    connector = world.connectors[1]
    meter = WarmMeter(world)
    load = EaPsb(lambda: VOLTS if connector.live else 0.0, connector.load, timeline=world.timeline)
    twins: dict[str, Twin[Any]] = {
        "load": Twin(load, TcpWire("socket")),
        "pilot-box": Twin(PilotBox(connector, world.timeline), TcpWire("modbus-tcp")),
        "meter": Twin(ModbusLine([meter], "tcp"), TcpWire("modbus-tcp")),
    }

    async def station() -> None:
        while True:
            ready = connector.pilot_state() in ("C", "D")
            connector.close_contactor(ready)
            await world.next_event()

    connector.offer(16.0)
    async with twins["load"], twins["pilot-box"], twins["meter"], asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(station())
        try:
            yield LoadedLab(folder, clock, world, twins, meter)
        finally:
            serving.cancel()
            world.timeline.stop()


async def charging(load: Load, coupler: VehicleCoupler, vehicle: VehicleEmulator) -> None:
    """Plug in, ask, and wait until the station has closed its contactor."""
    await coupler.plug_in(1)
    await vehicle.draw(1)
    async with asyncio.timeout(20.0):
        while (await load.read()).voltage.value < VOLTS:  # noqa: ASYNC110 - it can only be asked
            await asyncio.sleep(0.02)


@procedure("TC_901_CS", title="Energy flows into a load", mark="O", refs=["none"])
async def energy_flows(
    case: Case, coupler: VehicleCoupler, vehicle: VehicleEmulator, load: Load, meter: PowerMeter
) -> None:
    """A load draws what the station offers, twice."""
    for _ in range(2):
        async with case.step("Charge"):
            await charging(load, coupler, vehicle)
            await load.draw(current=10)
            await meter.read()
            await load.draw(current=16)
            case.check("The load draws", (await load.read()).current.value, 16.0)
        async with case.step("Suspend and leave"):
            await vehicle.suspend(1)
            await coupler.unplug(1)


def plan_of(one: Procedure) -> Plan:
    """Plan one case, without a reset before it."""
    return Plan(Suite("loaded", "charging-station", (one,), reset=one), (one,), ())


@dataclass(frozen=True)
class Bench:
    """A session on the lab, in this process."""

    lab: LoadedLab
    session: Session
    records: list[Record]

    async def run(self, body: Body) -> CaseEnded:
        """Run a body as a case; return how it ended."""
        one = procedure("TC_902_CS", title="x", mark="O", refs=["none"])(body)
        result = await self.session.run(plan_of(one), self.lab.folder / "run")
        assert result.complete, result.reason
        ended: CaseEnded
        (ended,) = self.events(CaseEnded)
        return ended

    def events(self, kind: type[Event]) -> list[Any]:
        return [record.event for record in self.records if isinstance(record.event, kind)]

    @property
    def interlocked(self) -> list[tuple[str, str, str]]:
        """What the interlocks did: device, what, why."""
        return [(one.device, one.did, one.reason) for one in self.events(Interlocked)]


@asynccontextmanager
async def loaded_bench(folder: Path, more: str = "", **tables: str) -> AsyncIterator[Bench]:
    """Run the lab and a session on it; see `bench_file`."""
    async with loaded_lab(folder) as lab:
        session = Session(
            load_bench(lab.bench_file(more, **tables)),
            load_dut(lab.dut_file()),
            refuse_prompts=True,
        )
        records: list[Record] = []
        with session.stream.watched_by(records.append):
            yield Bench(lab, session, records)

"""The simulated lab: a world, its twins, a station that lives while its outlet is on."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bench.errors import ConfigError
from drivers.sim.bench_files import bench_toml, dut_toml, listen_address, write_firmware
from drivers.sim.card_changer import CardChanger
from drivers.sim.e3372_hilink import E3372Hilink
from drivers.sim.ea_psb import EaPsb
from drivers.sim.energy_meter import EnergyMeter
from drivers.sim.hand import follow
from drivers.sim.modbus import ModbusLine
from drivers.sim.netio import Netio
from drivers.sim.outlet import Outlet
from drivers.sim.pilot_box import PilotBox
from drivers.sim.radio import Radio
from drivers.sim.service_port import ServicePort
from drivers.sim.twin import Twin
from drivers.sim.variants import CARDS, VARIANTS, Variant
from drivers.sim.wire import PtyWire, TcpWire, Wire
from drivers.sim.world import World
from stations.hardware import StationHardware
from stations.settings import StationSettings

IDENTITY = "PB-0001"
RECTIFIED = 325.0
"""Voltage in V at the load, which sits behind a rectifier at the vehicle's end of the cable."""
REGISTER = 1234.5
"""Where the station's meters stand when the lab starts, in Wh."""
READ_TIME = 0.01
"""How long a card is in a reader's field until it is read, in s; the changer holds it longer."""


class Powered(Protocol):
    """A station in software."""

    @abstractmethod
    async def run(self) -> object:
        """Live while there is power: cancelling is a power loss, running again a power-up."""


MakeStation = Callable[[StationSettings, StationHardware, Path, Sequence[str]], Powered]
"""Make a station of its settings, its hardware, its storage folder and its defects."""


class Lab:
    """What a test may look at and meddle with while the lab runs."""

    def __init__(
        self,
        folder: Path,
        world: World,
        twins: Mapping[str, Twin[Any]],
        station: Powered,
        *,
        buffer_time: float = 0.0,
    ) -> None:
        self.bench_file = folder / "bench.toml"
        self.dut_file = folder / "dut.toml"
        self.world = world
        self.twins = twins
        """By device name in `bench.toml`."""
        self.station = station
        self._buffer_time = buffer_time

    async def feed_station(self) -> None:
        """Let the station live whenever there is mains, and from its buffer after that."""
        outages = self.world.outages
        while True:
            await self.world.until(lambda: self.world.mains)
            async with asyncio.TaskGroup() as power:
                life = power.create_task(self.station.run())
                await self.world.until(partial(self._has_failed_since, outages))
                await asyncio.sleep(self._buffer_time)
                life.cancel()
            outages = self.world.outages

    def _has_failed_since(self, outages: int) -> bool:
        return self.world.outages > outages


@asynccontextmanager
async def open_lab(
    folder: Path,
    *,
    csms: str | None = None,
    defects: Sequence[str] = (),
    variant: str = "default",
    make_station: MakeStation | None = None,
    serial: bool = True,
    hand: Path | None = None,
) -> AsyncIterator[Lab]:
    """Run a simulated lab; its files are in `folder`, which also is the station's storage.

    `csms` is the endpoint without the identity (`ws://HOST:PORT/PATH`); without it the station
    connects to the `[ocpp] listen` address of the lab's own `bench.toml`. A station that crashes
    ends the lab with its error. Without `serial` ports the devices that would have one are on TCP.
    With a `hand` the operator of the engine that serves this folder of runs provokes failures.
    """
    product = _variant(variant)
    listen = listen_address(csms)
    settings = StationSettings(
        identity=IDENTITY, url=csms or f"ws://{listen}/ocpp", **product.station
    )
    storage = folder / "station"
    await asyncio.to_thread(storage.mkdir, exist_ok=True)
    async with AsyncExitStack() as stack:
        world = World(
            connectors=product.connectors,
            fixed_cable=product.fixed_cable,
            mode12=product.mode12,
            readers=product.readers,
            register=REGISTER,
            read_time=READ_TIME,
        )
        stack.callback(world.timeline.stop)
        twins = _twins(world, folder if serial else None)
        for twin in twins.values():
            await stack.enter_async_context(twin)
        station = (make_station or _virtual_station)(settings, world, storage, defects)
        lab = Lab(folder, world, twins, station, buffer_time=settings.buffer_time)
        links = {name: twin.link for name, twin in twins.items()}
        toml = bench_toml(listen, links, by_hand=hand is not None)
        await asyncio.to_thread(lab.bench_file.write_text, toml, "utf-8")
        await asyncio.to_thread(write_firmware, folder)
        await asyncio.to_thread(lab.dut_file.write_text, dut_toml(product, settings), "utf-8")
        try:
            async with asyncio.TaskGroup() as tasks:
                living = [tasks.create_task(lab.feed_station())]
                if hand is not None:
                    living.append(tasks.create_task(follow(world, hand)))
                yield lab
                for one in living:
                    one.cancel()
        except BaseExceptionGroup as group:
            raise _only(group) from None


def _twins(world: World, folder: Path | None) -> dict[str, Twin[Any]]:
    """Make the devices of the bench, one of each kind of link; without `folder` no serial one."""
    timeline, connector = world.timeline, world.connectors[1]
    cards = {channel: card["id_tag"] for channel, card in enumerate(CARDS.values())}
    meter = EnergyMeter(world.supply, timeline)
    radio = Radio(timeline, registration=0.3, dialling=0.1, reconnects=True)
    load = EaPsb(lambda: RECTIFIED if connector.live else 0.0, connector.load, timeline=timeline)
    outlets = [Outlet(timeline, world.set_mains), *(Outlet(timeline) for _ in range(3))]
    changer_wire: Wire = TcpWire("socket")
    meter_wire: Wire = TcpWire("modbus-tcp")
    meter_line = ModbusLine([meter], "tcp")
    if folder is not None:
        changer_wire = PtyWire("serial", path=folder / "card-changer.tty")
        meter_line = ModbusLine([meter], "rtu")
        meter_wire = PtyWire("modbus-rtu", path=folder / "meter.tty")
    return {
        "pilot-box": Twin(PilotBox(connector, timeline), TcpWire("modbus-tcp")),
        "card-changer": Twin(CardChanger(world, cards), changer_wire),
        "meter": Twin(meter_line, meter_wire),
        "load": Twin(load, TcpWire("socket")),
        "mains": Twin(Netio(outlets), TcpWire("http")),
        "modem": Twin(E3372Hilink(radio), TcpWire("http")),
        "service-port": Twin(ServicePort(world), TcpWire("http")),
    }


def _variant(name: str) -> Variant:
    try:
        return VARIANTS[name]
    except KeyError:
        known = ", ".join(VARIANTS)
        raise ConfigError(f"no station variant {name!r}, known are {known}") from None


def _virtual_station(
    settings: StationSettings,
    hardware: StationHardware,
    storage: Path,
    defects: Sequence[str],
) -> Powered:
    # WebSockets are slow to import, and not every user of the lab wants the virtual station.
    from stations.station import VirtualStation

    return VirtualStation(settings, hardware, folder=storage, defects=defects)


def _only(error: BaseException) -> BaseException:
    """Unwrap groups of one error, as one of several tasks has failed."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error

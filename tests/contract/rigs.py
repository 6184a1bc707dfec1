"""Every driver of a machine on its twin, in a world; a new driver is one more row."""

from __future__ import annotations

import asyncio
import inspect
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest

from bench import toml
from bench.device import Device, Driver
from drivers import profile
from drivers.link.http import HttpLink
from drivers.link.modbus import ModbusLink
from drivers.link.snmp import SnmpLink
from drivers.sim.apc import ApcPdu
from drivers.sim.card_changer import CardChanger
from drivers.sim.chameleon import Chameleon
from drivers.sim.e3372_at import E3372At
from drivers.sim.e3372_hilink import E3372Hilink
from drivers.sim.ea_psb import EaPsb
from drivers.sim.ea_psb_registers import EaPsbModbus
from drivers.sim.energy_meter import EnergyMeter
from drivers.sim.ev_sim import EvSim
from drivers.sim.gude import Gude
from drivers.sim.managed_switch import ManagedSwitch
from drivers.sim.modbus import ModbusLine
from drivers.sim.multimeter import Multimeter
from drivers.sim.netio import Netio
from drivers.sim.outlet import Outlet
from drivers.sim.phoenix_ev_cc import PhoenixEvCc
from drivers.sim.pilot_box import PilotBox
from drivers.sim.profile_ev_wires import HttpEmulator, LinesEmulator, ModbusEmulator
from drivers.sim.radio import Radio
from drivers.sim.service_port import ServicePort
from drivers.sim.shelly import Shelly
from drivers.sim.snmp import UdpWire
from drivers.sim.twin import Twin, Wired
from drivers.sim.wire import PtyWire, TcpWire, Wire
from drivers.sim.world import World
from drivers.sim.yeti_ev import YetiEv
from tests.wire.responders import context

DEADLINE = 3.0
"""For whatever a test waits for, in s."""

PATIENCE = 0.4
"""Deadline of one answer in s while the twin misbehaves, in place of the drivers' own."""

UNHURRIED = 5.0
"""Deadline of one answer in s while it does not: a busy machine makes no answer late."""

UID = "04A1B2C3D4E5F6"
"""Chip number and idTag of the card that card presenters hold."""


@dataclass(frozen=True, slots=True)
class Row:
    """One driver on one twin."""

    name: str
    driver: str
    """Module and name of the `Driver`."""
    twin: Callable[[World, Path], Twin[Any]]
    table: str = ""
    """Keys of the `[[device]]` table beside the link."""
    jam: Callable[[Any], None] | None = None
    """Keep the mechanism of the twin's device from following; None: nothing moves in it."""
    summed: bool = False
    """Its frames carry a checksum: what is damaged on the line is not believed."""
    patience: Mapping[str, Any] = field(default_factory=dict)
    """What the driver waits for in s, by the name of its constant, so that tests are fast."""


class Patience:
    """The deadline of one answer, for the links of a test, in place of their own."""

    def __init__(self) -> None:
        self.seconds = UNHURRIED

    def __get__(self, link: object, kind: type | None = None) -> float:
        return self.seconds

    def __set__(self, link: object, seconds: float) -> None:
        """Leave it at that."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A device, unopened, with its twin on the wire."""

    device: Any
    twin: Twin[Any]
    world: World
    row: Row
    patience: Patience

    @contextmanager
    def misbehaving(self, **faults: Any) -> Iterator[None]:
        """Give the twin faults for a while, in which its driver waits less for an answer."""
        for name, value in faults.items():
            assert hasattr(self.twin.faults, name)
            setattr(self.twin.faults, name, value)
        self.patience.seconds = PATIENCE
        try:
            yield
        finally:
            self.twin.faults.clear()
            self.patience.seconds = UNHURRIED

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Any]:
        """Open the device and leave it; what fails on leaving is no matter here."""
        device: Device = self.device
        await device.__aenter__()
        try:
            yield device
        finally:
            try:
                await device.__aexit__(None, None, None)
            except Exception:  # noqa: BLE001 - the test has judged already, or is failing
                await asyncio.sleep(0)

    async def die(self) -> None:
        """Close the link without making anything safe, as when the engine is killed."""
        links = [link for link in vars(self.device).values() if hasattr(link, "close")]
        assert links
        for link in links:
            await link.close()


def _jam_outlets(twin: Any) -> None:
    for outlet in getattr(twin, "outlets", None) or [twin.outlet]:
        outlet.switch = lambda on, **more: None


def _jam_relays(twin: Any) -> None:
    for board in twin.boards.values():
        board._switch = lambda wanted: None


def _jam_fingers(twin: Any) -> None:
    for finger in twin.fingers:
        finger.move = lambda target: None


def _jam_port(twin: Any) -> None:
    twin.write = lambda oid, number: None


def _be_stuck(twin: Any) -> None:
    twin.stuck = True


def _be_deaf(twin: Any) -> None:
    twin.deaf = True


def _outlets(world: World) -> list[Outlet]:
    return [Outlet(world.timeline, world.set_mains)]


def _meter(world: World, folder: Path) -> Twin[Any]:
    meter = EnergyMeter(world.supply, world.timeline, interval=0.0)
    return Twin(ModbusLine([meter], "rtu"), PtyWire("modbus-rtu", baudrate=115200))


_OWN = {
    "ev-example-modbus": {"model": "EXAMPLE-EV 12", "serial": 4711},
    "ev-example-lines": {"model": "EV-7", "serial": "4711", "firmware": "1.2"},
    "ev-example-http": {"model": "WebEV", "firmware": "1.2"},
}
"""What the emulators of the example profiles tell of themselves."""


def _emulator(name: str, kind: Callable[..., Wired], scheme: str, world: World) -> Twin[Any]:
    device = kind(profile.load_ev(name), world.connectors[1], _OWN[name])
    return Twin(device, TcpWire(scheme))


def _reference(framing: Literal["tcp", "rtu"], world: World) -> Twin[Any]:
    controller = PhoenixEvCc(world.connectors[1], world.timeline)
    wire: Wire = TcpWire("modbus-tcp")
    if framing == "rtu":
        wire = PtyWire("modbus-rtu", baudrate=115200)
    return Twin(ModbusLine([controller], framing), wire)


def _jam_units(twin: Any) -> None:
    for unit in twin.units:
        unit.stuck = True


_FAILURES = """
    [failures.lock-blocked]
    provoke = { path = "/lock/{connector}", method = "PUT", json = '{"blocked": true}' }
    relieve = { path = "/lock/{connector}", method = "PUT", json = '{"blocked": false}' }
    state = { path = "/lock/{connector}", pointer = "/blocked" }

    [failures.local-list-failure]
    provoke = { path = "/local-list", method = "PUT", json = '{"fails": true}' }
    relieve = { path = "/local-list", method = "PUT", json = '{"fails": false}' }
    state = { path = "/local-list", pointer = "/fails" }
    """

_SNMP = 'community = "private"\n'

ROWS = (
    Row(
        "netio",
        "drivers.netio:DRIVER",
        lambda world, folder: Twin(Netio(_outlets(world)), TcpWire("http")),
        jam=_jam_outlets,
        patience={"drivers.switching._SWITCH_WITHIN": 0.8},
    ),
    Row(
        "shelly",
        "drivers.shelly:DRIVER",
        lambda world, folder: Twin(Shelly(_outlets(world)[0]), TcpWire("http")),
        jam=_jam_outlets,
        patience={"drivers.switching._SWITCH_WITHIN": 0.8},
    ),
    Row(
        "gude",
        "drivers.gude:DRIVER",
        lambda world, folder: Twin(Gude(_outlets(world)), TcpWire("http")),
        jam=_jam_outlets,
        patience={"drivers.switching._SWITCH_WITHIN": 0.8},
    ),
    Row(
        "apc",
        "drivers.apc:DRIVER",
        lambda world, folder: Twin(ApcPdu(_outlets(world)), UdpWire()),
        _SNMP,
        jam=_jam_outlets,
        patience={"drivers.switching._SWITCH_WITHIN": 0.8},
    ),
    Row(
        "pilot-box",
        "drivers.pilot_box:DRIVER",
        lambda world, folder: Twin(
            PilotBox(world.connectors[1], world.timeline), TcpWire("modbus-tcp")
        ),
        jam=_jam_relays,
        patience={"drivers.box_relays._RELAYS_WITHIN": 0.8},
    ),
    Row(
        "pilot-box-rtu",
        "drivers.pilot_box:DRIVER",
        lambda world, folder: Twin(
            PilotBox(world.connectors[1], world.timeline, framing="rtu"),
            PtyWire("modbus-rtu", baudrate=115200),
        ),
        jam=_jam_relays,
        patience={"drivers.box_relays._RELAYS_WITHIN": 0.8},
        summed=True,
    ),
    Row(
        "ev-sim",
        "drivers.ev_sim:DRIVER",
        lambda world, folder: Twin(
            EvSim(world.connectors[1], cable=32.0, period=0.02), PtyWire("serial")
        ),
        jam=_be_deaf,
        patience={
            "drivers.ev_sim._FIRST_FRAME": 0.8,
            "drivers.ev_sim._TWO_FRAMES": 0.8,
            "drivers.ev_sim._SAFE_WITHIN": 0.8,
        },
    ),
    Row(
        "yeti-ev",
        "drivers.yeti_ev:DRIVER",
        lambda world, folder: Twin(
            YetiEv(world.connectors[1], world.timeline, cable=32.0, period=0.02),
            PtyWire("serial", baudrate=115200),
        ),
        jam=_be_deaf,
        patience={
            "drivers.yeti_ev._ALIVE_WITHIN": 0.8,
            "drivers.yeti_ev._MEASURED_WITHIN": 0.8,
            "drivers.yeti_ev._SAFE_WITHIN": 0.6,
        },
        summed=True,
    ),
    Row(
        "phoenix-ev-cc",
        "drivers.phoenix_ev_cc:DRIVER",
        lambda world, folder: _reference("tcp", world),
        jam=_jam_units,
    ),
    Row(
        "phoenix-ev-cc-rtu",
        "drivers.phoenix_ev_cc:DRIVER",
        lambda world, folder: _reference("rtu", world),
        jam=_jam_units,
        summed=True,
    ),
    Row(
        "card-changer",
        "drivers.card_changer:DRIVER",
        lambda world, folder: Twin(CardChanger(world, {0: UID}), PtyWire("serial")),
        "slots = { valid = 0 }\nhold = 0.1\ntravel = 0.2\n",
        jam=_jam_fingers,
        patience={"drivers.card_changer._ANSWER_WITHIN": PATIENCE},
    ),
    Row(
        "chameleon",
        "drivers.chameleon:DRIVER",
        lambda world, folder: Twin(Chameleon(world), PtyWire("serial")),
        "hold = 0.1\n",
        jam=_be_stuck,
        patience={"drivers.chameleon._ANSWER_WITHIN": PATIENCE},
        summed=True,
    ),
    Row(
        "e3372-stick",
        "drivers.e3372_stick:DRIVER",
        lambda world, folder: Twin(E3372At(Radio(world.timeline)), PtyWire("serial")),
        "connect_within = 0.8\n",
        jam=_be_stuck,
        patience={
            "drivers.e3372_stick._EVERY": 0.01,
            "drivers.at_line._QUERY": PATIENCE,
            "drivers.at_line._THERE": PATIENCE,
            "drivers.at_line._DRAIN": 0.05,
        },
    ),
    Row(
        "e3372-hilink",
        "drivers.e3372_hilink:DRIVER",
        lambda world, folder: Twin(
            E3372Hilink(Radio(world.timeline, reconnects=True)), TcpWire("http")
        ),
        "connect_within = 0.8\n",
        jam=_be_stuck,
        patience={
            "drivers.e3372_hilink._EVERY": 0.01,
            # Several requests make one call.
            "drivers.e3372_hilink._QUERY_WITHIN": 3 * PATIENCE,
        },
    ),
    Row(
        "ea-psb",
        "drivers.ea_psb:DRIVER",
        lambda world, folder: Twin(EaPsb(lambda: 400.0), TcpWire("socket")),
        "max_current = 16\n",
        jam=_be_stuck,
        patience={
            "drivers.ea_psb._ANSWER_WITHIN": PATIENCE,
            "drivers.ea_psb._ON_WITHIN": 0.8,
            "drivers.ea_psb._OFF_WITHIN": 0.8,
        },
    ),
    Row(
        "ea-psb-modbus",
        "drivers.ea_psb:DRIVER",
        lambda world, folder: Twin(EaPsbModbus(EaPsb(lambda: 400.0)), TcpWire("modbus-tcp")),
        "max_current = 16\nwatchdog = 0\n",
        jam=lambda twin: _be_stuck(twin.psb),
        patience={"drivers.ea_psb._ON_WITHIN": 0.8, "drivers.ea_psb._OFF_WITHIN": 0.8},
    ),
    Row(
        "ea-psb-rtu",
        "drivers.ea_psb:DRIVER",
        lambda world, folder: Twin(
            EaPsbModbus(EaPsb(lambda: 400.0), framing="rtu"),
            PtyWire("modbus-rtu", baudrate=115200),
        ),
        "max_current = 16\nwatchdog = 0\n",
        jam=lambda twin: _be_stuck(twin.psb),
        patience={"drivers.ea_psb._ON_WITHIN": 0.8, "drivers.ea_psb._OFF_WITHIN": 0.8},
        summed=True,
    ),
    Row(
        "profile-ev-modbus",
        "drivers.profile_ev:DRIVER",
        lambda world, folder: _emulator("ev-example-modbus", ModbusEmulator, "modbus-tcp", world),
        'profile = "ev-example-modbus"\n',
        jam=_be_stuck,
    ),
    Row(
        "profile-ev-lines",
        "drivers.profile_ev:DRIVER",
        lambda world, folder: _emulator("ev-example-lines", LinesEmulator, "socket", world),
        'profile = "ev-example-lines"\n',
        jam=_be_stuck,
    ),
    Row(
        "profile-ev-http",
        "drivers.profile_ev:DRIVER",
        lambda world, folder: _emulator("ev-example-http", HttpEmulator, "http", world),
        'profile = "ev-example-http"\n',
        jam=_be_stuck,
    ),
    Row(
        "meter",
        "drivers.register_meter:DRIVER",
        _meter,
        'profile = "eastron-sdm630"\n',
        summed=True,
    ),
    Row(
        "service-port",
        "drivers.service_port:DRIVER",
        lambda world, folder: Twin(ServicePort(world), TcpWire("http")),
        _FAILURES,
        jam=_be_stuck,
    ),
    Row(
        "multimeter-tcp",
        "drivers.multimeter:DRIVER",
        lambda world, folder: Twin(Multimeter(), TcpWire("socket")),
        'profile = "keysight-34465a"\n',
        patience={"drivers.multimeter._ANSWER_WITHIN": PATIENCE},
    ),
    Row(
        "multimeter-serial",
        "drivers.multimeter:DRIVER",
        lambda world, folder: Twin(
            Multimeter(maker="FLUKE", model="8845A", needs_remote=True),
            PtyWire("serial", baudrate=115200),
        ),
        'profile = "fluke-8845a"\n',
        patience={"drivers.multimeter._ANSWER_WITHIN": PATIENCE},
    ),
    Row(
        "switch-port",
        "drivers.switch_port:DRIVER",
        lambda world, folder: Twin(ManagedSwitch(world.timeline), UdpWire()),
        _SNMP + "port = 3\n",
        jam=_jam_port,
        patience={
            "drivers.switch_port._ADMIN_WITHIN": 0.8,
            "drivers.switch_port._LINK_DOWN_WITHIN": 0.8,
        },
    ),
)

NO_TWIN = {
    "drivers.tcp_relay:DRIVER": "is no machine but in this program",
    "drivers.linux_path:DRIVER": "is the kernel, which the tests have: see `test_network_paths`",
    "drivers.pcsc_reader:DRIVER": "has its twin behind a daemon: see `test_card_readers`",
}
"""Drivers without a twin on a wire, and why."""


def driver_of(row: Row) -> Driver:
    """Load a row's driver."""
    return loaded(row.driver)


def loaded(value: str) -> Driver:
    """Load the driver that an entry point names."""
    module, _, name = value.partition(":")
    driver = getattr(import_module(module), name)
    assert isinstance(driver, Driver)
    return driver


def offering(*capabilities: type) -> pytest.MarkDecorator:
    """Run a test with every row whose driver offers these capabilities."""
    rows = [row for row in ROWS if set(capabilities) <= set(driver_of(row).offers)]
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


@asynccontextmanager
async def rig_of(
    row: Row, folder: Path, monkeypatch: pytest.MonkeyPatch, **world: Any
) -> AsyncIterator[Rig]:
    """Put a row's twin on its wire, in a world of its own."""
    for name, seconds in row.patience.items():
        monkeypatch.setattr(name, seconds)
    lab = World(**world)
    try:
        async with row.twin(lab, folder) as twin:
            patience = Patience()
            for link in (HttpLink, SnmpLink, ModbusLink):
                monkeypatch.setattr(link, "_within", patience, raising=False)
            driver = driver_of(row)
            table = tomllib.loads(inspect.cleandoc(row.table)) | {"link": twin.link}
            settings: Any = toml.parse(driver.settings, table, "bench.toml: [[device]] 'dev'")
            yield Rig(driver.make(settings, context("dev")), twin, lab, row, patience)
    finally:
        lab.timeline.stop()

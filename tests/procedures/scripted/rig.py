"""The engine, hands that reach the scripted station, and a runner for one procedure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from bench.bench import Bench
from bench.capability import (
    Card,
    CardPresenter,
    Cut,
    End,
    Failure,
    NetworkPath,
    PilotFault,
    PilotReading,
    PowerSwitch,
    Provocation,
    VehicleCoupler,
    VehicleEmulator,
)
from bench.config import BenchConfig, BenchSettings, DeviceEntry
from bench.control import Control
from bench.device import Answer, Device, Driver, DriverContext, Identity
from bench.dut import CardEntry, Charging, DutConfig, DutIdentity, Firmware, Pixit, Setting, Timing
from bench.errors import Unverifiable
from bench.events import CaseEnded, Checked, Event, FrameReceived, Noted
from bench.journal import Record
from bench.ocpp.csms import Book, Csms
from bench.ocpp.dialogue import Dialogue
from bench.ocpp.frame import Call, parse
from bench.ocpp.monitors import Monitors
from bench.runner import Runner
from bench.stream import Stream
from bench.transfer.files import FileSettings
from procedures.ocpp16.station import SUITE
from tests.procedures.scripted.station import GOOD_FIRMWARE, ScriptedStation

PICS = {
    "C-04": True,
    "C-06": "Both",
    "C-07": True,
    "C-08": True,
    "AQ-2": False,
    "FP.Core": True,
    "FP.LAL": False,
    "FP.RT": True,
    "GEN.rfid": "one per EVSE",
}
CARDS = {
    "valid": CardEntry("CARD1", parent="GROUP"),
    "second": CardEntry("CARD2", parent="GROUP"),
    "invalid": CardEntry("STRANGER", "Invalid"),
}
RESERVATIONS_OFF = Setting("ReservationsAccepted", "false")


class Hands(
    Device,
    VehicleCoupler,
    VehicleEmulator,
    CardPresenter,
    PowerSwitch,
    NetworkPath,
    Provocation,
):
    """Every capability at once, at connector 1."""

    def __init__(self) -> None:
        self.station: ScriptedStation
        self.done: list[str] = []
        self.plugged: set[int] = set()
        self.cuts = True
        """The network path can really be cut."""
        self._cut = False
        self._is_on = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def identify(self) -> Identity:
        return Identity("Test", "Hands")

    async def make_safe(self) -> None:
        pass

    async def plug_in(self, connector: int) -> None:
        self.done.append(f"plug in {connector}")
        self.plugged.add(connector)
        station = self.station
        station.spawn(station.plug() if connector == 1 else station.report(connector, "Preparing"))

    async def unplug(self, connector: int, *, end: End = End.BOTH) -> None:
        self.done.append(f"unplug {connector}")
        self.plugged.discard(connector)
        station = self.station
        if connector == 1:
            station.spawn(station.unplug(station_end=end is not End.VEHICLE))
        else:
            station.spawn(station.report(connector, "Available"))

    async def is_plugged_in(self, connector: int) -> bool:
        return connector in self.plugged

    async def draw(
        self, connector: int, *, current: float | None = None, ventilation: bool = False
    ) -> None:
        self.station.spawn(self.station.draw())

    async def suspend(self, connector: int) -> None:
        raise NotImplementedError

    async def set_fault(self, connector: int, fault: PilotFault) -> None:
        raise NotImplementedError

    async def read_pilot(self, connector: int) -> PilotReading:
        raise NotImplementedError

    async def present(self, card: Card, *, connector: int = 1) -> None:
        self.done.append(f"present {card.name}")
        self.station.spawn(self.station.card(card.id_tag))

    async def withdraw(self) -> None:
        raise NotImplementedError

    async def switch_on(self) -> None:
        if not self._is_on:
            self._is_on = True
            self.done.append("switch on")
            self.station.spawn(self.station.wake("PowerLoss"))

    async def switch_off(self) -> None:
        self._is_on = False
        self.station.spawn(self.station.run_down())

    async def cycle(self, *, off_for: float) -> None:
        self.station.lose_power()
        await asyncio.sleep(off_for)
        self.station.spawn(self.station.wake("PowerLoss"))

    async def is_on(self) -> bool:
        return self._is_on

    async def cut(self, how: Cut = Cut.RESET) -> None:
        if self.cuts:
            self._cut = True
            self.station.disconnect()

    async def restore(self) -> None:
        if self._cut:
            self._cut = False
            self.station.spawn(self.station.reconnect())

    async def delay(self, seconds: float) -> None:
        raise NotImplementedError

    async def limit(self, bytes_per_second: float | None) -> None:
        raise NotImplementedError

    async def provoke(self, what: Failure, connector: int) -> None:
        self._fail(what, True)

    async def relieve(self, what: Failure, connector: int) -> None:
        self._fail(what, False)

    def _fail(self, what: Failure, fails: bool) -> None:
        if what is Failure.LOCK_BLOCKED:
            self.station.lock_blocked = fails
        else:
            self.station.list_fails = fails

    async def is_cut(self) -> bool:
        return self._cut


class NoOperator:
    async def ask(self, kind: str, text: str, **_: Any) -> Answer:
        raise Unverifiable("nobody answers")


@dataclass(frozen=True)
class Settings:
    pass


@dataclass
class Rig:
    """One scripted station and what was recorded about it."""

    station: ScriptedStation
    hands: Hands
    book: Book
    runner: Runner
    records: list[Record] = field(default_factory=list)

    async def run(self, case: str, *, reset: bool = True) -> CaseEnded:
        """Run a case after restoring the basic state, and return how it ended."""
        (one,) = (one for one in SUITE.procedures if one.id == case)
        restore = SUITE.reset if reset and one is not SUITE.reset else None
        await self.runner.run_case(one, restore)
        ended: CaseEnded = self.events(CaseEnded)[-1]
        return ended

    def events(self, kind: type[Event]) -> list[Any]:
        return [record.event for record in self.records if isinstance(record.event, kind)]

    def statuses(self, connector: int) -> list[dict[str, Any]]:
        """List what the station has reported of a connector."""
        frames = (parse(event.text) for event in self.events(FrameReceived))
        calls = (frame for frame in frames if isinstance(frame, Call))
        told = (c.payload for c in calls if c.action == "StatusNotification")
        return [payload for payload in told if payload["connectorId"] == connector]

    def first(self, fits: Callable[[Any], bool]) -> int:
        """Return the number of the first record whose event fits."""
        return next(record.n for record in self.records if fits(record.event))

    def bad(self) -> list[str]:
        """List the texts of the checks that say something against the station."""
        return [c.text for c in self.events(Checked) if c.verdict in ("fail", "inconclusive")]

    def notes(self) -> list[str]:
        return [noted.text for noted in self.events(Noted)]

    def asked(self, *actions: str) -> list[str]:
        """List the actions of the bench's CALLs, of these only if any is named.

        The sign of life that is asked for after a case is left out.
        """
        life = {"key": ["HeartbeatInterval"]}
        asked = [call.action for call in self.station.asked if call.payload != life]
        return [action for action in asked if not actions or action in actions]


@asynccontextmanager
async def rig(
    *,
    booted: bool = True,
    pics: dict[str, Any] | None = None,
    reservations_off: Setting | None = RESERVATIONS_OFF,
    charging: Charging | None = None,
    timing: Timing | None = None,
) -> AsyncIterator[Rig]:
    """Make a station that has booted (or is off), and an engine with default waits."""
    with TemporaryDirectory() as place:
        async with _rig_in(
            Path(place),
            booted=booted,
            pics=pics,
            reservations_off=reservations_off,
            charging=charging,
            timing=timing,
        ) as made:
            yield made


@asynccontextmanager
async def _rig_in(
    folder: Path,
    *,
    booted: bool,
    pics: dict[str, Any] | None,
    reservations_off: Setting | None,
    charging: Charging | None,
    timing: Timing | None,
) -> AsyncIterator[Rig]:
    stream, records, hands = Stream(), list[Record](), Hands()
    firmware = Firmware(folder / "good.bin", folder / "bad.bin", "2.0")
    (folder / "good.bin").write_bytes(GOOD_FIRMWARE)
    (folder / "bad.bin").write_bytes(b"?")
    timing = timing or Timing()
    pixit = Pixit(
        connector=1,
        connectors=2,
        cards=dict(CARDS),
        timing=timing,
        reservations_off=reservations_off,
        charging=charging or Charging(),
        firmware=firmware,
    )
    identity = DutIdentity("charging-station", "CP", "Test", "Scripted")
    dut = DutConfig(Path("dut.toml"), identity, PICS | (pics or {}), pixit)
    cards = {entry.id_tag.lower(): pixit.card(name) for name, entry in CARDS.items()}
    book = Book(cards, heartbeat_interval=timing.heartbeat_interval)
    monitors = Monitors(connectors=2, deviation=timing.deviation)
    dialogue = Dialogue(stream, monitors, Csms(book, lambda text: None))

    def make(settings: Settings, context: DriverContext) -> Hands:
        return hands

    offers = (
        VehicleCoupler,
        VehicleEmulator,
        CardPresenter,
        PowerSwitch,
        NetworkPath,
        Provocation,
    )
    entry = DeviceEntry("hands", "hands", Driver(Settings, offers, make), Settings())
    bench = Bench(BenchConfig(Path("bench.toml"), BenchSettings("b"), devices=(entry,)), stream)
    runner = Runner(
        stream=stream,
        bench=bench,
        dialogue=dialogue,
        dut=dut,
        operator=NoOperator(),
        control=Control(stream),
        files=FileSettings(),
        folder=folder,
    )
    with stream.watched_by(records.append):
        async with bench.opened(NoOperator(), lambda: ""), asyncio.TaskGroup() as tasks:
            station = hands.station = ScriptedStation(dialogue, tasks)
            if booted:
                await station.boot()
            yield Rig(station, hands, book, runner, records)
            station.end()

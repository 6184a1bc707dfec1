"""Runs that the real engine records against a station in this process, for all that reads them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from bench.capability import Card, CardPresenter, MeterReading, PowerMeter, PowerSwitch
from bench.case import Case
from bench.config import BenchConfig, BenchSettings, DeviceEntry, LabSettings, OcppSettings
from bench.device import Driver, DriverContext, Identity
from bench.dut import CardEntry, DutConfig, DutIdentity, Pixit, Timing
from bench.errors import LinkError
from bench.metrology import Limit, Quantity
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.message import elapsed, interval
from bench.ocpp.predicate import any_of, containing
from bench.ocpp.station import Station
from bench.plan import Outcome, Plan
from bench.procedure import Body, Procedure, Suite, procedure
from bench.session import RunResult, Session

Script = Callable[["Dut"], Awaitable[None]]
NOW = "2031-01-01T00:00:00Z"


@dataclass
class Dut:
    """A station in software, moved by the devices of the bench; `defects` make it misbehave."""

    defects: set[str] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    socket: ClientConnection | None = None
    address: Callable[[], str] = str
    number: int = 0
    answers: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    async def switched_on(self) -> None:
        if self.socket is None and "mute" not in self.defects:
            url = f"ws://{self.address()}/ocpp/CP1"
            self.socket = await connect(url, subprotocols=[Subprotocol("ocpp1.6")])
            self.start(self.listen(self.socket))
            self.start(self.boot())

    async def switched_off(self) -> None:
        if self.socket is not None:
            socket, self.socket = self.socket, None
            await socket.close()

    def start(self, work: Awaitable[None]) -> None:
        async def until_gone() -> None:
            with contextlib.suppress(ConnectionError, ConnectionClosed):
                await work

        task = asyncio.create_task(until_gone())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def boot(self) -> None:
        await self.call("BootNotification", chargePointVendor="Lab", chargePointModel="Sample")
        status = "Charging" if "odd-status" in self.defects else "Available"
        await self.call("StatusNotification", connectorId=0, status=status, errorCode="NoError")
        if "restless" in self.defects:
            await self.call("BootNotification", chargePointVendor="Lab", chargePointModel="Sample")

    async def card(self, id_tag: str) -> None:
        info = (await self.call("Authorize", idTag=id_tag))["idTagInfo"]
        if info["status"] == "Accepted" or "starts-anyway" in self.defects:
            values = {"connectorId": 1, "idTag": id_tag, "meterStart": 0, "timestamp": NOW}
            await self.call("StartTransaction", **values)

    async def listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            match json.loads(text):
                case [2, message_id, action, _]:
                    await socket.send(json.dumps(self.answer(message_id, action)))
                case [3, message_id, payload]:
                    self.answers.pop(message_id).set_result(payload)

    def answer(self, message_id: str, action: str) -> list[Any]:
        if action == "GetConfiguration":
            value = "sixty" if "odd-value" in self.defects else "60"
            key = {"key": "HeartbeatInterval", "readonly": False, "value": value}
            return [3, message_id, {"configurationKey": [key], "unknownKey": []}]
        if action == "ClearCache":
            return [3, message_id, {"status": "Accepted"}]
        return [4, message_id, "NotImplemented", f"no {action} here", {}]

    async def call(self, action: str, **payload: Any) -> dict[str, Any]:
        self.number += 1
        message_id = f"m{self.number}"
        answer = self.answers[message_id] = asyncio.get_running_loop().create_future()
        if self.socket is None:
            raise ConnectionError("switched off")
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        payload = await answer
        return payload


@dataclass(frozen=True)
class NoSettings:
    pass


class _Device:
    """What the devices below have in common: nothing to open, nothing to make safe."""

    def __init__(self, dut: Dut, context: DriverContext) -> None:
        self.dut = dut
        assert context.ocpp_upstream is not None
        dut.address = context.ocpp_upstream

    async def __aenter__(self) -> _Device:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def identify(self) -> Identity:
        return Identity("Lab", type(self).__name__, "1234")

    async def make_safe(self) -> None:
        pass


class Mains(_Device):
    async def __aexit__(self, *_: object) -> None:
        await self.dut.switched_off()

    async def switch_on(self) -> None:
        await self.dut.switched_on()

    async def switch_off(self) -> None:
        await self.dut.switched_off()

    async def cycle(self, *, off_for: float) -> None:
        await self.switch_off()
        await self.switch_on()

    async def is_on(self) -> bool:
        return self.dut.socket is not None


class Cards(_Device):
    async def present(self, card: Card, *, connector: int = 1) -> None:
        self.dut.start(self.dut.card(card.id_tag))

    async def withdraw(self) -> None:
        pass


class Meter(_Device):
    async def read(self) -> MeterReading:
        if "meter-gone" in self.dut.defects:
            raise LinkError("meter: no answer within 0.5 s")
        volts = (Quantity(229.7, "V", 0.4),)
        return MeterReading(volts, (Quantity(16.1, "A"),), Quantity(3698, "W"), Quantity(12, "Wh"))


@procedure("000_RESET", title="Restore the basic state", mark="-", refs=[])
async def reset(case: Case, station: Station, mains: PowerSwitch) -> None:
    """Power the station up unless it is connected."""
    if not station.is_connected:
        async with case.step("Power up and wait for the boot"):
            await mains.switch_on()
            await station.connects(within=1)
            await station.expect(v16.BootNotification(), within=1)
            await station.expect(v16.StatusNotification(connectorId=0), within=1)


@procedure("TC_901_CS", title="Cold boot", mark="M", refs=["OCPP 1.6 ed. 2 clause 4.2"])
async def a_station_boots(case: Case, station: Station, mains: PowerSwitch) -> None:
    """A station that was switched off and on again announces itself and its status."""
    async with case.step("Switch off and on"):
        await mains.cycle(off_for=0.1)
        await station.connects(within=1)
        boot = await station.expect(v16.BootNotification(chargePointModel=any_of("Sample", "X")))
    async with case.step("The status follows"):
        await station.connects(within=1)
    async with case.step("The station obeys"):
        answer = await station.call(v16.GetConfiguration(key=["HeartbeatInterval"]), result())
        path = "configurationKey[key=HeartbeatInterval].value"
        case.check("The heartbeat interval is kept", answer.field(path), "60")
        case.check("The answer comes soon", interval(boot, answer).value < 5)
        case.measure("boot to answer", interval(boot, answer), limit=Limit(0, 5))
        await station.call(v16.ClearCache(), result(status="Accepted"))
        await station.expect_none(v16.StopTransaction(), during=0.01)


@procedure(
    "TC_902_CS", title="Regular session, card refused", mark="C", refs=["clause 4.1", "C.34"]
)
async def a_refused_card_starts_nothing(
    case: Case, station: Station, csms: Csms, cards: CardPresenter
) -> None:
    """A card that the CSMS refuses must not start a transaction."""
    csms.answers(v16.Authorize, idTagInfo={"status": "Invalid"})
    async with case.step("Present a card that the CSMS refuses"):
        await cards.present(case.pixit.card("invalid"))
        await station.expect(v16.Authorize(idTag="BAD"))
    async with case.step("No transaction starts"):
        await station.expect_none(v16.StartTransaction(), during=0.2)


@procedure("TC_903_CS", title="Indication and energy", mark="O", refs=["clause 3.14"])
async def a_session_is_indicated_and_metered(
    case: Case, station: Station, cards: CardPresenter, meter: PowerMeter
) -> None:
    """While energy flows, the indicator says so and voltage stays within its limits."""
    with station.forbid(v16.FirmwareStatusNotification()):
        async with case.preamble(), case.step("Start a transaction"):
            await cards.present(case.pixit.card("valid"))
            authorize = await station.expect(v16.Authorize())
            start = await station.expect(v16.StartTransaction(connectorId=1), in_order=True)
            case.check("The card is the same", start.field("idTag"), authorize["idTag"])
            stamp = start.field("timestamp")
            case.check("A second is a second", elapsed(stamp, stamp), 0)
        async with case.step("Look and measure"):
            await case.confirm("The indicator shows that a transaction runs")
            reading = await meter.read()
            limit = Limit(230, 240) if "low-voltage" in case.pixit.cards else Limit(207, 253)
            case.measure("voltage L1", reading.voltage[0], limit=limit)
            case.measure("power", reading.power)
            case.note("The cable was cold.")
    station.messages(v16.Heartbeat())


@procedure("TC_904_CS", title="A message left alone", mark="-", refs=[])
async def a_station_waits_for_an_answer(
    case: Case, station: Station, csms: Csms, cards: CardPresenter
) -> None:
    """A station whose CALL is not answered keeps quiet."""
    csms.ignores(v16.Authorize)
    async with case.step("Present a card and stay silent"):
        await cards.present(case.pixit.card("valid"))
        await station.expect(v16.Authorize())
        await station.send_raw("[2,7]")
    async with case.step("Nothing else comes"):
        await station.expect_none(
            v16.StartTransaction() | v16.MeterValues(meterValue=containing({})), during=0.02
        )
        reply = await station.call(v16.GetLocalListVersion(), any_error())
        case.check("It is refused politely", reply.payload, {})


def any_error() -> Any:
    from bench.ocpp.match import error

    return error("NotImplemented", "NotSupported")


SUITE = Suite(
    "test",
    "charging-station",
    (
        a_station_boots,
        a_refused_card_starts_nothing,
        a_session_is_indicated_and_metered,
        a_station_waits_for_an_answer,
    ),
    reset,
)


def one_case(body: Body) -> Procedure:
    """Make a procedure of a test's own body."""
    return procedure("TC_999_CS", title="One of a kind", mark="M", refs=["none"])(body)


@asynccontextmanager
async def session(folder: Path, dut: Dut, lab: LabSettings | None = None) -> AsyncIterator[Session]:
    """Make a session with a bench whose devices move `dut`."""
    kinds: dict[str, tuple[type, type]] = {
        "mains": (Mains, PowerSwitch),
        "cards": (Cards, CardPresenter),
        "meter": (Meter, PowerMeter),
    }

    def driver(kind: type, capability: type) -> Driver:
        return Driver(NoSettings, (capability,), lambda _, context: kind(dut, context))

    devices = tuple(
        DeviceEntry(name, f"test-{name}", driver(*kind), NoSettings())
        for name, kind in kinds.items()
    )
    for name in ("bench", "dut"):
        (folder / f"{name}.toml").write_text(f"[{name}]\n", "utf-8")
    bench = BenchConfig(
        folder / "bench.toml",
        BenchSettings("Bench 1"),
        OcppSettings("127.0.0.1:0"),
        lab=lab or LabSettings(),
        devices=devices,
    )
    config = DutConfig(
        folder / "dut.toml",
        DutIdentity("charging-station", "CP1", "Lab", "Sample", "1.0"),
        {"C-07": True, "GEN.rfid": "single"},
        Pixit(
            cards={"valid": CardEntry("GOOD"), "invalid": CardEntry("BAD", "Invalid")},
            timing=Timing(response=3.0, triggered=3.0, boot=0.5, deviation=1e9),
        ),
    )
    yield Session(bench, config)
    for task in tuple(dut.tasks):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def record(
    folder: Path,
    *defects: str,
    cases: Sequence[Procedure] = SUITE.procedures,
    answers: Sequence[Any] = (),
    lab: LabSettings | None = None,
) -> RunResult:
    """Make a run in `folder`/run with the station's defects; answer prompts in order, then pass."""
    plan = Plan(SUITE, tuple(cases), (Outcome(reset, "not-applicable", "needs C-99"),))
    waiting = list(answers)
    async with session(folder, Dut(set(defects)), lab) as one, asyncio.TaskGroup() as tasks:

        async def operate() -> None:
            async for prompts in one.desk.changes():
                for prompt in prompts:
                    answer = waiting.pop(0) if waiting else "pass"
                    one.desk.answer(prompt.id, answer, comment="seen <well>", by="Ada")

        operator = tasks.create_task(operate())
        outcome = await one.run(plan, folder / "run")
        operator.cancel()
    return outcome

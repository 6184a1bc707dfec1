"""Polling: what devices observe is read in time, and never in the way of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from bench.bench import Bench
from bench.capability import (
    Load,
    LoadReading,
    MeterReading,
    Modem,
    PilotReading,
    PowerMeter,
    Saturated,
    Signal,
    VehicleEmulator,
)
from bench.config import BenchConfig, BenchSettings, DeviceEntry, SampleSettings, load_bench
from bench.device import Driver, Identity
from bench.errors import ConfigError, DeviceError, DeviceTimeout, LinkError, Unverifiable
from bench.events import Acted, ChannelDeclared, DeviceLost, Event, Noted
from bench.history import SampleReader
from bench.metrology import Quantity
from bench.operator import PromptDesk
from bench.polling import PATIENCE, Polling
from bench.procedure import Need
from bench.sample_file import SAMPLES
from bench.stream import Stream
from drivers.sim.simulated_bench import run_virtually


@dataclass(frozen=True)
class Wired:
    """Settings of a device of the test."""

    link: str
    connectors: tuple[int, ...] = (1,)


@dataclass
class Instrument:
    """Every measuring device in one; tells when it was read."""

    takes: float = 0.0
    fails: Exception | None = None
    reads: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def _reading(self) -> None:
        self.reads.append(asyncio.get_running_loop().time())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.at_once -= 1
        if self.fails is not None:
            raise self.fails

    async def read_pilot(self, connector: int) -> PilotReading:
        await self._reading()
        return PilotReading(6.0, -12.0, 16.0, 1000.0, "C")

    async def read_signal(self) -> Signal:
        await self._reading()
        edge = Saturated(Quantity(-51, "dBm"), above=True)
        return Signal(None, rssi=edge, rsrp=Quantity(-90, "dBm"), rsrq=None)


class MeterAlone(Instrument):
    async def read(self) -> MeterReading:
        await self._reading()
        volts, amperes = Quantity(230, "V"), Quantity(float("nan"), "A")
        return MeterReading((volts,), (amperes,), Quantity(0, "W"), Quantity(5e6, "Wh"))


class LoadAlone(Instrument):
    async def read(self) -> LoadReading:
        await self._reading()
        return LoadReading(Quantity(230, "V"), Quantity(1, "A"), Quantity(230, "W"))


@dataclass
class Rig:
    """A bench of instruments whose polling was set up."""

    polling: Polling
    stream: Stream
    events: list[Event]
    folder: Path
    lost: set[str]

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        with self.stream.watched_by(lambda record: self.events.append(record.event)):
            async with self.stream.samples.recording(self.folder), self.polling.going_on():
                yield


def entry(name: str, capability: type, *, by_hand: bool = False, **wired: Any) -> DeviceEntry:
    driver = Driver(Wired, (capability,), lambda *_: None, by_hand=by_hand)  # type: ignore[arg-type]
    return DeviceEntry(name, "test", driver, Wired(**{"link": name, **wired}))


def rig(
    folder: Path,
    devices: dict[str, Instrument],
    *entries: DeviceEntry,
    settings: SampleSettings | None = None,
) -> Rig:
    config = BenchConfig(
        folder / "bench.toml",
        BenchSettings("b"),
        samples=settings or SampleSettings(),
        devices=entries,
    )
    stream, events, lost = Stream(), list[Event](), set[str]()

    def lose(name: str, error: LinkError) -> None:
        lost.add(name)
        stream.emit(DeviceLost(name, str(error)))

    polling = Polling(config, stream, devices, lost.__contains__, lose)
    return Rig(polling, stream, events, folder, lost)


def virtually(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_virtually(work())


def test_each_device_is_read_at_its_rate_and_told_by_channels(tmp_path: Path) -> None:
    devices = {"box": Instrument(), "meter": MeterAlone(), "load": LoadAlone(), "lte": Instrument()}
    one = rig(
        tmp_path,
        devices,
        entry("box", VehicleEmulator, connectors=(1, 2)),
        entry("meter", PowerMeter),
        entry("load", Load),
        entry("lte", Modem),
        settings=SampleSettings(pilot=20, meters=10, loads=5, modem=1, without=("power",)),
    )

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(10.0)

    virtually(work)
    counts = {name: len(device.reads) for name, device in devices.items()}
    assert counts == {
        "box": pytest.approx(400, abs=4),
        "meter": pytest.approx(100, abs=2),
        "load": pytest.approx(50, abs=2),
        "lte": pytest.approx(10, abs=1),
    }
    declared = {
        (channel.instrument, channel.name, channel.connector): channel
        for channel in one.of(ChannelDeclared)
    }
    # No current, as the meter knows none; no level of which only the edge is known.
    assert set(declared) == {
        *(
            ("box", f"pilot-{name}", number)
            for name in ("high", "low", "duty")
            for number in (1, 2)
        ),
        ("meter", "voltage-l1", None),
        ("meter", "energy", None),
        ("load", "voltage", None),
        ("load", "current", None),
        ("lte", "rsrp", None),
    }
    assert declared["meter", "energy", None].zero == 5e6
    assert declared["lte", "rsrp", None].unit == "dBm"
    counted = SampleReader(tmp_path / SAMPLES).counts()
    assert counted[str(declared["meter", "energy", None].channel)] == counts["meter"]


def test_nothing_is_polled_by_hand_or_without_a_run_or_when_switched_off(tmp_path: Path) -> None:
    devices = {name: MeterAlone() for name in ("hand", "off", "meter")}
    entries = (
        entry("hand", PowerMeter, by_hand=True),
        entry("off", PowerMeter),
        entry("meter", PowerMeter),
        entry("gone", PowerMeter),
    )
    one = rig(tmp_path, dict(devices), *entries, settings=SampleSettings(without=("off",)))
    none = rig(tmp_path, dict(devices), *entries, settings=SampleSettings(meters=0))

    async def work() -> None:
        async with one.polling.going_on():
            await asyncio.sleep(10.0)
        async with none.run():
            await asyncio.sleep(10.0)
        assert not any(device.reads for device in devices.values())
        async with one.run():
            await asyncio.sleep(10.0)

    virtually(work)
    assert not devices["hand"].reads
    assert not devices["off"].reads
    assert devices["meter"].reads


def test_a_call_of_the_test_waits_for_one_poll_at_most(tmp_path: Path) -> None:
    class Shared(MeterAlone):
        """A meter on a slow line, with a lock of its own."""

        def __init__(self) -> None:
            super().__init__(takes=0.3)
            self.line = asyncio.Lock()

        async def __aenter__(self) -> Shared:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def identify(self) -> Identity:
            return Identity("Test", "Meter")

        async def make_safe(self) -> None:
            pass

        async def read(self) -> MeterReading:
            async with self.line:
                return await super().read()

    meter = Shared()
    driver = Driver(Wired, (PowerMeter,), lambda *_: cast(Any, meter))
    wired = DeviceEntry("meter", "test", driver, Wired("meter"))
    config = BenchConfig(tmp_path / "bench.toml", BenchSettings("b"), devices=(wired,))
    stream, events = Stream(), list[Event]()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        bench = Bench(config, stream)
        desk = PromptDesk(stream, within=1.0)
        with stream.watched_by(lambda record: events.append(record.event)):
            async with stream.samples.recording(tmp_path), bench.opened(desk, lambda: ""):
                used = bench.hand_out(Need("meter", PowerMeter, None), 1)
                for pause in range(50):
                    await asyncio.sleep(pause / 50)
                    begin = loop.time()
                    await used.read()
                    assert loop.time() - begin <= 2 * 0.3 + 0.01

    virtually(work)
    calls = [event for event in events if isinstance(event, Acted)]
    assert len(calls) == 50  # a poll is no act of the test
    assert len(meter.reads) > 60


def test_a_slow_device_is_left_alone_half_of_the_time(tmp_path: Path) -> None:
    meter = MeterAlone(takes=0.5)
    one = rig(tmp_path, {"meter": meter}, entry("meter", PowerMeter))

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(10.0)

    virtually(work)
    assert len(meter.reads) == pytest.approx(10, abs=1)


def test_devices_on_one_link_are_read_one_after_the_other(tmp_path: Path) -> None:
    meter = MeterAlone(takes=0.02)
    names = ("m1", "m2", "m3")
    entries = [entry(name, PowerMeter, link="serial:///dev/bus") for name in names]
    one = rig(tmp_path, dict.fromkeys(names, meter), *entries)

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(5.0)

    virtually(work)
    assert meter.most_at_once == 1
    assert len(meter.reads) > 30


def test_no_poll_begins_while_the_test_uses_the_device(tmp_path: Path) -> None:
    meter, other = MeterAlone(takes=0.01), MeterAlone(takes=0.01)
    one = rig(
        tmp_path,
        {"meter": meter, "other": other},
        entry("meter", PowerMeter),
        entry("other", PowerMeter),
    )

    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with one.run():
            await asyncio.sleep(1.0)
            with one.polling.held_off("meter"):
                begin = loop.time()
                await asyncio.sleep(5.0)
                assert not [read for read in meter.reads if read > begin]
                assert len([read for read in other.reads if read > begin]) > 40
            await asyncio.sleep(1.0)
            assert [read for read in meter.reads if read > begin]

    virtually(work)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DeviceTimeout("meter: no answer"), "meter: no answer"),
        (DeviceError("wrong unit"), "meter: wrong unit"),
        (ZeroDivisionError("division by zero"), "meter: division by zero"),
    ],
)
def test_a_device_that_fails_is_noted_once_and_read_again(
    tmp_path: Path, error: Exception, text: str
) -> None:
    meter = MeterAlone(fails=error)
    one = rig(tmp_path, {"meter": meter}, entry("meter", PowerMeter))

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(2.0)
            meter.fails = None
            await asyncio.sleep(2.0)
            meter.fails = error
            await asyncio.sleep(2.0)

    virtually(work)
    assert one.of(Noted) == [Noted(f"samples are missing: {text}")]
    assert len(one.of(ChannelDeclared)) == 3
    assert not one.lost


def test_a_device_that_never_answers_is_noted_once(tmp_path: Path) -> None:
    one = rig(tmp_path, {"meter": MeterAlone(takes=1e6)}, entry("meter", PowerMeter))

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(60.0)

    virtually(work)
    assert one.of(Noted) == [Noted(f"samples are missing: meter: no answer within {PATIENCE:g} s")]


def test_what_can_not_be_seen_is_nothing_to_note(tmp_path: Path) -> None:
    one = rig(tmp_path, {"box": Instrument(fails=Unverifiable("x"))}, entry("box", VehicleEmulator))

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(5.0)

    virtually(work)
    assert one.events == []


def test_a_lost_device_is_recorded_once_and_polled_again_when_it_is_back(tmp_path: Path) -> None:
    meter = MeterAlone(fails=LinkError("the line is cut"))
    one = rig(tmp_path, {"meter": meter}, entry("meter", PowerMeter))

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(5.0)
            assert len(meter.reads) == 1
            meter.fails = None
            one.lost.clear()
            await asyncio.sleep(1.0)
            assert len(meter.reads) > 5

    virtually(work)
    assert one.of(DeviceLost) == [DeviceLost("meter", "the line is cut")]
    assert one.of(Noted) == []


def test_what_fails_while_the_test_acts_on_the_device_tells_nothing(tmp_path: Path) -> None:
    modem = Instrument(takes=0.2, fails=LinkError("it restarts"))
    one = rig(tmp_path, {"lte": modem}, entry("lte", Modem))

    async def work() -> None:
        async with one.run():
            await asyncio.sleep(0.1)
            with one.polling.held_off("lte"):
                await asyncio.sleep(5.0)
                modem.fails = None

    virtually(work)
    assert len(modem.reads) == 1
    assert one.events == []


def test_a_poll_under_way_does_not_hold_up_the_end(tmp_path: Path) -> None:
    one = rig(tmp_path, {"meter": MeterAlone(takes=1e6)}, entry("meter", PowerMeter))

    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with one.stream.samples.recording(tmp_path):
            async with one.polling.going_on():
                await asyncio.sleep(1.0)
                begin = loop.time()
            assert loop.time() - begin == pytest.approx(1.0, abs=0.01)

    virtually(work)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("meters = 101", "table [samples]: key 'meters': 101, expected 0 to 100"),
        ("pilot = -1", "table [samples]: key 'pilot': -1, expected 0 to 100"),
        ("modems = 1", "table [samples]: unknown key 'modems', did you mean 'modem'?"),
        ("without = 1", "table [samples], key 'without': 1, expected a list"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(f'[bench]\nname = "b"\n[samples]\n{line}\n')
    with pytest.raises(ConfigError) as caught:
        load_bench(path)
    assert problem in str(caught.value)

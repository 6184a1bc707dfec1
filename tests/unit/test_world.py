"""The simulated lab's physics: contactor, energy, lock, mains, cards, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bench.capability import End
from drivers.sim.connector import Connector, Contactor, PlugLocked
from drivers.sim.pilot import Circuit
from drivers.sim.world import World
from stations.hardware import CardRead, HardwareEvent, PlugChanged, SupplyFailed


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(clock: Clock) -> World:
    return World(connectors=2, clock=clock, contactor=Contactor(closing=0.5, opening=0.05))


def charging(world: World, *, offer: float = 32.0, limit: float = 80.0) -> Connector:
    connector = world.connectors[1]
    connector.limit_vehicle(limit)
    connector.plug_in(rating=63)
    connector.offer(offer)
    connector.draw()
    connector.close_contactor(True)
    return connector


def pending(world: World) -> list[HardwareEvent]:
    events = []
    while not world._events.empty():
        events.append(world._events.get_nowait())
    return events


async def test_the_contactor_follows_its_coil_after_its_delay(world: World, clock: Clock) -> None:
    connector = charging(world)
    clock.advance(0.49)
    assert not connector.contactor_closed
    clock.advance(0.01)
    assert connector.contactor_closed
    connector.close_contactor(False)
    clock.advance(0.04)
    assert connector.contactor_closed
    clock.advance(0.02)
    assert not connector.contactor_closed


async def test_a_coil_that_is_dropped_in_time_closes_nothing(world: World, clock: Clock) -> None:
    connector = charging(world)
    clock.advance(0.3)
    connector.close_contactor(False)
    clock.advance(5)
    assert not connector.contactor_closed
    assert connector.meter().energy == 0


async def test_a_vehicle_that_asks_for_ventilation_shows_three_volts(
    world: World, clock: Clock
) -> None:
    connector = charging(world, offer=16)
    connector.draw(ventilation=True)
    clock.advance(1)
    assert connector.pilot_state() == "D"
    assert connector.levels().high == pytest.approx(2.93, abs=0.01)
    assert connector.current()[0] == 16
    connector.draw()
    assert connector.pilot_state() == "C"


@pytest.mark.parametrize(
    ("offer", "cable", "limit", "flow"),
    [(32, 63, 80, 32), (32, 20, 80, 20), (32, 63, 16, 16), (63, 63, 80, 63), (6, 63, 80, 6)],
)
async def test_the_smallest_limit_rules(
    world: World, clock: Clock, offer: float, cable: float, limit: float, flow: float
) -> None:
    connector = charging(world, offer=offer, limit=limit)
    connector.plug_in(rating=cable)
    connector.draw()
    clock.advance(1)
    meter = connector.meter()
    assert meter.current == pytest.approx((flow, flow, flow))
    assert meter.power == pytest.approx(3 * 230 * flow)


async def test_energy_is_exact_however_late_it_is_read(world: World, clock: Clock) -> None:
    connector = charging(world, offer=16)
    clock.advance(0.5 + 3600)
    assert connector.meter().energy == pytest.approx(3 * 230 * 16, rel=1e-9)
    connector.offer(10)
    clock.advance(1800)
    connector.limit_vehicle(6, phases=1)
    clock.advance(3600)
    connector.suspend()
    clock.advance(3600)
    expected = 3 * 230 * 16 + 3 * 230 * 10 / 2 + 230 * 6
    assert connector.meter().energy == pytest.approx(expected, rel=1e-9)
    assert connector.energy()[1] == pytest.approx((expected - 230 * 6) / 3, rel=1e-9)
    assert world.supply().energy == connector.energy()


async def test_the_register_goes_on_from_where_it_stood(clock: Clock) -> None:
    world = World(clock=clock, register=1234.5)
    connector = charging(world, offer=16)
    assert connector.meter().energy == 1234.5
    clock.advance(60.1)
    assert connector.meter().energy == pytest.approx(1234.5 + 3 * 230 * 16 / 60)
    assert sum(world.supply().energy) == pytest.approx(3 * 230 * 16 / 60)


@pytest.mark.parametrize(
    "stop",
    [
        Connector.suspend,
        lambda connector: connector.offer(None),
        lambda connector: connector.offer(3),
        lambda connector: connector.unplug(End.VEHICLE),
        lambda connector: connector.wire(Circuit(connected=True, load=882, proximity=0)),
    ],
)
async def test_no_state_c2_no_current(
    world: World, clock: Clock, stop: Callable[[Connector], None]
) -> None:
    connector = charging(world)
    clock.advance(1)
    assert connector.meter().power > 0
    stop(connector)
    assert connector.meter().power == 0
    assert connector.contactor_closed, "the station has not been asked"


async def test_a_lost_supply_kills_everything_but_the_bolt(world: World, clock: Clock) -> None:
    connector = charging(world)
    connector.lock(True)
    clock.advance(1.5)
    before = connector.meter().energy
    world.set_mains(False)
    clock.advance(1)
    assert (connector.levels().high, connector.pilot_state()) == (0.0, "E")
    assert (connector.meter().energy, connector.meter().voltage) == (before, (0.0, 0.0, 0.0))
    assert not connector.contactor_closed
    assert connector.locked
    world.set_mains(True)
    clock.advance(1)
    assert not connector.levels().pwm, "the electronics start without an offer"
    assert not connector.contactor_closed
    assert connector.pilot_state() == "C"
    assert world.outages == 1


async def test_the_lock_holds_the_plug(world: World) -> None:
    connector = world.connectors[1]
    connector.plug_in()
    assert connector.lock(True)
    with pytest.raises(PlugLocked, match="connector 1: the plug is locked"):
        connector.unplug()
    connector.unplug(End.VEHICLE)
    assert (connector.pilot_state(), connector.cable_rating()) == ("A", 32.0)
    assert connector.lock(False)
    connector.unplug(End.STATION)
    assert connector.cable_rating() is None


async def test_a_blocked_bolt_stays_where_it_is_and_reaches_no_position(world: World) -> None:
    connector = world.connectors[1]
    connector.lock_blocked = True
    assert not connector.lock(True)
    assert not connector.lock(False)
    assert not connector.locked
    connector.lock_blocked = False
    assert connector.lock(True)
    assert connector.locked


async def test_a_fixed_cable_has_its_rating_always(clock: Clock) -> None:
    connector = World(clock=clock, fixed_cable=20.0).connectors[1]
    assert connector.cable_rating() == 20.0
    connector.wire(Circuit(connected=True, load=2740))
    assert (connector.pilot_state(), connector.cable_rating()) == ("B", 20.0)


async def test_the_station_senses_what_changes(world: World) -> None:
    connector = world.connectors[2]
    connector.plug_in()
    connector.draw()
    connector.draw()
    connector.offer(16)
    connector.unplug(End.VEHICLE)
    assert pending(world) == [PlugChanged(2)] * 3
    world.set_mains(False)
    connector.unplug()
    world.set_mains(True)
    assert pending(world) == [], "a booting station reads the state by itself"


async def test_a_card_is_read_once_and_only_if_it_stays(world: World, clock: Clock) -> None:
    world.present("CARD-1")
    clock.advance(0.04)
    world.withdraw("CARD-1")
    clock.advance(1)
    world.timeline.now()
    assert pending(world) == []
    world.present("CARD-1")
    clock.advance(0.06)
    world.present("CARD-1")
    clock.advance(60)
    world.timeline.now()
    assert pending(world) == [CardRead("CARD-1", 1)]
    assert world.cards() == {"CARD-1"}
    world.withdraw("CARD-1")
    world.present("CARD-1", reader=2)
    clock.advance(1)
    world.timeline.now()
    assert pending(world) == [CardRead("CARD-1", 2)]


async def test_two_cards_at_once_or_a_dead_reader_read_nothing(world: World, clock: Clock) -> None:
    world.present("CARD-1")
    world.present("CARD-2")
    clock.advance(1)
    world.timeline.now()
    world.withdraw("CARD-1")
    world.withdraw("CARD-2")
    world.set_mains(False)
    world.present("CARD-1")
    clock.advance(1)
    world.timeline.now()
    assert pending(world) == [SupplyFailed()]
    world.set_mains(True)
    assert pending(world) == []


async def test_waiters_wake_on_the_events_of_real_time() -> None:
    world = World(contactor=Contactor(closing=0.02, opening=0.01))
    connector = charging(world)
    began = asyncio.get_running_loop().time()
    await world.until(lambda: connector.contactor_closed, within=2)
    assert asyncio.get_running_loop().time() - began >= 0.02
    assert isinstance(await world.next_event(), PlugChanged)
    with pytest.raises(TimeoutError):
        await world.until(lambda: False, within=0.01)
    world.timeline.stop()


async def test_two_worlds_share_nothing(clock: Clock) -> None:
    one, other = World(clock=clock), World(clock=clock)
    charging(one)
    clock.advance(1)
    one.set_mains(False)
    assert other.mains
    assert other.connectors[1].pilot_state() == "A"
    assert sum(other.supply().energy) == 0


async def test_timers_see_the_moment_they_were_due_at(clock: Clock) -> None:
    timeline = World(clock=clock).timeline
    seen: list[float] = []
    timeline.after(2, lambda: seen.append(timeline.now()))
    timeline.after(1, lambda: timeline.after(0.5, lambda: seen.append(timeline.now())))
    timeline.after(1, lambda: seen.append(timeline.now()))
    timeline.after(3, lambda: seen.append(timeline.now())).cancel()
    clock.advance(100)
    assert timeline.now() == 1100
    assert seen == [1001, 1001.5, 1002]


async def test_the_lock_keeps_a_plug_out(world: World) -> None:
    connector = world.connectors[1]
    assert connector.lock(True)
    with pytest.raises(PlugLocked, match="connector 1: the lock keeps the plug out"):
        connector.plug_in()
    connector.wire(Circuit(connected=True, load=2740, proximity=220))
    assert (connector.pilot_state(), connector.cable_rating()) == ("A", None)
    assert connector.lock(False)
    connector.plug_in()
    assert (connector.pilot_state(), connector.cable_rating()) == ("B", 32.0)


async def test_a_household_socket_senses_plug_and_vehicle_only(clock: Clock) -> None:
    world = World(clock=clock, mode12=True)
    connector = world.connectors[1]
    connector.plug_in()
    assert (connector.pilot_state(), connector.cable_rating()) == ("C", None)
    assert connector.levels().high == 0.0, "the box in the cable has no supply yet"
    connector.close_contactor(True)
    connector.draw()
    clock.advance(1)
    assert connector.levels().pwm
    assert connector.current() == (10.0, 0.0, 0.0)
    connector.unplug(End.VEHICLE)
    assert connector.pilot_state() == "A"


async def test_without_a_reader_a_card_says_nothing(clock: Clock) -> None:
    world = World(clock=clock, readers=False)
    world.present("04A1B2C3")
    clock.advance(1)
    assert pending(world) == []

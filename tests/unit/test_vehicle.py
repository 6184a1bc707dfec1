"""The electric vehicle of the simulated lab: limits, ramp, battery."""

from __future__ import annotations

import pytest

from drivers.sim.vehicle import Vehicle
from drivers.sim.world import World


class Clock:
    """A clock that a test sets, as fine as it likes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def charging(clock: Clock, vehicle: Vehicle, *, offer: float = 32.0) -> World:
    world = World(clock=clock)
    connector = world.connectors[1]
    connector.plug_in(vehicle=vehicle)
    connector.offer(offer)
    connector.close_contactor(True)
    connector.draw()
    clock.now = 1.0
    return world


async def test_it_takes_the_least_of_offer_and_own_limit_on_its_phases() -> None:
    clock = Clock()
    connector = charging(clock, Vehicle(current=20.0, phases=1), offer=32.0).connectors[1]
    assert connector.current() == (20.0, 0.0, 0.0)
    connector.offer(10.0)
    assert connector.current()[0] == pytest.approx(10.0)


async def test_it_takes_more_slowly_and_less_at_once() -> None:
    clock = Clock()
    vehicle = Vehicle(current=16.0, ramp=2.0)
    connector = charging(clock, vehicle).connectors[1]
    clock.now = 4.1  # the contactor needs 0.1 s
    assert connector.current()[0] == pytest.approx(8.0)
    clock.now = 60.0
    assert connector.current()[0] == 16.0
    connector.offer(6.0)
    assert connector.current()[0] == pytest.approx(6.0)


async def test_a_full_battery_ends_the_asking() -> None:
    clock = Clock()
    vehicle = Vehicle(current=16.0, battery=50_000.0, charged=49_000.0)
    connector = charging(clock, vehicle).connectors[1]
    assert connector.pilot_state() == "C"
    # 1000 Wh at 3 times 16 A and 230 V
    full_at = 0.1 + 1000 * 3600 / (3 * 16 * 230)
    clock.now = full_at - 0.5
    assert connector.current()[0] == 16.0
    clock.now = full_at + 0.5
    assert connector.current() == (0.0, 0.0, 0.0)
    assert connector.pilot_state() == "B"
    assert vehicle.full
    assert sum(connector.energy()) == pytest.approx(1000.0, abs=0.01)
    clock.now += 3600
    assert sum(connector.energy()) == pytest.approx(1000.0, abs=0.01)


async def test_battery_and_meter_agree_on_the_energy() -> None:
    clock = Clock()
    vehicle = Vehicle(current=32.0, ramp=0.5, battery=80_000.0, charged=20_000.0)
    connector = charging(clock, vehicle).connectors[1]
    for moment in (3.3, 10.0, 17.7, 100.0, 900.0):
        clock.now = moment
        assert vehicle.charged - 20_000.0 <= sum(connector.energy()) + 1.0
    assert vehicle.charged - 20_000.0 == pytest.approx(sum(connector.energy()), rel=0.001)

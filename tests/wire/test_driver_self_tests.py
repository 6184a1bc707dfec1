"""Self-tests that must not pass: the mechanism follows, but what it should move does not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bench.errors import DeviceError, Unverifiable
from drivers import card_changer, pilot_box
from drivers.card_changer import CardChangerSettings
from drivers.pilot_box import PilotBoxSettings
from drivers.sim.card_changer import CardChanger
from drivers.sim.pilot import Levels
from drivers.sim.pilot_box import PilotBox
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire, TcpWire
from drivers.sim.world import World
from tests.wire.responders import context


@pytest.fixture
async def box() -> AsyncIterator[Twin[PilotBox]]:
    world = World()
    async with Twin(PilotBox(world.connectors[1], world.timeline), TcpWire("modbus-tcp")) as twin:
        yield twin
    world.timeline.stop()


def measures(box: Twin[PilotBox], high: float) -> None:
    """Let the pilot meter read one level, whatever the relays do."""
    *_, meter = box.device.units
    meter._measure = lambda: Levels(high, high, 100.0, 0.0)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("high", "error", "message"),
    [
        (
            12.0,
            DeviceError,
            r"^box: the control pilot is at 12.00 V \(state A\), commanded state B",
        ),
        (0.0, Unverifiable, r"^the open control pilot is at 0.00 V, expected 12 V: is the station"),
        (10.5, Unverifiable, r"^the open control pilot is at 10.50 V"),
    ],
)
async def test_a_pilot_that_does_not_follow_the_relays(
    box: Twin[PilotBox], high: float, error: type[Exception], message: str
) -> None:
    device = pilot_box.DRIVER.make(PilotBoxSettings(link=box.link), context("box"))
    async with device:
        assert "A, B, C, B, A" in await device.self_test()
        measures(box, high)
        with pytest.raises(error, match=message):
            await device.self_test()
        assert not any(any(board.coils) for board in box.device.boards.values())


async def test_a_finger_that_does_not_move(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    async with Twin(CardChanger(world, {0: "CARD"}), PtyWire("serial")) as twin:
        settings = CardChangerSettings(link=twin.link, slots={"valid": 0}, travel=0.1)
        async with card_changer.DRIVER.make(settings, context("changer")) as changer:
            assert await changer.self_test() == "fingers 0 go out and back"
            monkeypatch.setattr(twin.device.fingers[0], "move", lambda target: None)
            with pytest.raises(DeviceError, match=r"^changer: the finger on channel 0 is at 1000 "):
                await changer.self_test()
    world.timeline.stop()

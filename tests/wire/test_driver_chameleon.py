"""The Chameleon Ultra: published frames, the twin by raw bytes, and the driver on the twin."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import Card
from bench.cards import id_tag_of
from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers import chameleon
from drivers.chameleon import DRIVER, Chameleon, ChameleonSettings, anti_collision, frame
from drivers.sim import chameleon as sim
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire
from drivers.sim.world import World
from stations.hardware import CardRead
from tests.wire.responders import context, pty
from tests.wire.terminal import Serial

UID = "04A1B2C3D4E5F6"
VALID = Card("valid", UID, uid=UID)
FOUR = Card("four", "3735928559", uid="DEADBEEF")


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (frame(1001, b"\0"), "11ef03e900000001130000"),
        (frame(1003, b"\0"), "11ef03eb00000001110000"),
        (frame(1004, b"\x00\x03\xe9"), "11ef03ec000000030e0003e914"),
        (frame(1006, b"\x00\x02\x01"), "11ef03ee000000030c000201fd"),
        (frame(1006, b"\x00\x02\x00"), "11ef03ee000000030c000200fe"),
        (
            frame(4001, anti_collision(bytes.fromhex(UID))),
            "11ef0fa10000000c440704a1b2c3d4e5f644000800e4",
        ),
        (frame(1033), "11ef040900000000f300"),
    ],
)
def test_frames(made: bytes, published: str) -> None:
    assert made.hex() == published


def test_the_shorter_uid_has_another_atqa() -> None:
    assert anti_collision(bytes.fromhex("DEADBEEF")).hex() == "04deadbeef04000800"


@asynccontextmanager
async def lying(**keys: Any) -> AsyncIterator[tuple[World, Twin[sim.Chameleon], Chameleon]]:
    """The driver, unopened, and its twin on the reader of a world."""
    world = World(read_time=0.01)
    wire = PtyWire("serial", baudrate=115200)
    async with Twin(sim.Chameleon(world), wire) as twin:
        device = DRIVER.make(ChameleonSettings(twin.link, **{"hold": 0.05, **keys}), context("cu"))
        assert isinstance(device, Chameleon)
        yield world, twin, device
    world.timeline.stop()


async def test_the_twin_by_raw_bytes() -> None:
    world = World()
    async with Twin(sim.Chameleon(world), PtyWire("serial")) as twin:
        terminal = Serial(twin.link)
        await terminal.ask_hex("11ef03e900000001130000", "11ef03e900680000ac00")
        await terminal.ask_hex(
            "11ef0fa10000000c440704a1b2c3d4e5f644000800e4", "11ef0fa1000000005000"
        )
        await terminal.ask_hex("00ff11ef03ee000000030c000201fd", "11ef03ee00680000a700")
        assert world.cards() == {UID}
        await terminal.ask_hex("11ef03ee000000030c000200fe", "11ef03ee00680000a700")
        assert world.cards() == frozenset()
        await terminal.ask_hex("11ef03eb000000011108f8", "11ef03eb00600000b200")
        await terminal.ask_hex("11ef1388000000006500", "11ef138800670000fe00")
        terminal.write(bytes.fromhex("11ef03e900000001130001"))  # a wrong sum
        await terminal.silence()
        terminal.close()


async def test_a_card_is_presented_and_taken_back() -> None:
    async with lying(slot=5) as (world, twin, device), device:
        for card in (VALID, FOUR):
            await device.present(card)
            event = await asyncio.wait_for(world.next_event(), 2.0)
            assert event == CardRead(card.uid or "", 1)
            assert not world.cards()
        assert twin.device.slots[5].uid.hex().upper() == FOUR.uid
        assert [slot.enabled for slot in twin.device.slots] == [False] * 8


async def test_the_station_may_write_the_uid_as_it_likes() -> None:
    world = World(read_time=0.01)
    device = sim.Chameleon(world, id_tag=lambda uid: id_tag_of(uid, "decimal"))
    async with Twin(device, PtyWire("serial")) as twin:
        made = DRIVER.make(ChameleonSettings(twin.link, hold=0.05), context("cu"))
        assert isinstance(made, Chameleon)
        async with made:
            await made.present(FOUR)
        assert await world.next_event() == CardRead(FOUR.id_tag, 1)
    world.timeline.stop()


async def test_identity() -> None:
    async with lying(serial="7A3F00C0FFEE0142") as (_, _, device), device:
        identity = await device.identify()
    assert (identity.model, identity.firmware) == ("Chameleon Ultra", "2.0")


async def test_entering_takes_away_what_was_left() -> None:
    async with lying() as (world, twin, device):
        twin.device.slots[0].answers = anti_collision(bytes.fromhex(UID))
        twin.device.slots[0].enabled = True
        twin.device.power_up()
        assert world.cards() == {UID}
        async with device:
            assert world.cards() == frozenset()


async def test_a_cancelled_call_takes_the_card_back() -> None:
    async with lying(hold=30.0) as (world, _, device), device:
        presenting = asyncio.ensure_future(device.present(VALID))
        await world.until(lambda: bool(world.cards()), within=2.0)
        presenting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await presenting
        assert world.cards() == frozenset()


async def test_a_card_without_uid_is_refused() -> None:
    async with lying() as (_, _, device), device:
        with pytest.raises(DeviceError, match=r"cu: card 'gold' has no uid in dut.toml"):
            await device.present(Card("gold", "1"))


async def test_a_slot_that_is_stuck_is_named() -> None:
    async with lying() as (_, twin, device), device:
        twin.device.stuck = True
        with pytest.raises(DeviceError, match="cu: card side reads 00, commanded 01"):
            await device.present(VALID)
        twin.device.stuck = False


async def test_a_refusal_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with lying() as (_, _, device), device:
        monkeypatch.setattr(chameleon, "_MIFARE_CLASSIC_1K", 4711)
        with pytest.raises(DeviceError, match="command 1004: status 0x60, parameter error"):
            await device.present(VALID)


async def test_silence_and_damage_are_errors_and_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chameleon, "_ANSWER_WITHIN", 0.1)
    async with lying() as (_, twin, device), device:
        twin.faults.silent, twin.faults.answers = True, 1
        with pytest.raises(DeviceTimeout, match=r"no answer to command 1006 within 0.1 s"):
            await device.withdraw()
        twin.faults.truncated, twin.faults.answers = 3, 1
        with pytest.raises(DeviceTimeout, match="no answer to command 1006"):
            await device.withdraw()
        twin.faults.bit_error, twin.faults.answers = True, 1
        with pytest.raises(DeviceError, match="broken head of an answer"):
            await device.withdraw()
        twin.faults.unsolicited = b"\x00\xff"
        await device.withdraw()


async def test_a_late_answer_is_not_taken_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chameleon, "_ANSWER_WITHIN", 0.1)
    async with lying() as (_, twin, device), device:
        twin.faults.late, twin.faults.answers = 0.15, 1
        with pytest.raises(DeviceTimeout):
            await device.identify()  # the answer to 1033 comes into what follows
        await device.present(VALID)


async def test_another_device_is_refused() -> None:
    async with lying() as (_, twin, device):
        twin.faults.wrong_identity = True
        with pytest.raises(DeviceError, match=r"model 7, expected 0 \(Ultra\) or 1 \(Lite\)"):
            await device.__aenter__()
    async with lying(serial="00") as (_, _, device):
        with pytest.raises(DeviceError, match="serial number '7A3F00C0FFEE0142', expected '00'"):
            await device.__aenter__()


async def test_something_else_on_the_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chameleon, "_ANSWER_WITHIN", 0.1)
    async with pty(lambda data: b"ERROR\r\n") as line:
        device = DRIVER.make(ChameleonSettings(f"serial:{line.path}"), context("cu"))
        with pytest.raises(DeviceTimeout, match="no answer to command 1033"):
            await device.__aenter__()


async def test_a_device_that_is_pulled_out_is_a_link_error() -> None:
    async with lying() as (_, twin, device):
        await device.__aenter__()
        await twin.disconnect()
        with pytest.raises(LinkError, match=r"cu \(serial:/dev/pts/"):
            await device.present(VALID)
        with pytest.raises(LinkError):
            await device.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"link": "http://cards"}, "expected one of serial:, socket:"),
        ({"slot": 8}, "'slot' is 8, expected 0 to 7"),
        ({"hold": 0.0}, "'hold' is 0, expected more than 0"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(ChameleonSettings("serial:/dev/ttyACM0"), **keys)
    assert text in str(caught.value)

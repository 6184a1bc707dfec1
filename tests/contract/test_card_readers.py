"""What every card reader of a machine promises; its twin is a card behind the real daemon."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bench.device import Device
from bench.errors import DeviceError, DeviceTimeout, LinkError, Unverifiable
from drivers.pcsc_reader import DRIVER, PcscReader, PcscReaderSettings
from drivers.sim.smart_card import SmartCard
from tests.contract.rigs import DEADLINE
from tests.wire.pcsc_daemon import READER, PcscDaemon, pcsc_daemon
from tests.wire.responders import context

UID = bytes.fromhex("04A1B2C3D4E5F6")
LONG = 4 * DEADLINE


@pytest.fixture
async def daemon() -> AsyncIterator[PcscDaemon]:
    async with pcsc_daemon() as daemon:
        yield daemon


@pytest.fixture
def device(daemon: PcscDaemon) -> PcscReader:
    made: Device = DRIVER.make(PcscReaderSettings(f"pcsc:{READER} 00 00"), context("dev"))
    assert isinstance(made, PcscReader)
    return made


async def test_it_opens_tells_who_it_is_and_closes_twice_over(device: PcscReader) -> None:
    for _ in range(2):
        async with device:
            identity = await device.identify()
            assert identity.model
            assert await device.identify() == identity


async def test_making_safe_and_leaving_take_less_than_a_second(device: PcscReader) -> None:
    await device.__aenter__()
    for _ in range(2):
        async with asyncio.timeout(1.0):
            await device.make_safe()
    async with asyncio.timeout(1.0):
        await device.__aexit__(None, None, None)


async def test_its_self_test_leaves_it_usable(device: PcscReader) -> None:
    async with device:
        assert await device.self_test()
        await device.identify()


async def test_a_mute_service_does_not_open_and_is_named(
    daemon: PcscDaemon, device: PcscReader
) -> None:
    daemon.freeze()
    with pytest.raises((DeviceTimeout, LinkError), match=r"^dev\b"):
        await device.__aenter__()
    daemon.thaw()
    async with device:
        await device.identify()


async def test_a_service_that_is_gone_is_named_and_left_in_time(
    daemon: PcscDaemon, device: PcscReader
) -> None:
    await device.__aenter__()
    await daemon.kill()
    async with asyncio.timeout(LONG):
        with pytest.raises(DeviceError, match=r"^dev\b"):
            await device.await_card(within=LONG)
    async with asyncio.timeout(DEADLINE):
        with contextlib.suppress(DeviceError):
            await device.__aexit__(None, None, None)
    await daemon.start()
    async with device:
        await device.identify()


async def test_reading_is_idempotent_and_follows_the_card(
    daemon: PcscDaemon, device: PcscReader
) -> None:
    async with device:
        assert await device.read_card() is None
        await device.await_removal(within=LONG)
        await daemon.slots[0].lay(SmartCard(UID))
        reading = await device.await_card(within=LONG)
        assert reading.uid == UID.hex().upper()
        assert await device.await_card(within=LONG) == await device.read_card() == reading
        await daemon.slots[0].clear()
        await device.await_removal(within=LONG)
        assert await device.read_card() is None


async def test_a_deadline_is_kept_and_a_cancelled_wait_leaves_it_usable(
    daemon: PcscDaemon, device: PcscReader
) -> None:
    async with device:
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(Unverifiable, match=r"^dev: "):
                await device.await_card(within=0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await device.await_card(within=LONG)
        await daemon.slots[0].lay(SmartCard(UID))
        assert (await device.await_card(within=LONG)).uid == UID.hex().upper()


async def test_a_truncated_answer_of_a_card_is_no_reading(
    daemon: PcscDaemon, device: PcscReader
) -> None:
    daemon.slots[0].faults.truncated = 3
    async with device:
        await daemon.slots[0].lay(SmartCard(UID))
        with pytest.raises(Unverifiable, match=r"^dev: "):
            await device.await_card(within=LONG)

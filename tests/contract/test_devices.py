"""What every device promises, whatever it is: it is found broken where it is broken, by name."""

from __future__ import annotations

import asyncio
import contextlib
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.device import Device, Identity
from bench.errors import DeviceError, DeviceTimeout, LinkError
from tests.contract.rigs import DEADLINE, NO_TWIN, PATIENCE, ROWS, Rig, Row, rig_of

ROOT = Path(__file__).parents[2]

ALL = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
SUMMED = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.summed], ids=lambda row: row.name
)


@pytest.fixture
async def rig(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with asyncio.timeout(4 * DEADLINE), rig_of(row, tmp_path, monkeypatch) as rig:
        yield rig


async def tells(device: Device, identity: Identity) -> None:
    """The device tells who it is, or an error that names it; never that it is another one."""
    (outcome,) = await asyncio.gather(device.identify(), return_exceptions=True)
    if isinstance(outcome, Identity):
        # A text before the first field can't be told from noise.
        assert (outcome.model, outcome.serial) == (identity.model, identity.serial)
    else:
        assert isinstance(outcome, DeviceError)
        assert str(outcome).startswith("dev")


def test_every_driver_of_a_machine_is_on_its_twin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    drivers = project["entry-points"]["pilotbench.drivers"].values()
    machines = {value for value in drivers if ":MANUAL_" not in value} - set(NO_TWIN)
    assert {row.driver for row in ROWS} == machines
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)


@ALL
async def test_it_opens_tells_who_it_is_and_closes_twice_over(rig: Rig) -> None:
    for _ in range(2):
        async with rig.device as device:
            identity = await device.identify()
            assert identity.model
            assert await device.identify() == identity


@ALL
async def test_making_safe_is_idempotent_and_takes_less_than_a_second(rig: Rig) -> None:
    async with rig.opened() as device:
        for _ in range(2):
            async with asyncio.timeout(1.0):
                await device.make_safe()


@ALL
async def test_its_self_test_leaves_it_usable(rig: Rig) -> None:
    async with rig.opened() as device:
        assert await device.self_test()
        await device.identify()


@ALL
async def test_a_mute_device_does_not_open_and_is_named(rig: Rig) -> None:
    with rig.misbehaving(silent=True):
        with pytest.raises((DeviceTimeout, LinkError), match=r"^dev\b"):
            await rig.device.__aenter__()
    async with rig.opened() as device:
        await device.identify()


@ALL
async def test_a_truncated_answer_is_an_error_that_names_the_device(rig: Rig) -> None:
    async with rig.opened() as device:
        with rig.misbehaving(truncated=3), pytest.raises(DeviceError, match=r"^dev\b"):
            await device.identify()
        await device.identify()


@ALL
async def test_noise_before_an_answer_is_an_error_or_passed_over(rig: Rig) -> None:
    async with rig.opened() as device:
        identity = await device.identify()
        with rig.misbehaving(unsolicited=b"\x00\xff\xa5", answers=1):
            await tells(device, identity)
        assert await device.identify() == identity


@SUMMED
async def test_an_answer_with_a_wrong_bit_is_not_believed(rig: Rig) -> None:
    async with rig.opened() as device:
        identity = await device.identify()
        with rig.misbehaving(bit_error=True, answers=1):
            await tells(device, identity)
        assert await device.identify() == identity


@ALL
async def test_a_late_answer_is_not_taken_for_the_next_one(rig: Rig) -> None:
    async with rig.opened() as device:
        identity = await device.identify()
        with rig.misbehaving(late=PATIENCE * 1.5, answers=1):
            await tells(device, identity)
        assert await device.identify() == identity


@ALL
async def test_a_device_that_is_gone_is_named_and_left_in_time(rig: Rig) -> None:
    await rig.device.__aenter__()
    await rig.twin.disconnect()
    with rig.misbehaving():
        with pytest.raises(DeviceError, match=r"^dev\b"):
            await rig.device.identify()
        async with asyncio.timeout(DEADLINE):
            with contextlib.suppress(DeviceError):
                await rig.device.__aexit__(None, None, None)
    await rig.twin.connect()
    if "pts" not in rig.twin.link:  # a terminal comes back under another name
        async with rig.opened() as device:
            await device.identify()

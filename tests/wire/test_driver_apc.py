"""The APC driver against SNMP answers written by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.errors import DeviceError, DeviceTimeout
from drivers import apc
from drivers.apc import DRIVER, Apc, ApcSettings
from tests.wire.responders import context
from tests.wire.snmp_agent import Request, agent, tlv

# Below 2b 06 01 04 01 82 3e 01 01 (1.3.6.1.4.1.318.1.1): control and reboot duration of outlet 2.
PLACES = {
    "rpdu": ("0c 03 03 01 01 04 02", "0c 03 04 01 01 06 02", "0c 01 06 00", "07"),
    "rpdu2": ("1a 09 02 04 01 05 02", "1a 09 02 01 01 07 02", "1a 02 01 09 01", "08"),
}


class Pdu:
    """A PDU whose second outlet is used."""

    def __init__(self, objects: str = "rpdu2") -> None:
        self.control, self.duration, self.serial, self.cancel = PLACES[objects]
        self.on = False
        self.stuck = False
        self.unknown = False
        self.reboot = 5
        self.writes: list[str] = []
        self._back: asyncio.TimerHandle | None = None

    def answer(self, request: Request) -> bytes:
        place = request.binding.removeprefix(request.binding[:5])
        place = place.removeprefix(" 2b 06 01 04 01 82 3e 01 01 ")
        if request.kind == 0xA0:
            if place == f"{self.control} 05 00":
                state = b"\x04" if self.unknown else b"\x01" if self.on else b"\x02"
                return request.reply(tlv(0x02, state))
            if place == f"{self.duration} 05 00":
                return request.reply(tlv(0x02, bytes((self.reboot,))))
            return request.reply(tlv(0x04, b"ZA42" if place.startswith(self.serial) else b"AP79"))
        self.writes.append(place)
        name, _, number = place.rpartition(" 02 01 ")
        if name == self.duration:
            self.reboot = int(number, 16)
        else:
            assert name == self.control
            self._command(number)
        return request.reply()

    def _command(self, number: str) -> None:
        if self._back is not None and number == self.cancel:
            self._back.cancel()
        if self.stuck or number == self.cancel:
            return
        self.on = number == "01"
        if number == "03":
            self._back = asyncio.get_running_loop().call_later(self.reboot, self._set_on)

    def _set_on(self) -> None:
        self.on = True


def make(url: str, **keys: Any) -> Apc:
    made = DRIVER.make(ApcSettings(url, community="private", outlet=2, **keys), context("mains"))
    assert isinstance(made, Apc)
    return made


@asynccontextmanager
async def opened(pdu: Pdu, **keys: Any) -> AsyncIterator[Apc]:
    async with agent(pdu.answer) as url, make(url, **keys) as driver:
        pdu.writes.clear()
        yield driver


@pytest.mark.parametrize("objects", ["rpdu", "rpdu2"])
async def test_switching_and_what_the_pdu_is_told(objects: str) -> None:
    pdu = Pdu(objects)
    async with opened(pdu, objects=objects) as mains:
        assert pdu.on  # the safe state, if nothing else is said
        await mains.switch_off()
        assert not pdu.on
        assert not await mains.is_on()
        await mains.switch_on()
        assert pdu.writes == [f"{pdu.control} 02 01 02", f"{pdu.control} 02 01 01"]
        await mains.switch_off()
    assert pdu.on


async def test_the_safe_state_is_the_labs_choice() -> None:
    pdu = Pdu()
    async with opened(pdu, safe="off") as mains:
        assert not pdu.on
        await mains.switch_on()
        assert await mains.self_test() == "outlet 2 reads off, as commanded"
        assert not pdu.on


async def test_the_pdu_ends_a_power_cycle_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apc, "_SHORTEST_REBOOT", 1)
    pdu = Pdu()
    async with opened(pdu) as mains:
        await mains.cycle(off_for=0.5)
        assert pdu.on
    assert pdu.writes[:2] == [f"{pdu.duration} 02 01 01", f"{pdu.control} 02 01 03"]


async def test_a_pdu_that_is_slow_to_hand_a_command_on() -> None:
    pdu = Pdu()
    async with opened(pdu) as mains:
        pdu.stuck = True
        loop = asyncio.get_running_loop()
        loop.call_later(0.9, setattr, pdu, "on", False)
        loop.call_later(0.9, setattr, pdu, "stuck", False)
        await mains.switch_off()
        assert not pdu.on


async def test_an_interrupted_cycle_does_not_undo_what_comes_after() -> None:
    pdu = Pdu()
    async with opened(pdu, safe="off") as mains:
        await mains.switch_on()
        cycling = asyncio.ensure_future(mains.cycle(off_for=5.0))
        async with asyncio.timeout(2.0):
            while pdu.on:  # noqa: ASYNC110 the agent has no event to wait for
                await asyncio.sleep(0.01)
        cycling.cancel()
        await mains.switch_off()
        assert pdu.writes[-2:] == [f"{pdu.control} 02 01 08", f"{pdu.control} 02 01 02"]
        assert pdu._back is not None
        assert pdu._back.cancelled()


@pytest.mark.parametrize("off_for", [0.0, -1.0, 60.5])
async def test_an_impossible_time_is_refused_before_anything_is_written(off_for: float) -> None:
    pdu = Pdu()
    async with opened(pdu) as mains:
        with pytest.raises(ValueError, match="off_for is"):
            await mains.cycle(off_for=off_for)
        assert not pdu.writes


async def test_identity() -> None:
    async with opened(Pdu(), serial="ZA42") as mains:
        identity = await mains.identify()
        assert (identity.maker, identity.model, identity.serial) == ("APC", "AP79", "ZA42")
    async with agent(Pdu().answer) as url:
        with pytest.raises(DeviceError, match="serial number 'ZA42', expected 'ZA43'"):
            await make(url, serial="ZA43").__aenter__()


async def test_a_stuck_outlet_and_an_unknown_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apc, "_SWITCH_WITHIN", 0.1)
    pdu = Pdu()
    async with opened(pdu) as mains:
        pdu.stuck = True
        with pytest.raises(DeviceTimeout, match="mains: outlet reads on, commanded off, after"):
            await mains.switch_off()
        pdu.unknown = True
        with pytest.raises(DeviceError, match=r"outlet 2 reads 4, expected 1 \(on\) or 2 \(off\)"):
            await mains.is_on()
        pdu.unknown = False


async def test_the_first_generation_is_not_taken_for_the_second() -> None:
    def answer(request: Request) -> bytes:
        first = bytes.fromhex("82 3e 01 01 0c") in request.bindings
        return Pdu("rpdu").answer(request) if first else request.reply(b"\x80\x00")

    async with agent(answer) as url:
        with pytest.raises(DeviceError, match=r"has no object 1\.3\.6\.1\.4\.1\.318\.1\.1\.26\.2"):
            await make(url).__aenter__()


@pytest.mark.parametrize(
    ("keys", "text"), [({"outlet": 0}, "'outlet' is 0"), ({"community": ""}, "'community' is emp")]
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ApcSettings(**({"link": "snmp://x", "community": "private"} | keys))

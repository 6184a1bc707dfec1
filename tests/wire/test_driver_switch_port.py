"""The switch port's driver against SNMP answers written by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import Cut
from bench.errors import DeviceError, DeviceTimeout, Unverifiable
from drivers import switch_port
from drivers.switch_port import DRIVER, SwitchPort, SwitchPortSettings
from tests.wire.responders import context
from tests.wire.snmp_agent import Request, agent, tlv

IF = "06 0a 2b 06 01 02 01 02 02 01"
ADMIN, OPER, NAME = f"{IF} 07 05", f"{IF} 08 05", f"{IF} 02 05"


class Switch:
    """A switch whose fifth port is used."""

    def __init__(self) -> None:
        self.admin, self.oper = 2, 2
        self.linked = True
        """Whether somebody is at the other end."""
        self.late = 0
        """So many times the link still reads up after it was cut."""
        self.writes: list[str] = []
        self.read_only = False

    def answer(self, request: Request) -> bytes:
        if request.kind == 0xA3:
            return self._write(request)
        name = request.binding.removesuffix(" 05 00")
        if name == ADMIN:
            return request.reply(tlv(0x02, bytes((self.admin,))))
        if name == OPER:
            self.late -= 1
            down = self.admin == 2 and self.late < 0
            return request.reply(tlv(0x02, b"\x02" if down else bytes((self.oper,))))
        return request.reply(tlv(0x04, b"gi5" if name == NAME else b"lab"))

    def _write(self, request: Request) -> bytes:
        self.writes.append(request.binding)
        if self.read_only:
            return request.reply(status=6)
        self.admin = int(request.binding[-2:], 16)
        self.oper = 1 if self.linked else 7
        return request.reply()


def make(url: str, **keys: Any) -> SwitchPort:
    settings = SwitchPortSettings(url, community="private", port=5, **keys)
    made = DRIVER.make(settings, context("lan"))
    assert isinstance(made, SwitchPort)
    return made


@asynccontextmanager
async def opened(switch: Switch, **keys: Any) -> AsyncIterator[SwitchPort]:
    async with agent(switch.answer) as url, make(url, **keys) as driver:
        switch.writes.clear()
        yield driver


async def test_cut_and_restore_and_what_the_switch_is_told() -> None:
    switch = Switch()
    async with opened(switch, interface="gi5") as lan:
        assert switch.admin == 1  # entering mends the path
        assert not await lan.is_cut()
        switch.late = 2
        await lan.cut()
        assert switch.late < 0, "it waited until the link was down"
        assert await lan.is_cut()
        await lan.cut(Cut.RESET)
        await lan.restore()
        await lan.restore()
        assert not await lan.is_cut()
        down, up = f"{ADMIN} 02 01 02", f"{ADMIN} 02 01 01"
        assert switch.writes == [down, down, up, up]
        await lan.cut()
    assert switch.admin == 1


async def test_only_the_way_that_the_wiring_offers() -> None:
    async with opened(Switch()) as lan:
        with pytest.raises(Unverifiable, match="can only cut in the way 'reset', not 'drop'"):
            await lan.cut(Cut.DROP)
        await lan.delay(0)
        with pytest.raises(Unverifiable, match=r"can't delay, asked for 1.5 s"):
            await lan.delay(1.5)
    switch = Switch()
    async with opened(switch, direct=False) as lan:
        with pytest.raises(Unverifiable, match="can only cut in the way 'drop', not 'reset'"):
            await lan.cut()
        assert not switch.writes
        await lan.cut(Cut.DROP)
        assert switch.admin == 2


async def test_a_link_that_stays_up_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch_port, "_LINK_DOWN_WITHIN", 0.1)
    switch = Switch()
    async with opened(switch) as lan:
        switch.late = 1000
        with pytest.raises(DeviceTimeout, match="lan: link 5 reads up, commanded down, after"):
            await lan.cut()


async def test_the_self_test_tells_of_the_link() -> None:
    switch = Switch()
    async with opened(switch) as lan:
        assert await lan.self_test() == "port 5 is enabled, its link is up"
        switch.linked = False
        assert await lan.self_test() == "port 5 is enabled, its link is lower layer down"


async def test_identity_and_the_wrong_port() -> None:
    switch = Switch()
    async with opened(switch) as lan:
        assert (await lan.identify()).serial == "lab"
    switch.admin = 2
    async with agent(switch.answer) as url:
        with pytest.raises(DeviceError, match="port 5 is 'gi5', expected 'gi6' as in"):
            await make(url, interface="gi6").__aenter__()
    assert switch.admin == 2, "a port that is not the one that is meant is not touched"


async def test_a_community_that_may_only_read_is_named() -> None:
    switch = Switch()
    switch.read_only = True
    async with agent(switch.answer) as url:
        with pytest.raises(DeviceError, match=r"^lan \(.*\): the agent refuses to .*noAccess"):
            await make(url).__aenter__()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="'port' is 0, expected 1 or more"):
        SwitchPortSettings("snmp://x", community="private", port=0)
    with pytest.raises(ValueError, match="'community' is empty"):
        SwitchPortSettings("snmp://x", community="", port=1)

"""The HiLink twin as another client sees it: huawei-lte-api, which was written against dongles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from huawei_lte_api.Client import Client
from huawei_lte_api.Connection import Connection
from huawei_lte_api.enums.net import NetworkModeEnum
from huawei_lte_api.exceptions import (
    LoginErrorUsernamePasswordWrongException,
    ResponseErrorLoginRequiredException,
    ResponseErrorSystemBusyException,
)

from drivers.sim.e3372_hilink import IMEI, E3372Hilink
from drivers.sim.radio import CELLS, Radio
from drivers.sim.timeline import Timeline
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire

T = TypeVar("T")


@asynccontextmanager
async def dongle(
    *, password: str | None = None, login: str = "4"
) -> AsyncIterator[Twin[E3372Hilink]]:
    timeline = Timeline()
    radio = Radio(timeline, cells=dict(CELLS), registration=0.0, reconnects=True)
    async with Twin(E3372Hilink(radio, password=password, login=login), TcpWire("http")) as twin:
        yield twin
    timeline.stop()


async def told(
    twin: Twin[E3372Hilink], talk: Callable[[Client], T], *, password: str | None = None
) -> T:
    """Talk to the dongle with the library, which blocks."""

    def in_thread() -> T:
        name = None if password is None else "admin"
        with Connection(twin.link, username=name, password=password, timeout=10) as connection:
            return talk(Client(connection))

    return await asyncio.to_thread(in_thread)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


async def test_it_reads_what_the_driver_reads() -> None:
    async with dongle() as twin:

        def read(client: Client) -> None:
            assert client.device.information()["Imei"] == IMEI
            signal = client.device.signal()
            assert (signal["rssi"], signal["rsrp"], signal["mode"]) == ("-71dBm", "-101dBm", "7")
            plmn = client.net.current_plmn()
            assert (plmn["Numeric"], plmn["FullName"]) == ("00101", "Pilot Mobile")
            assert client.monitoring.status()["CurrentNetworkType"] == "19"
            assert "0302" in client.net.net_mode_list()["AccessList"]["Access"]

        await told(twin, read)


@pytest.mark.parametrize("login", ["0", "4"])
async def test_it_logs_in_and_sets_mode_and_data(login: str) -> None:
    async with dongle(password="secret", login=login) as twin:

        def act(client: Client) -> None:
            assert client.user.state_login()["State"] == "0"
            for mode in (NetworkModeEnum.MODE_2G_ONLY, NetworkModeEnum.MODE_AUTO):
                assert client.net.set_net_mode("7FFFFFFFFFFFFFFF", "3FFFFFFF", mode) == "OK"
                assert client.net.net_mode()["NetworkMode"] == mode.value
            assert client.dial_up.set_mobile_dataswitch(1) == "OK"
            assert client.dial_up.mobile_dataswitch()["dataswitch"] == "1"

        await told(twin, act, password="secret")
        assert not any(session.logged_in for session in twin.device.sessions)


async def test_it_refuses_as_dongles_do() -> None:
    async with dongle(password="secret") as twin:
        with pytest.raises(LoginErrorUsernamePasswordWrongException, match="108006"):
            await told(twin, lambda client: None, password="wrong")
        with pytest.raises(ResponseErrorLoginRequiredException, match="100003"):
            await told(twin, lambda client: client.dial_up.set_mobile_dataswitch(1))
        twin.device.busy = 1
        with pytest.raises(ResponseErrorSystemBusyException, match="100004"):
            await told(twin, lambda client: client.net.net_mode())

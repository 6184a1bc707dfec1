"""The E3372 in HiLink personality: requests checked by hand, and the driver on its twin."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.capability import Saturated, Technology
from bench.errors import DeviceError, DeviceTimeout, LinkError
from bench.metrology import Quantity
from drivers import e3372_hilink, hilink
from drivers.e3372_hilink import DRIVER, E3372Hilink, E3372HilinkSettings
from drivers.hilink import Hilink, HilinkRefused
from drivers.link import address
from drivers.link.http import HttpLink
from drivers.sim import e3372_hilink as sim
from drivers.sim.radio import CELLS, Cell, Radio
from drivers.sim.timeline import Timeline
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from tests.wire.responders import context, http, response

DBM = "dBm"


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e3372_hilink, "_EVERY", 0.01)
    monkeypatch.setattr(hilink, "_PAUSES", (0.0, 0.0, 0.0))


@asynccontextmanager
async def dongle(
    *,
    cells: dict[str, Cell] | None = None,
    registration: float = 0.0,
    clock: Callable[[], float] | None = None,
    dongle_password: str | None = None,
    login: str = "4",
    **keys: Any,
) -> AsyncIterator[tuple[Twin[sim.E3372Hilink], E3372Hilink]]:
    """The driver, unopened, and its twin behind a port."""
    timeline = Timeline(clock)
    radio = Radio(timeline, cells=cells or dict(CELLS), registration=registration, reconnects=True)
    twin_device = sim.E3372Hilink(radio, password=dongle_password, login=login)
    async with Twin(twin_device, TcpWire("http")) as twin:
        settings = E3372HilinkSettings(twin.link, **keys)
        device = DRIVER.make(settings, context("hilink"))
        assert isinstance(device, E3372Hilink)
        yield twin, device
    timeline.stop()


async def test_session_token_and_body_are_those_of_the_web_page() -> None:
    seen: list[tuple[str, str, str, bytes]] = []

    async def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        seen.append(
            (
                f"{method} {target}",
                headers.get("cookie", ""),
                headers.get("__requestverificationtoken", ""),
                body,
            )
        )
        if target == "/api/webserver/SesTokInfo":
            return response(
                b"<response><SesInfo>SessionID=abc</SesInfo><TokInfo>"
                b"0123456789012345678901234567890T</TokInfo></response>"
            )
        more = "__RequestVerificationToken: next\r\n" if method == "POST" else ""
        return response(b"<response>OK</response>", headers=more)

    async with http(answer) as url:
        web = Hilink(HttpLink(address.parse(url, "http"), "dongle", within=2.0))
        await web.open()
        fields = {"NetworkMode": "03", "NetworkBand": "3FFFFFFF", "LTEBand": "7FFFFFFFFFFFFFFF"}
        await web.post("/api/net/net-mode", fields)
        await web.post("/api/dialup/mobile-dataswitch", {"dataswitch": "1"})
        await web.close()
    assert seen == [
        ("GET /api/webserver/SesTokInfo", "", "", b""),
        (
            "POST /api/net/net-mode",
            "SessionID=abc",
            "0123456789012345678901234567890T",
            b'<?xml version="1.0" encoding="UTF-8"?><request><NetworkMode>03</NetworkMode>'
            b"<NetworkBand>3FFFFFFF</NetworkBand><LTEBand>7FFFFFFFFFFFFFFF</LTEBand></request>",
        ),
        (
            "POST /api/dialup/mobile-dataswitch",
            "SessionID=abc",
            "next",
            b'<?xml version="1.0" encoding="UTF-8"?><request><dataswitch>1</dataswitch></request>',
        ),
    ]


async def test_the_web_page_of_the_twin_brings_a_session_too() -> None:
    async with dongle() as (twin, _):
        link = HttpLink(address.parse(twin.link, "http"), "page", within=2.0)
        await link.open()
        page = await link.request("GET", "/html/home.html")
        cookie = page.headers["set-cookie"].partition(";")[0]
        tokens = re.findall('name="csrf_token" content="([0-9a-f]{32})"', page.text)
        assert len(tokens) == 2
        for token in (*tokens, tokens[0]):
            answer = await link.request(
                "POST",
                "/api/dialup/mobile-dataswitch",
                content=b"<request><dataswitch>1</dataswitch></request>",
                headers={"Cookie": cookie, "__RequestVerificationToken": token},
            )
        assert "<code>125003</code>" in answer.text, "a token serves once"
        await link.close()


async def test_something_else_behind_the_address_is_refused() -> None:
    async def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        return response(b"<html>It works!")

    async with http(answer) as url:
        device = DRIVER.make(E3372HilinkSettings(url), context("hilink"))
        with pytest.raises(DeviceError, match=r"SesTokInfo: expected XML, got '<html>It works!'"):
            await device.__aenter__()


async def test_identity() -> None:
    async with dongle(serial=sim.IMEI) as (_, modem), modem:
        identity = await modem.identify()
    assert (identity.model, identity.serial) == ("E3372", sim.IMEI)
    assert identity.firmware == sim.FIRMWARE


async def test_the_signal_of_each_technology() -> None:
    now = 0.0
    async with dongle(registration=5.0, clock=lambda: now) as (twin, modem), modem:
        for technology, rssi in (("4G", -71.0), ("3G", -79.0), ("2G", -85.0)):
            await modem.set_technology(Technology(technology))
            lost = await modem.read_signal()
            assert (lost.registered, lost.rssi, lost.operator) == (False, None, "")
            now += 5.0
            await modem.set_data(on=True)
            signal = await modem.read_signal()
            assert signal.technology == technology
            assert signal.registered
            assert signal.connected
            assert (signal.operator, signal.plmn) == ("Pilot Mobile", "00101")
            assert signal.rssi == Quantity(rssi, DBM)
            assert (signal.rsrp is None) is (technology != "4G")
            assert signal.source == "device/signal"
        twin.device.heard.clear()
        await modem.set_technology(Technology.G2)
        await modem.set_data(on=True)
        assert not [text for text in twin.device.heard if text.startswith("POST")]


async def test_bands_are_left_as_they_are() -> None:
    async with dongle() as (twin, modem):
        twin.device.bands = ("480000", "80044")
        async with modem:
            await modem.set_technology(Technology.G4)
            assert (twin.device.mode, twin.device.bands) == ("03", ("480000", "80044"))


async def test_a_saturated_level_is_no_number() -> None:
    async with dongle() as (twin, modem), modem:
        twin.device.signs = True
        signal = await modem.read_signal()
    assert signal.rssi == Saturated(Quantity(-71.0, DBM), above=True)


async def test_firmware_with_empty_levels_has_them_elsewhere() -> None:
    async with dongle() as (twin, modem), modem:
        twin.device.empty_signal = True
        signal = await modem.read_signal()
    assert (signal.rssi, signal.source) == (Quantity(-71.0, DBM), "net/signal-para")


async def test_leaving_brings_the_safe_state() -> None:
    async with dongle(safe="4G") as (twin, modem):
        async with modem:
            assert twin.device.mode == "03"
            await modem.set_technology(Technology.G2)
            await modem.set_data(on=True)
        assert twin.device.mode == "03"
        assert not twin.device.radio.data


async def test_a_technology_without_network_is_told_not_raised() -> None:
    cells = {"4G": CELLS["4G"]}
    async with dongle(cells=cells, connect_within=0.05) as (_, modem), modem:
        await modem.set_technology(Technology.G3)
        assert not (await modem.read_signal()).registered
        with pytest.raises(DeviceTimeout, match=r"hilink: no data connection after 0.05 s"):
            await modem.set_data(on=True)


async def test_a_technology_that_the_firmware_lacks_is_refused_with_what_it_has() -> None:
    async with dongle() as (twin, modem), modem:
        twin.device.modes = ("00", "03")
        with pytest.raises(DeviceError) as caught:
            await modem.set_technology(Technology.G2)
    assert str(caught.value).endswith(
        "POST /api/net/net-mode: error 112003, mode or band could not be set: "
        "NetworkMode 01, the firmware allows 00, 03"
    )


async def test_a_mode_that_can_not_be_set_while_connected() -> None:
    async with dongle() as (twin, modem), modem:
        twin.device.wants_data_off = True
        await modem.set_data(on=True)
        await modem.set_technology(Technology.G3)
        await modem.set_data(on=True)
        signal = await modem.read_signal()
    assert (signal.technology, signal.connected) == (Technology.G3, True)


async def test_a_session_that_has_ended_is_renewed() -> None:
    async with dongle() as (twin, modem), modem:
        twin.device.expire_sessions()
        await modem.set_technology(Technology.G4)
        for session in twin.device.sessions:
            session.tokens.clear()
        await modem.set_technology(Technology.G3)
        assert twin.device.mode == "02"


async def test_busy_is_waited_for_and_given_up() -> None:
    async with dongle() as (twin, modem), modem:
        twin.device.busy = 3
        assert (await modem.read_signal()).registered
        twin.device.busy = 4
        with pytest.raises(HilinkRefused, match="error 100004, busy"):
            await modem.read_signal()


@pytest.mark.parametrize("login", ["4", "0"])
async def test_login_and_logout(login: str) -> None:
    async with dongle(dongle_password="secret", login=login, password="secret") as (twin, modem):
        async with modem:
            assert (await modem.identify()).serial == sim.IMEI
            await modem.set_technology(Technology.G4)
            twin.device.expire_sessions()
            await modem.set_technology(Technology.G3)
            assert twin.device.mode == "02"
        assert not any(session.logged_in for session in twin.device.sessions)
    assert not [text for text in twin.device.heard if "secret" in text]


async def test_a_wrong_password_and_a_missing_one_are_named() -> None:
    async with dongle(dongle_password="secret", password="guess") as (_, modem):
        with pytest.raises(DeviceError, match="user/login: error 108006, user name or password"):
            await modem.__aenter__()
    async with dongle(dongle_password="secret") as (_, modem):
        with pytest.raises(DeviceError, match="error 100003, login needed, set the keys user and"):
            await modem.__aenter__()
    async with dongle(dongle_password="secret", login="5", password="secret") as (_, modem):
        with pytest.raises(DeviceError, match="login of kind 5 is not supported, switch the dong"):
            await modem.__aenter__()


async def test_no_sim_is_named() -> None:
    async with dongle() as (twin, modem):
        twin.device.sim = False
        with pytest.raises(DeviceError, match=r"hilink \(.*\): the dongle reports no SIM"):
            await modem.__aenter__()


async def test_another_router_and_another_dongle_are_refused() -> None:
    async with dongle() as (twin, modem):
        twin.faults.wrong_identity = True
        with pytest.raises(DeviceError, match="the model is 'B315', expected an E3372"):
            await modem.__aenter__()
    async with dongle(serial="1") as (_, modem):
        with pytest.raises(DeviceError, match=r"serial number '.*', expected '1'"):
            await modem.__aenter__()


async def test_a_restart_comes_back() -> None:
    async with dongle() as (twin, modem), modem:

        async def power() -> None:
            await twin.device.restarting.wait()
            await twin.disconnect()
            await asyncio.sleep(0.05)  # how long it is down
            twin.device.power_up()
            await twin.connect()

        async with asyncio.timeout(5.0), asyncio.TaskGroup() as tasks:
            tasks.create_task(power())
            await modem.restart()
        assert (await modem.read_signal()).registered


async def test_a_restart_that_does_not_happen_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e3372_hilink, "_GONE_WITHIN", 0.05)
    async with dongle() as (_, modem), modem:
        with pytest.raises(DeviceTimeout, match=r"hilink: does not restart after 0.05 s"):
            await modem.restart()


async def test_silence_is_a_timeout_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e3372_hilink, "_QUERY_WITHIN", 0.1)
    async with dongle() as (twin, modem), modem:
        twin.faults.silent, twin.faults.answers = True, 1
        with pytest.raises(DeviceTimeout, match=r"monitoring/status: no answer within 0.1 s"):
            await modem.read_signal()
        assert (await modem.read_signal()).registered


async def test_a_cancelled_write_does_not_spoil_the_next() -> None:
    async with dongle() as (twin, modem), modem:
        twin.faults.late = 0.1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await modem.set_technology(Technology.G4)
        twin.faults.clear()
        await modem.set_technology(Technology.G3)
        assert twin.device.mode == "02"


async def test_a_dongle_that_is_pulled_out_is_a_link_error() -> None:
    async with dongle() as (twin, modem):
        await modem.__aenter__()
        await twin.disconnect()
        with pytest.raises(LinkError, match=r"hilink \(http://127.0.0.1:"):
            await modem.read_signal()
        with pytest.raises(LinkError):
            await modem.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"connect_within": 601.0}, "'connect_within' is 601, expected more than 0"),
        ({"link": "serial:/dev/ttyUSB1"}, "expected one of http:"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(E3372HilinkSettings(), **keys)
    assert text in str(caught.value)

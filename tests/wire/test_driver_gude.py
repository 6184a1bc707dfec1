"""The GUDE driver against HTTP answers written by hand."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bench.errors import DeviceError, DeviceTimeout
from drivers import switching
from drivers.gude import DRIVER, Gude, GudeSettings
from tests.wire.responders import context, http, response

MAC = "00:19:32:00:99:01"


class Strip:
    """A switch with two ports, of which the second one is used."""

    def __init__(self) -> None:
        self.on = False
        self.stuck = False
        self.mute = False
        self.seconds = 1.0
        """How long the device's second is."""
        self.seen: list[str] = []
        self.headers: list[str] = []
        self.body: bytes | None = None
        self.status = "200 OK"
        self._back: asyncio.TimerHandle | None = None

    async def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes | None:
        self.seen.append(f"{method} {target}")
        self.headers.append(headers.get("authorization", ""))
        if self.mute:
            return None
        query = dict(parse_qsl(urlsplit(target).query))
        if "cmd" in query and not self.stuck:
            assert query["p"] == "2"
            self._act(query)
        document: dict[str, Any] = {"outputs": [{"state": 1}, {"state": int(self.on)}]}
        if query["components"] != "1":
            document |= {"misc": {"product_name": "EPC 8031", "firm_v": "v1.2"}}
            document |= {"ethernet": {"mac": MAC.lower()}}
        body = json.dumps(document).encode() if self.body is None else self.body
        return response(body, status=self.status)

    def _act(self, query: dict[str, str]) -> None:
        if self._back is not None and query["cmd"] in ("2", "5"):
            self._back.cancel()
        if query["cmd"] == "1":
            self.on = query["s"] == "1"
        elif query["cmd"] == "5":
            self.on = query["a1"] == "1"
            delay = float(query["s"]) * self.seconds
            loop = asyncio.get_running_loop()
            self._back = loop.call_later(delay, self._set, query["a2"] == "1")

    def _set(self, on: bool) -> None:
        self.on = on


@asynccontextmanager
async def opened(device: Strip, **keys: Any) -> AsyncIterator[Gude]:
    async with http(device.answer) as url, make(url, **keys) as driver:
        device.seen.clear()
        yield driver


def make(url: str, **keys: Any) -> Gude:
    made = DRIVER.make(GudeSettings(url, port=keys.pop("port", 2), **keys), context("mains"))
    assert isinstance(made, Gude)
    return made


async def test_switching_and_what_the_device_is_told() -> None:
    device = Strip()
    async with opened(device) as mains:
        assert device.on  # the safe state, if nothing else is said
        await mains.switch_off()
        assert not device.on
        assert not await mains.is_on()
        assert device.seen == [
            "GET /status.json?components=1&cmd=2&p=2",
            "GET /status.json?components=1&cmd=1&p=2&s=0",
            "GET /status.json?components=1",
            "GET /status.json?components=1",
        ]
        await mains.switch_on()
        assert device.on
        await mains.switch_off()
    assert device.on


@pytest.mark.parametrize("safe", ["on", "off"])
async def test_the_safe_state_is_the_labs_choice(safe: str) -> None:
    device = Strip()
    async with opened(device, safe=safe) as mains:
        assert device.on is (safe == "on")
        await (mains.switch_off if safe == "on" else mains.switch_on)()
        await mains.make_safe()
        assert device.on is (safe == "on")


async def test_the_device_ends_a_power_cycle_by_itself() -> None:
    device = Strip()
    async with opened(device) as mains:
        await mains.cycle(off_for=0.3)
        assert device.on
    assert "GET /status.json?components=1&cmd=5&p=2&a1=0&a2=1&s=1" in device.seen


async def test_a_cycle_that_is_too_short_is_an_error() -> None:
    device = Strip()
    device.seconds = 0.3
    async with opened(device) as mains:
        with pytest.raises(DeviceError, match=r"mains: outlet was off for 0\.\d+ s, commanded 1 s"):
            await mains.cycle(off_for=1.0)


async def test_the_rest_of_a_cycle_does_not_undo_a_command() -> None:
    device = Strip()
    device.seconds = 0.2
    async with opened(device, safe="off") as mains:
        await mains.switch_on()
        cycling = asyncio.ensure_future(mains.cycle(off_for=1.0))
        async with asyncio.timeout(2.0):
            while device.on:  # noqa: ASYNC110 a thread of its own has no event to wait for
                await asyncio.sleep(0.01)
        cycling.cancel()
        await mains.switch_off()
        assert device._back is not None
        assert device._back.cancelled()
        assert not device.on


@pytest.mark.parametrize("off_for", [0.0, -1.0, 65536.0])
async def test_an_impossible_time_is_refused(off_for: float) -> None:
    async with opened(Strip()) as mains:
        with pytest.raises(ValueError, match="off_for is"):
            await mains.cycle(off_for=off_for)


async def test_identity_and_authentication() -> None:
    device = Strip()
    async with opened(device, serial=MAC, user="admin", password="secret") as mains:
        identity = await mains.identify()
    assert (identity.maker, identity.model) == ("GUDE Systems", "EPC 8031")
    assert (identity.serial, identity.firmware) == (MAC, "v1.2")
    assert set(device.headers) == {"Basic " + base64.b64encode(b"admin:secret").decode()}


async def test_a_stuck_relay_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "_SWITCH_WITHIN", 0.1)
    device = Strip()
    async with opened(device) as mains:
        device.stuck = True
        with pytest.raises(DeviceTimeout, match="mains: outlet reads on, commanded off, after"):
            await mains.switch_off()


async def test_a_mute_device_is_a_timeout() -> None:
    device = Strip()
    async with opened(device) as mains:
        device.mute = True
        with pytest.raises(DeviceTimeout, match=r"^mains \(.*: no answer within 1 s$"):
            await mains.is_on()
        device.mute = False


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html>", "expected JSON, got '<html>'"),
        (b"[]", "has no list of outputs, expected a GUDE"),
        (b'{"outputs":[{"state":1}]}', "no port 2, the device has 1"),
        (b'{"outputs":[{},{"state":2}]}', "state is 2, expected 0 or 1"),
        (b'{"outputs":[{},7]}', "state is None, expected 0 or 1"),
    ],
)
async def test_what_is_no_gude_is_refused(body: bytes, text: str) -> None:
    device = Strip()
    device.body = body
    async with http(device.answer) as url:
        with pytest.raises(DeviceError, match=r"^mains \(http:.*\): ") as caught:
            await make(url).__aenter__()
    assert text in str(caught.value)


async def test_refused_users_and_other_devices_are_named() -> None:
    device = Strip()
    async with http(device.answer) as url:
        with pytest.raises(DeviceError, match=f"serial number '{MAC}', expected '00:11'"):
            await make(url, serial="00:11").__aenter__()
        device.status = "401 Unauthorized"
        with pytest.raises(DeviceError, match="user or password refused"):
            await make(url).__aenter__()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="'port' is 0, expected 1 or more"):
        GudeSettings("http://x", port=0)

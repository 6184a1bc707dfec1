"""The NETIO and Shelly drivers against HTTP answers written by hand."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bench.capability import PowerSwitch
from bench.device import Device
from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers import netio, shelly, switching
from tests.wire.responders import context, http, response


class Outlet:
    """What both devices have: a relay that may be stuck, and a timer."""

    def __init__(self) -> None:
        self.on = False
        self.changed = asyncio.Event()
        self.stuck = False
        self.mute = False
        self.early = 1.0
        """Part of the time that it really waits."""
        self.seen: list[str] = []
        self.status = "200 OK"

    async def becomes(self, on: bool) -> None:
        """Wait until the relay has moved."""
        async with asyncio.timeout(2.0):
            while self.on is not on:
                self.changed.clear()
                await self.changed.wait()

    def switch(self, on: bool, *, back_after: float | None = None) -> None:
        if not self.stuck:
            self.on = on
            self.changed.set()
        if back_after is not None:
            delay = back_after * self.early
            asyncio.get_running_loop().call_later(delay, lambda: self.switch(not on))


class Netio(Outlet):
    """A strip with two outlets, of which the second one is used."""

    driver = netio.DRIVER
    keys: dict[str, Any] = {"outlet": 2}  # noqa: RUF012
    serial = "24:A4:2C:39:10:01"

    async def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes | None:
        self.seen.append(f"{method} {target} {body.decode()}".rstrip())
        assert target == "/netio.json"
        if self.mute:
            return None
        if method == "POST":
            (output,) = json.loads(body)["Outputs"]
            assert output["ID"] == 2
            match output["Action"]:
                case 2:
                    self.switch(False, back_after=output["Delay"] / 1000)
                case action:
                    self.switch(action == 1)
        status = {
            "Agent": {"Model": "NETIO 4All", "Version": "3.4.7", "SerialNumber": self.serial},
            "Outputs": [{"ID": 1, "State": 1}, {"ID": 2, "State": int(self.on)}],
        }
        return response(json.dumps(status).encode(), status=self.status)


class Shelly(Outlet):
    """A relay of generation 2."""

    driver = shelly.DRIVER
    keys: dict[str, Any] = {}  # noqa: RUF012
    serial = "A8032AB10001"
    generation = 2

    async def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes | None:
        self.seen.append(f"{method} {target}")
        if self.mute:
            return None
        path, _, query = target.partition("?")
        parameters = dict(parse_qsl(query))
        result: dict[str, Any]
        if path == "/rpc/Shelly.GetDeviceInfo":
            result = {"id": "x", "mac": self.serial, "model": "SNSW-001X16EU"}
            result |= {"gen": self.generation, "ver": "1.4.4"}
        elif path == "/rpc/Switch.GetStatus":
            result = {"id": 0, "output": self.on}
        else:
            assert path == "/rpc/Switch.Set"
            result = {"was_on": self.on}
            after = parameters.get("toggle_after")
            self.switch(parameters["on"] == "true", back_after=float(after) if after else None)
        assert parameters.get("id", "0") == "0"
        return response(json.dumps(result).encode(), status=self.status)


BOTH = pytest.mark.parametrize("kind", [Netio, Shelly])


class Opened(Device, PowerSwitch):
    """What the tests need of either driver."""


@asynccontextmanager
async def opened(device: Netio | Shelly, **keys: Any) -> AsyncIterator[Opened]:
    async with http(device.answer) as url:
        async with make(device, url, **keys) as driver:
            device.seen.clear()
            yield driver


def make(device: Netio | Shelly, url: str, **keys: Any) -> Opened:
    settings = device.driver.settings(link=url, **device.keys, **keys)
    return device.driver.make(settings, context("mains"))  # type: ignore[return-value]


@BOTH
async def test_switching(kind: Callable[[], Netio | Shelly]) -> None:
    device = kind()
    async with opened(device) as mains:
        assert device.on  # the safe state, if nothing else is said
        assert await mains.is_on()
        await mains.switch_off()
        assert not device.on
        assert not await mains.is_on()
        await mains.switch_off()
        assert not device.on
        await mains.switch_on()
        assert device.on


async def test_what_netio_is_told() -> None:
    device = Netio()
    async with opened(device) as mains:
        await mains.switch_off()
        await mains.cycle(off_for=0.125)
    assert [line for line in device.seen if line.startswith("POST")] == [
        'POST /netio.json {"Outputs":[{"ID":2,"Action":0}]}',
        'POST /netio.json {"Outputs":[{"ID":2,"Action":2,"Delay":125}]}',
        'POST /netio.json {"Outputs":[{"ID":2,"Action":1}]}',
    ]


async def test_what_shelly_is_told() -> None:
    device = Shelly()
    async with opened(device) as mains:
        await mains.switch_off()
        await mains.cycle(off_for=0.125)
    assert [line for line in device.seen if "Set" in line] == [
        "GET /rpc/Switch.Set?id=0&on=false",
        "GET /rpc/Switch.Set?id=0&on=false&toggle_after=0.125",
        "GET /rpc/Switch.Set?id=0&on=true",
    ]


@BOTH
@pytest.mark.parametrize("safe", ["on", "off"])
async def test_the_safe_state_is_the_labs_choice(
    kind: Callable[[], Netio | Shelly], safe: str
) -> None:
    device = kind()
    async with opened(device, safe=safe) as mains:
        assert device.on is (safe == "on")
        await (mains.switch_off if safe == "on" else mains.switch_on)()
        await mains.make_safe()
        assert device.on is (safe == "on")
        await (mains.switch_off if safe == "on" else mains.switch_on)()
    assert device.on is (safe == "on")


@BOTH
async def test_the_device_ends_a_power_cycle_by_itself(
    kind: Callable[[], Netio | Shelly],
) -> None:
    device = kind()
    async with opened(device) as mains:
        cycling = asyncio.ensure_future(mains.cycle(off_for=0.3))
        await device.becomes(False)
        cycling.cancel()  # the computer dies
        device.seen.clear()
        await device.becomes(True)
        assert not [line for line in device.seen if "POST" in line or "Set" in line]


@BOTH
async def test_a_power_cycle_is_watched_to_its_end(kind: Callable[[], Netio | Shelly]) -> None:
    device = kind()
    loop = asyncio.get_running_loop()
    async with opened(device) as mains:
        started = loop.time()
        await mains.cycle(off_for=0.2)
        assert device.on
        assert 0.2 <= loop.time() - started < 2.0


@BOTH
async def test_a_power_cycle_that_is_too_short_is_refused(
    kind: Callable[[], Netio | Shelly],
) -> None:
    device = kind()
    async with opened(device) as mains:
        device.early = 0.5
        with pytest.raises(DeviceError, match=r"mains: outlet was off for .* s, commanded 0.5 s"):
            await mains.cycle(off_for=0.5)


@BOTH
async def test_an_outlet_that_stays_off_is_noticed(
    kind: Callable[[], Netio | Shelly], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "_BACK_WITHIN", 0.05)
    device = kind()
    async with opened(device) as mains:
        device.early = 100.0
        with pytest.raises(DeviceTimeout, match="mains: outlet reads off, commanded on, after"):
            await mains.cycle(off_for=0.1)


@BOTH
async def test_a_stuck_relay_is_noticed(
    kind: Callable[[], Netio | Shelly], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "_SWITCH_WITHIN", 0.05)
    device = kind()
    async with opened(device) as mains:
        device.stuck = True
        with pytest.raises(DeviceTimeout, match="mains: outlet reads on, commanded off, after"):
            await mains.switch_off()
        with pytest.raises(DeviceTimeout, match="mains: outlet reads on, commanded off, after"):
            await mains.cycle(off_for=1.0)


@BOTH
async def test_a_slow_relay_is_waited_for(kind: Callable[[], Netio | Shelly]) -> None:
    device = kind()
    async with opened(device) as mains:
        device.stuck = True

        def let_go() -> None:
            device.stuck = False
            device.on = False

        asyncio.get_running_loop().call_later(0.1, let_go)
        await mains.switch_off()
        assert not device.on


@BOTH
async def test_identity(kind: Callable[[], Netio | Shelly]) -> None:
    device = kind()
    async with opened(device, serial=device.serial) as mains:
        identity = await mains.identify()
    assert identity.serial == device.serial
    assert identity.model
    assert identity.firmware


@BOTH
async def test_another_device_than_the_one_of_the_bench_is_refused(
    kind: Callable[[], Netio | Shelly],
) -> None:
    device = kind()
    async with http(device.answer) as url:
        with pytest.raises(DeviceError, match=r"mains: the device has serial number .*'4711'"):
            await make(device, url, serial="4711").__aenter__()
    assert not device.on  # a wrong device is not switched


@BOTH
async def test_silence_refusal_and_loss(kind: Callable[[], Netio | Shelly]) -> None:
    device = kind()
    async with http(device.answer) as url:
        mains = make(device, url)
        mains._link._within = 0.1  # type: ignore[attr-defined]
        await mains.__aenter__()
        device.mute = True
        with pytest.raises(DeviceTimeout, match=r"mains \(http://.*no answer within 0.1 s"):
            await mains.switch_off()
        device.mute = False
        device.status = "503 Busy"
        with pytest.raises(DeviceError, match="answered 503"):
            await mains.is_on()
    with pytest.raises(LinkError):
        await mains.switch_on()
    with pytest.raises(LinkError):
        await mains.__aexit__(None, None, None)


async def test_netio_with_a_password() -> None:
    device = Netio()

    async def guarded(
        method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes | None:
        expected = base64.b64encode(b"netio:geheim").decode()
        if headers.get("authorization") != f"Basic {expected}":
            return response(b"", status="401 Unauthorized")
        return await device.answer(method, target, headers, body)

    async with http(guarded) as url:
        async with make(device, url, user="netio", password="geheim") as mains:
            assert await mains.is_on()
        with pytest.raises(DeviceError, match=r"user or password refused \(401\)"):
            await make(device, url).__aenter__()


async def test_shelly_with_a_password() -> None:
    device = Shelly()

    def digest(text: str) -> str:
        return sha256(text.encode()).hexdigest()

    async def guarded(
        method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes | None:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', headers.get("authorization", "")))
        if given:
            user = digest("admin:shelly:geheim")
            counted = f"n0nce:{given['nc']}:{given['cnonce']}:auth"
            if given["response"] == digest(f"{user}:{counted}:{digest(f'{method}:{target}')}"):
                return await device.answer(method, target, headers, body)
        challenge = 'Digest qop="auth", realm="shelly", nonce="n0nce", algorithm=SHA-256'
        return response(b"", status="401 No", headers=f"WWW-Authenticate: {challenge}\r\n")

    async with http(guarded) as url:
        async with make(device, url, password="geheim") as mains:
            assert await mains.is_on()
        for keys in ({}, {"password": "falsch"}):
            with pytest.raises(DeviceError, match=r"user or password refused \(401\)"):
                await make(device, url, **keys).__aenter__()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("[]", "/netio.json has no Agent, expected a NETIO device"),
        ('{"Agent": {}}', "/netio.json has no list of Outputs"),
        ('{"Agent": {}, "Outputs": [{"ID": 1, "State": 1}]}', "no outlet 2, the device has 1"),
        ('{"Agent": {}, "Outputs": [{"ID": 2, "State": "on"}]}', "State is 'on', expected 0 or 1"),
    ],
)
async def test_something_else_than_a_netio_is_refused(body: str, text: str) -> None:
    await refused(Netio(), lambda target: body, text)


@pytest.mark.parametrize(
    ("info", "status", "text"),
    [
        ("[]", "{}", "Shelly.GetDeviceInfo answered [], expected an object"),
        ('{"type": "SHSW-1"}', "{}", "generation is None, expected a Shelly of generation 2 up"),
        ('{"gen": 1}', "{}", "generation is 1, expected"),
        ('{"gen": 3}', '{"id": 0}', "output is None, expected true or false"),
    ],
)
async def test_something_else_than_a_shelly_is_refused(info: str, status: str, text: str) -> None:
    await refused(Shelly(), lambda target: info if "Info" in target else status, text)


async def refused(device: Netio | Shelly, body: Callable[[str], str], text: str) -> None:
    async def answer(method: str, target: str, headers: dict[str, str], _: bytes) -> bytes:
        assert method == "GET", "nothing is switched before the device is known"
        return response(body(target).encode())

    async with http(answer) as url:
        with pytest.raises(DeviceError) as caught:
            await make(device, url).__aenter__()
    assert text in str(caught.value)


async def test_a_cycle_needs_a_time() -> None:
    async with opened(Shelly()) as mains:
        with pytest.raises(ValueError, match="off_for is 0 s, expected more than 0"):
            await mains.cycle(off_for=0.0)


def test_wrong_outlets_are_refused() -> None:
    with pytest.raises(ValueError, match="'outlet' is 0, expected 1 or more"):
        netio.NetioSettings("http://pdu", outlet=0)
    with pytest.raises(ValueError, match="'outlet' is -1, expected 0 or more"):
        shelly.ShellySettings("http://pdu", outlet=-1)
    with pytest.raises(ValueError, match="has serial:, expected one of http:"):
        shelly.ShellySettings("serial:/dev/x")

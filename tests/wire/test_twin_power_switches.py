"""The NETIO and Shelly twins by raw HTTP, and by a real HTTP client where it knows more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from drivers.sim.netio import Netio
from drivers.sim.outlet import Outlet
from drivers.sim.shelly import Shelly
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World

DEADLINE = 2.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.timeline.stop()


@pytest.fixture
async def netio(world: World) -> AsyncIterator[Twin[Netio]]:
    outlets = [Outlet(world.timeline, world.set_mains), *[Outlet(world.timeline)] * 3]
    async with Twin(Netio(outlets), TcpWire("http")) as twin:
        yield twin


@pytest.fixture
async def shelly(world: World) -> AsyncIterator[Twin[Shelly]]:
    async with Twin(Shelly(Outlet(world.timeline, world.set_mains)), TcpWire("http")) as twin:
        yield twin


async def raw(link: str, request: str) -> bytes:
    """Send text and read until the twin closes."""
    host, port = link.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.replace("\n", "\r\n").encode())
    async with asyncio.timeout(DEADLINE):
        answer = await reader.read()
    writer.close()
    return answer


async def post(link: str, outputs: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=DEADLINE) as client:
        return await client.post(f"{link}/netio.json", json={"Outputs": outputs})


async def get(link: str, path: str, auth: httpx.Auth | None = None) -> httpx.Response:
    async with httpx.AsyncClient(timeout=DEADLINE, auth=auth) as client:
        return await client.get(link + path)


async def test_the_bytes_of_an_answer(netio: Twin[Netio]) -> None:
    answer = await raw(netio.link, "GET /netio.json HTTP/1.1\nHost: x\nConnection: close\n\n")
    head, body = answer.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    document = json.loads(body)
    assert document["Agent"]["NumOutputs"] == 4
    assert document["Agent"]["SerialNumber"]
    assert [output["ID"] for output in document["Outputs"]] == [1, 2, 3, 4]
    assert document["Outputs"][0]["State"] == 1


async def test_two_requests_on_one_connection(netio: Twin[Netio]) -> None:
    body = '{"Outputs":[{"ID":1,"Action":0}]}'
    answer = await raw(
        netio.link,
        f"POST /netio.json HTTP/1.1\nContent-Length: {len(body)}\n\n{body}"
        "GET /netio.json HTTP/1.1\nConnection: close\n\n",
    )
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["Outputs"][0]["State"] == 0


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        ({"ID": 1, "Action": 0}, 0),
        ({"ID": 1, "Action": 1}, 1),
        ({"ID": 1, "Action": 4}, 0),
        ({"ID": 1, "Action": 5}, 1),
        ({"ID": 1, "Action": 6, "State": 0}, 0),
        ({"ID": 1, "State": 0}, 0),
        ({"ID": 2, "Action": 0}, 1),
    ],
)
async def test_actions_of_netio(
    netio: Twin[Netio], world: World, entry: dict[str, int], state: int
) -> None:
    answer = await post(netio.link, [entry])
    assert answer.json()["Outputs"][0]["State"] == state
    await world.until(lambda: world.mains == bool(state), within=DEADLINE)


async def test_short_off_comes_back_alone(netio: Twin[Netio], world: World) -> None:
    answer = await post(netio.link, [{"ID": 1, "Action": 2, "Delay": 100}])
    assert answer.json()["Outputs"][0]["State"] == 0
    assert answer.json()["Outputs"][0]["Delay"] == 100
    began = asyncio.get_running_loop().time()
    await world.until(lambda: world.outages == 1, within=DEADLINE)
    await world.until(lambda: world.mains, within=DEADLINE)
    assert asyncio.get_running_loop().time() - began > 0.08


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '{"Outputs":[{"ID":5,"Action":0}]}',
        '{"Outputs":[{"ID":1,"Action":7}]}',
        '{"Outputs":[{"ID":1,"Action":6}]}',
        '{"Outputs":[{"ID":1,"Action":0},{"ID":1,"Action":2,"Delay":"x"}]}',
    ],
)
async def test_netio_refuses_a_bad_document_whole(
    netio: Twin[Netio], world: World, body: str
) -> None:
    text = f"POST /netio.json HTTP/1.1\nConnection: close\nContent-Length: {len(body)}\n\n{body}"
    assert (await raw(netio.link, text)).startswith(b"HTTP/1.1 400 ")
    assert netio.device.outlets[0].on


async def test_refusals_of_netio(world: World) -> None:
    strip = Netio([Outlet(world.timeline)], password="secret", read_only=True)
    async with Twin(strip, TcpWire("http")) as twin:
        assert (await get(twin.link, "/netio.json")).status_code == 401
        good, bad = httpx.BasicAuth("netio", "secret"), httpx.BasicAuth("netio", "guess")
        assert (await get(twin.link, "/netio.json", bad)).status_code == 401
        assert (await get(twin.link, "/netio.json", good)).status_code == 200
        assert (await get(twin.link, "/index.html", good)).status_code == 404
        async with httpx.AsyncClient(auth=good, timeout=DEADLINE) as client:
            assert (await client.post(f"{twin.link}/netio.json")).status_code == 403
            assert (await client.delete(f"{twin.link}/netio.json")).status_code == 405


@pytest.mark.parametrize("text", ["hello\n\n", "GET / HTTP/1.1\nContent-Length: x\n\n"])
async def test_no_http_is_refused_and_ends(netio: Twin[Netio], text: str) -> None:
    assert (await raw(netio.link, text)).startswith(b"HTTP/1.1 400 Bad Request")


async def test_faults_of_a_web_twin(netio: Twin[Netio]) -> None:
    ask = "GET /netio.json HTTP/1.1\nConnection: close\n\n"
    whole = await raw(netio.link, ask)
    netio.faults.busy = 1
    assert (await raw(netio.link, ask)).startswith(b"HTTP/1.1 503 ")
    netio.faults.truncated = 10
    assert await raw(netio.link, ask) == whole[:-10]
    netio.faults.clear()
    netio.faults.wrong_identity = True
    other = (await get(netio.link, "/netio.json")).json()["Agent"]
    assert other != json.loads(whole.partition(b"\r\n\r\n")[2])["Agent"]
    netio.faults.clear()
    netio.faults.silent = True
    assert await raw(netio.link, ask) == b""
    netio.faults.clear()
    await netio.disconnect()
    with pytest.raises(httpx.ConnectError):
        await get(netio.link, "/netio.json")
    await netio.connect()
    assert (await get(netio.link, "/netio.json")).status_code == 200


async def test_the_shelly_switches(shelly: Twin[Shelly], world: World) -> None:
    info = (await get(shelly.link, "/rpc/Shelly.GetDeviceInfo")).json()
    assert (info["gen"], info["auth_en"]) == (2, False)
    assert info == (await get(shelly.link, "/shelly")).json()
    off = await get(shelly.link, "/rpc/Switch.Set?id=0&on=false")
    assert off.json() == {"was_on": True}
    await world.until(lambda: not world.mains, within=DEADLINE)
    status = (await get(shelly.link, "/rpc/Switch.GetStatus?id=0")).json()
    assert (status["output"], status["apower"]) == (False, 0.0)
    assert (await get(shelly.link, "/rpc/Switch.Toggle?id=0")).json() == {"was_on": False}
    await world.until(lambda: world.mains, within=DEADLINE)


async def test_toggle_after_survives_a_dead_bench(shelly: Twin[Shelly], world: World) -> None:
    await get(shelly.link, "/rpc/Switch.Set?id=0&on=false&toggle_after=0.05")
    await world.until(lambda: world.outages == 1, within=DEADLINE)
    await world.until(lambda: world.mains, within=DEADLINE)


async def test_rpc_in_a_frame(shelly: Twin[Shelly]) -> None:
    async with httpx.AsyncClient(timeout=DEADLINE) as client:
        call = {"id": 7, "method": "Switch.Set", "params": {"id": 0, "on": False}}
        answer = (await client.post(f"{shelly.link}/rpc", json=call)).json()
        assert (answer["id"], answer["result"]) == (7, {"was_on": True})
        call = {"id": 8, "method": "Switch.GetStatus", "params": {"id": 1}}
        answer = (await client.post(f"{shelly.link}/rpc", json=call)).json()
        assert (answer["id"], answer["error"]["code"]) == (8, -105)
        bare = await client.post(f"{shelly.link}/rpc/Switch.GetStatus", json={"id": 0})
        assert bare.json()["output"] is False


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/rpc/Switch.Set?id=0", 500, -103),
        ("/rpc/Switch.Set?id=1&on=true", 500, -105),
        ("/rpc/Switch.Set?on=true", 500, -103),
        ("/rpc/Switch.Explode?id=0", 404, 404),
    ],
)
async def test_what_the_shelly_refuses(
    shelly: Twin[Shelly], path: str, status: int, code: int
) -> None:
    answer = await get(shelly.link, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_shelly_asks_for_a_digest(world: World) -> None:
    async with Twin(Shelly(Outlet(world.timeline), password="secret"), TcpWire("http")) as twin:
        open_to_all = await get(twin.link, "/rpc/Shelly.GetDeviceInfo")
        assert open_to_all.json()["auth_en"]
        path = "/rpc/Switch.GetStatus?id=0"
        refused = await get(twin.link, path)
        assert refused.status_code == 401
        assert "SHA-256" in refused.headers["www-authenticate"]
        good, bad = httpx.DigestAuth("admin", "secret"), httpx.DigestAuth("admin", "guess")
        assert (await get(twin.link, path, good)).status_code == 200
        assert (await get(twin.link, path, bad)).status_code == 401

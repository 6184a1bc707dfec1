"""The HTTP link against answers written by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.link.address import parse
from drivers.link.http import SCHEMES, HttpLink
from tests.wire.responders import Http, http, response, tcp_server

WITHIN = 0.1


@asynccontextmanager
async def opened(
    url: str, *, auth: httpx.Auth | None = None, within: float = 5.0
) -> AsyncIterator[HttpLink]:
    link = HttpLink(parse(url, *SCHEMES), "pdu", auth=auth, within=within)
    await link.open()
    yield link
    await link.close()


def always(data: bytes | None) -> Http:
    async def answer(
        method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes | None:
        return data

    return answer


async def test_get_and_post_carry_json() -> None:
    seen = []

    async def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        seen.append((method, target, headers.get("content-type"), body))
        return response(b'{"ok": true}')

    async with http(answer) as url, opened(url) as link:
        assert await link.get("/rpc/X", {"id": "0", "on": "false"}) == {"ok": True}
        assert await link.post("/netio.json", {"Outputs": []}) == {"ok": True}
    assert seen == [
        ("GET", "/rpc/X?id=0&on=false", None, b""),
        ("POST", "/netio.json", "application/json", b'{"Outputs":[]}'),
    ]


async def test_an_environment_proxy_does_not_stand_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with http(always(response(b"[]"))) as url, opened(url) as link:
        assert await link.get("/") == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (response(b"", status="401 Unauthorized"), r"GET /x: user or password refused \(401\)"),
        (response(b"read\n only", status="403 Forbidden"), "GET /x: answered 403 read only"),
        (response(b"", status="500 Oops"), "GET /x: answered 500$"),
        (response(b"<html>hello"), "GET /x: expected JSON, got '<html>hello'"),
        (response(b'{"cut": '), "expected JSON, got"),
    ],
)
async def test_an_answer_that_does_not_fit_is_a_device_error(answer: bytes, text: str) -> None:
    async with http(always(answer)) as url, opened(url) as link:
        with pytest.raises(DeviceError, match=text) as caught:
            await link.get("/x")
    assert type(caught.value) is DeviceError
    assert str(caught.value).startswith(f"pdu ({url}): ")


async def test_silence_is_a_timeout() -> None:
    async with http(always(None)) as url, opened(url, within=WITHIN) as link:
        with pytest.raises(DeviceTimeout, match=r"GET /x: no answer within 0.1 s"):
            await link.get("/x")


async def test_an_answer_in_drops_is_a_timeout() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.01)

    async with (
        tcp_server(talk) as port,
        opened(f"http://127.0.0.1:{port}", within=WITHIN) as link,
    ):
        with pytest.raises(DeviceTimeout, match="no answer within"):
            await link.get("/x")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", b"\x00"])
async def test_a_device_that_hangs_up_is_a_link_error(said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with tcp_server(talk) as port:
        async with opened(f"http://127.0.0.1:{port}", within=30.0) as link:
            with pytest.raises(LinkError, match=r"GET /x: ."):
                await link.get("/x")


async def test_nobody_there_is_a_link_error() -> None:
    async with tcp_server(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    async with opened(f"http://127.0.0.1:{port}") as link:
        with pytest.raises(LinkError, match=r"GET /x: ."):
            await link.get("/x")


async def test_a_closed_link_says_so() -> None:
    link = HttpLink(parse("http://127.0.0.1:1", *SCHEMES), "pdu")
    await link.close()
    with pytest.raises(LinkError, match="not open"):
        await link.get("/")

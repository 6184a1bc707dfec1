"""The bench's FTP and HTTP servers: the same of both, over sockets of the system."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request

from bench.errors import BenchError, Unverifiable
from bench.events import FileTransferred, Noted
from bench.ocpp.predicate import ABSENT
from bench.stream import Stream
from bench.transfer import files as transfer_files
from bench.transfer import http
from bench.transfer.files import Files, FileSettings
from bench.transfer.shelf import Passage, Shelf
from stations import ftp
from stations.transfer import TransferFailed, deliver, fetch

PROTOCOLS = pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
CONTENT = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Rig:
    files: Files
    events: list[FileTransferred]
    run: Path
    firmware: Path


@asynccontextmanager
async def rig(folder: Path, protocol: str, **settings: object) -> AsyncIterator[Rig]:
    firmware, run = folder / "firmware.bin", folder / "run"
    firmware.write_bytes(CONTENT)
    run.mkdir(exist_ok=True)
    stream = Stream()
    files = Files(stream, FileSettings(**settings), (protocol,), run)  # type: ignore[arg-type]
    events: list[FileTransferred] = []

    def watch(record: object) -> None:
        event = getattr(record, "event", None)
        assert isinstance(event, FileTransferred)
        events.append(event)

    with stream.watched_by(watch):
        try:
            yield Rig(files, events, run, firmware)
        finally:
            await files.close()


@PROTOCOLS
async def test_a_file_is_fetched_and_the_transfer_recorded(tmp_path: Path, protocol: str) -> None:
    async with rig(tmp_path, protocol) as r:
        url = await r.files.offer(r.firmware)
        assert r.files.transferred("download", "firmware.bin", "sha256").value is ABSENT
        assert await fetch(url, within=10) == CONTENT
        (event,) = r.events
        assert (event.direction, event.protocol, event.name) == (
            "download",
            protocol,
            "firmware.bin",
        )
        assert (event.size, event.sha256, event.complete) == (len(CONTENT), DIGEST, True)
        assert event.remote.startswith("127.0.0.1:")
        assert event.attachment is None
        assert r.files.transferred("download", "firmware.bin", "sha256").value == DIGEST
        place = urlsplit(url)
        secrets = {place.password or "?", place.path.split("/")[1]}
        assert not any(secret in str(event) for secret in secrets)


@PROTOCOLS
async def test_a_file_that_is_brought_is_kept_under_a_harmless_name(
    tmp_path: Path, protocol: str
) -> None:
    async with rig(tmp_path, protocol) as r:
        url = await r.files.take()
        for _ in range(2):
            await deliver(url, "log of today.txt", b"all is well", within=10)
        assert [event.name for event in r.events] == ["log of today.txt"] * 2
        assert [event.attachment for event in r.events] == [
            "attachments/001-log_of_today.txt",
            "attachments/002-log_of_today.txt",
        ]
        for event in r.events:
            assert event.attachment is not None
            kept = (r.run / event.attachment).read_bytes()
            assert kept == b"all is well"
            assert event.sha256 == hashlib.sha256(kept).hexdigest()


@PROTOCOLS
async def test_a_file_may_be_put_behind_the_folder_with_one_slash_or_two(
    tmp_path: Path, protocol: str
) -> None:
    async with rig(tmp_path, protocol) as r:
        folder = await r.files.take()
        assert folder.endswith("/")
        for name, url in (("one.txt", folder), ("two.txt", f"{folder}/")):
            content = name.encode()
            if protocol == "FTP":
                await ftp.transfer(urlsplit(url + name), content, 100)
            else:
                async with httpx.AsyncClient(trust_env=False) as client:
                    assert (await client.put(url + name, content=content)).is_success
            assert r.files.transferred("upload", name, "size").value == len(content)


async def test_a_client_that_hangs_up_after_the_last_byte_has_the_file(tmp_path: Path) -> None:
    class HungUp(Request):
        async def is_disconnected(self) -> bool:
            return True

    events: list[FileTransferred] = []
    shelf = Shelf(tmp_path, tmp_path / "run", 1_000_000, events.append)
    for size in (10, 200_000):
        path = tmp_path / f"{size}.bin"
        path.write_bytes(bytes(size))
        passage = Passage("download", "HTTP", path, "")
        request = HungUp({"type": "http"})
        sent = [part async for part in http._parts(request, shelf, passage)]
        assert sum(map(len, sent)) == min(size, http._BLOCK)
    assert [event.complete for event in events] == [True, False]


@PROTOCOLS
async def test_what_is_not_on_the_shelf_is_not_there(tmp_path: Path, protocol: str) -> None:
    async with rig(tmp_path, protocol) as r:
        url = await r.files.offer(r.firmware)
        for wrong in (
            url + "x",
            url.replace(urlsplit(url).path, "/firmware.bin"),
            url.replace("firmware.bin", "../../run/../firmware.bin"),
        ):
            with pytest.raises(TransferFailed):
                await fetch(wrong, within=10)
        with pytest.raises(TransferFailed):
            await deliver(url.rpartition("/")[0][:-3] + "xyz", "log.txt", b"", within=10)
        assert r.events == []


@PROTOCOLS
async def test_an_upload_has_a_largest_size(tmp_path: Path, protocol: str) -> None:
    async with rig(tmp_path, protocol, most=100_000) as r:
        url = await r.files.take()
        with pytest.raises(TransferFailed):
            await deliver(url, "log.txt", CONTENT, within=10)
        assert [event.complete for event in r.events] == [False]
        assert r.files.transferred("upload", "log.txt", "size").value is ABSENT


@PROTOCOLS
async def test_a_port_that_is_taken_is_named(tmp_path: Path, protocol: str) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with rig(tmp_path, protocol, ftp_port=port, http_port=port) as r:
            with pytest.raises(BenchError, match=rf"\[files\] 127.0.0.1, {protocol}: .*in use"):
                await r.files.offer(r.firmware)


@PROTOCOLS
async def test_nobody_serves_before_the_first_file_and_after_the_case(
    tmp_path: Path, protocol: str
) -> None:
    async with rig(tmp_path, protocol) as r:
        with pytest.raises(TransferFailed):
            await fetch(r.files.nowhere("firmware.bin"), within=10)
        url = await r.files.offer(r.firmware)
    with pytest.raises(TransferFailed):
        await fetch(url, within=10)


async def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    async with rig(tmp_path, "FTP") as r:
        with pytest.raises(Unverifiable, match=r"gone\.bin: No such file"):
            await r.files.offer(tmp_path / "gone.bin")


async def test_ftp_wants_the_password_of_this_case(tmp_path: Path) -> None:
    async with rig(tmp_path, "FTP") as r:
        url = await r.files.offer(r.firmware)
        password = urlsplit(url).password or ""
        with pytest.raises(TransferFailed):
            await fetch(url.replace(password, "guess"), within=10)
        with pytest.raises(TransferFailed):
            await fetch(url.replace(f"{urlsplit(url).username}:{password}@", ""), within=10)


async def test_http_takes_a_post_and_tells_the_size_and_a_broken_download_is_not_whole(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, "HTTP") as r:
        url = await r.files.offer(r.firmware)
        r.firmware.parent.joinpath("big.bin").write_bytes(CONTENT * 40)
        big = await r.files.offer(r.firmware.parent / "big.bin")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.head(url)).headers["content-length"] == str(len(CONTENT))
            place = url.rpartition("/")[0]
            answer = await client.post(f"{place}/log.txt", content=b"all is well")
            assert answer.status_code == 201
            assert r.files.transferred("upload", "log.txt", "size").value == 11
            async with client.stream("GET", big) as response:
                await anext(response.aiter_bytes())
    assert [event.complete for event in r.events if event.name == "big.bin"] == [False]


async def test_passive_ports_and_address_are_those_of_the_bench(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    settings = {"passive_ports": (port,), "address": "127.0.0.1", "host": "127.0.0.1"}
    async with rig(tmp_path, "FTP", **settings) as r:
        url = await r.files.offer(r.firmware)
        for _ in range(2):
            assert await fetch(url, within=10) == CONTENT


async def test_a_server_that_does_not_end_does_not_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_files, "ENDING", 0.05)
    stream = Stream()
    files = Files(stream, FileSettings(), ("HTTP",), tmp_path)
    noted: list[object] = []
    with stream.watched_by(lambda record: noted.append(record.event)):
        files._stack.push_async_callback(asyncio.Event().wait)
        async with asyncio.timeout(20):
            await files.close()
    assert noted == [Noted("the file server did not end within 0.05 s")]

"""Two vendors at one bench: each sees its own DUT and nothing of the other's, byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.archive import dut_key
from bench.config import load_bench
from bench.dut import CardEntry, DutConfig, load_dut
from bench.engine import Engine
from bench.events import ViewerDisconnected
from bench.journal import JournalReader
from bench.server import openapi_of, viewers
from bench.server.shares import Shares
from drivers.sim.lab import open_lab
from tests.engine.service import DEADLINE, TOKEN, Service, idle_engine, impatient, served

HOUR = timedelta(hours=1)
FOREIGN = ("RIVAL-7", "Rivalion", "Model-Zeta", "ZETACARD", "software-zeta")
"""What tells of the other vendor's DUT."""
READING = (
    "/session",
    "/procedures",
    "/runs",
    "/runs/{run}",
    "/runs/{run}/results",
    "/runs/{run}/report.html",
    "/runs/{run}/report.pdf",
    "/runs/{run}/results.csv",
    "/runs/{run}/declaration.pdf",
    "/runs/{run}/junit.xml",
    "/prompts",
)


def rival(dut: DutConfig) -> DutConfig:
    """Make the other vendor's DUT, which is not connected."""
    identity, vendor, model, card, software = FOREIGN
    other = replace(dut.dut, identity=identity, vendor=vendor, model=model, software=software)
    cards = {"valid": CardEntry(id_tag=card)}
    pixit = replace(dut.pixit, cards=cards)
    return replace(dut, dut=other, pixit=pixit, pics={**dut.pics, "C-07": True})


@dataclass
class Observer:
    """What one observer ever received."""

    bench: Service
    token: str
    received: bytearray = field(default_factory=bytearray)
    samples: list[bytes] = field(default_factory=list)

    async def get(self, path: str) -> httpx.Response:
        """GET with the observer's token."""
        async with httpx.AsyncClient(base_url=self.bench.url, trust_env=False) as http:
            answer = await http.get(f"/api/v1{path}", params={"token": self.token})
        self.received += f"{answer.status_code} {answer.headers}".encode() + answer.content
        if answer.content.startswith(b"%PDF"):
            paper = PdfReader(BytesIO(answer.content))
            said = [page.extract_text() for page in paper.pages]
            self.received += "\n".join([*said, str(paper.metadata)]).encode()
        return answer

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Watch the stream, and keep all bytes of it."""
        frames: list[dict[str, Any]] = []
        address = self.bench.url.replace("http", "ws", 1)

        async def read() -> None:
            async for frame in socket:
                self.received += frame.encode() if isinstance(frame, str) else frame
                if isinstance(frame, bytes):
                    self.samples.append(frame)
                else:
                    frames.append(json.loads(frame))

        place = f"{address}/api/v1/stream?token={self.token}"
        async with connect(place, proxy=None, max_size=None, max_queue=None) as socket:
            reading = asyncio.create_task(read())
            try:
                yield frames
            finally:
                await socket.close()
                await asyncio.wait([reading])


@asynccontextmanager
async def two_duts(folder: Path) -> AsyncIterator[tuple[Service, DutConfig, DutConfig]]:
    """Serve an engine with two DUTs, of which the first is the simulated station."""
    async with open_lab(folder) as lab:
        ours = impatient(load_dut(lab.dut_file))
        ours = replace(ours, dut=replace(ours.dut, vendor="Ouralia", model="Model-Alpha"))
        theirs = rival(ours)
        out = folder / "runs"
        out.mkdir()
        engine = Engine(load_bench(lab.bench_file), [ours, theirs], out)
        async with served(engine, out) as bench:
            yield bench, ours, theirs


async def until(holds: Callable[[], bool]) -> None:
    """Wait until what another connection brings has come."""
    async with asyncio.timeout(DEADLINE):
        while not holds():  # noqa: ASYNC110 - frames come by a connection of their own
            await asyncio.sleep(0.01)


def key(dut: DutConfig) -> tuple[str, str, str]:
    return dut_key(asdict(dut.dut))


async def test_no_byte_of_another_dut_reaches_an_observer(tmp_path: Path) -> None:
    async with two_duts(tmp_path) as (bench, ours, theirs):
        _, token = bench.shares.make("Ourion", HOUR, dut=key(ours))
        us = Observer(bench, token)
        _, token = bench.shares.make("Rivalion's engineer", HOUR, dut=key(theirs))
        them = Observer(bench, token)
        async with us.watching() as our_frames, them.watching() as their_frames:
            async with bench.stream() as operator:
                other = await bench.start("TC_003_CS", dut=theirs.dut.identity)
                # Our station knocks at the door of the other's run.
                await operator.event("StationRefused")
                for path in READING:
                    if "{run}" not in path:
                        await us.get(path)
                    await them.get(path.replace("{run}", other))
                await bench.post(f"/runs/{other}/abort")
                await bench.post(f"/runs/{other}/abort")
                await operator.event("RunEnded")
                assert [list(frame) for frame in our_frames] == [["snapshot"]]
                own = await bench.start("TC_019_CS", dut=ours.dut.identity)
                ended = await operator.event("RunEnded")
                for path in READING:
                    answer = await us.get(path.replace("{run}", own))
                    assert answer.status_code == 200, path
                    if "{run}" not in path:
                        await them.get(path)
                names = [one["name"] for one in (await bench.get("/session"))["viewers"]]
                assert sorted(names) == ["Ourion", "Rivalion's engineer"]
            await until(lambda: len(our_frames) > ended["n"])
        for text in (*FOREIGN, other):
            place = bytes(us.received).find(text.encode())
            assert place < 0, us.received[place - 300 : place + 60]
        for text in (ours.dut.identity, ours.dut.vendor, ours.dut.model, own, "Ourion"):
            place = bytes(them.received).find(text.encode())
            assert place < 0, them.received[place - 300 : place + 60]
        # Both saw their own run whole.
        assert [frame["n"] for frame in our_frames[1:]] == list(range(1, ended["n"] + 1))
        assert {frame["run"] for frame in our_frames[1:]} == {own}
        refused = [one for one in their_frames[1:] if one["event"] == "StationRefused"]
        assert refused[0]["data"] == {"path": "***", "remote": "***", "reason": "***"}
        assert [one["run"] for one in (await us.get("/runs")).json()] == [own]
        for path in READING:
            if "{run}" in path:
                answer = await us.get(path.replace("{run}", other))
                assert answer.json() == {"detail": f"there is no run {other!r}"}
        assert (await us.get("/session")).json()["dut"] is None


async def test_a_share_of_one_run_shows_that_run_alone(tmp_path: Path) -> None:
    async with two_duts(tmp_path) as (bench, ours, _):
        async with bench.stream() as operator:
            first = await bench.start("TC_019_CS", dut=ours.dut.identity)
            await operator.event("RunEnded")
            second = await bench.start("TC_019_CS", dut=ours.dut.identity)
            await operator.event("RunEnded")
        _, token = bench.shares.make("Ourion", HOUR, run=first)
        us = Observer(bench, token)
        assert [one["run"] for one in (await us.get("/runs")).json()] == [first]
        assert (await us.get(f"/runs/{second}/results")).status_code == 404
        async with bench.stream(token=token) as viewer:
            await viewer.event("RunEnded")
            assert {frame["run"] for frame in viewer.frames} == {first}


async def test_who_watches_is_in_the_journal_and_not_the_token(tmp_path: Path) -> None:
    async with two_duts(tmp_path) as (bench, ours, _):
        share, token = bench.shares.make("Ourion", HOUR, dut=key(ours))
        async with bench.stream() as operator:
            run = await bench.start("TC_019_CS", dut=ours.dut.identity)
            async with bench.stream(token=token) as viewer:
                assert viewer.snapshot["viewers"] == []
                came = await operator.event("ViewerConnected")
                assert (came["data"]["name"], came["data"]["share"]) == ("Ourion", share.id)
                seen = await viewer.event("ViewerConnected")
                assert (seen["data"]["name"], seen["data"]["share"]) == ("***", "***")
            left = await operator.event("ViewerDisconnected")
            assert left["data"]["reason"] == "closed by the viewer"
            await operator.event("RunEnded")
    journals = [tmp_path / "runs" / run / "journal.jsonl", *(tmp_path / "runs/engine").iterdir()]
    for journal in journals:
        assert token.encode() not in journal.read_bytes()
        assert TOKEN.encode() not in journal.read_bytes()


async def test_a_viewer_that_stays_to_the_end_is_recorded_to_the_end(tmp_path: Path) -> None:
    async with AsyncExitStack() as watching:
        async with served(idle_engine(tmp_path), tmp_path) as bench:
            share, token = bench.shares.make("Ourion", HOUR, run="x")
            viewer = await watching.enter_async_context(bench.stream(token=token))
    assert viewer.socket.close_code == 1012
    (journal,) = await asyncio.to_thread(lambda: list((tmp_path / "engine").glob("*.jsonl")))
    events = [record.event for record in JournalReader(journal)]
    assert ViewerDisconnected(1, "Ourion", share.id, "the engine ends") in events


async def test_a_revoked_share_ends_what_it_watches(tmp_path: Path) -> None:
    engine = idle_engine(tmp_path)
    async with served(engine, tmp_path) as bench:
        share, token = bench.shares.make("Ourion", HOUR, run="x")
        async with bench.stream(token=token) as viewer:
            Shares(tmp_path).revoke(share.id)  # as another process does
            async with asyncio.timeout(DEADLINE):
                with pytest.raises(ConnectionClosed):
                    await viewer.socket.recv()
            assert viewer.socket.close_code == 4401
        assert (await Observer(bench, token).get("/session")).status_code == 401


# Tokens on every route, as the OpenAPI document names them.


def routes() -> list[tuple[str, str, bool]]:
    """List the routes, and whether each is for the operator alone."""
    engine = idle_engine(Path("nowhere"), actuators=True)
    document = openapi_of(engine)
    return [
        (method.upper(), path, "403" in route["responses"])
        for path, methods in document["paths"].items()
        for method, route in methods.items()
    ]


ROUTES = routes()


def bad_tokens(bench: Service, folder: Path) -> dict[str, str]:
    """Make every kind of token that must not open anything."""
    share, good = bench.shares.make("Ourion", HOUR, run="x")
    _, other = bench.shares.make("Rivalion", HOUR, run="y")
    _, expired = bench.shares.make("Ourion", timedelta(seconds=-1), run="x")
    revoked_share, revoked = bench.shares.make("Ourion", HOUR, run="x")
    bench.shares.revoke(revoked_share.id)
    forgotten_share, forgotten = bench.shares.make("Ourion", HOUR, run="x")
    (folder / "shares" / f"{forgotten_share.id}.json").unlink()
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    _, foreign = Shares(elsewhere).make("Ourion", HOUR, run="x")
    prefix, body, signature = good.split(".")
    _, other_body, other_signature = other.split(".")
    return {
        "none": "",
        "swapped signature": f"{prefix}.{body}.{other_signature}",
        "swapped body": f"{prefix}.{other_body}.{signature}",
        "turned signature": f"{prefix}.{body}.{signature[::-1]}",
        "no signature": f"{prefix}.{body}.",
        "half": f"{prefix}.{body}",
        "expired": expired,
        "revoked": revoked,
        "forgotten": forgotten,
        "of another lab": foreign,
        "id alone": share.id,
        "operator's, cut": TOKEN[:-1],
    }


async def test_no_bad_token_opens_any_route(tmp_path: Path) -> None:
    engine = idle_engine(tmp_path, actuators=True)
    async with served(engine, tmp_path) as bench:
        async with httpx.AsyncClient(base_url=bench.url, trust_env=False) as http:
            tokens = bad_tokens(bench, tmp_path)
            # Each on several routes, and none of the routes without one.
            for (name, token), (method, path, _) in zip(
                cycle(tokens.items()), ROUTES, strict=False
            ):
                answer = await http.request(method, path, params={"token": token})
                assert answer.status_code == 401, (name, method, path)
                assert (await http.request(method, path)).status_code == 401, (method, path)
            for name, token in tokens.items():
                answer = await http.get("/api/v1/runs", params={"token": token})
                assert answer.status_code == 401, name
                address = bench.url.replace("http", "ws", 1)
                with pytest.raises(InvalidStatus) as caught:
                    async with connect(f"{address}/api/v1/stream?token={token}", proxy=None):
                        pass
                assert caught.value.response.status_code == 401, name


async def test_an_observer_changes_nothing_and_reads_what_is_for_observers(tmp_path: Path) -> None:
    engine = idle_engine(tmp_path, actuators=True)
    async with served(engine, tmp_path) as bench:
        _, token = bench.shares.make("Ourion", HOUR, run="x")
        async with httpx.AsyncClient(base_url=bench.url, trust_env=False) as http:
            assert all(shut for method, _, shut in ROUTES if method != "GET")
            assert {path for _, path, shut in ROUTES if not shut} == {
                "/api/v1/session",
                "/api/v1/procedures",
                "/api/v1/runs",
                "/api/v1/runs/{run}",
                "/api/v1/runs/{run}/results",
                "/api/v1/runs/{run}/report.html",
                "/api/v1/runs/{run}/report.pdf",
                "/api/v1/runs/{run}/results.csv",
                "/api/v1/runs/{run}/declaration.pdf",
                "/api/v1/runs/{run}/junit.xml",
                "/api/v1/runs/{run}/samples",
                "/api/v1/pictures/{name}",
                "/api/v1/prompts",
            }
            for method, path, shut in ROUTES:
                answer = await http.request(method, path, params={"token": token, "channel": 1})
                assert answer.status_code in ((403,) if shut else (200, 404)), (method, path)


def test_a_share_says_what_it_is_for_and_until_when(tmp_path: Path) -> None:
    shares = Shares(tmp_path)
    share, token = shares.make("Ourion", HOUR, dut=("V", "M", "I"))
    assert shares.check(token) == share
    assert Shares(tmp_path).check(token) == share
    assert share.covers("any", ("V", "M", "I"))
    assert not share.covers("any", ("V", "M", "J"))
    assert share.is_over(datetime.now(UTC) + 2 * HOUR)
    assert (tmp_path / "share.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "shares" / f"{share.id}.json").stat().st_mode & 0o777 == 0o600
    assert token.split(".")[2] not in (tmp_path / "shares" / f"{share.id}.json").read_text()


async def test_a_link_has_a_largest_number_of_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "MOST", 2)
    async with served(idle_engine(tmp_path), tmp_path) as bench:
        _, first = bench.shares.make("One", HOUR, dut=("V", "M", "CP1"))
        _, second = bench.shares.make("Two", HOUR, dut=("V", "M", "CP2"))
        async with bench.stream(token=first):
            async with bench.stream(token=first):
                with pytest.raises(InvalidStatus) as caught:
                    async with bench.stream(token=first):
                        pass
                answer = caught.value.response
                detail = "2 connections watch by this link already"
                assert (answer.status_code, json.loads(answer.body)["detail"]) == (429, detail)
                async with bench.stream(token=second), bench.stream() as operator:
                    assert len(operator.snapshot["viewers"]) == 3

            async def let_in() -> None:
                while True:
                    try:
                        async with bench.stream(token=first):
                            return
                    except InvalidStatus:
                        await asyncio.sleep(0.01)  # the engine learns of the end by the network

            async with asyncio.timeout(DEADLINE):
                await let_in()

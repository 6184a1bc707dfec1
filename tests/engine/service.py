"""The engine as a service in the test's own process, on the simulated lab, with clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench.config import ApiSettings, BenchConfig, BenchSettings, OperatorSettings, load_bench
from bench.dut import DutConfig, load_dut
from bench.engine import Engine
from bench.server import serving
from bench.server.shares import Shares
from drivers.sim.lab import Lab, open_lab
from tests.procedures.simulated import IMPATIENT

TOKEN = "t" * 43
DEADLINE = 30.0
"""Longest wait in s for anything; only a defect makes a test wait so long."""


@dataclass
class Service:
    """A served engine, and the operator's client."""

    engine: Engine
    url: str
    http: httpx.AsyncClient
    shares: Shares
    lab: Lab | None = None

    async def get(self, path: str, **query: Any) -> Any:
        """GET as the operator; it must succeed."""
        answer = await self.http.get(f"/api/v1{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        """POST as the operator; it must be answered so."""
        answer = await self.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def start(self, *cases: str, **body: Any) -> str:
        """Start a run."""
        run = (await self.post("/runs", 201, cases=list(cases), **body))["run"]
        assert isinstance(run, str)
        return run

    @asynccontextmanager
    async def stream(self, token: str = TOKEN, **query: Any) -> AsyncIterator[Watching]:
        """Watch the stream."""
        query = {"from" if key == "from_" else key: value for key, value in query.items()}
        text = "&".join(f"{key}={value}" for key, value in {"token": token, **query}.items())
        address = self.url.replace("http", "ws", 1)
        place = f"{address}/api/v1/stream?{text}"
        # Without a limit of its queue, or the library does not read the answer to its closing.
        async with connect(place, proxy=None, max_size=None, max_queue=None) as socket:
            yield Watching(socket, json.loads(await socket.recv())["snapshot"])


@dataclass
class Watching:
    """A viewer's connection: what came so far."""

    socket: ClientConnection
    snapshot: dict[str, Any]
    frames: list[dict[str, Any]] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read on until such a record came."""
        async with asyncio.timeout(DEADLINE):
            while True:
                message = await self.socket.recv()
                if isinstance(message, bytes):
                    self.samples.append(message)
                    continue
                frame: dict[str, Any] = json.loads(message)
                self.frames.append(frame)
                if holds(frame):
                    return frame

    async def event(self, kind: str) -> dict[str, Any]:
        """Read on until a record of this kind came."""
        return await self.until(lambda frame: frame["event"] == kind)

    def numbers(self, run: str) -> list[int]:
        """List the numbers of the records of a run that came."""
        return [frame["n"] for frame in self.frames if frame["run"] == run]


def idle_engine(folder: Path, *, within: float = 20.0, actuators: bool = False) -> Engine:
    """Make an engine with no device and no DUT; a prompt waits so many s."""
    config = BenchConfig(
        folder / "bench.toml",
        BenchSettings("desk"),
        operator=OperatorSettings(within=within),
        api=ApiSettings(actuators=actuators),
    )
    return Engine(config, [], folder)


def impatient(dut: DutConfig) -> DutConfig:
    """Give a DUT the shorter deadlines."""
    timing = replace(dut.pixit.timing, **IMPATIENT)
    return replace(dut, pixit=replace(dut.pixit, timing=timing))


@asynccontextmanager
async def service(
    folder: Path,
    *,
    duts: Sequence[DutConfig] | None = None,
    defects: Sequence[str] = (),
    **keywords: Any,
) -> AsyncIterator[Service]:
    """Serve an engine on a simulated lab, with runs in `folder`/runs."""
    async with open_lab(folder, defects=defects) as lab:
        out = folder / "runs"
        out.mkdir(exist_ok=True)
        known = [impatient(load_dut(lab.dut_file))] if duts is None else duts
        engine = Engine(load_bench(lab.bench_file), known, out)
        async with served(engine, out, **keywords) as one:
            one.lab = lab
            yield one


@asynccontextmanager
async def served(engine: Engine, out: Path, **keywords: Any) -> AsyncIterator[Service]:
    """Serve an engine."""
    shares = Shares(out)
    async with (
        engine.opened(),
        serving(engine, token=TOKEN, shares=shares, **keywords) as url,
        engine.at_work(),
        httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=30
        ) as http,
    ):
        yield Service(engine, url, http, shares)

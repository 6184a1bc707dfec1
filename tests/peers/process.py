"""Start the peer and its hand as processes of their own, and end them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class Peer:
    """A running peer."""

    control: int
    """Port of its control socket."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def does(self, order: str, **arguments: Any) -> dict[str, Any]:
        """Give an order; return the answer."""
        self.writer.write(json.dumps({"do": order, **arguments}).encode() + b"\n")
        async with asyncio.timeout(10):
            answer: dict[str, Any] = json.loads(await self.reader.readline())
        return answer


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a Python program of the repository; end it when the context ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


@asynccontextmanager
async def peer(url: str, name: str) -> AsyncIterator[Peer]:
    """Run a peer that connects to `url`; it must not fail while the context lasts."""
    program = ("-m", "tests.peers.charging_station", "--booting", "0.1")
    async with running(*program, "--url", url, "--id", name) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        assert line, (await process.stderr.read()).decode()
        control = json.loads(line)["control"]
        reader, writer = await asyncio.open_connection("127.0.0.1", control)
        try:
            yield Peer(control, reader, writer)
        finally:
            writer.close()
        assert process.returncode is None, (await process.stderr.read()).decode()


@asynccontextmanager
async def hand(
    api: str, token_file: Path, moved: Peer
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a hand that answers the prompts of an API by moving a peer."""
    options = ("--api", api, "--token-file", str(token_file), "--control", str(moved.control))
    async with running("-m", "tests.peers.hand", *options) as process:
        yield process

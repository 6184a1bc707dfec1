"""A hand in the simulated lab: does what the operator says to have done.

A real operator acts and then answers; in a simulated lab there is nothing to take hold of, so
that the answer comes first and the lab follows it.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.capability import Failure
from bench.served import Served, where_served
from drivers.sim.world import World

LOOKING = 0.2
"""Seconds between two looks whether the engine is there."""
TOKEN = "operator.token"
"""The file with the operator's token, in the folder of the engine's runs."""


async def follow(world: World, runs: Path) -> None:
    """Follow the engine that serves a folder of runs, and the one after it, until cancelled."""
    while True:
        served = await asyncio.to_thread(where_served, runs)
        if served is not None:
            await _follow(world, served, await asyncio.to_thread(_token, runs))
        await asyncio.sleep(LOOKING)


def _token(runs: Path) -> str:
    return (runs / TOKEN).read_text("ascii").strip()


async def _follow(world: World, served: Served, token: str) -> None:
    """Act on what is answered, until the connection ends."""
    # WebSockets are slow to import, and not every user of the lab has a hand in it.
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    place = f"{served.url.replace('http', 'ws', 1)}/api/v1/stream?{urlencode({'token': token})}"
    asked: dict[str, dict[str, Any]] = {}
    try:
        async with connect(place, proxy=None, max_size=None) as stream:
            async for frame in stream:
                if isinstance(frame, str):
                    _take(world, json.loads(frame), asked)
    except (OSError, WebSocketException):
        return


def _take(world: World, frame: dict[str, Any], asked: dict[str, dict[str, Any]]) -> None:
    """Note what is asked, and act once it is answered with yes."""
    data = frame.get("data", {})
    match frame.get("event"):
        case "Prompted":
            asked[data["prompt"]] = data["action"] or {}
        case "Answered" if data["answer"] is True:
            action = asked.pop(data["prompt"], {})
            if action.get("capability") == "Provocation":
                _provoke(world, action["arguments"], fails=action["method"] == "provoke")
        case _:
            pass


def _provoke(world: World, arguments: dict[str, Any], *, fails: bool) -> None:
    """Let a part of the station fail, or work again."""
    if arguments["what"] == Failure.LOCAL_LIST_FAILURE:
        world.list_storage_works = not fails
    else:
        world.connectors[arguments["connector"]].lock_blocked = fails

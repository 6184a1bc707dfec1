"""The hand in the operator's place: prompts come in over the API, the peer's world moves."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.device import Action
from bench.errors import Unverifiable
from bench.server import serving
from bench.server.token import operator_token
from tests.engine.service import idle_engine
from tests.peers.process import hand, peer

NOWHERE = "ws://127.0.0.1:1/ocpp"


async def test_the_hand_does_what_prompts_ask_for(tmp_path: Path) -> None:
    desk = (engine := idle_engine(tmp_path)).desk
    path, token = operator_token(tmp_path)

    async def asks(kind: str, capability: str, method: str, **arguments: Any) -> Any:
        options = ("yes", "no") if kind == "choose" else ()
        action = Action(capability, method, arguments)
        answer = await desk.ask(kind, "Say.", options=options, action=action)
        assert answer.by == "hand"
        return answer.value

    async with AsyncExitStack() as stack:
        moved = await stack.enter_async_context(peer(NOWHERE, "CP_PEER"))
        async with serving(engine, token=token) as url:
            process = await stack.enter_async_context(hand(url, path, moved))
            assert await asks("confirm", "VehicleCoupler", "plug_in", connector=1) is True
            assert (await moved.does("state"))["plugged"] is True
            assert await asks("choose", "VehicleCoupler", "is_plugged_in", connector=1) == "yes"
            assert await asks("confirm", "VehicleCoupler", "unplug", connector=1) is True
            assert (await moved.does("state"))["plugged"] is False
            assert await asks("confirm", "PowerSwitch", "switch_off") is True
            assert (await moved.does("state"))["powered"] is False
            assert await asks("choose", "PowerSwitch", "is_on") == "no"
            assert await asks("confirm", "PowerSwitch", "cycle", off_for=0.01) is True
            assert await asks("choose", "PowerSwitch", "is_on") == "yes"
            assert await asks("confirm", "CardPresenter", "present", id_tag="CARD1") is True
            reading = {"quantity": "energy_import", "unit": "kWh"}
            assert await asks("enter", "PowerMeter", "read", **reading) == 0.0
            assert await asks("confirm", "NetworkPath", "cut", how="drop") is False
            with pytest.raises(Unverifiable, match="not answered"):
                await desk.ask("judge", "Is the lamp green?", within=0.3)
        async with asyncio.timeout(10):
            assert await process.wait() == 0

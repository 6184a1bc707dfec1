"""An operator's work in a real window with real keys: nothing is touched but the keyboard."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.events import Answered, CaseEnded, Prompted, RunEnded
from bench.served import where_served
from bench.verify import verify
from tests.desktop.display import DEADLINE, LOOKING, Display, display, shown
from tests.engine.programs import events
from tests.engine.service import TOKEN, service
from tests.peers.hand import Peer, answer_to
from tests.peers.process import peer
from tests.peers.test_peer import BENCH, DUT, free_port

ALONE = "TC_012_CS"
BY_HAND = "TC_024_CS"
"""A case of the simulated lab in which the operator provokes a failure."""

SETTLING = 0.4
"""Seconds that a person reads before the first key; the window takes none before 0.3 s."""
HAND = 0.15
"""Seconds between two keys of a hand; who is faster than 0.05 s counts as a barcode reader."""

FIRST_WORDS = {
    "Run": "Search the plan",
    "DUT": "Import answers",
    "Bench": "Self-test",
    "Results": "Open report",
    "Share": "Make link",
}
"""What each screen shows once it is there."""


class Eyes:
    """Looks at what the engine of a folder of runs asks, and never answers over the API."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs

    async def _get(self, path: str) -> Any:
        served = where_served(self.runs)
        assert served is not None
        token = (self.runs / "operator.token").read_text("ascii").strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{served.url}/api/v1{path}", headers=headers)
        return answer.raise_for_status().json()

    async def next_prompt(self, seen: set[str]) -> dict[str, Any] | None:
        """Wait for a prompt that was not seen before; None once the run has ended."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for prompt in await self._get("/prompts"):
                    if prompt["id"] not in seen:
                        seen.add(prompt["id"])
                        return dict(prompt)
                runs = await self._get("/runs")
                if runs and runs[-1]["state"] == "ended":
                    return None
                await asyncio.sleep(LOOKING)

    @property
    def run(self) -> Path:
        """The folder of the only run."""
        (folder,) = [path for path in self.runs.iterdir() if (path / "journal.jsonl").exists()]
        return folder


@asynccontextmanager
async def engine_ended(runs: Path) -> AsyncIterator[None]:
    """End the engine that a failed test leaves behind."""
    try:
        yield
    finally:
        served = where_served(runs)
        if served is not None:
            os.kill(served.process, signal.SIGTERM)


async def answered_by_key(screen: Display, prompt: dict[str, Any], answer: Any) -> None:
    """Read the prompt on the screen and answer it by key."""
    await screen.reads(prompt["text"])
    await asyncio.sleep(SETTLING)
    await screen.key("F2")
    if prompt["kind"] == "choose":
        await screen.key(str(prompt["options"].index(answer) + 1))
    elif prompt["kind"] == "enter":
        await screen.type(str(answer))
    await asyncio.sleep(HAND)
    await screen.key("Return")


def moved(control: int, prompt: dict[str, Any]) -> dict[str, Any] | None:
    """Do at the station what a prompt asks for."""
    station = Peer(control)
    try:
        return answer_to(station, prompt)
    finally:
        station.close()


async def closed(screen: Display, window: asyncio.subprocess.Process) -> int:
    """Close the window by key; return the exit code."""
    await screen.key("ctrl+q")
    async with asyncio.timeout(DEADLINE):
        return await window.wait()


@pytest.mark.slow
async def test_a_manual_case_is_done_with_the_keyboard_alone(tmp_path: Path) -> None:
    runs, port = tmp_path / "runs", free_port()
    (tmp_path / "bench.toml").write_text(BENCH.format(port=port).replace("= 20", "= 60"))
    (tmp_path / "dut.toml").write_text(DUT)
    files = ("--bench", tmp_path / "bench.toml", "--dut", tmp_path / "dut.toml", "--out", runs)
    async with (
        engine_ended(runs),
        display(tmp_path) as screen,
        peer(f"ws://127.0.0.1:{port}/ocpp", "CP_PEER") as station,
        shown(screen, "gui", *files) as window,
    ):
        await screen.reads("Search the plan")
        await screen.focus()
        await screen.key("ctrl+f")
        await screen.type(ALONE)
        await screen.key("Tab")
        await screen.key("Tab")
        await screen.key("End")
        await screen.key("ctrl+Return")
        eyes, seen = Eyes(runs), set[str]()
        while prompt := await eyes.next_prompt(seen):
            said = await asyncio.to_thread(moved, station.control, prompt)
            assert said is not None, prompt
            await answered_by_key(screen, prompt, said["answer"])
        await screen.reads("1 of 1 case")
        assert await closed(screen, window) == 0
    (ended,) = events(eyes.run, CaseEnded)
    assert (ended.case, ended.verdict) == (ALONE, "pass")
    asked = [one.prompt for one in events(eyes.run, Prompted)]
    assert asked == [one.prompt for one in events(eyes.run, Answered)]
    assert verify(eyes.run).faults == ()


@pytest.mark.slow
async def test_a_newcomer_sees_a_run_and_answers_it(tmp_path: Path) -> None:
    async with display(tmp_path) as screen, shown(screen, "gui") as window:
        await screen.reads("Start the simulated lab")
        await screen.focus()
        await screen.key("Return")
        await screen.reads("Search the plan")
        await screen.focus()
        (runs,) = (tmp_path / "home").rglob("simulated-lab")
        async with engine_ended(runs):
            eyes, seen = Eyes(runs), set[str]()
            while prompt := await eyes.next_prompt(seen):
                await answered_by_key(screen, prompt, True)
            await screen.reads("PASS. ")
            assert await closed(screen, window) == 0
    ended = events(eyes.run, CaseEnded)
    assert {one.verdict for one in ended} == {"pass"}
    assert BY_HAND in {one.case for one in ended}
    assert len(seen) > 1
    assert where_served(runs) is None


@pytest.mark.slow
async def test_windows_and_engine_die_and_the_day_goes_on(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    demo = ("demo", "--out", runs, BY_HAND)
    async with engine_ended(runs), display(tmp_path, "2732x768") as screen:
        eyes, seen = Eyes(runs), set[str]()
        async with shown(screen, *demo):
            await screen.reads("Search the plan")
            prompt = await eyes.next_prompt(seen)
            assert prompt is not None
            await screen.reads(prompt["text"])
        # The block killed the window; the run waits, and another one finds it.
        async with shown(screen, *demo) as first, shown(screen, *demo) as second:
            await screen.reads_in(2, prompt["text"])
            await screen.focus()
            await screen.key("ctrl+shift+a")
            await screen.reads_in(1, "Ctrl+Shift+A again aborts")
            await asyncio.sleep(SETTLING)
            await screen.key("ctrl+shift+a")
            # What the case had made by hand is undone by hand, too.
            clean_up = await eyes.next_prompt(seen)
            assert clean_up is not None
            await answered_by_key(screen, clean_up, True)
            await screen.reads_in(2, "ABORTED")
            assert events(eyes.run, RunEnded)[0].complete is False
            served = where_served(runs)
            assert served is not None
            os.kill(served.process, signal.SIGKILL)
            await screen.reads_in(2, "The engine has ended")
            await screen.press("Start the engine anew")
            # The other window joins by itself.
            await screen.reads_no_more("The engine has ended")
            await screen.reads_no_more("NO ENGINE")
            await screen.reads_in(2, "ABORTED")
            assert where_served(runs) not in (None, served)
            assert (first.returncode, second.returncode) == (None, None)


async def test_every_control_has_a_name(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    async with service(tmp_path) as bench, display(tmp_path) as screen:
        await bench.start("TC_019_CS")
        address = ("--api", bench.url, "--token-file", tmp_path / "token")
        async with shown(screen, "gui", *address) as window:
            await screen.reads("1 of 1 case")
            await screen.focus()
            for number, place in enumerate(("Run", "DUT", "Bench", "Results", "Share"), start=1):
                await screen.key(f"ctrl+{number}")
                await screen.reads(FIRST_WORDS[place])
                controls = await screen.controls()
                nameless = [one for one in controls if one.is_interactive and not one.words]
                assert nameless == [], place
                assert sum(one.is_interactive for one in controls) > 8, place
            assert await closed(screen, window) == 0

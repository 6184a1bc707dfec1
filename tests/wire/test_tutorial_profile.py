"""The tutorial "add a device with a profile", followed to its end: with its emulator, and without.

What it types before that is tried with every other page, in `tests/conventions/test_docs.py`.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from drivers import profile
from drivers.profile_ev_map import EvLinesProfile
from drivers.sim.profile_ev_wires import LinesEmulator
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World
from tests.conventions.test_docs import ROOT, blocks, check_console

PAGE = ROOT / "docs" / "how-to" / "add-a-device-with-a-profile.md"
LINK = "socket://192.168.1.40:5025"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Write the files of the page into the working folder; return them by name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    written = {}
    for block in blocks(PAGE, "toml"):
        if name := re.match(r"# (\S+\.toml)\n", block.text):
            written[name[1]] = tmp_path / name[1]
            written[name[1]].write_text(block.text, "utf-8")
    return written


async def test_the_device_of_the_tutorial_is_tried(files: dict[str, Path]) -> None:
    map_ = profile.load_ev("lab-ev.toml")
    assert isinstance(map_, EvLinesProfile)
    connected, absent = [block.text for block in blocks(PAGE, "console") if not block.runs]
    world = World()
    emulator = LinesEmulator(map_, world.connectors[1], {"model": "EV2000-7"})
    async with Twin(emulator, TcpWire("socket")) as twin:
        text = files["bench.toml"].read_text("utf-8")
        assert LINK in text
        files["bench.toml"].write_text(text.replace(LINK, twin.link), "utf-8")
        await asyncio.to_thread(check_console, connected)
        assert "plug_in" in emulator.roles
        assert emulator.roles[-1] == "safe"
        await twin.disconnect()
        await asyncio.to_thread(check_console, absent.replace(LINK, twin.link))
    world.timeline.stop()

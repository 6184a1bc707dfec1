"""A screen of its own with real keys and a real accessibility bus, and the desktop app on it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.programs import ROOT

DEADLINE = 40.0
"""Longest wait in s for anything on the screen; only a defect makes a test wait so long."""
LOOKING = 0.1
"""Pause in s between two looks at the screen."""
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's Python, which has pyatspi."""
_PANES = ("filler", "layered pane", "panel", "scroll bar", "scroll pane")
LAUNCHER = "/usr/libexec/at-spi-bus-launcher"


@dataclass(frozen=True)
class Control:
    """One thing in the accessibility tree."""

    path: tuple[int, ...]
    role: str
    name: str
    description: str
    text: str
    focusable: bool
    focused: bool
    showing: bool
    enabled: bool
    actions: tuple[str, ...]

    @property
    def is_interactive(self) -> bool:
        """Tell whether it can be worked with; a pane that only scrolls can not."""
        return self.showing and bool(self.actions) and self.role not in _PANES

    @property
    def words(self) -> str:
        """What it is called, or says."""
        return self.name or self.text


@dataclass(frozen=True)
class Display:
    """A screen, its keyboard, and what assistive programs see on it."""

    environment: dict[str, str]
    _reader: asyncio.subprocess.Process
    _turn: asyncio.Lock

    async def controls(self) -> list[Control]:
        """List all that is shown."""
        return [
            Control(**{**one, "path": tuple(one["path"]), "actions": tuple(one["actions"])})
            for one in await self._ask({"ask": "tree"})
        ]

    async def sees(self, holds: Callable[[Control], bool], what: str) -> Control:
        """Wait until such a thing is shown."""
        seen: list[Control] = []
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    seen = await self.controls()
                    for one in seen:
                        if holds(one):
                            return one
                    await asyncio.sleep(LOOKING)
        except TimeoutError:
            there = "\n".join(f"  {one.role}: {one.words}" for one in seen if one.words)
            raise AssertionError(f"{what} is not on the screen, but:\n{there}") from None

    async def reads(self, words: str) -> Control:
        """Wait until a text is somewhere on the screen."""
        return await self.sees(lambda one: _says(one, words), repr(words))

    async def reads_in(self, number: int, words: str) -> None:
        """Wait until a text is in so many windows."""

        async with asyncio.timeout(DEADLINE):
            while True:
                shown = {one.path[0] for one in await self.controls() if _says(one, words)}
                if len(shown) >= number:
                    return
                await asyncio.sleep(LOOKING)

    async def reads_no_more(self, words: str) -> None:
        """Wait until a text is nowhere on the screen."""
        async with asyncio.timeout(DEADLINE):
            while True:
                if not any(_says(one, words) for one in await self.controls()):
                    return
                await asyncio.sleep(LOOKING)

    async def press(self, name: str) -> None:
        """Press a control, by the begin of its name, as an assistive program does."""
        async with asyncio.timeout(DEADLINE):
            while True:
                one = await self.sees(
                    lambda one: one.name.startswith(name) and one.enabled and bool(one.actions),
                    f"a control {name!r}",
                )
                if await self._ask({"ask": "press", "path": one.path}):
                    return

    async def key(self, *keys: str) -> None:
        """Press keys, by their names in X."""
        await self._run("xdotool", "key", "--clearmodifiers", *keys)

    async def type(self, text: str) -> None:
        """Type a text."""
        await self._run("xdotool", "type", "--clearmodifiers", "--delay", "60", text)

    async def focus(self, title: str = "Pilotbench") -> None:
        """Wait for a window and give it the keyboard, as there is no window manager."""
        await self._run(
            *("xdotool", "search", "--sync", "--onlyvisible", "--name", title),
            *("windowraise", "windowfocus", "--sync"),
        )

    async def picture(self, path: Path) -> None:
        """Write what is on the screen as PNG."""
        await self._run(sys.executable, "-c", _GRAB, str(path))

    async def _run(self, *command: str) -> None:
        process = await asyncio.create_subprocess_exec(*command, env=self.environment)
        async with asyncio.timeout(DEADLINE):
            code = await process.wait()
        assert code == 0, f"{' '.join(command)}: exit code {code}"

    async def _ask(self, question: dict[str, Any]) -> Any:
        assert self._reader.stdin is not None
        assert self._reader.stdout is not None
        async with self._turn:
            self._reader.stdin.write(json.dumps(question).encode() + b"\n")
            async with asyncio.timeout(DEADLINE):
                return json.loads(await self._reader.stdout.readline())


def _says(one: Control, words: str) -> bool:
    return words in one.name or words in one.text or words in one.description


_GRAB = """
import sys
from PyQt6.QtGui import QGuiApplication
app = QGuiApplication([])
app.primaryScreen().grabWindow(0).save(sys.argv[1])
"""


@asynccontextmanager
async def display(folder: Path, size: str = "1366x768") -> AsyncIterator[Display]:
    """Open a screen of `size` with a session of its own under `folder`."""
    (folder / "home").mkdir()
    (folder / "session").mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "XDG_RUNTIME_DIR": str(folder / "session"),
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        "LANG": "C.UTF-8",
    }
    async with AsyncExitStack() as stack:
        screen = await _announcing(
            stack,
            environment,
            lambda out: (
                "Xvfb",
                "-displayfd",
                out,
                "-screen",
                "0",
                f"{size}x24",
                "-nolisten",
                "tcp",
            ),
        )
        environment["DISPLAY"] = f":{screen}"
        environment["DBUS_SESSION_BUS_ADDRESS"] = await _announcing(
            stack,
            environment,
            lambda out: ("dbus-daemon", "--session", "--nofork", f"--print-address={out}"),
        )
        await _started(stack, environment, LAUNCHER, "--launch-immediately")
        reader = await _started(
            stack, environment, SYSTEM_PYTHON, str(Path(__file__).with_name("reader.py"))
        )
        yield Display(environment, reader, asyncio.Lock())


async def _announcing(
    stack: AsyncExitStack, environment: dict[str, str], command: Callable[[str], tuple[str, ...]]
) -> str:
    """Start a program that writes to a pipe what it can be reached by; return that."""
    reading, writing = os.pipe()
    try:
        await _started(stack, environment, *command(str(writing)), passing=(writing,))
    finally:
        os.close(writing)
    with os.fdopen(reading) as pipe:
        async with asyncio.timeout(DEADLINE):
            line = (await asyncio.to_thread(pipe.readline)).strip()
    assert line, f"{command('…')[0]} did not start"
    return line


async def _started(
    stack: AsyncExitStack,
    environment: dict[str, str],
    *command: str,
    passing: tuple[int, ...] = (),
) -> asyncio.subprocess.Process:
    assert shutil.which(command[0]), f"{command[0]} is missing: tools/setup.sh brings it"
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        pass_fds=passing,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2**24,
    )

    async def end() -> None:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
        await process.wait()

    stack.push_async_callback(end)
    return process


@asynccontextmanager
async def shown(
    screen: Display, *arguments: str | Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `pilotbench` on a screen; kill it when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", *map(str, arguments)),
        cwd=ROOT,
        env=screen.environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()

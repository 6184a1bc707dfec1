"""A real Chromium with the viewer page in it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Response,
    ViewportSize,
    WebSocket,
    async_playwright,
)

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE = 30_000
"""Longest wait in ms for anything in the page; only a defect makes a test wait so long."""
DESKTOP: ViewportSize = {"width": 1440, "height": 1000}
PHONE: ViewportSize = {"width": 390, "height": 844}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start Debian's Chromium."""
    program = shutil.which("chromium")
    assert program is not None, "the Debian package chromium is missing: tools/setup.sh brings it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class View:
    """The viewer page as one reader has it open, and everything that came to it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and errors of scripts."""
    addresses: list[str] = field(default_factory=list)
    """Whatever the page asked for."""
    received: list[str] = field(default_factory=list)
    """Texts of all frames of its streams."""
    answers: list[str] = field(default_factory=list)
    """Texts of all answers that are data."""

    async def text(self, selector: str) -> str:
        return await self.page.locator(selector).inner_text()

    async def until(self, selector: str) -> None:
        """Wait until there is such an element, visible."""
        await self.page.wait_for_selector(selector)

    async def look(self, script: str, value: Any = None) -> Any:
        return await self.page.evaluate(script, value)

    async def script(self, name: str, value: Any = None) -> Any:
        """Call the function in a file of `scripts` in the page."""
        return await self.look((SCRIPTS / f"{name}.js").read_text("utf-8"), value)

    def listen(self) -> None:
        """Note what comes to the page, and what goes wrong in it."""

        def complain(said: ConsoleMessage) -> None:
            if said.type in ("error", "warning"):
                self.complaints.append(f"{said.text} {said.location}")

        def follow(socket: WebSocket) -> None:
            self.addresses.append(socket.url)
            socket.on("framereceived", lambda frame: self.received.append(str(frame)))

        async def keep(answer: Response) -> None:
            if "/api/" in answer.url:
                with suppress(Error):  # the page has left
                    self.answers.append(await answer.text())

        self.page.on("console", complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("response", keep)
        self.page.on("websocket", follow)


@asynccontextmanager
async def viewing(
    browser: Browser, address: str, *, size: ViewportSize = DESKTOP, **options: Any
) -> AsyncIterator[View]:
    """Open the page at an address, as somebody else than all other readers."""
    context = await browser.new_context(viewport=size, **options)
    context.set_default_timeout(PATIENCE)
    view = View(await context.new_page())
    view.listen()
    try:
        await view.page.goto(address)
        yield view
    finally:
        await context.close()

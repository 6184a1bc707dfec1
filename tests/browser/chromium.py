"""A real Chromium with the viewer page in it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Error, Page, Response, async_playwright

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
PATIENCE = 30_000
"""Longest wait in ms for anything in the page; only a defect makes a test wait so long."""
DESKTOP = {"width": 1440, "height": 1000}
PHONE = {"width": 390, "height": 844}


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


@asynccontextmanager
async def viewing(
    browser: Browser, address: str, *, size: dict[str, int] = DESKTOP, **options: Any
) -> AsyncIterator[View]:
    """Open the page at an address, as somebody else than all other readers."""
    context = await browser.new_context(viewport=size, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    view = View(page)
    page.on(
        "console",
        lambda said: (
            view.complaints.append(said.text) if said.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: view.complaints.append(str(error)))

    async def keep(answer: Response) -> None:
        if "/api/" in answer.url:
            with suppress(Error):  # the page has left
                view.answers.append(await answer.text())

    page.on("response", keep)
    page.on("request", lambda request: view.addresses.append(request.url))
    page.on(
        "websocket",
        lambda socket: (
            view.addresses.append(socket.url),
            socket.on("framereceived", lambda frame: view.received.append(str(frame))),
        ),
    )
    try:
        await page.goto(address)
        yield view
    finally:
        await context.close()

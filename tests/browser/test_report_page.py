"""The report's page in a real Chromium: readable, on its own, and its links lead somewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser

from bench.report import read_run, write
from tests.browser.chromium import PHONE, viewing
from tests.browser.test_viewer import complaints
from tests.unit.recorded import record

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with a pass, fails of the station, and one of the operator."""
    folder = tmp_path_factory.mktemp("page")
    work = record(folder, "starts-anyway", "odd-status", "odd-value", answers=["fail"])
    return write(read_run(asyncio.run(work).folder), "html")


async def test_nothing_is_wrong_with_the_page(browser: Browser, page: Path) -> None:
    async with viewing(browser, page.as_uri(), bypass_csp=True) as view:
        assert await complaints(view) == []
        await view.page.emulate_media(color_scheme="dark")
        assert await complaints(view) == []
        assert view.addresses == [page.as_uri()]
        assert view.complaints == []


async def test_a_link_to_a_message_opens_its_case_on_a_phone(browser: Browser, page: Path) -> None:
    async with viewing(browser, page.as_uri(), size=PHONE) as view:
        assert await view.look("document.documentElement.scrollWidth <= innerWidth")
        await view.look("document.getElementById('TC_902_CS').open = false")
        await view.page.click(".attention li:has-text('TC_902_CS') a[href^='#r']")
        await view.until("#TC_902_CS[open] .row.frame:target")
        assert view.complaints == []

"""The whole way: `pilotbench serve`, the link of `pilotbench share`, curl, and `kill -9`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import Browser

from drivers.sim.lab import open_lab
from tests.browser.chromium import viewing
from tests.engine.programs import DEADLINE, running
from tests.engine.test_mishaps_signals import MANUAL
from tests.engine.test_service_program import Served, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def curl(engine: Served, path: str, *arguments: str) -> bytes:
    """Ask the API as the operator, as the how-to guide does."""
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--show-error", "--fail-with-body"),
        *("--header", f"Authorization: Bearer {engine.token}", *arguments),
        f"{engine.url}/api/v1{path}",
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE):
        out, _ = await process.communicate()
    assert process.returncode == 0, out
    return out


async def test_a_vendor_watches_what_curl_starts_and_a_killed_engine_leaves(
    browser: Browser, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    async with open_lab(tmp_path) as lab:
        listen = lab.bench_file.read_text("utf-8").partition('listen = "')[2].partition('"')[0]
        lab.bench_file.write_text(MANUAL.replace("127.0.0.1:0", listen), "utf-8")
        async with serve(lab, out) as engine:
            options = ("--for", "Ourion", "--expires", "1h", "--out", out)
            async with running("share", "--dut", lab.dut_file, *options) as sharing:
                shared = await sharing.ended()
            async with viewing(browser, shared.out.strip()) as view:
                await view.until("#link.live")
                begun = json.loads(await curl(engine, "/runs", "--json", '{"cases":["TC_003_CS"]}'))
                asked = "#asked .question"
                await view.until(asked)
                (prompt,) = json.loads(await curl(engine, "/prompts"))
                assert prompt["text"] == await view.text(asked)
                said = json.dumps({"answer": prompt["options"][1], "by": "Ada"})
                await curl(engine, f"/prompts/{prompt['id']}/answer", "--json", said)
                await view.until(f"{asked}:not(:text-is({json.dumps(prompt['text'])}))")
                report = await curl(engine, f"/runs/{begun['run']}/report.html")
                assert report.startswith(b"<!doctype html>")
                engine.program.process.kill()
                await view.until("#link.lost")
                await engine.program.ended()
        # What the killed engine leaves is read by the next one.
        async with serve(lab, out) as engine:
            address = shared.out.strip().partition("/view/")[2]
            async with viewing(browser, f"{engine.url}/view/{address}") as view:
                await view.until("#notice:text('The run was cut short')")
                assert (await view.text("#case")).startswith("TC_003_CS")
                assert view.complaints == []

"""The whole way: `pilotbench serve`, links, curl, two vendors in Chromium, prompts, `kill -9`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from bench.dut import load_dut
from drivers.sim.lab import Lab, open_lab
from tests.browser.chromium import View, viewing
from tests.engine.programs import DEADLINE, running
from tests.engine.test_service_program import Served, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHIN = 100.0
"""Longest time in s that the whole way takes, on a machine with much else to do."""
RIVAL = {"vendor": "Rivalion", "model": "Model-Zeta", "identity": "RIVAL-7"}


async def curl(engine: Served, path: str, *arguments: str, token: str | None = None) -> bytes:
    """Ask the API, as the operator unless a token is given, as the how-to guide does."""
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--show-error", "--fail-with-body"),
        *("--header", f"Authorization: Bearer {token or engine.token}", *arguments),
        f"{engine.url}/api/v1{path}",
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE):
        out, _ = await process.communicate()
    assert process.returncode == 0, out
    return out


async def posted(engine: Served, path: str, **body: Any) -> Any:
    return json.loads(await curl(engine, path, "--json", json.dumps(body)))


def with_cards_by_hand(lab: Lab) -> None:
    """Let a person hold the cards to the reader."""
    tables = lab.bench_file.read_text("utf-8").split("[[device]]")
    (changer,) = [one for one in tables if 'driver = "card-changer"' in one]
    tables[tables.index(changer)] = '\nname = "cards"\ndriver = "manual-cards"\n\n'
    lab.bench_file.write_text("[[device]]".join(tables), "utf-8")


def renamed(dut_file: Path, name: str, **names: str) -> Path:
    """Write a `dut.toml` with other names beside one."""
    own = load_dut(dut_file).dut
    text = dut_file.read_text("utf-8")
    for key, value in names.items():
        text = text.replace(f'{key} = "{getattr(own, key)}"', f'{key} = "{value}"')
    path = dut_file.with_name(name)
    path.write_text(text, "utf-8")
    return path


async def hold_cards(engine: Served, lab: Lab, run: str, view: View) -> int:
    """Answer prompts that the vendor has seen as the person with the cards, until the run's end."""
    done = 0
    async with engine.client() as http:
        while (await http.get(f"/runs/{run}")).json()["state"] == "running":
            for prompt in (await http.get("/prompts")).json():
                action = prompt["action"]
                assert (action["capability"], action["method"]) == ("CardPresenter", "present")
                text = json.dumps(prompt["text"], ensure_ascii=False)
                await view.until(f"#asked .question:text-is({text})")
                card = action["arguments"]["id_tag"]
                lab.world.present(card)
                await lab.world.until(lambda: bool(lab.world.cards()), within=DEADLINE)
                await asyncio.sleep(0.05)  # which the card is read in
                lab.world.withdraw(card)
                said = await posted(engine, f"/prompts/{prompt['id']}/answer", answer=True, by="A")
                assert said["by"] == "A"
                done += 1
            await asyncio.sleep(0.1)
    return done


async def all_that_came(view: View) -> str:
    """Return everything that a page shows, got and keeps."""
    kept = await view.look("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    return "\n".join(
        [await view.page.content(), *view.received, *view.addresses, *view.answers, kept]
    )


async def test_two_vendors_watch_what_curl_starts_and_a_killed_engine_leaves(
    browser: Browser, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    async with asyncio.timeout(WITHIN), open_lab(tmp_path) as lab:
        with_cards_by_hand(lab)
        rival = renamed(lab.dut_file, "rival.toml", **RIVAL)
        renamed(lab.dut_file, lab.dut_file.name, vendor="Ouralia", model="Model-Alpha")
        own = load_dut(lab.dut_file).dut
        async with serve(lab, out, rival) as engine:
            # One link is made on the command line, the other over the API.
            options = ("--for", "Ourion", "--expires", "1h", "--out", out)
            async with running("share", "--dut", lab.dut_file, *options) as sharing:
                ours = (await sharing.ended()).out.strip()
            name = "Rivalion's engineer"
            made = await posted(engine, "/shares", name=name, expires="1h", dut=RIVAL["identity"])
            async with (
                viewing(browser, ours) as us,
                viewing(browser, made["link"]) as them,
            ):
                await us.until("#link.live")
                await them.until("#link.live")
                watched = json.loads(await curl(engine, "/session"))["viewers"]
                assert {one["name"] for one in watched} == {"Ourion", name}

                begun = await posted(engine, "/runs", cases=["TC_023_CS"], dut=own.identity)
                run = begun["run"]
                assert await hold_cards(engine, lab, run, us) >= 1
                await us.until("#case:text('The run has ended')")
                await us.until("#cases > li.pass")
                assert await them.text("#case") == "Waiting for a run"

                # The report is fetched: by the operator, and by the vendor with its link.
                for token in (None, ours.partition("token=")[2]):
                    report = await curl(engine, f"/runs/{run}/report.html", token=token)
                    assert report.startswith(b"<!doctype html>")
                    assert b"TC_023_CS" in report

                # Whose station is not at the bench sees that in its own run.
                other = (await posted(engine, "/runs", cases=["TC_019_CS"], dut=RIVAL["identity"]))[
                    "run"
                ]
                await them.until("#cases > li.running")
                for view, foreign in (
                    (us, [*RIVAL.values(), other, name, made["id"]]),
                    (them, [own.identity, own.vendor, own.model, run, "Ourion"]),
                ):
                    came = await all_that_came(view)
                    assert [text for text in foreign if text in came] == []
                assert us.complaints == them.complaints == []
                engine.program.process.kill()
                await them.until("#link.lost")
                await engine.program.ended()
        # What the killed engine leaves is read by the next one.
        async with serve(lab, out, rival) as engine:
            address = made["link"].partition("/view/")[2]
            async with viewing(browser, f"{engine.url}/view/{address}") as view:
                await view.until("#notice:text('The run was cut short')")
                assert (await view.text("#case")).startswith("TC_019_CS")
                assert view.complaints == []

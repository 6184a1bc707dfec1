"""The viewer page in a real Chromium: what a vendor far away sees of its run, and what not."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from bench.pictures import Picture
from bench.server.shares import Shares
from drivers.sim.lab import open_lab
from tests.browser.bench import by_hand, engine_at, link
from tests.browser.chromium import PHONE, View, viewing
from tests.engine.service import Service, idle_engine, served, service
from tests.engine.test_shares import FOREIGN, HOUR, key, two_duts

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
ENDED = "#case:text('The run has ended')"


def journal(folder: Path, run: str) -> list[dict[str, Any]]:
    lines = (folder / "runs" / run / "journal.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def numbers(view: View, run: str) -> list[int]:
    """List the records of a run that came over all connections of a page."""
    frames = [json.loads(text) for text in view.received if text.startswith("{")]
    return [frame["n"] for frame in frames if frame.get("run") == run]


async def count(view: View, kind: str) -> int:
    """Tell how many lines of a kind the list has, as the page itself says."""
    await view.page.select_option("#kind", kind)
    return int((await view.text("#shown")).split()[0].replace(",", ""))


async def abandon(bench: Service, run: str) -> None:
    """End a run, and cut its clean-up short unless it is over by then."""
    await bench.post(f"/runs/{run}/abort", by="Ada")
    await bench.http.post(f"/api/v1/runs/{run}/abort", json={"by": "Ada"})


async def complaints(view: View) -> list[str]:
    """List what axe-core finds wrong with the page as it stands."""
    await view.look(AXE)
    found = await view.look("axe.run({ resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def test_a_run_is_watched_live(browser: Browser, tmp_path: Path) -> None:
    async with service(tmp_path) as bench, viewing(browser, link(bench)) as view:
        await view.until("#link.live")
        assert await view.text("#case") == "Waiting for a run"
        assert await complaints(view) == []
        run = await bench.start("TC_003_CS", "TC_019_CS")
        await view.until("#cases > li.running")
        assert re.match(r"TC_0(03|19)_CS  R", await view.text("#case"))
        await view.until("#step:text('Step ')")
        await view.until(".panel[data-panel=response] canvas")
        await view.until("#cases > li.pass")
        assert await view.text("#progress-text") != ""
        await view.until(ENDED)
        assert await view.text("#counts") == "✔ 2 pass\n– 0 fail"
        assert await view.text("#progress-text") == "2 of 2 cases"
        records = journal(tmp_path, run)
        assert await count(view, "message") == sum("Frame" in one["event"] for one in records)
        assert await count(view, "act") >= sum(one["event"] == "Acted" for one in records)
        assert numbers(view, run) == [one["n"] for one in records]
        # Who looks over a shoulder, or at the browser's history, finds no token.
        assert view.page.url == f"{bench.url}/view/"
        assert {urlsplit(one).netloc for one in view.addresses} == {urlsplit(bench.url).netloc}
        assert view.complaints == []
        async with view.page.expect_download() as saved:
            await view.page.click("#report")
        report = await asyncio.to_thread(Path(await (await saved.value).path()).read_bytes)
        assert report.startswith(b"<!doctype html>")
        # A run of before is read from its journal; the tab keeps its access.
        await view.page.reload()
        await view.until(ENDED)
        await view.page.select_option("#runs", run)
        await view.until("#link.over")
        await view.until(ENDED)
        assert await complaints(view) == []
        assert view.complaints == []


async def test_messages_are_filtered_read_and_marked_in_time(
    browser: Browser, tmp_path: Path
) -> None:
    async with service(tmp_path) as bench:
        await bench.start("TC_019_CS")
        async with viewing(browser, link(bench), color_scheme="dark") as view:
            await view.until(ENDED)
            page = view.page
            await page.fill("#filter", "getconfiguration bench")
            await page.select_option("#kind", "call")
            await page.locator(".row.message").first.click()
            await view.until("#detail h3:text('GetConfiguration')")
            raw = json.loads(await view.text("#detail .raw"))
            assert raw[2] == "GetConfiguration"
            facts = await view.text("#detail .facts")
            assert "CALL, bench to station" in facts
            assert "Answered by" in facts
            await page.fill("#filter", "no such text")
            assert (await view.text("#shown")).startswith("0 of ")
            await page.fill("#filter", "")
            await page.select_option("#kind", "all")
            await page.click("#sequence")
            await view.until(".lane.arrow.right .label:text('.conf')")
            assert await page.get_attribute("#sequence", "aria-pressed") == "true"
            assert await complaints(view) == []
            assert view.complaints == []


async def test_it_comes_back_to_a_new_engine_and_misses_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    """The engine ends in the middle of a run, and another one begins at the same place."""
    async with open_lab(tmp_path) as lab, AsyncExitStack() as first:
        bench = await first.enter_async_context(engine_at(lab, tmp_path))
        async with viewing(browser, link(bench)) as view:
            await view.until("#link.live")
            run = await bench.start("TC_003_CS", "TC_023_CS", "TC_019_CS")
            await view.until("#cases > li.pass")
            await first.aclose()
            await view.until("#link.lost")
            port = urlsplit(bench.url).port
            async with engine_at(lab, tmp_path, port=port) as again:
                await view.until("#link.live")
                await view.until("#case:text('The run ended early')")
                records = journal(tmp_path, run)
                assert numbers(view, run) == [one["n"] for one in records]
                frames = sum("Frame" in one["event"] for one in records)
                assert await count(view, "message") == frames
                later = await again.start("TC_019_CS")
                await view.until(ENDED)
                records = journal(tmp_path, later)
                assert numbers(view, later) == [one["n"] for one in records]
                assert await count(view, "message") == sum("Frame" in r["event"] for r in records)


async def test_two_vendors_see_their_own_and_nothing_else(browser: Browser, tmp_path: Path) -> None:
    async with two_duts(tmp_path) as (bench, ours, theirs):
        _, token = bench.shares.make("Ourion", HOUR, dut=key(ours))
        _, other = bench.shares.make("Rivalion's engineer", HOUR, dut=key(theirs))
        async with (
            viewing(browser, link(bench, token)) as us,
            viewing(browser, link(bench, other)) as them,
        ):
            await us.until("#link.live")
            await them.until("#link.live")
            rival = await bench.start("TC_003_CS", dut=theirs.dut.identity)
            await them.until("#cases > li.running")
            await abandon(bench, rival)
            await them.until("#case:text('The run ended early')")
            own = await bench.start("TC_019_CS", dut=ours.dut.identity)
            await us.until(ENDED)
            assert await them.text("#dut") == f"{theirs.dut.vendor} {theirs.dut.model}"
            assert await us.text("#dut") == f"{ours.dut.vendor} {ours.dut.model}"
            assert await us.page.locator("#runs option").count() == 2
            for view, foreign in (
                (us, (*FOREIGN, rival, "Rivalion's engineer", other)),
                (them, (ours.dut.identity, ours.dut.vendor, ours.dut.model, own, "Ourion", token)),
            ):
                seen = "\n".join([await view.page.content(), *view.received, *view.addresses])
                seen += await view.look("JSON.stringify([{...sessionStorage}, {...localStorage}])")
                seen += "".join(view.answers)
                assert [text for text in foreign if text in seen] == []
                assert view.complaints == []


async def test_a_prompt_that_waits_is_read_not_answered(browser: Browser, tmp_path: Path) -> None:
    async with by_hand(tmp_path, absent_after=0.3) as bench:
        dut = next(iter(bench.engine.duts.values()))
        _, token = bench.shares.make("Ourion", HOUR, dut=key(dut))
        async with viewing(browser, link(bench, token)) as view:
            await view.until("#link.live")
            run = await bench.start("TC_003_CS")
            await view.until("#asked .question")
            question = (await bench.get("/prompts"))[0]
            assert question["text"] in await view.text("#asked")
            asked = view.page.locator("#asked")
            assert await asked.locator("button, input, select, a, [tabindex]").count() == 0
            await view.until("#notice:text('Held: no operator is there.')")
            assert await complaints(view) == []
            await bench.post(f"/prompts/{question['id']}/answer", answer="no")
            await view.page.wait_for_selector("#notice:text('Held')", state="hidden")
            await bench.post(f"/runs/{run}/pause", by="Ada")
            await view.until("#notice:text('Paused by the operator')")
            await abandon(bench, run)
            await view.until("#case:text('The run ended early')")
            assert not await asked.is_visible()
            assert "aborted by Ada" in await view.text("#step")
            assert view.complaints == []


async def test_a_prompt_is_shown_with_its_picture(browser: Browser, tmp_path: Path) -> None:
    engine = idle_engine(tmp_path)
    async with served(engine, tmp_path) as bench:
        ask = engine.desk.ask("confirm", "Plug the cable in.", picture=Picture.PLUG_IN)
        asked = asyncio.ensure_future(ask)
        async with viewing(browser, link(bench)) as view:
            drawing = view.page.locator("#asked").get_by_role("img", name="Drawing: plug in")
            await drawing.wait_for()
            await view.until("#asked img[src]")  # the drawing comes after the words
            assert await drawing.evaluate("img => img.decode().then(() => img.naturalWidth)") == 400
            assert await complaints(view) == []
            engine.desk.answer(engine.desk.open[0].id, True)
            assert (await asked).value is True
            assert view.complaints == []


async def test_a_link_that_is_no_good_says_so(browser: Browser, tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        share, token = bench.shares.make("Ourion", HOUR, run="none")
        async with viewing(browser, link(bench, token)) as view:
            await view.until("#link.live")
            Shares(tmp_path / "runs").revoke(share.id)
            await view.until("#link.refused:has-text('expired or was revoked')")
        async with viewing(browser, link(bench, token)) as view:
            await view.until("#link.refused:has-text('The link has expired')")
        async with viewing(browser, f"{bench.url}/view") as view:
            await view.until("#link.refused:has-text('Open the link that the lab gave you')")
            assert await complaints(view) == []
            assert view.complaints == []


async def test_everything_is_done_with_the_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        await bench.start("TC_019_CS")
        async with viewing(browser, link(bench)) as view:
            await view.until(ENDED)
            press = view.page.keyboard.press
            order = await tabbed(view)
            assert [one for one in order if one.startswith("#")] == [
                "#runs", "#report", "#cases", "#pause", "#closer", "#wider", "#span", "#panels",
                "#filter", "#kind", "#sequence", "#follow", "#list", "#detail",
            ]  # fmt: skip
            await view.page.focus("#list")
            await press("Home")
            await press("ArrowDown")
            await press("ArrowDown")
            assert await view.page.get_attribute(".row[aria-selected=true]", "aria-posinset") == "3"
            active = await view.page.get_attribute("#list", "aria-activedescendant")
            selected = await view.page.get_attribute(".row[aria-selected=true]", "id")
            assert active == selected
            await press("End")
            assert await view.page.get_attribute(".row[aria-selected=true]", "data-at") != "2"
            await press("Enter")
            assert await view.look("document.activeElement.id") == "detail"
            await view.page.focus("#panels")
            await press("Space")
            assert await view.page.get_attribute("#pause", "aria-pressed") == "true"
            await press("+")
            await press("ArrowLeft")
            await press(",")
            legend = view.page.locator(".panel[data-panel=response] .u-legend .u-value").first
            assert ":" in await legend.inner_text()
            await press("0")
            assert await view.page.get_attribute("#pause", "aria-pressed") == "false"
            await view.page.focus("#cases summary")
            await press("Enter")
            await view.until("#cases details[open] .step-of")
            assert await complaints(view) == []


async def tabbed(view: View) -> list[str]:
    """Go through the page by the Tab key; list where it stops."""
    await view.look("document.activeElement.blur()")
    stops: list[str] = []
    while True:
        await view.page.keyboard.press("Tab")
        stop = await view.look(
            "(e => e === document.body ? '' : e.id ? '#' + e.id : e.localName)"
            "(document.activeElement)"
        )
        if not stop or len(stops) > 50:
            return stops
        stops.append(stop)


async def test_the_page_stays_where_its_reader_is(browser: Browser, tmp_path: Path) -> None:
    """The running case scrolls its list, not the page under who reads messages."""
    async with service(tmp_path) as bench, viewing(browser, link(bench), size=PHONE) as view:
        run = await bench.start("TC_003_CS", "TC_007_CS", "TC_019_CS", "TC_021_CS", "TC_023_CS")
        await view.until("#cases > li.running")
        await view.until(".panel canvas")
        await view.look("document.querySelector('#detail').scrollIntoView({ block: 'end' })")
        at_detail = "document.elementFromPoint(200, 700).closest('section').id"
        assert await view.look(at_detail) == "messages"
        await view.page.wait_for_selector(ENDED)
        assert await view.look(at_detail) == "messages"
        assert numbers(view, run)[-1] == journal(tmp_path, run)[-1]["n"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(browser: Browser, tmp_path: Path, scheme: str) -> None:
    async with service(tmp_path) as bench:
        await bench.start("TC_019_CS")
        options = {"is_mobile": True, "has_touch": True, "color_scheme": scheme}
        async with viewing(browser, link(bench), size=PHONE, **options) as view:
            await view.until(ENDED)
            await view.until(".panel canvas")
            assert await view.look("document.scrollingElement.scrollWidth") <= PHONE["width"]
            small = await view.look(
                "[...document.querySelectorAll('button, select, input')]"
                ".filter(e => e.getBoundingClientRect().height < 40).map(e => e.id)"
            )
            assert small == []
            paper = await view.look("getComputedStyle(document.body).backgroundColor")
            light = sum(int(one) for one in paper.strip("rgb()").split(","))
            assert light > 600 if scheme == "light" else light < 150
            assert await complaints(view) == []


async def test_a_hundred_thousand_messages_are_a_few_rows(browser: Browser, tmp_path: Path) -> None:
    async with service(tmp_path) as bench:
        async with viewing(browser, f"{bench.url}/view/") as view:
            await view.until("#link.refused")
            shown = await view.script("many_messages")
            assert shown[0] < 60
            assert shown[1] == "100000"
            assert shown[2] == 1
            assert "x77778x" in shown[3]
            assert shown[4] == "1 of 100,000 lines"


async def test_news_are_said_aloud_without_chatter(browser: Browser, tmp_path: Path) -> None:
    async with service(tmp_path) as bench, viewing(browser, f"{bench.url}/view/") as view:
        said = await view.script("news")
        assert said == ["20 cases ended: 19 pass, 1 fail."]

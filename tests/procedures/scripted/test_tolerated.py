"""What a right station may do otherwise than the good ones of the lab, and what a hand may."""

from __future__ import annotations

import asyncio
from typing import Any, Never

import pytest

from bench.capability import Card, End
from bench.device import Answer
from bench.errors import Unverifiable
from bench.events import Acted, FrameSent
from tests.procedures.scripted.rig import Rig, rig
from tests.procedures.scripted.station import Payload

DISCONNECT = "StopTransactionOnEVSideDisconnect"


class Judge:
    """An operator who judges everything alike."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.asked: list[str] = []

    async def ask(self, kind: str, text: str, **_: Any) -> Answer:
        self.asked.append(f"{kind}: {text}")
        return Answer(self.value)


async def test_an_id_tag_may_come_in_other_letters() -> None:
    async with rig() as bench:
        read = bench.station.card

        async def lower(id_tag: str) -> None:
            await read(id_tag.lower())

        bench.station.card = lower  # type: ignore[method-assign]
        ended = await bench.run("TC_003_CS")
        assert (ended.verdict, ended.reason) == ("pass", None)


async def test_a_key_may_be_written_in_other_letters() -> None:
    async with rig() as bench:
        read = bench.station.answers["GetConfiguration"]

        def shout(payload: Payload) -> Any:
            answer: Any = read(payload)
            for key in answer["configurationKey"]:
                key["key"] = key["key"].upper()
            return answer

        bench.station.answers["GetConfiguration"] = shout
        for case in ("TC_010_CS", "TC_021_CS"):
            ended = await bench.run(case)
            assert (ended.verdict, ended.reason) == ("pass", None)


# Heartbeats


@pytest.mark.parametrize(("gap", "verdict"), [(120, "pass"), (130, "fail")])
async def test_another_message_may_stand_in_for_one_heartbeat(gap: int, verdict: str) -> None:
    async with rig() as bench:

        async def beat() -> Never:
            while True:
                await asyncio.sleep(20)
                await bench.station.call("DataTransfer", vendorId="org.example")
                await asyncio.sleep(gap - 20)
                await bench.station.call("Heartbeat")

        bench.station.beat = beat
        assert (await bench.run("TC_001_CS")).verdict == verdict


async def test_without_another_message_no_heartbeat_may_lack() -> None:
    async with rig() as bench:

        async def beat() -> Never:
            while True:
                await asyncio.sleep(120)
                await bench.station.call("Heartbeat")

        bench.station.beat = beat
        assert (await bench.run("TC_001_CS")).verdict == "fail"


# Sessions


@pytest.mark.parametrize("case", ["TC_005_1_CS", "TC_005_2_CS"])
async def test_a_station_that_always_stops_needs_no_key_for_it(case: str) -> None:
    async with rig(pics={"C-06": "Yes"}) as bench:
        del bench.station.keys[DISCONNECT]
        ended = await bench.run(case)
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert any(DISCONNECT in note for note in bench.notes())

    async with rig(pics={"C-06": "Both"}) as bench:
        del bench.station.keys[DISCONNECT]
        ended = await bench.run(case)
        assert (ended.verdict, ended.phase) == ("inconclusive", "preamble")


@pytest.mark.parametrize("case", ["TC_004_1_CS", "TC_011_1_CS"])
async def test_a_cable_that_comes_too_late_is_inconclusive(case: str) -> None:
    async with rig() as bench:
        plug_in = bench.hands.plug_in

        async def slowly(connector: int) -> None:
            await asyncio.sleep(61.0)
            await plug_in(connector)

        bench.hands.plug_in = slowly  # type: ignore[method-assign]
        ended = await bench.run(case)
        assert (ended.verdict, ended.phase) == ("inconclusive", "body")
        assert "the cable came too late" in str(ended.reason)


@pytest.mark.parametrize("case", ["TC_003_CS", "TC_004_1_CS", "TC_010_CS", "TC_011_1_CS"])
async def test_the_transaction_ends_before_the_cable_is_taken_out(case: str) -> None:
    async with rig() as bench:
        await bench.run(case, reset=False)

        def stops(event: Any) -> bool:
            return isinstance(event, FrameSent) and '"RemoteStopTransaction"' in event.text

        def unplugs(event: Any) -> bool:
            return isinstance(event, Acted) and event.method == "unplug"

        assert bench.first(stops) < bench.first(unplugs)
        assert bench.book.open == {}


@pytest.mark.parametrize("judged", ["fail", "pass", "inconclusive"])
async def test_an_operator_judges_a_plug_that_can_not_be_pulled(judged: str) -> None:
    async with rig() as bench:
        judge = Judge(judged)
        bench.runner._operator = judge

        async def stuck(connector: int, *, end: End = End.BOTH) -> None:
            raise Unverifiable("the operator could not")

        bench.hands.unplug = stuck  # type: ignore[method-assign]
        ended = await bench.run("TC_018_1_CS")
        assert ended.verdict == ("fail" if judged == "fail" else "inconclusive")
        assert [text[:6] for text in judge.asked] == ["judge:"]


async def test_what_a_case_forbids_binds_neither_its_clean_up_nor_its_second_try() -> None:
    async with rig() as bench:

        async def nobody(card: Card, *, connector: int = 1) -> None:
            raise Unverifiable("the operator could not")

        bench.hands.present = nobody  # type: ignore[method-assign]
        ended = await bench.run("TC_003_CS")
        assert (ended.verdict, ended.reason) == ("inconclusive", "the operator could not")

    async with rig() as bench:
        allow = bench.station.answers["RemoteStartTransaction"]

        def refuse_once(payload: Payload) -> Any:
            bench.station.answers["RemoteStartTransaction"] = allow
            return {"status": "Rejected"}

        bench.station.answers["RemoteStartTransaction"] = refuse_once
        ended = await bench.run("TC_012_CS")
        assert (ended.verdict, ended.reason) == ("pass", None)


# Authorization cache


def _asks_each_time(bench: Rig, *, uses_cache: bool) -> None:
    """Let the station ask about a card that takes back its authorisation, or about every card."""
    station = bench.station
    read = station.card

    async def card(id_tag: str) -> None:
        if id_tag == station.id_tag or not uses_cache:
            if id_tag == station.id_tag:
                await station.call("Authorize", idTag=id_tag)
            station.cached -= set() if uses_cache else {id_tag}
        await read(id_tag)

    station.card = card  # type: ignore[method-assign]


async def test_a_card_may_be_asked_about_when_it_takes_back_what_it_authorised() -> None:
    async with rig() as bench:
        _asks_each_time(bench, uses_cache=True)
        ended = await bench.run("TC_061_CS")
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert any("a card that it should know" in note for note in bench.notes())


async def test_a_cache_that_is_never_used_can_not_be_seen_to_be_cleared() -> None:
    async with rig() as bench:
        _asks_each_time(bench, uses_cache=False)
        ended = await bench.run("TC_061_CS")
        assert (ended.verdict, ended.phase) == ("inconclusive", "body")
        assert "the card is not in it" in str(ended.reason)


async def test_a_cache_that_is_off_between_the_cases_is_emptied_when_it_is_used() -> None:
    async with rig() as bench:
        station = bench.station
        station.keys["AuthorizationCacheEnabled"] = "false"
        for _ in range(2):
            ended = await bench.run("TC_061_CS")
            assert (ended.verdict, ended.reason) == ("pass", None)
            assert station.keys["AuthorizationCacheEnabled"] == "false"
            assert station.cached


async def test_a_card_shows_the_cache_where_remote_starts_are_never_asked_about() -> None:
    async with rig() as bench:
        bench.station.keys["AuthorizeRemoteTxRequests"] = "false"
        bench.station.read_only.add("AuthorizeRemoteTxRequests")
        ended = await bench.run("TC_007_CS")
        assert (ended.verdict, ended.reason) == ("pass", None)
        assert bench.hands.done.count("present valid") == 2

    async with rig() as bench:
        bench.station.keys["AuthorizeRemoteTxRequests"] = "false"
        bench.station.read_only.add("AuthorizeRemoteTxRequests")
        _asks_each_time(bench, uses_cache=False)
        ended = await bench.run("TC_007_CS")
        assert ended.verdict == "fail"
        assert "no Authorize() was allowed" in str(ended.reason)


# Refused cards


async def test_a_remote_start_may_be_rejected_for_a_card_that_the_csms_refuses() -> None:
    async with rig(pics={"C-07": False}) as bench:
        station = bench.station

        def refuse(payload: Payload) -> Payload:
            station.spawn(station.call("Authorize", idTag=payload["idTag"]))
            return {"status": "Rejected"}

        station.answers["RemoteStartTransaction"] = refuse
        assert (await bench.run("TC_023_CS")).verdict == "pass"


@pytest.mark.parametrize("status", ["Charging", "SuspendedEV"])
async def test_a_refused_card_gets_no_energy_either(status: str) -> None:
    async with rig() as bench:
        station = bench.station

        async def generous(id_tag: str) -> None:
            await station.call("Authorize", idTag=id_tag)
            await station.report(1, status)

        station.card = generous  # type: ignore[method-assign]
        ended = await bench.run("TC_023_CS")
        assert ended.verdict == "fail"
        assert status in str(ended.reason)

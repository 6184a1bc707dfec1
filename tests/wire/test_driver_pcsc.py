"""The PC/SC driver on a real daemon with a virtual reader and our cards."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from smartcard import scard

from bench.capability import CardReading
from bench.errors import DeviceTimeout, LinkError, Unverifiable
from drivers.link.pcsc_watch import choose
from drivers.pcsc_reader import DRIVER, PcscReader, PcscReaderSettings
from drivers.sim.smart_card import CLASSIC_1K, DESFIRE, ULTRALIGHT, SmartCard
from tests.wire.pcsc_daemon import READER, PcscDaemon, pcsc_daemon
from tests.wire.responders import context

FIRST, SECOND = f"{READER} 00 00", f"{READER} 00 01"
FOUR, SEVEN = bytes.fromhex("DEADBEEF"), bytes.fromhex("04A1B2C3D4E5F6")
LONG = 10.0
"""For what happens at once or never, in s."""


@pytest.fixture
async def daemon() -> AsyncIterator[PcscDaemon]:
    async with pcsc_daemon() as daemon:
        yield daemon


def made(link: str = f"pcsc:{FIRST}") -> PcscReader:
    device = DRIVER.make(PcscReaderSettings(link), context("reader"))
    assert isinstance(device, PcscReader)
    return device


def threads() -> int:
    return sum(thread.name.startswith("pcsc ") for thread in threading.enumerate())


async def until_lost(reader: PcscReader, reason: str = "") -> None:
    """Read until there is no reader, for that reason; no call is answered wrongly before."""
    async with asyncio.timeout(LONG):
        while True:
            try:
                await reader.read_card()
            except LinkError as error:
                if reason in str(error):
                    return
                await asyncio.sleep(0.02)


async def until_back(reader: PcscReader) -> CardReading | None:
    async with asyncio.timeout(LONG):
        while True:
            try:
                return await reader.read_card()
            except LinkError:
                await asyncio.sleep(0.02)  # The service tells nobody that it is back.


@pytest.mark.parametrize(
    ("uid", "atr", "kind"),
    [
        (FOUR, CLASSIC_1K, "MIFARE Classic 1K"),
        (SEVEN, ULTRALIGHT, "MIFARE Ultralight or NTAG"),
        (bytes(range(1, 11)), DESFIRE, "MIFARE DESFire"),
    ],
    ids=["4 bytes", "7 bytes", "10 bytes"],
)
async def test_a_card_comes_and_goes(daemon: PcscDaemon, uid: bytes, atr: bytes, kind: str) -> None:
    slot = daemon.slots[0]
    async with made() as reader:
        assert await reader.read_card() is None
        coming = asyncio.create_task(reader.await_card(within=LONG))
        card = SmartCard(uid, atr)
        await slot.lay(card)
        expected = CardReading(uid.hex().upper(), atr.hex().upper(), kind)
        assert await coming == expected
        assert await reader.read_card() == expected
        assert await reader.await_card(within=LONG) == expected
        assert await reader.self_test() == f"reads, on it lies {kind} {expected.uid}"
        assert card.commands == [bytes.fromhex("FFCA000000")], "each card is asked once"
        going = asyncio.create_task(reader.await_removal(within=LONG))
        await slot.clear()
        await going
        assert await reader.read_card() is None
        assert await reader.self_test() == "reads, no card lies on it"


async def test_a_card_that_lay_there_before_is_read(daemon: PcscDaemon) -> None:
    await daemon.slots[0].lay(SmartCard(SEVEN))
    async with made() as reader:
        assert (await reader.await_card(within=LONG)).uid == SEVEN.hex().upper()


async def test_one_card_after_the_other_in_the_place_of_the_first(daemon: PcscDaemon) -> None:
    slot = daemon.slots[0]
    async with made() as reader:
        for uid in (FOUR, SEVEN):
            await slot.lay(SmartCard(uid))
            assert (await reader.await_card(within=LONG)).uid == uid.hex().upper()
            await slot.clear()
            await reader.await_removal(within=LONG)


async def test_two_cards_on_two_slots_are_kept_apart(daemon: PcscDaemon) -> None:
    async with made(f"pcsc:{FIRST}") as one, made(f"pcsc:{SECOND}") as other:
        for slot, uid in zip(daemon.slots, (FOUR, SEVEN), strict=True):
            await slot.lay(SmartCard(uid))
        assert (await one.await_card(within=LONG)).uid == FOUR.hex().upper()
        assert (await other.await_card(within=LONG)).uid == SEVEN.hex().upper()
        await daemon.slots[0].clear()
        await one.await_removal(within=LONG)
        assert await other.read_card() is not None


async def test_what_does_not_come_in_time_is_no_fault_of_the_lab(daemon: PcscDaemon) -> None:
    async with made() as reader:
        with pytest.raises(Unverifiable, match=r"^reader: no card was laid on the reader within"):
            await reader.await_card(within=0.01)
        await daemon.slots[0].lay(SmartCard(FOUR))
        await reader.await_card(within=LONG)
        with pytest.raises(Unverifiable, match=r"^reader: the card still lies there after 0.01 s"):
            await reader.await_removal(within=0.01)


@pytest.mark.parametrize(
    ("uid", "truncated", "text"),
    [
        (bytes(8), 0, r"a UID of 8 bytes \(0000000000000000\), expected one of 4, 7, 10"),
        (b"", 0, r"a UID of 0 bytes \(none\)"),
        (FOUR, 1, r"the reader answered DE AD BE EF 90, expected 90 00"),
    ],
)
async def test_a_card_that_tells_no_uid(
    daemon: PcscDaemon, uid: bytes, truncated: int, text: str
) -> None:
    slot = daemon.slots[0]
    slot.faults.truncated = truncated
    async with made() as reader:
        await slot.lay(SmartCard(uid))
        with pytest.raises(Unverifiable, match=f"^reader: the card .*{text}"):
            await reader.await_card(within=LONG)
        with pytest.raises(Unverifiable, match=text):
            await reader.read_card()
        await slot.clear()
        slot.faults.clear()
        await reader.await_removal(within=LONG)
        await slot.lay(SmartCard(SEVEN))
        assert (await reader.await_card(within=LONG)).uid == SEVEN.hex().upper()


async def test_a_card_that_refuses_the_command(
    daemon: PcscDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.pcsc_reader._GET_UID", bytes.fromhex("FFCA010000"))
    await daemon.slots[0].lay(SmartCard(FOUR))
    async with made() as reader:
        with pytest.raises(Unverifiable, match="does not tell its UID, the reader answered 6A 81,"):
            await reader.await_card(within=LONG)


async def test_a_card_without_a_sound_answer_to_reset(daemon: PcscDaemon) -> None:
    async with made() as reader:
        await daemon.slots[0].lay(SmartCard(FOUR, b"\x00"))
        with pytest.raises(Unverifiable, match=r"^reader: the card's answer to reset makes no sen"):
            await reader.await_card(within=LONG)


async def test_two_cards_at_once_are_named_as_a_cause(
    daemon: PcscDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = scard.SCardGetStatusChange

    def mute(*arguments: Any) -> Any:
        code, rows = look(*arguments)
        present = scard.SCARD_STATE_PRESENT
        bit = scard.SCARD_STATE_MUTE
        return code, [(name, on | bit if on & present else on, atr) for name, on, atr in rows]

    # The virtual reader never says it.
    monkeypatch.setattr(scard, "SCardGetStatusChange", mute)
    async with made() as reader:
        card = SmartCard(FOUR)
        await daemon.slots[0].lay(card)
        with pytest.raises(Unverifiable, match="does not answer: it lies badly, or there are two"):
            await reader.await_card(within=LONG)
        assert not card.commands


async def test_a_mute_card_is_a_timeout_until_it_is_taken_away(
    daemon: PcscDaemon,
) -> None:
    slot = daemon.slots[0]
    async with made() as reader:
        slot.faults.silent = True
        await slot.lay(SmartCard(FOUR))
        with pytest.raises(DeviceTimeout, match=r"^reader \(pcsc:.*\): the PC/SC service or the c"):
            await reader.await_card(within=LONG)
        await slot.clear()
        slot.faults.clear()
        async with asyncio.timeout(LONG):
            while True:
                try:
                    await reader.await_removal(within=LONG)
                    break
                except DeviceTimeout:
                    await asyncio.sleep(0)
        await slot.lay(SmartCard(SEVEN))
        assert (await reader.await_card(within=LONG)).uid == SEVEN.hex().upper()


async def test_a_late_answer_is_read(daemon: PcscDaemon) -> None:
    daemon.slots[0].faults.late = 0.3
    async with made() as reader:
        await daemon.slots[0].lay(SmartCard(FOUR))
        assert (await reader.await_card(within=LONG)).uid == FOUR.hex().upper()


async def test_a_cancelled_wait_leaves_it_usable(daemon: PcscDaemon) -> None:
    async with made() as reader:
        waiting = asyncio.create_task(reader.await_card(within=LONG))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await daemon.slots[0].lay(SmartCard(FOUR))
        assert (await reader.await_card(within=LONG)).uid == FOUR.hex().upper()


async def test_one_thread_for_a_reader_and_none_afterwards(daemon: PcscDaemon) -> None:
    before = threads()
    for _ in range(2):
        async with made():
            assert threads() == before + 1
        assert threads() == before
    with pytest.raises(LinkError):
        await made("pcsc:Another").__aenter__()
    assert threads() == before


async def test_the_service_ends_and_starts_again(daemon: PcscDaemon) -> None:
    async with made() as reader:
        await daemon.slots[0].lay(SmartCard(FOUR))
        await reader.await_card(within=LONG)
        waiting = asyncio.create_task(reader.await_removal(within=LONG))
        await daemon.kill()
        with pytest.raises(LinkError, match=r"^reader \(pcsc:.*\): "):
            await waiting
        await until_lost(reader, "no PC/SC service runs; start pcscd")
        await daemon.start()
        assert await until_back(reader) is None
        await daemon.slots[0].lay(SmartCard(SEVEN))
        assert (await reader.await_card(within=LONG)).uid == SEVEN.hex().upper()


async def test_the_reader_is_unplugged_and_plugged_in_again(daemon: PcscDaemon) -> None:
    async with made() as reader:
        await daemon.kill()
        await daemon.start(readers=())
        await until_lost(reader, "no reader is plugged in")
        await daemon.kill()
        await daemon.start()
        assert await until_back(reader) is None
        assert (await reader.identify()).model == FIRST


async def test_a_frozen_service_is_a_timeout(daemon: PcscDaemon) -> None:
    async with made() as reader:
        daemon.freeze()
        with pytest.raises(DeviceTimeout, match=r"^reader \(pcsc:.*\): .*did not answer within"):
            await until_a_timeout(reader)
        before = threads()
        with pytest.raises(DeviceTimeout, match=r"^reader \(pcsc:"):
            await made().__aenter__()
        daemon.thaw()
        async with asyncio.timeout(LONG):
            while True:
                try:
                    assert await reader.read_card() is None
                    break
                except DeviceTimeout:
                    await asyncio.sleep(0)
        async with asyncio.timeout(LONG):
            while threads() > before:  # noqa: ASYNC110 - a thread has no event to await
                await asyncio.sleep(0.02)


async def until_a_timeout(reader: PcscReader) -> None:
    async with asyncio.timeout(LONG):
        while True:
            await reader.read_card()


async def test_waiting_costs_nothing(daemon: PcscDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(name: str) -> Any:
        real = getattr(scard, name)

        def call(*arguments: Any) -> Any:
            calls.append(name)
            return real(*arguments)

        return call

    for name in ("SCardEstablishContext", "SCardGetStatusChange"):
        monkeypatch.setattr(scard, name, counted(name))
    async with made() as reader:
        await daemon.slots[0].lay(SmartCard(FOUR))
        await reader.await_card(within=LONG)
        calls.clear()
        await asyncio.sleep(1.0)
        assert 1 <= len(calls) <= 10
        await daemon.kill()
        await until_lost(reader)
        calls.clear()
        await asyncio.sleep(1.0)
        assert len(calls) <= 10


async def test_a_telephone_makes_a_number_of_its_own(daemon: PcscDaemon) -> None:
    async with made() as reader:
        await daemon.slots[0].lay(SmartCard(b"", DESFIRE, random=True))
        assert (await reader.await_card(within=LONG)).uid.startswith("08")


async def test_the_scan_lists_links_that_work(daemon: PcscDaemon) -> None:
    assert DRIVER.scan is not None
    assert list(await DRIVER.scan()) == [f"pcsc:{FIRST}", f"pcsc:{SECOND}"]
    async with made(f"pcsc:{SECOND}") as reader:
        assert (await reader.identify()).model == SECOND
    with pytest.raises(LinkError, match=f"several such readers, name one of {FIRST}, {SECOND}"):
        await made("pcsc:").__aenter__()
    await daemon.kill()
    with pytest.raises(LinkError, match="no PC/SC service runs"):
        await DRIVER.scan()


async def test_the_command_lists_readers_and_says_when_there_is_no_service(
    daemon: PcscDaemon,
) -> None:
    async def rows() -> list[tuple[str, str]]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench", "devices", "--scan", "--json"),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        found = [row for row in json.loads(out) if row["driver"] == "pcsc-reader"]
        return [(row["state"], row["message"]) for row in found]

    assert await rows() == [("found", f"pcsc:{FIRST}"), ("found", f"pcsc:{SECOND}")]
    await daemon.kill()
    assert await rows() == [("unknown", "no PC/SC service runs; start pcscd")]


@pytest.mark.parametrize(
    ("readers", "wanted", "name", "reason"),
    [
        (["ACS ACR122U 00 00"], "", "ACS ACR122U 00 00", ""),
        (["ACS ACR122U 00 00"], "ACS ACR122U", "ACS ACR122U 00 00", ""),
        (["ACS ACR122U 01 00"], "ACS ACR122U 00 00", "ACS ACR122U 01 00", ""),
        (["X 00 00", "X 00 01"], "X 00 01", "X 00 01", ""),
        (["X 01 00", "X 01 01"], "X 00 01", "X 01 01", ""),
        (["X [CCID] (1?#) 00 00"], "X [CCID] (1?#)", "X [CCID] (1?#) 00 00", ""),
        (["A 00 00", "B 01 00"], "", "", "several such readers, name one of A 00 00, B 01 00"),
        (["A 00 00"], "B", "", "the reader is not plugged in; there is A 00 00"),
        ([], "B", "", "no reader is plugged in"),
        ([], "", "", "no reader is plugged in"),
    ],
)
def test_how_a_reader_is_named(readers: list[str], wanted: str, name: str, reason: str) -> None:
    chosen, lost = choose(readers, wanted)
    assert chosen == name
    assert reason in lost
    assert bool(lost) is bool(reason)

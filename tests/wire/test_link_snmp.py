"""The SNMP link against datagrams written by hand."""

from __future__ import annotations

import asyncio

import pytest

from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.link.address import parse
from drivers.link.snmp import SnmpLink, Version
from tests.wire.snmp_agent import Request, agent, tlv

DESCRIPTION = "1.3.6.1.2.1.1.1.0"


def link_to(url: str, *, version: Version = "2c", within: float = 5.0) -> SnmpLink:
    return SnmpLink(parse(url, "snmp"), "pdu", community="private", version=version, within=within)


@pytest.mark.parametrize(("version", "number"), [("1", 0), ("2c", 1)])
async def test_the_bytes_of_a_request(version: Version, number: int) -> None:
    heard: list[Request] = []

    def answer(request: Request) -> bytes:
        heard.append(request)
        return request.reply(tlv(0x04, b"APC Web/SNMP"))

    async with agent(answer) as url:
        link = link_to(url, version=version)
        await link.open()
        assert await link.get_text(DESCRIPTION) == "APC Web/SNMP"
        await link.set_number("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.2", 300)
        await link.close()
    read, write = heard
    assert (read.version, read.community, read.kind) == (number, "private", 0xA0)
    assert read.binding == "06 08 2b 06 01 02 01 01 01 00 05 00"
    assert (write.version, write.kind) == (number, 0xA3)
    name = "2b 06 01 04 01 82 3e 01 01 0c 03 03 01 01 04 02"
    assert write.binding == f"06 10 {name} 02 02 01 2c"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"\x02\x01\x01", 1),
        (b"\x02\x01\xff", -1),
        (b"\x02\x04\x7f\xff\xff\xff", 2**31 - 1),
        (b"\x42\x05\x00\xff\xff\xff\xff", 2**32 - 1),
        (b"\x43\x02\x12\x34", 0x1234),
    ],
)
async def test_whole_numbers(value: bytes, number: int) -> None:
    async with agent(lambda request: request.reply(value)) as url:
        link = link_to(url)
        await link.open()
        assert await link.get_number("1.3.6.1.2.1.1.7.0") == number
        await link.close()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x80\x00", f"the agent has no object {DESCRIPTION}"),
        (b"\x81\x00", f"the agent has no object {DESCRIPTION}"),
        (b"\x04\x01x", "is OctetString 'x', expected a whole number"),
        (b"\x05\x00", "is Null"),
    ],
)
async def test_what_is_no_number_is_refused(value: bytes, text: str) -> None:
    async with agent(lambda request: request.reply(value)) as url:
        link = link_to(url)
        await link.open()
        with pytest.raises(DeviceError, match=r"^pdu \(snmp://127.*\): ") as caught:
            await link.get_number(DESCRIPTION)
        await link.close()
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("status", "word"), [(2, "noSuchName"), (5, "genErr"), (6, "noAccess"), (17, "notWritable")]
)
async def test_a_refusal_is_told_in_the_words_of_snmp(status: int, word: str) -> None:
    async with agent(lambda request: request.reply(status=status)) as url:
        link = link_to(url)
        await link.open()
        with pytest.raises(DeviceError, match=f"refuses to write {DESCRIPTION}: .*{word}"):
            await link.set_number(DESCRIPTION, 1)
        await link.close()


async def test_a_lost_datagram_is_asked_for_again() -> None:
    heard: list[Request] = []

    def answer(request: Request) -> bytes | None:
        heard.append(request)
        return request.reply(b"\x02\x01\x07") if len(heard) == 2 else None

    async with agent(answer) as url:
        link = link_to(url, within=0.05)
        await link.open()
        assert await link.get_number(DESCRIPTION) == 7
        assert len(heard) == 2
        with pytest.raises(DeviceTimeout, match=r"within 0.05 s, 2 tries \(wrong community, or no"):
            await link.get_number(DESCRIPTION)
        heard.clear()
        with pytest.raises(DeviceTimeout, match="1 tries"):
            await link.set_number(DESCRIPTION, 3, again=False)
        assert len(heard) == 1
        await link.close()


async def test_the_late_answer_to_an_abandoned_request_is_not_taken_for_another() -> None:
    held: list[Request] = []

    def answer(request: Request) -> bytes | None:
        held.append(request)
        # The second request is answered by what the first one should have got.
        return None if len(held) == 1 else held[0].reply(b"\x02\x01\x01")

    async with agent(answer) as url:
        link = link_to(url, within=0.05)
        await link.open()
        with pytest.raises(DeviceTimeout):
            await link.get_number(DESCRIPTION)
        await link.close()


async def test_garbage_is_no_answer() -> None:
    async with agent(lambda request: b"\x30\x03\x02\x01") as url:
        link = link_to(url, within=0.05)
        await link.open()
        with pytest.raises(DeviceError):
            await link.get_number(DESCRIPTION)
        await link.close()


async def test_an_answer_about_another_object_is_refused() -> None:
    async with agent(lambda request: request.reply(b"\x02\x01\x01", oid="1.3.6.1.2.9.0")) as url:
        link = link_to(url)
        await link.open()
        with pytest.raises(DeviceError, match=r"the agent answered about 1\.3\.6\.1\.2\.9\.0"):
            await link.get_number(DESCRIPTION)
        await link.close()


async def test_a_cancelled_request_leaves_the_link_usable() -> None:
    heard = asyncio.Event()
    mute = True

    def answer(request: Request) -> bytes | None:
        heard.set()
        return None if mute else request.reply(b"\x02\x01\x07")

    async with agent(answer) as url:
        link = link_to(url, within=5.0)
        await link.open()
        asking = asyncio.ensure_future(link.get_number(DESCRIPTION))
        async with asyncio.timeout(2.0):
            await heard.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        mute = False
        assert await link.get_number(DESCRIPTION) == 7
        await link.close()


async def test_a_closed_link_and_an_unknown_host_are_link_errors() -> None:
    link = link_to("snmp://127.0.0.1:1")
    with pytest.raises(LinkError, match="not open"):
        await link.get_number(DESCRIPTION)
    await link.close()
    with pytest.raises(LinkError, match="no such host"):
        await link_to("snmp://no-such-host.invalid").open()

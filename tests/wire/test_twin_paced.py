"""The paced line: no byte arrives before its last bit would have passed."""

from __future__ import annotations

import asyncio
import os
import time
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.link.modbus_bus import silence
from drivers.sim.faults import Faults
from drivers.sim.paced import PacedPtyWire, taken
from drivers.sim.wire import Line

ANSWER = bytes(range(24))


def test_pauses_and_characters() -> None:
    assert silence(9600) == pytest.approx(3.646e-3, rel=1e-3)
    assert silence(9600, bits=11) == pytest.approx(4.010e-3, rel=1e-3)
    assert silence(115_200) == 1.75e-3
    assert taken(96, 9600) == pytest.approx(0.1)


@asynccontextmanager
async def opened(baudrate: int) -> AsyncIterator[tuple[PacedPtyWire, int, asyncio.Queue[bytes]]]:
    """Open a line with a device that answers 24 bytes; yields it, the bench's end, questions."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(line: Line) -> None:
        while True:
            question = await line.reader.readexactly(8)
            await line.send(ANSWER)
            heard.put_nowait(question)

    wire = PacedPtyWire("modbus-rtu", baudrate=baudrate)
    await wire.open(talk, Faults())
    try:
        path = wire.link.removeprefix("modbus-rtu:").partition("?")[0]
        bench = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(bench)
        yield wire, bench, heard
        os.close(bench)
    finally:
        await wire.close()


async def answer(bench: int) -> bytes:
    got = b""
    while len(got) < len(ANSWER):
        got += await asyncio.to_thread(os.read, bench, 64)
    return got


@pytest.mark.parametrize("baudrate", [2400, 9600])
async def test_question_and_answer_take_their_time(baudrate: int) -> None:
    async with opened(baudrate) as (wire, bench, heard):
        for _ in range(3):
            begun = time.perf_counter()
            os.write(bench, b"question")
            assert await answer(bench) == ANSWER
            least = taken(8 + 24, baudrate) + silence(baudrate)
            assert time.perf_counter() - begun >= least
            await asyncio.sleep(silence(baudrate))
        assert (wire.lost, heard.qsize()) == (0, 3)


async def test_a_question_before_the_pause_after_an_answer_is_lost() -> None:
    async with opened(2400) as (wire, bench, heard):
        os.write(bench, b"question")
        await heard.get()
        os.write(bench, b"nonsense")  # while the answer is on the line
        assert await answer(bench) == ANSWER
        await asyncio.sleep(silence(2400))
        os.write(bench, b"question")
        assert await heard.get() == b"question"
        assert await answer(bench) == ANSWER
        assert wire.lost == 1

"""The paced line: no byte arrives before its last bit would have passed."""

from __future__ import annotations

import asyncio
import os
import time
import tty

import pytest

from drivers.sim.faults import Faults
from drivers.sim.paced import PacedPtyWire, silence, taken
from drivers.sim.wire import Line


def test_pauses_and_characters() -> None:
    assert silence(9600) == pytest.approx(3.646e-3, rel=1e-3)
    assert silence(115_200) == 1.75e-3
    assert taken(96, 9600) == pytest.approx(0.1)


@pytest.mark.parametrize("baudrate", [2400, 9600])
async def test_question_and_answer_take_their_time(baudrate: int) -> None:
    heard: list[bytes] = []

    async def talk(line: Line) -> None:
        while True:
            heard.append(await line.reader.readexactly(8))
            await line.send(bytes(range(24)))

    wire = PacedPtyWire("modbus-rtu", baudrate=baudrate)
    await wire.open(talk, Faults())
    try:
        path = wire.link.removeprefix("modbus-rtu:").partition("?")[0]
        bench = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(bench)
        for _ in range(3):
            begun = time.perf_counter()
            os.write(bench, b"question")
            answer = b""
            while len(answer) < 24:
                answer += await asyncio.to_thread(os.read, bench, 64)
            least = taken(8 + 24, baudrate) + silence(baudrate)
            assert time.perf_counter() - begun >= least
            assert answer == bytes(range(24))
        os.close(bench)
        assert heard == [b"question"] * 3
    finally:
        await wire.close()

"""The Modbus link against frames written by hand, with every way in which a bus goes wrong."""

from __future__ import annotations

import asyncio
import struct

import pytest

from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.link.address import parse
from drivers.link.modbus import SCHEMES, ModbusLink
from tests.wire.responders import Pty, Rtu, crc16, modbus_tcp, pty, tcp_server

WITHIN = 0.1
"""Deadline of an answer in s for what does not answer; a busy machine is no reason to be late."""


def link_of(url: str, *, within: float = 5.0) -> ModbusLink:
    return ModbusLink(parse(url, *SCHEMES), "box", within=within)


def register(unit: int, value: int) -> bytes:
    """An RTU answer to a read of one input register."""
    frame = struct.pack(">BBBH", unit, 4, 2, value)
    return frame + crc16(frame)


async def test_tcp_requests_and_answers_byte_for_byte() -> None:
    seen: list[tuple[int, str]] = []

    async def device(unit: int, pdu: bytes) -> bytes:
        seen.append((unit, pdu.hex(" ")))
        return {
            1: bytes.fromhex("01 01 05"),
            15: bytes.fromhex("0f 00 00 00 08"),
            4: bytes.fromhex("04 04 43 66 33 33"),
            3: bytes.fromhex("03 02 00 c8"),
        }[pdu[0]]

    async with modbus_tcp(device) as url:
        link = link_of(url)
        await link.open()
        coils = await link.read_coils(1, 0, 8)
        await link.write_coils(1, 0, [True] * 8)
        inputs = await link.read_registers(2, 0, 2, function=4)
        holding = await link.read_registers(1, 0x8000, 1, function=3)
        await link.close()
    assert coils == (True, False, True, False, False, False, False, False)
    assert struct.unpack(">f", struct.pack(">HH", *inputs))[0] == pytest.approx(230.2)
    assert holding == (200,)
    assert seen == [
        (1, "01 00 00 00 08"),
        (1, "0f 00 00 00 08 01 ff"),
        (2, "04 00 00 00 02"),
        (1, "03 80 00 00 01"),
    ]


async def test_rtu_frames_as_the_relay_boards_maker_publishes_them() -> None:
    def answer(frame: bytes) -> bytes:
        if frame[1] == 1:
            return bytes.fromhex("01 01 01 05 91 8b")
        return frame[:6] + crc16(frame[:6])

    board = Rtu(answer)
    async with pty(board) as line:
        link = link_of(f"modbus-rtu:{line.path}?baudrate=115200")
        await link.open()
        coils = await link.read_coils(1, 0, 8)
        await link.write_coils(1, 0, [True] * 8)
        await link.close()
    assert coils == (True, False, True, False, False, False, False, False)
    assert [frame.hex(" ") for frame in board.requests] == [
        "01 01 00 00 00 08 3d cc",
        "01 0f 00 00 00 08 01 ff be d5",
    ]


async def test_a_port_where_nobody_listens_is_a_link_error_with_its_cause() -> None:
    async with tcp_server(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    with pytest.raises(
        LinkError, match=rf"box \(modbus-tcp://127.0.0.1:{port}\): can't connect: ."
    ):
        await link_of(f"modbus-tcp://127.0.0.1:{port}").open()


async def test_a_serial_port_that_is_not_there_is_a_link_error_with_its_cause() -> None:
    with pytest.raises(LinkError, match=r"can't connect: .*No such file or directory"):
        await link_of("modbus-rtu:/dev/no-such-port").open()


async def test_a_serial_port_serves_one_device() -> None:
    async with pty(lambda data: b"") as line:
        first = link_of(f"modbus-rtu:{line.path}")
        await first.open()
        with pytest.raises(LinkError, match=r"can't connect: .*exclusively lock port"):
            await link_of(f"modbus-rtu:{line.path}").open()
        await first.close()


async def test_silence_is_a_timeout_that_names_unit_and_registers() -> None:
    async def mute(unit: int, pdu: bytes) -> None:
        return None

    async with modbus_tcp(mute) as url:
        link = link_of(url, within=WITHIN)
        await link.open()
        with pytest.raises(DeviceTimeout) as caught:
            await link.read_registers(3, 4, 6, function=4)
        await link.close()
    assert str(caught.value) == (
        f"box ({url}): unit 3 gave no valid answer to read input registers 4 to 9 "
        "within 0.1 s, 2 tries"
    )


async def test_a_lost_answer_is_asked_for_again() -> None:
    asked = 0

    async def forgetful(unit: int, pdu: bytes) -> bytes | None:
        nonlocal asked
        asked += 1
        return None if asked == 1 else bytes.fromhex("04 02 00 07")

    async with modbus_tcp(forgetful) as url:
        link = link_of(url, within=WITHIN)
        await link.open()
        assert await link.read_registers(1, 0, 1, function=4) == (7,)
        await link.close()
    assert asked == 2


async def test_a_late_answer_over_tcp_is_not_taken_for_the_next_one() -> None:
    release = asyncio.Event()

    async def slow(unit: int, pdu: bytes) -> bytes:
        address = int.from_bytes(pdu[1:3], "big")
        if address == 1:
            await release.wait()
        return bytes([4, 2, 0, address])

    async with modbus_tcp(slow) as url:
        link = link_of(url, within=WITHIN)
        await link.open()
        with pytest.raises(DeviceTimeout):
            await link.read_registers(1, 1, 1, function=4)
        release.set()
        assert await link.read_registers(1, 2, 1, function=4) == (2,)
        await link.close()


class Slow:
    """A serial device that answers one request after the other, each in its own time."""

    def __init__(self, delays: list[float]) -> None:
        self.asked = asyncio.Event()
        self._delays = delays
        self._ready = 0.0

    def __call__(self, frame: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        delay = self._delays.pop(0) if self._delays else 0.0
        self._ready = max(self._ready + 0.001, loop.time() + delay)
        loop.call_at(self._ready, lambda: self.line.write(register(1, frame[3])))
        self.asked.set()
        return b""

    line: Pty


async def test_a_late_answer_on_a_serial_line_is_not_taken_for_the_next_one() -> None:
    device = Slow([0.25, 0.15])  # both tries are over after 0.2 s
    async with pty(Rtu(device)) as device.line:
        link = link_of(f"modbus-rtu:{device.line.path}?baudrate=1000000", within=0.1)
        await link.open()
        with pytest.raises(DeviceTimeout):
            await link.read_registers(1, 1, 1, function=4)
        assert await link.read_registers(1, 2, 1, function=4) == (2,)
        await link.close()


async def test_the_second_answer_to_a_repeated_request_is_not_taken_for_the_next_one() -> None:
    device = Slow([0.15, 0.1])  # the first answer comes during the second try
    async with pty(Rtu(device)) as device.line:
        link = link_of(f"modbus-rtu:{device.line.path}?baudrate=1000000", within=0.1)
        await link.open()
        assert await link.read_registers(1, 1, 1, function=4) == (1,)
        assert await link.read_registers(1, 2, 1, function=4) == (2,)
        await link.close()


async def test_the_answer_to_a_cancelled_request_is_not_taken_for_the_next_one() -> None:
    device = Slow([0.05])
    async with pty(Rtu(device)) as device.line:
        link = link_of(f"modbus-rtu:{device.line.path}?baudrate=1000000", within=0.1)
        await link.open()
        reading = asyncio.ensure_future(link.read_registers(1, 1, 1, function=4))
        await device.asked.wait()
        reading.cancel()
        assert await link.read_registers(1, 2, 1, function=4) == (2,)
        await link.close()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda frame: frame[:-3], id="truncated"),
        pytest.param(lambda frame: frame[:3] + b"\x55" + frame[4:], id="bit error"),
        pytest.param(lambda frame: b"\x00\xff\x00" + frame[:4], id="garbage"),
        pytest.param(lambda frame: register(9, 7), id="another unit"),
    ],
)
async def test_a_spoiled_serial_answer_is_a_timeout(damage: object) -> None:
    assert callable(damage)
    async with pty(Rtu(lambda frame: damage(register(1, 7)))) as line:
        link = link_of(f"modbus-rtu:{line.path}?baudrate=1000000", within=WITHIN)
        await link.open()
        with pytest.raises(DeviceTimeout, match="no valid answer to read input registers 0 "):
            await link.read_registers(1, 0, 1, function=4)
        await link.close()


async def test_a_truncated_answer_over_tcp_is_a_timeout() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await reader.readexactly(12)
            writer.write(request[:4] + bytes.fromhex("00 05 01 04 02 00"))

    async with tcp_server(talk) as port:
        link = link_of(f"modbus-tcp://127.0.0.1:{port}", within=WITHIN)
        await link.open()
        with pytest.raises(DeviceTimeout, match="no valid answer"):
            await link.read_registers(1, 0, 1, function=4)
        await link.close()


@pytest.mark.parametrize("pdu", ["05", "44 04 00 01", "04 09 00 01", ""])
async def test_an_answer_over_tcp_that_is_no_modbus_is_a_timeout_and_keeps_the_link(
    pdu: str,
) -> None:
    answers = [pdu, pdu, "04 02 00 07"]

    async def device(unit: int, request: bytes) -> bytes:
        return bytes.fromhex(answers.pop(0))

    async with modbus_tcp(device) as url:
        link = link_of(url, within=WITHIN)
        await link.open()
        with pytest.raises(DeviceTimeout, match="no valid answer"):
            await link.read_registers(1, 0, 1, function=4)
        assert await link.read_registers(1, 0, 1, function=4) == (7,)
        await link.close()


@pytest.mark.parametrize(
    ("pdu", "text"),
    [
        ("84 02", "unit 1 refuses read input registers 0 to 1: exception 2, illegal data address"),
        ("84 06", "exception 6, device busy"),
        ("84 63", "exception 99, unknown"),
        ("03 04 00 01 00 02", "answered function 3 to read input registers 0 to 1, expected 4"),
        ("04 02 00 01", "gave 1 values, expected 2"),
        ("04 06 00 01 00 02 00 03", "gave 3 values, expected 2"),
    ],
)
async def test_an_answer_that_refuses_or_does_not_fit_is_a_device_error(
    pdu: str, text: str
) -> None:
    async def device(unit: int, request: bytes) -> bytes:
        return bytes.fromhex(pdu)

    async with modbus_tcp(device) as url:
        link = link_of(url)
        await link.open()
        with pytest.raises(DeviceError, match=text) as caught:
            await link.read_registers(1, 0, 2, function=4)
        await link.close()
    assert type(caught.value) is DeviceError


async def test_a_gateway_that_gets_no_answer_is_a_timeout() -> None:
    async def gateway(unit: int, request: bytes) -> bytes:
        return bytes.fromhex("84 0b")

    async with modbus_tcp(gateway) as url:
        link = link_of(url)
        await link.open()
        with pytest.raises(DeviceTimeout, match="unit behind the gateway does not answer"):
            await link.read_registers(5, 0, 2, function=4)
        await link.close()


async def test_a_connection_lost_in_the_middle_of_a_call_is_noticed_at_once() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(12)

    async with tcp_server(talk) as port:
        link = link_of(f"modbus-tcp://127.0.0.1:{port}", within=30.0)
        await link.open()
        async with asyncio.timeout(2.0):
            with pytest.raises(LinkError, match="connection lost during read input registers 0 of"):
                await link.read_registers(1, 0, 1, function=4)
        with pytest.raises(LinkError, match="not connected"):
            await link.read_registers(1, 0, 1, function=4)
        await link.close()


async def test_a_serial_port_that_vanishes_is_noticed_at_once() -> None:
    def vanish(data: bytes) -> bytes:
        line.vanish()
        return b""

    async with pty(vanish) as line:
        link = link_of(f"modbus-rtu:{line.path}", within=30.0)
        await link.open()
        async with asyncio.timeout(2.0):
            with pytest.raises(LinkError, match="connection lost during write coils 0 to 1 of"):
                await link.write_coils(1, 0, [True, False])
        await link.close()


async def test_requests_of_one_link_queue_up() -> None:
    under_way = most = 0

    async def device(unit: int, pdu: bytes) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return bytes([4, 2, 0, pdu[2]])

    async with modbus_tcp(device) as url:
        link = link_of(url)
        await link.open()
        got = await asyncio.gather(
            *(link.read_registers(1, address, 1, function=4) for address in range(10))
        )
        await link.close()
    assert got == [(address,) for address in range(10)]
    assert most == 1


async def test_a_closed_link_says_so() -> None:
    link = link_of("modbus-tcp://127.0.0.1:1")
    await link.close()
    with pytest.raises(LinkError, match=r"box .*: not connected \(write coils 3 of unit 2\)"):
        await link.write_coils(2, 3, [True])

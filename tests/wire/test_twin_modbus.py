"""The pilot box and the meters by raw Modbus bytes, with the makers' published vectors."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from drivers.sim.energy_meter import EnergyMeter
from drivers.sim.modbus import ModbusLine, with_crc
from drivers.sim.pilot_box import PilotBox
from drivers.sim.relay_board import RelayBoard
from drivers.sim.twin import Twin
from drivers.sim.wire import PtyWire, TcpWire
from drivers.sim.world import World
from stations.hardware import ChipMeter
from tests.wire.terminal import Serial

DEADLINE = 2.0


@pytest.fixture
async def board() -> AsyncIterator[Twin[ModbusLine]]:
    """One relay board alone on a serial line."""
    world = World()
    async with Twin(
        ModbusLine([RelayBoard(1, world.timeline)], "rtu"), PtyWire("modbus-rtu")
    ) as twin:
        yield twin
    world.timeline.stop()


@pytest.fixture
async def line(board: Twin[ModbusLine]) -> AsyncIterator[Serial]:
    serial = Serial(board.link)
    yield serial
    serial.close()


ECHOED = {
    "set one": "01 05 00 00 FF 00 8C 3A",
    "clear one": "01 05 00 00 00 00 CD CA",
    "toggle": "01 05 00 00 55 00 F2 9A",
    "set all": "01 05 00 FF FF 00 BC 0A",
    "pulse on": "01 05 02 00 00 07 8D B0",
    "pulse off": "01 05 04 00 00 08 CD 3C",
}


@pytest.mark.parametrize("frame", ECHOED.values(), ids=ECHOED.keys())
async def test_a_relay_command_is_echoed(line: Serial, frame: str) -> None:
    await line.ask_hex(frame, frame)


async def test_relays_read_back_as_published(line: Serial) -> None:
    await line.ask_hex("01 01 00 00 00 08 3D CC", "01 01 01 00 51 88")
    await line.ask_hex("01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A")
    third = with_crc(bytes.fromhex("01 05 00 02 FF 00")).hex()
    await line.ask_hex(third, third)
    await line.ask_hex("01 01 00 00 00 08 3D CC", "01 01 01 05 91 8B")
    await line.ask_hex("01 0F 00 00 00 08 01 FF BE D5", "01 0F 00 00 00 08 54 0D")
    await line.ask_hex("01 01 00 00 00 08 3D CC", "01 01 01 FF 11 C8")
    await line.ask_hex("01 05 00 00 55 00 F2 9A", "01 05 00 00 55 00 F2 9A")
    await line.ask_hex("01 01 00 00 00 08 3D CC", "01 01 01 FE D0 08")


async def test_address_and_version(line: Serial, board: Twin[ModbusLine]) -> None:
    await line.ask_hex("00 03 40 00 00 01 90 1B", "01 03 02 00 01 79 84")
    version = with_crc(bytes.fromhex("01 03 80 00 00 01"))
    assert (await line.ask(version, 7))[3:5] == struct.pack(">H", 200)
    line.write(bytes.fromhex("00 06 40 00 00 02 1C 1A"))
    line.write(bytes.fromhex("01 01 00 00 00 08 3D CC"))
    await line.silence()
    asked = with_crc(bytes.fromhex("02 01 00 00 00 08"))
    assert (await line.ask(asked, 6))[:4] == bytes.fromhex("02 01 01 00")
    board.faults.wrong_identity = True
    version = with_crc(bytes.fromhex("02 03 80 00 00 01"))
    assert (await line.ask(version, 7))[3:5] != struct.pack(">H", 200)


async def test_a_pulse_ends_alone_and_the_contact_follows_the_coil() -> None:
    now = 0.0
    world = World(clock=lambda: now)
    board = RelayBoard(1, world.timeline)
    faults = Twin(ModbusLine([board], "rtu"), PtyWire("modbus-rtu")).faults
    board.answer(bytes.fromhex("05 02 03 00 07"), faults)
    assert (board.coils[3], board.contacts[3]) == (True, False)
    for moment, coil, contact in ((0.02, True, True), (0.69, True, True), (0.705, False, True)):
        now = moment
        world.timeline.now()
        assert (board.coils[3], board.contacts[3]) == (coil, contact), moment
    now = 0.72
    world.timeline.now()
    assert not board.contacts[3]
    board.answer(bytes.fromhex("05 02 03 00 07"), faults)
    board.answer(bytes.fromhex("05 00 03 FF 00"), faults)
    now = 60.0
    world.timeline.now()
    assert board.contacts[3], "a plain command ends the pulse"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("01 07 00 00 00 00", 1),
        ("01 05 00 08 FF 00", 2),
        ("01 05 02 08 00 01", 2),
        ("01 05 00 00 12 34", 3),
        ("01 05 02 00 00 00", 3),
        ("01 01 00 04 00 05", 2),
        ("01 01 00 00 00 00", 2),
        ("01 0F 00 00 00 09 01 FF", 2),
        ("01 03 12 34 00 01", 2),
        ("01 06 12 34 00 01", 2),
        ("01 06 40 00 00 00", 3),
    ],
)
async def test_what_the_board_refuses(line: Serial, request_: str, code: int) -> None:
    request = bytes.fromhex(request_)
    answer = await line.ask(with_crc(request), 5)
    assert answer == with_crc(bytes((1, request[1] | 0x80, code)))


async def test_garbage_and_wrong_checksums_are_passed_over(line: Serial) -> None:
    line.write(bytes.fromhex("01 05 00 00 FF 00 8C 3B"))
    await line.silence()
    line.write(bytes.fromhex("FF FF 01 01 00 00 00 08 3D CC"))
    await line.silence()
    line.write(bytes.fromhex("01 01 00"))
    await line.silence()
    await line.ask_hex("01 01 00 00 00 08 3D CC", "01 01 01 00 51 88")


async def test_a_frame_that_comes_in_pieces_is_whole(line: Serial) -> None:
    for byte in bytes.fromhex("01 01 00 00 00 08 3D"):
        line.write(bytes((byte,)))
        await asyncio.sleep(0)
    await line.ask_hex("CC", "01 01 01 00 51 88")


async def test_another_address_is_silent(line: Serial) -> None:
    line.write(with_crc(bytes.fromhex("09 01 00 00 00 08")))
    await line.silence()


async def test_faults_of_a_serial_twin(line: Serial, board: Twin[ModbusLine]) -> None:
    read, answer = "01 01 00 00 00 08 3D CC", "01 01 01 00 51 88"
    faults = board.faults
    faults.silent, faults.answers = True, 1
    line.write(bytes.fromhex(read))
    await line.silence()
    await line.ask_hex(read, answer)
    faults.truncated, faults.answers = 2, 1
    await line.ask_hex(read, "01 01 01 00")
    await line.silence()
    faults.bit_error, faults.answers = True, 1
    await line.ask_hex(read, "01 01 01 01 51 88")
    faults.unsolicited, faults.answers = b"\x00\xff", 1
    await line.ask_hex(read, f"00 FF {answer}")
    faults.busy = 2
    for _ in range(2):
        await line.ask_hex(read, with_crc(bytes.fromhex("01 81 06")).hex())
    began = asyncio.get_running_loop().time()
    faults.late, faults.answers = 0.05, 1
    await line.ask_hex(read, answer)
    assert asyncio.get_running_loop().time() - began >= 0.05
    await line.ask_hex(read, answer)
    board.emit(b"hello")
    async with asyncio.timeout(DEADLINE):
        assert await line.reader.readexactly(5) == b"hello"


async def test_a_restart_drops_the_relays_and_the_terminal(tmp_path: Path) -> None:
    world = World()
    wire = PtyWire("modbus-rtu", path=tmp_path / "box.tty", baudrate=19200)
    async with Twin(ModbusLine([RelayBoard(1, world.timeline)], "rtu"), wire) as twin:
        assert twin.link == f"modbus-rtu:{tmp_path}/box.tty?baudrate=19200"
        before = Serial(twin.link)
        await before.ask_hex("01 05 00 FF FF 00 BC 0A", "01 05 00 FF FF 00 BC 0A")
        await twin.disconnect()
        async with asyncio.timeout(DEADLINE):
            assert await before.reader.read() == b""
        before.close()
        assert not (tmp_path / "box.tty").exists()
        await twin.connect()
        after = Serial(twin.link)
        await after.ask_hex("01 01 00 00 00 08 3D CC", "01 01 01 FF 11 C8")
        after.close()
        await twin.restart()
        after = Serial(twin.link)
        await after.ask_hex("01 01 00 00 00 08 3D CC", "01 01 01 00 51 88")
        after.close()
    assert not (tmp_path / "box.tty").is_symlink()
    world.timeline.stop()


# The pilot box on TCP


class Tcp:
    """A Modbus TCP client of a few lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._transaction = 0

    @classmethod
    async def connect(cls, link: str) -> Tcp:
        host, port = link.removeprefix("modbus-tcp://").split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, unit: int, request: str) -> bytes:
        pdu = bytes.fromhex(request)
        self._transaction += 1
        head = struct.pack(">HHHB", self._transaction, 0, len(pdu) + 1, unit)
        self.writer.write(head + pdu)
        async with asyncio.timeout(DEADLINE):
            answered = await self.reader.readexactly(7)
            transaction, protocol, length, address = struct.unpack(">HHHB", answered)
            assert (transaction, protocol, address) == (self._transaction, 0, unit)
            return await self.reader.readexactly(length - 1)

    async def pilot(self) -> tuple[float, float, float, float]:
        answer = await self.ask(3, "04 0000 0004")
        assert answer[:2] == bytes((4, 8))
        high, low, duty, frequency = struct.unpack(">hhhh", answer[2:])
        return high / 1000, low / 1000, duty / 100, frequency / 10

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@pytest.fixture
async def box() -> AsyncIterator[tuple[World, Twin[PilotBox], Tcp]]:
    world = World()
    async with Twin(PilotBox(world.connectors[1], world.timeline), TcpWire("modbus-tcp")) as twin:
        client = await Tcp.connect(twin.link)
        yield world, twin, client
        await client.close()
    world.timeline.stop()


async def test_the_box_plugs_in_and_asks(box: tuple[World, Twin[PilotBox], Tcp]) -> None:
    world, _, client = box
    connector = world.connectors[1]
    assert await client.pilot() == (12.0, 12.0, 100.0, 0.0)
    # pp_32 on board 2, then cp, r2 and pp at once on board 1: unplugged to state B.
    assert await client.ask(2, "05 0002 FF00") == bytes.fromhex("05 0002 FF00")
    assert await client.ask(1, "0F 0000 0008 01 83") == bytes.fromhex("0F 0000 0008")
    await world.until(lambda: connector.pilot_state() == "B", within=DEADLINE)
    assert connector.cable_rating() == 32.0
    assert await client.pilot() == (8.979, 8.979, 100.0, 0.0)
    connector.offer(32)
    assert await client.pilot() == (8.979, -12.0, 53.33, 1000.0)
    await client.ask(1, "05 0002 FF00")
    await world.until(lambda: connector.pilot_state() == "C", within=DEADLINE)
    assert await client.pilot() == (5.995, -12.0, 53.33, 1000.0)


@pytest.mark.parametrize(
    ("coil", "letter"), [(4, "E"), (5, "E"), (6, "A")], ids=["diode", "cp-pe", "pe"]
)
async def test_the_box_makes_faults(
    box: tuple[World, Twin[PilotBox], Tcp], coil: int, letter: str
) -> None:
    world, _, client = box
    connector = world.connectors[1]
    connector.offer(16)
    await client.ask(1, "0F 0000 0008 01 87")
    await world.until(lambda: connector.pilot_state() == "C", within=DEADLINE)
    await client.ask(1, f"05 {coil:04X} FF00")
    await world.until(lambda: connector.pilot_state() == letter, within=DEADLINE)
    high, low, _, _ = await client.pilot()
    if coil == 4:
        assert high == pytest.approx(-low, abs=0.001)
    await client.ask(1, f"05 {coil:04X} 0000")
    await world.until(lambda: connector.pilot_state() == "C", within=DEADLINE)


async def test_a_unit_that_is_not_there(box: tuple[World, Twin[PilotBox], Tcp]) -> None:
    _, _, client = box
    assert await client.ask(9, "01 0000 0008") == bytes((0x81, 0x0B))
    assert await client.ask(3, "04 0000 0005") == bytes((0x84, 2))
    assert await client.ask(3, "01 0000 0005") == bytes((0x81, 1))


async def test_no_modbus_no_conversation(box: tuple[World, Twin[PilotBox], Tcp]) -> None:
    _, twin, _ = box
    other = await Tcp.connect(twin.link)
    other.writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(DEADLINE):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await other.reader.readexactly(1)
    other.writer.close()


async def test_a_restarted_box_keeps_its_port(box: tuple[World, Twin[PilotBox], Tcp]) -> None:
    world, twin, client = box
    await client.ask(1, "0F 0000 0008 01 83")
    link = twin.link
    await world.until(lambda: world.connectors[1].pilot_state() == "B", within=DEADLINE)
    await twin.restart()
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(ConnectionResetError):
            await client.reader.readexactly(1)
    assert twin.link == link
    await world.until(lambda: world.connectors[1].pilot_state() == "A", within=DEADLINE)
    again = await Tcp.connect(link)
    assert await again.ask(1, "01 0000 0008") == bytes.fromhex("01 01 00")
    await again.close()


async def test_the_box_without_supply_of_the_station(
    box: tuple[World, Twin[PilotBox], Tcp],
) -> None:
    world, _, client = box
    world.set_mains(False)
    assert await client.pilot() == (0.0, 0.0, 100.0, 0.0)


# Energy meters


async def meter_on(
    world: World, tmp_path: Path, *, model: str = "SDM630", interval: float = 0
) -> Twin[ModbusLine]:
    meter = EnergyMeter(world.supply, world.timeline, model=model, interval=interval)
    return Twin(ModbusLine([meter], "rtu"), PtyWire("modbus-rtu", path=tmp_path / model))


def floats(answer: bytes) -> tuple[float, ...]:
    return struct.unpack(f">{answer[2] // 4}f", answer[3:-2])


async def read(line: Serial, start: int, count: int) -> tuple[float, ...]:
    request = with_crc(struct.pack(">BBHH", 1, 4, start, count))
    answer = await line.ask(request, 5 + 2 * count)
    assert with_crc(answer[:-2]) == answer
    return floats(answer)


async def test_the_meters_published_vectors(tmp_path: Path) -> None:
    world = World(voltage=230.2)
    async with await meter_on(world, tmp_path) as twin:
        line = Serial(twin.link)
        answer = await line.ask(bytes.fromhex("01 04 00 00 00 02 71 CB"), 9)
        assert answer[:7] == bytes.fromhex("01 04 04 43 66 33 33")
        await line.ask_hex("01 04 00 34 00 02 30 05", "01 04 04 00 00 00 00 FB 84")
        await line.ask_hex("01 03 00 0C 00 02 04 08", "01 03 04 42 C8 00 00 6F B5")
        line.close()
    world.timeline.stop()


def charge(world: World, current: float, *, phases: int) -> Callable[[], ChipMeter]:
    connector = world.connectors[1]
    connector.limit_vehicle(current, phases=phases)
    connector.plug_in()
    connector.offer(32)
    connector.draw()
    connector.close_contactor(True)
    return connector.meter


async def test_the_meter_agrees_with_the_station(tmp_path: Path) -> None:
    now = 0.0
    world = World(clock=lambda: now)
    own = charge(world, 10, phases=2)
    now = 3600.1
    async with await meter_on(world, tmp_path) as twin:
        line = Serial(twin.link)
        assert await read(line, 0x00, 18) == (230, 230, 230, 10, 10, 0, 2300, 2300, 0)
        assert await read(line, 0x34, 2) == (4600,)
        (kwh,) = await read(line, 0x48, 2)
        assert kwh == pytest.approx(own().energy / 1000, rel=1e-6)
        assert kwh == pytest.approx(4.6, rel=1e-6)
        per_phase = await read(line, 0x15A, 6)
        assert per_phase == pytest.approx((2.3, 2.3, 0), rel=1e-6)
        assert len(await read(line, 0x00, 60)) == 30
        assert await read(line, 0x46, 2) == (50,)
        line.close()
    world.timeline.stop()


async def test_a_meter_shows_its_last_reading_until_the_next(tmp_path: Path) -> None:
    now = 0.0
    world = World(clock=lambda: now)
    async with await meter_on(world, tmp_path, interval=1.0) as twin:
        line = Serial(twin.link)
        charge(world, 10, phases=3)
        now = 0.9
        assert await read(line, 0x34, 2) == (0,)
        now = 1.1
        assert await read(line, 0x34, 2) == (6900,)
        world.connectors[1].suspend()
        now = 1.9
        assert await read(line, 0x34, 2) == (6900,)
        line.close()
    world.timeline.stop()


@pytest.mark.parametrize(
    ("model", "request_", "code"),
    [
        ("SDM630", "01 04 00 01 00 02", 2),
        ("SDM630", "01 04 00 00 00 01", 2),
        ("SDM630", "01 04 00 00 00 52", 3),
        ("SDM630", "01 04 04 00 00 02", 2),
        ("SDM120", "01 04 01 5A 00 02", 2),
        ("SDM630", "01 05 00 00 FF 00", 1),
        ("SDM630", "01 03 00 00 00 02", 2),
        ("SDM630", "01 10 00 0C 00 02 02 00 00", 3),
    ],
)
async def test_what_a_meter_refuses(tmp_path: Path, model: str, request_: str, code: int) -> None:
    world = World()
    async with await meter_on(world, tmp_path, model=model) as twin:
        line = Serial(twin.link)
        request = bytes.fromhex(request_)
        answer = await line.ask(with_crc(request), 5)
        assert answer == with_crc(bytes((1, request[1] | 0x80, code)))
        line.close()
    world.timeline.stop()


async def test_settings_are_written_and_the_address_moves(tmp_path: Path) -> None:
    world = World()
    async with await meter_on(world, tmp_path) as twin:
        line = Serial(twin.link)
        new = with_crc(bytes.fromhex("01 10 00 14 00 02 04") + struct.pack(">f", 7.0))
        assert await line.ask(new, 8) == with_crc(bytes.fromhex("01 10 00 14 00 02"))
        asked = with_crc(bytes.fromhex("07 03 00 14 00 02"))
        assert floats(await line.ask(asked, 9)) == (7.0,)
        serial = with_crc(bytes.fromhex("07 03 FC 00 00 02"))
        first = await line.ask(serial, 9)
        twin.faults.wrong_identity = True
        assert await line.ask(serial, 9) != first
        line.close()
    world.timeline.stop()


@pytest.mark.parametrize(
    ("model", "registers"),
    [
        ("SDM120", {0x00: 230, 0x06: 10, 0x0C: 2300, 0x46: 50}),
        ("SDM72", {0x34: 6900, 0x500: 6900, 0x00: 0}),
    ],
)
async def test_the_smaller_meters(tmp_path: Path, model: str, registers: dict[int, float]) -> None:
    now = 0.0
    world = World(clock=lambda: now)
    charge(world, 10, phases=3)
    now = 1.0
    async with await meter_on(world, tmp_path, model=model) as twin:
        line = Serial(twin.link)
        for address, value in registers.items():
            assert await read(line, address, 2) == (value,)
        line.close()
    world.timeline.stop()

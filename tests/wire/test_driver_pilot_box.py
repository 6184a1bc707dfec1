"""The relay box's driver against relay boards and a pilot meter written by hand."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bench.capability import End, PilotFault, PilotReading, offered_current
from bench.errors import ConfigError, DeviceError, DeviceTimeout, LinkError, Unverifiable
from drivers import box_relays, pilot_box, profile
from drivers.link.address import parse
from drivers.link.modbus import SCHEMES, ModbusLink
from drivers.pilot import state_of
from drivers.pilot_box import DRIVER, PilotBox, PilotBoxSettings
from drivers.profile_pilot_box import PilotBoxProfile
from tests.wire.responders import Rtu, context, crc16, modbus_tcp, pty

CP, R2, R3, R4, DIODE, SHORT, PE, PP = range(8)
PP13, PP20, PP32, PP63 = range(8, 12)

STATE_B2 = (8950, -11950, 5333, 10000)
"""Registers of the pilot meter: mV, mV, 1/100 %, 1/10 Hz."""


class Boards:
    """Two relay boards (units 1 and 2) and a pilot meter (unit 3)."""

    def __init__(self) -> None:
        self.coils = [True] * 12  # as somebody left them
        self.pilot = STATE_B2
        self.coming: list[tuple[int, int, int, int]] = []
        """What the pilot becomes, one per measurement."""
        self.seen: list[list[int]] = []
        """Closed relays after each write."""
        self.stuck: set[int] = set()
        self.mute: set[int] = set()
        self.for_good = False
        """Whether the box may close what should open by itself for good."""
        self.pulses: list[tuple[int, int]] = []
        """Coil that was closed for a time, and the time in 0.1 s."""

    async def answer(self, unit: int, pdu: bytes) -> bytes | None:
        if unit in self.mute or unit not in (1, 2, 3):
            return None
        function, address, value = struct.unpack(">BHH", pdu[:5])
        if unit == 3:
            assert (function, address, value) == (4, 0, 4)
            if self.coming:
                self.pilot = self.coming.pop(0)
            return struct.pack(">BB4h", 4, 8, *self.pilot)
        first = (unit - 1) * 8
        size = 8 if unit == 1 else 4
        if function == 5:
            coil = first + address - 0x200
            self.pulses.append((coil, value))
            if coil not in self.stuck:
                self.coils[coil] = True
            self.seen.append(self.closed)
            return pdu
        assert address + value <= size
        if function == 1:
            assert (address, value) == (0, size)
            bits = sum(1 << i for i, on in enumerate(self.coils[first : first + value]) if on)
            return bytes([1, 1, bits])
        assert function == 15
        for i in range(value):
            coil = first + address + i
            if coil not in self.stuck:
                self.coils[coil] = bool(pdu[6] >> i & 1)
            held = coil in (CP, DIODE, SHORT, PE) and coil not in self.stuck
            assert self.for_good or not (held and self.coils[coil])
        self.seen.append(self.closed)
        return pdu[:5]

    @property
    def closed(self) -> list[int]:
        return [i for i, on in enumerate(self.coils) if on]


@pytest.fixture
def boards() -> Boards:
    return Boards()


def make(url: str, *, within: float = 5.0, **keys: Any) -> PilotBox:
    """The box with a link that waits `within` s for an answer, as long as a machine may be busy."""
    settings = PilotBoxSettings(url, **keys)
    link = ModbusLink(parse(url, *SCHEMES), "box", within=within)
    return PilotBox("box", link, profile.load(PilotBoxProfile, settings.profile), settings)


@asynccontextmanager
async def opened(boards: Boards, **keys: Any) -> AsyncIterator[PilotBox]:
    async with modbus_tcp(boards.answer) as url:
        async with make(url, **keys) as box:
            boards.seen.clear()
            yield box


async def test_entering_and_leaving_open_every_relay(boards: Boards) -> None:
    async with opened(boards) as box:
        assert boards.closed == []
        assert await box.identify() == await box.identify()
        await box.plug_in(1)
        await box.draw(1)
        await box.set_fault(1, PilotFault.CP_PE_SHORT)
        assert boards.closed
    assert boards.closed == []


async def test_the_identity_is_the_profiles(boards: Boards) -> None:
    async with opened(boards) as box:
        identity = await box.identify()
    assert identity.maker == "Pilotbench"
    assert "relay" in identity.model


async def test_plug_draw_suspend_unplug(boards: Boards) -> None:
    async with opened(boards) as box:
        assert not await box.is_plugged_in(1)
        await box.plug_in(1)
        assert boards.closed == [CP, R2, PP, PP32]
        assert await box.is_plugged_in(1)
        await box.draw(1)
        assert boards.closed == [CP, R2, R3, PP, PP32]
        await box.suspend(1)
        assert boards.closed == [CP, R2, PP, PP32]
        await box.draw(1)
        await box.plug_in(1)  # plugged in afresh, a vehicle asks for nothing
        assert boards.closed == [CP, R2, PP, PP32]
        await box.draw(1)
        await box.unplug(1)
        assert boards.closed == []
        assert not await box.is_plugged_in(1)


async def test_every_command_is_idempotent(boards: Boards) -> None:
    async with opened(boards) as box:
        acts: list[tuple[Callable[[], Awaitable[None]], list[int]]] = [
            (lambda: box.plug_in(1), [CP, R2, PP, PP32]),
            (lambda: box.draw(1), [CP, R2, R3, PP, PP32]),
            (lambda: box.draw(1, ventilation=True), [CP, R2, R4, PP, PP32]),
            (lambda: box.suspend(1), [CP, R2, PP, PP32]),
            (lambda: box.set_fault(1, PilotFault.DIODE_SHORT), [CP, R2, DIODE, PP, PP32]),
            (lambda: box.set_fault(1, PilotFault.NONE), [CP, R2, PP, PP32]),
            (lambda: box.unplug(1), []),
            (box.make_safe, []),
        ]
        for act, closed in acts:
            await act()
            await act()
            assert boards.closed == closed


async def test_the_pilot_line_closes_last_and_opens_first(boards: Boards) -> None:
    async with opened(boards) as box:
        await box.plug_in(1)
        closing = next(i for i, closed in enumerate(boards.seen) if CP in closed)
        assert boards.seen[closing - 1] == [R2, PP, PP32]
        await box.draw(1)
        boards.seen.clear()
        await box.unplug(1)
        assert boards.seen[0] == [R2, R3, PP, PP32]


async def test_every_command_waits_until_the_contacts_have_settled(boards: Boards) -> None:
    async with opened(boards) as box:
        box._relays._settling = 0.1
        loop = asyncio.get_running_loop()
        started = loop.time()
        await box.plug_in(1)  # all but the pilot line, then the pilot line
        assert loop.time() - started >= 0.2
        started = loop.time()
        await box.make_safe()
        assert 0.1 <= loop.time() - started < 1.0


async def test_making_safe_waits_for_contacts_only_if_they_may_have_moved(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(boards) as box:
        settled: list[list[int]] = []

        async def settle() -> None:
            settled.append(boards.closed)

        monkeypatch.setattr(box._relays, "_settle", settle)
        await box.make_safe()
        assert settled == []
        await box.plug_in(1)
        await box.unplug(1)
        settled.clear()
        await box.make_safe()
        assert settled == []
        await box.plug_in(1)
        settled.clear()
        await box.make_safe()
        assert settled == [[]]
        boards.coils[CP] = True
        await box.make_safe()
        assert boards.closed == []


@pytest.mark.parametrize(
    ("end", "closed"), [(End.BOTH, []), (End.STATION, []), (End.VEHICLE, [PP, PP32])]
)
async def test_which_end_is_taken_out(boards: Boards, end: End, closed: list[int]) -> None:
    async with opened(boards) as box:
        await box.plug_in(1)
        await box.unplug(1, end=end)
        assert boards.closed == closed
        assert not await box.is_plugged_in(1)
        await box.plug_in(1)
        assert boards.closed == [CP, R2, PP, PP32]


async def test_a_cable_left_in_the_station_is_taken_out_later(boards: Boards) -> None:
    async with opened(boards) as box:
        await box.plug_in(1)
        await box.unplug(1, end=End.VEHICLE)
        await box.unplug(1, end=End.STATION)
        assert boards.closed == []


@pytest.mark.parametrize(("cable", "relay"), [(13, PP13), (20, PP20), (32, PP32), (63, PP63)])
async def test_the_cable_is_coded_by_its_current(boards: Boards, cable: int, relay: int) -> None:
    async with opened(boards, cable=cable) as box:
        await box.plug_in(1)
        assert boards.closed == [CP, R2, PP, relay]


@pytest.mark.parametrize(
    ("fault", "closed"),
    [
        (PilotFault.DIODE_SHORT, [CP, R2, DIODE, PP, PP32]),
        (PilotFault.CP_PE_SHORT, [CP, R2, SHORT, PP, PP32]),
        (PilotFault.PE_OPEN, [CP, R2, PE, PP, PP32]),
        (PilotFault.CP_OPEN, [R2, PP, PP32]),
        (PilotFault.PP_OPEN, [CP, R2, PP32]),
    ],
)
async def test_faults(boards: Boards, fault: PilotFault, closed: list[int]) -> None:
    async with opened(boards) as box:
        await box.plug_in(1)
        await box.set_fault(1, fault)
        assert boards.closed == closed
        assert await box.is_plugged_in(1)
        await box.set_fault(1, PilotFault.NONE)
        assert boards.closed == [CP, R2, PP, PP32]


async def test_a_fault_replaces_the_one_before(boards: Boards) -> None:
    async with opened(boards) as box:
        await box.plug_in(1)
        await box.set_fault(1, PilotFault.CP_PE_SHORT)
        await box.set_fault(1, PilotFault.CP_OPEN)
        assert boards.closed == [R2, PP, PP32]


async def test_a_fault_set_before_plugging_in_is_there_at_once(boards: Boards) -> None:
    async with opened(boards) as box:
        await box.set_fault(1, PilotFault.CP_PE_SHORT)
        boards.seen.clear()
        await box.plug_in(1)
        assert all(SHORT in closed for closed in boards.seen)


async def test_the_pilot_is_measured(boards: Boards) -> None:
    async with opened(boards) as box:
        reading = await box.read_pilot(1)
        assert reading == PilotReading(8.95, -11.95, 53.33, 1000.0, "B")
        assert reading.pwm
        boards.pilot = (5980, 5980, 0, 0)
        assert await box.read_pilot(1) == PilotReading(5.98, 5.98, 100.0, 0.0, "C")
        boards.pilot = (-11970, -11970, 0, 0)
        assert (await box.read_pilot(1)).state == "F"


async def test_a_pilot_in_no_state_is_unverifiable(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot_box, "_PILOT_WITHIN", 0.05)
    async with opened(boards) as box:
        boards.pilot = (7090, -11950, 5333, 10000)  # R3 without R2: a bad relay
        with pytest.raises(Unverifiable, match=r"box: the control pilot is at 7.09 V, in no state"):
            await box.read_pilot(1)


async def test_a_pilot_on_its_way_is_measured_again(boards: Boards) -> None:
    async with opened(boards) as box:
        boards.coming = [(7500, 7500, 0, 0), (7100, 7100, 0, 0), (5980, 5980, 0, 0)]
        boards.pilot = (7500, 7500, 0, 0)
        assert (await box.read_pilot(1)).state == "C"
        assert boards.coming == []


async def test_a_relay_box_limits_no_current(boards: Boards) -> None:
    async with opened(boards, cable=20) as box:
        await box.plug_in(1)
        boards.pilot = (8950, -11950, 2667, 10000)  # 16 A offered
        with pytest.raises(Unverifiable) as caught:
            await box.draw(1, current=10.0)
        assert str(caught.value) == (
            "box: a relay box can't limit the current to 10 A; "
            "the station offers 16.0 A, the cable allows 20 A"
        )
        assert R3 not in boards.closed
        await box.draw(1, current=16.01)
        assert R3 in boards.closed
        await box.suspend(1)
        boards.pilot = (8950, 8950, 0, 0)  # nothing offered yet: up to 20 A may come
        with pytest.raises(Unverifiable, match="offers no current yet"):
            await box.draw(1, current=16.0)
        await box.draw(1, current=20.0)
        assert R3 in boards.closed


async def test_a_vehicle_that_is_not_plugged_in_asks_for_nothing(boards: Boards) -> None:
    async with opened(boards) as box:
        with pytest.raises(DeviceError, match="box: draw: no vehicle is plugged in at 1"):
            await box.draw(1)
        with pytest.raises(DeviceError, match="box: suspend: no vehicle is plugged in at 1"):
            await box.suspend(1)
        assert boards.closed == []


async def test_a_connector_that_the_box_does_not_serve_is_refused(boards: Boards) -> None:
    async with opened(boards, connectors=(2,)) as box:
        await box.plug_in(2)
        for call in (
            box.plug_in(1),
            box.unplug(1),
            box.is_plugged_in(1),
            box.draw(1),
            box.suspend(1),
            box.set_fault(1, PilotFault.NONE),
            box.read_pilot(1),
        ):
            with pytest.raises(DeviceError, match="serves connector 2, not connector 1"):
                await call


async def test_a_stuck_relay_is_named(boards: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_relays, "_RELAYS_WITHIN", 0.05)
    async with opened(boards) as box:
        await box.plug_in(1)
        boards.stuck.add(R3)
        with pytest.raises(DeviceTimeout) as caught:
            await box.draw(1)
        assert str(caught.value) == (
            "box: relay r3 (unit 1, coil 2) reads open, commanded closed after 0.05 s"
        )
        boards.stuck = {PP32}
        with pytest.raises(DeviceTimeout, match=r"relay pp_32 \(unit 2, coil 2\) reads closed, c"):
            await box.make_safe()
        boards.stuck.clear()


async def test_a_slow_relay_is_waited_for(boards: Boards) -> None:
    async with opened(boards) as box:
        await box.plug_in(1)
        boards.stuck.add(R3)

        def let_go() -> None:
            boards.stuck.clear()
            boards.coils[R3] = True

        asyncio.get_running_loop().call_later(0.06, let_go)
        await box.draw(1)
        assert R3 in boards.closed


async def test_a_board_that_has_restarted_is_noticed(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_relays, "_RELAYS_WITHIN", 0.05)
    async with opened(boards) as box:
        await box.plug_in(1)
        boards.coils[:8] = [False] * 8
        with pytest.raises(DeviceTimeout, match=r"relay cp \(unit 1, coil 0\) reads open, comm"):
            await box.is_plugged_in(1)


async def test_a_mute_board_does_not_keep_the_other_from_being_made_safe(boards: Boards) -> None:
    async with opened(boards) as box:
        await box.plug_in(1)
        await box.draw(1)
        for unit, still_closed in ((2, [PP32]), (1, [CP, R2, R3, PP])):
            boards.mute = {unit}
            with pytest.raises(DeviceTimeout, match=f"unit {unit} "):
                await box.make_safe()
            assert boards.closed == still_closed
            boards.mute.clear()
            await box.make_safe()
            assert boards.closed == []
            await box.plug_in(1)
            await box.draw(1)


async def test_making_safe_ends_within_a_second_when_every_board_is_mute(boards: Boards) -> None:
    async with modbus_tcp(boards.answer) as url:
        box = DRIVER.make(PilotBoxSettings(url), context("box"))
        assert isinstance(box, PilotBox)
        async with box:
            boards.mute = {1, 2, 3}
            with pytest.raises(DeviceTimeout) as caught:
                async with asyncio.timeout(1.0):
                    await box.make_safe()
            boards.mute.clear()
    assert str(caught.value) == (
        "box: unit 1 did not open its relays within 0.45 s; "
        "box: unit 2 did not open its relays within 0.45 s"
    )


async def test_make_safe_wins_over_a_command_that_is_under_way(boards: Boards) -> None:
    async with opened(boards) as box:
        async with asyncio.TaskGroup() as group:
            plugging = group.create_task(_refused(box.plug_in(1)))
            await asyncio.sleep(0)  # the first frame of plug_in is on its way
            await box.make_safe()
        assert boards.closed == []
        assert "another command came before this one was done" in plugging.result()


async def _refused(call: Any) -> str:
    with pytest.raises(DeviceError) as caught:
        await call
    return str(caught.value)


@pytest.mark.parametrize("unit", [1, 2, 3])
async def test_a_unit_that_does_not_answer_is_found_on_entering(boards: Boards, unit: int) -> None:
    boards.mute.add(unit)
    async with modbus_tcp(boards.answer) as url:
        box = make(url, within=0.3)
        with pytest.raises(DeviceTimeout, match=rf"box \(.*\): unit {unit} gave no valid answer"):
            await box.__aenter__()


async def test_a_box_that_vanishes_is_a_link_error(
    boards: Boards, caplog: pytest.LogCaptureFixture
) -> None:
    async with modbus_tcp(boards.answer) as url:
        box = make(url)
        await box.__aenter__()
    with pytest.raises(LinkError, match="box"):
        await box.plug_in(1)
    with pytest.raises(LinkError, match="box"):
        await box.__aexit__(None, None, None)
    failure = ZeroDivisionError()
    await box.__aexit__(ZeroDivisionError, failure, None)  # not in place of the error before
    assert "not made safe on leaving: box (" in caplog.text


async def test_a_box_that_was_lost_can_be_entered_again(boards: Boards) -> None:
    async with modbus_tcp(boards.answer) as url:
        box = make(url)
        await box.__aenter__()
        await box.plug_in(1)
        boards.mute = {1, 2, 3}
        with pytest.raises(DeviceTimeout):
            await box.__aexit__(None, None, None)
        boards.mute.clear()
        async with box:
            assert boards.closed == []
            await box.plug_in(1)
            assert boards.closed == [CP, R2, PP, PP32]
        assert boards.closed == []


async def test_pilot_line_and_faults_are_closed_for_a_time_and_renewed_until_they_open(
    boards: Boards,
) -> None:
    async with opened(boards) as box:
        assert box._relays._timed is not None
        box._relays._timed._renewal._every = 0.01
        await box.plug_in(1)
        await box.set_fault(1, PilotFault.CP_PE_SHORT)
        boards.pulses.clear()
        async with asyncio.timeout(5.0):
            while boards.pulses.count((CP, 30)) < 3 or boards.pulses.count((SHORT, 30)) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await box.set_fault(1, PilotFault.NONE)
        boards.pulses.clear()
        async with asyncio.timeout(5.0):
            while boards.pulses.count((CP, 30)) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert set(boards.pulses) == {(CP, 30)}
        await box.make_safe()
        boards.pulses.clear()
        await asyncio.sleep(0.05)
        assert boards.pulses == []
        assert boards.closed == []


async def test_without_a_timed_command_the_relays_are_closed_for_good(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(profile.load(PilotBoxProfile, "pilot-box-12"), hold=None)
    monkeypatch.setattr(profile, "load", lambda kind, name: plain)
    monkeypatch.setattr(boards, "for_good", True)
    async with opened(boards) as box:
        await box.plug_in(1)
        assert boards.closed == [CP, R2, PP, PP32]
        assert boards.pulses == []


async def test_frames_on_a_serial_line() -> None:
    coils = {1: 0xFF, 2: 0x0F}

    def answer(frame: bytes) -> bytes:
        unit, function = frame[:2]
        if function == 4:
            body = struct.pack(">BBB4h", unit, 4, 8, *STATE_B2)
        elif function == 1:
            body = bytes([unit, 1, 1, coils[unit]])
        elif function == 5:
            assert frame[2] == 0x02  # for a time
            coils[unit] |= 1 << frame[3]
            body = frame[:6]
        else:
            first, count = frame[3], frame[5]
            mask = (1 << count) - 1 << first
            coils[unit] = coils[unit] & ~mask | frame[7] << first
            body = frame[:6]
        return body + crc16(body)

    line = Rtu(answer)
    async with pty(line) as wire:
        link = f"modbus-rtu:{wire.path}?baudrate=115200"
        box = DRIVER.make(PilotBoxSettings(link), context("box"))
        assert isinstance(box, PilotBox)
        async with box:
            line.requests.clear()
            await box.plug_in(1)
            heard = [frame[:-2].hex(" ") for frame in line.requests]
    assert heard == [
        "01 0f 00 00 00 08 01 82",  # r2, pp
        "02 0f 00 00 00 04 01 04",  # pp_32
        "01 0f 00 01 00 07 01 41",
        "02 0f 00 00 00 04 01 04",
        "01 05 02 00 00 1e",  # and cp, for 3 s
        "01 01 00 00 00 08",
        "02 01 00 00 00 04",
    ]


@pytest.mark.parametrize(
    ("high", "state"),
    [
        (12.6, "A"), (11.0, "A"), (10.5, None), (10.0, "B"), (8.0, "B"), (7.5, None), (7.0, "C"),
        (5.0, "C"), (4.5, None), (4.0, "D"), (2.0, "D"), (1.5, None), (1.0, "E"), (-1.0, "E"),
        (-5.0, None), (-11.0, "F"), (-12.9, "F"), (13.5, None),
    ],
)  # fmt: skip
def test_states_by_level(high: float, state: str | None) -> None:
    assert state_of(high) == state


@pytest.mark.parametrize(
    ("duty", "current"),
    [
        (0, None), (5, None), (7.9, None), (8, 6), (10, 6), (16.67, 10.0), (26.67, 16.0),
        (53.33, 32.0), (80, 48), (85, 51), (85.1, 52.75), (89.2, 63), (96, 80), (97, 80),
        (97.1, None), (100, None),
    ],
)  # fmt: skip
def test_current_by_duty_cycle(duty: float, current: float | None) -> None:
    offered = offered_current(duty)
    assert offered is None if current is None else offered == pytest.approx(current, abs=0.01)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"link": "http://box"}, "expected one of modbus-tcp:, modbus-rtu:"),
        ({"connectors": ()}, "'connectors' is empty"),
        ({"profile": "pilot-box-99"}, "no profile 'pilot-box-99', shipped are "),
        ({"profile": "eastron-sdm630"}, "'register-meter', this driver needs 'pilot-box'"),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    good = PilotBoxSettings("modbus-tcp://box:502")
    with pytest.raises((ValueError, ConfigError)) as caught:
        replace(good, **keys)
    assert text in str(caught.value)

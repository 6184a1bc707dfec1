"""Twin of the Waveshare Modbus RTU Relay with eight channels, protocol V2 (maker's wiki)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from drivers.sim.faults import Faults
from drivers.sim.modbus import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    ModbusError,
    Unit,
    words,
)
from drivers.sim.timeline import Timeline, Timer

CHANNELS = 8
RELAY_TIME = 0.01
"""From coil current to contact in s; the board's answer does not wait for it."""

_ON, _OFF, _TOGGLE = 0xFF00, 0x0000, 0x5500
_ALL = 0x00FF
_PULSE_ON, _PULSE_OFF = 0x0200, 0x0400
_RATE, _ADDRESS, _VERSION = 0x2000, 0x4000, 0x8000


class RelayBoard(Unit):
    """Eight relays; the board has no watchdog and keeps them when the bench is gone.

    A relay that was switched for a time goes back at its end, whatever became of the bench.

    Register 0x8000 holds the version times 100, 0x4000 the address. `on_contacts` is called when
    contacts have moved after a command, once for all relays of one command.
    """

    def __init__(
        self, address: int, timeline: Timeline, on_contacts: Callable[[], None] = lambda: None
    ) -> None:
        self.address = address
        self.coils = [False] * CHANNELS
        """What the board was told, and what it reads back."""
        self.contacts = [False] * CHANNELS
        """What the relays do."""
        self.pulses_stay = False
        """Whether a relay that was switched for a time stays, as on another board."""
        self._timeline = timeline
        self._on_contacts = on_contacts
        self._pulses: dict[int, Timer] = {}

    def power_up(self) -> None:
        """Start with all relays off."""
        self._switch(dict.fromkeys(range(CHANNELS), False))

    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Read or switch relays, read version and address, set the address."""
        self._timeline.now()  # A pulse that has ended by now must not be read as running.
        match request[0]:
            case 0x01:
                return self._read_coils(*words(request))
            case 0x03:
                return self._read_register(*words(request), faults)
            case 0x05:
                self._write_coil(*words(request))
                return request
            case 0x06:
                self._write_register(*words(request))
                return request
            case 0x0F:
                return self._write_coils(request)
            case _:
                raise ModbusError(ILLEGAL_FUNCTION)

    def _read_coils(self, start: int, count: int) -> bytes:
        if not 1 <= count or start + count > CHANNELS:
            raise ModbusError(ILLEGAL_ADDRESS)
        bits = sum(on << i for i, on in enumerate(self.coils[start : start + count]))
        return bytes((0x01, 1, bits))

    def _read_register(self, address: int, count: int, faults: Faults) -> bytes:
        known = {_ADDRESS: self.address, _VERSION: 999 if faults.wrong_identity else 200}
        if count != 1 or address not in known:
            raise ModbusError(ILLEGAL_ADDRESS)
        return struct.pack(">BBH", 0x03, 2, known[address])

    def _write_register(self, address: int, value: int) -> None:
        if address == _ADDRESS:
            if not 1 <= value <= 255:
                raise ModbusError(ILLEGAL_VALUE)
            self.address = value
        elif address != _RATE:  # The rate of a simulated line does not matter.
            raise ModbusError(ILLEGAL_ADDRESS)

    def _write_coil(self, address: int, value: int) -> None:
        kind, channel = address & 0xFF00, address & 0x00FF
        if kind in (_PULSE_ON, _PULSE_OFF):
            if channel >= CHANNELS:
                raise ModbusError(ILLEGAL_ADDRESS)
            if not 1 <= value <= 0x7FFF:
                raise ModbusError(ILLEGAL_VALUE)
            self._pulse(channel, kind == _PULSE_ON, duration=value / 10)
            return
        if address != _ALL and address >= CHANNELS:
            raise ModbusError(ILLEGAL_ADDRESS)
        if value not in (_ON, _OFF, _TOGGLE):
            raise ModbusError(ILLEGAL_VALUE)
        channels = range(CHANNELS) if address == _ALL else [address]
        self._switch({i: not self.coils[i] if value == _TOGGLE else value == _ON for i in channels})

    def _write_coils(self, request: bytes) -> bytes:
        start, count = words(request)
        if not 1 <= count or start + count > CHANNELS:
            raise ModbusError(ILLEGAL_ADDRESS)
        if len(request) != 7 or request[5] != 1:
            raise ModbusError(ILLEGAL_VALUE)
        self._switch({start + i: bool(request[6] >> i & 1) for i in range(count)})
        return request[:5]

    def _pulse(self, channel: int, on: bool, *, duration: float) -> None:
        self._switch({channel: on})
        if self.pulses_stay:
            return
        self._pulses[channel] = self._timeline.after(
            duration, lambda: self._switch({channel: not on})
        )

    def _switch(self, wanted: dict[int, bool]) -> None:
        for channel, on in wanted.items():
            self.coils[channel] = on
            if channel in self._pulses:
                self._pulses.pop(channel).cancel()

        def follow() -> None:
            before = list(self.contacts)
            for channel, on in wanted.items():
                self.contacts[channel] = on
            if self.contacts != before:
                self._on_contacts()

        self._timeline.after(RELAY_TIME, follow)

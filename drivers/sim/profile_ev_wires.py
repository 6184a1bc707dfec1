"""The wires of an EV emulator made of its profile: lines of text, Modbus, HTTP."""

from __future__ import annotations

import json
import re
import struct
from http import HTTPStatus
from typing import Any, Literal

from drivers.profile_ev_map import (
    PILOT,
    EvHttpProfile,
    EvLinesProfile,
    EvModbusProfile,
)
from drivers.profile_ev_requests import (
    CURRENT,
    HttpStep,
    LineSignal,
    LineStep,
    ModbusSignal,
    ModbusWrite,
    Value,
)
from drivers.sim.connector import Connector
from drivers.sim.faults import Faults
from drivers.sim.modbus import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ModbusError, ModbusLine, Unit
from drivers.sim.modbus import words as two_words
from drivers.sim.profile_ev import Emulator
from drivers.sim.web import Request, Response, json_response, serve
from drivers.sim.wire import Line

_LETTERS = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "u64": "Q", "i64": "q"}


class LinesEmulator(Emulator):
    """An emulator that is told lines of text."""

    def __init__(
        self, profile: EvLinesProfile, connector: Connector, own: dict[str, Value]
    ) -> None:
        super().__init__(profile, connector, own)
        self._ends = profile.lines.ends.encode("ascii")
        self._signals = {signal.send: name for name, signal in profile.signals.items()}

    async def converse(self, line: Line) -> None:
        """Answer lines."""
        while True:
            text = (await line.reader.readuntil(self._ends)).decode("latin-1").strip()
            answer = self._answer(text, line.faults)
            if answer is not None:
                await line.send(answer.encode("latin-1") + self._ends)

    def _answer(self, text: str, faults: Faults) -> str | None:
        if faults.take_busy():
            return "ERR busy"
        if text in self._signals:
            name = self._signals[text]
            signal = self.profile.signals[name]
            assert isinstance(signal, LineSignal)
            value = self.signal(name, faults)
            if signal.scale is not None:
                value = f"{float(value) / signal.scale:g}"
            return _fill(signal.pattern, str(value))
        step = self.hear(text)
        if step is None:
            return "ERR unknown"
        assert isinstance(step, LineStep)
        return _fill(f"{step.expect}()", "") if step.expect else None

    def _match(self, step: LineStep, request: str) -> float | None:
        pattern = re.escape(step.send).replace(re.escape(CURRENT), r"([0-9.]+)")
        found = re.fullmatch(pattern, request)
        if found is None:
            return None
        return float(found[1]) if found.groups() else 0.0


def _fill(pattern: str, value: str) -> str:
    """Make the answer whose group is `value`: the texts before and after it stand as they are."""
    before, _, rest = pattern.partition("(")
    after = rest.rpartition(")")[2]
    before, after = (re.sub(r"\[\^[^\]]*\]\*", "x", text) for text in (before, after))
    return f"{before}{value}{after}".replace("\\", "")


class RegisterUnit(Unit):
    """The registers and coils of an emulator."""

    def __init__(self, emulator: ModbusEmulator, address: int) -> None:
        self.address = address
        self._emulator = emulator
        self._coils: dict[int, bool] = {}
        self._holding: dict[int, int] = {}

    def power_up(self) -> None:
        """Forget what was written."""
        self._coils.clear()
        self._holding.clear()

    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Read coils (1), holding (3) and input registers (4); write coils (15), registers (16)."""
        function = request[0]
        start, count = two_words(request)
        if function == 0x01:
            bits = sum(bool(self._read("coil", start + at, faults)) << at for at in range(count))
            data = bits.to_bytes((count + 7) // 8, "little")
            return bytes((function, len(data))) + data
        if function in (0x03, 0x04):
            table = "holding" if function == 0x03 else "input"
            values = [self._read(table, start + at, faults) for at in range(count)]
            return struct.pack(f">BB{count}H", function, 2 * count, *values)
        if function == 0x0F:
            for at in range(count):
                on = bool(request[6 + at // 8] >> at % 8 & 1)
                self._coils[start + at] = on
                self._emulator.hear(("coil", start + at, on))
            return request[:5]
        if function == 0x10:
            values = list(struct.unpack(f">{count}H", request[6 : 6 + 2 * count]))
            self._holding |= {start + at: value for at, value in enumerate(values)}
            self._emulator.hear(("holding", start, values))
            return request[:5]
        raise ModbusError(ILLEGAL_FUNCTION)

    def _read(self, table: str, address: int, faults: Faults) -> int:
        told = self._emulator.word(table, address, faults)
        if told is not None:
            return told
        written = self._coils if table == "coil" else self._holding if table == "holding" else {}
        if address not in written:
            raise ModbusError(ILLEGAL_ADDRESS)
        return int(written[address])


class ModbusEmulator(Emulator):
    """An emulator with coils and registers."""

    def __init__(
        self,
        profile: EvModbusProfile,
        connector: Connector,
        own: dict[str, Value],
        *,
        framing: Literal["tcp", "rtu"] = "tcp",
    ) -> None:
        super().__init__(profile, connector, own)
        self._low_first = profile.modbus.words == "low-first"
        self._unit = RegisterUnit(self, profile.modbus.unit)
        self._line = ModbusLine([self._unit], framing)

    def power_up(self) -> None:
        """Start safe, with nothing written."""
        self._unit.power_up()
        super().power_up()

    async def converse(self, line: Line) -> None:
        """Serve the registers."""
        await self._line.converse(line)

    def word(self, table: str, address: int, faults: Faults) -> int | None:
        """Tell a coil or one register of a signal; None when no signal is there."""
        for name, signal in self.profile.signals.items():
            assert isinstance(signal, ModbusSignal)
            if signal.table != table or (name not in self._own and not self._tells(name)):
                continue
            words = self._words(signal, self.signal(name, faults))
            if 0 <= address - signal.address < len(words):
                return words[address - signal.address]
        return None

    def _tells(self, name: str) -> bool:
        return name in PILOT or name in self._told

    def _words(self, signal: ModbusSignal, value: Value) -> list[int]:
        if signal.table == "coil":
            return [int(bool(value))]
        if signal.type == "text":
            data = str(value).encode().ljust(2 * signal.count, b"\0")
        elif isinstance(value, str):
            data = b"\xff\xff"  # The identity of another device.
        else:
            letter = _LETTERS[signal.type]
            number = value / signal.scale
            data = struct.pack(f">{letter}", number if letter == "f" else round(number))
        words = list(struct.unpack(f">{len(data) // 2}H", data))
        return words[::-1] if self._low_first and signal.type != "text" else words

    def _match(self, step: ModbusWrite, request: tuple[str, int, Any]) -> float | None:
        table, address, value = request
        if (step.table, step.address) != (table, address):
            return None
        if table == "coil":
            return 0.0 if value == step.value else None
        letter = _LETTERS[step.type]
        words = value[::-1] if self._low_first else value
        if struct.calcsize(letter) != 2 * len(words):
            return None
        (number,) = struct.unpack(f">{letter}", struct.pack(f">{len(words)}H", *words))
        if step.value == CURRENT:
            return float(number) * step.scale
        return 0.0 if abs(number * step.scale - float(step.value)) < 1e-6 else None


class HttpEmulator(Emulator):
    """An emulator with a web interface."""

    def __init__(self, profile: EvHttpProfile, connector: Connector, own: dict[str, Value]) -> None:
        super().__init__(profile, connector, own)
        self._profile = profile

    async def converse(self, line: Line) -> None:
        """Serve one connection."""
        await serve(line, lambda request: self._handle(request, line.faults))

    def _handle(self, request: Request, faults: Faults) -> Response:
        names = [
            name
            for name, signal in self._profile.signals.items()
            if signal.path == request.target and request.method == "GET"
        ]
        if names:
            return json_response(self._document(names, faults))
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:
            return Response(HTTPStatus.BAD_REQUEST)
        if self.hear((request.method, request.target, body)) is None:
            return json_response({"error": "unknown request"}, HTTPStatus.NOT_FOUND)
        return json_response({"done": True})

    def _document(self, names: list[str], faults: Faults) -> Any:
        """Make the document in which each signal stands where its pointer says."""
        document: dict[str, Any] = {}
        for name in names:
            signal = self._profile.signals[name]
            value = self.signal(name, faults)
            if signal.scale is not None and not isinstance(value, str):
                value = value / signal.scale
            *parts, last = signal.pointer.split("/")[1:]
            place = document
            for part in parts:
                place = place.setdefault(part, {})
            place[last] = value
        return _lists(document)

    def _match(self, step: HttpStep, request: tuple[str, str, Any]) -> float | None:
        method, path, body = request
        if (step.method, step.path) != (method, path):
            return None
        return _match_json(step.json, body)


def _lists(value: Any) -> Any:
    """Make lists of the objects whose keys are 0, 1, 2 and so on."""
    if not isinstance(value, dict):
        return value
    items = {key: _lists(item) for key, item in value.items()}
    if items and [*items] == [str(at) for at in range(len(items))]:
        return [*items.values()]
    return items


def _match_json(expected: Any, body: Any) -> float | None:
    if expected == CURRENT:
        return float(body) if isinstance(body, int | float) else None
    if isinstance(expected, dict) and isinstance(body, dict) and expected.keys() == body.keys():
        matches = [_match_json(expected[key], body[key]) for key in expected]
        if any(match is None for match in matches):
            return None
        return max((match for match in matches if match is not None), default=0.0)
    return 0.0 if expected == body else None

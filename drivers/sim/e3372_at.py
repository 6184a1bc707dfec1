"""Twin of an E3372h in stick personality: AT commands on its second serial port."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping

from drivers.sim.faults import Faults
from drivers.sim.radio import OPERATOR, PLMN, Cell, Radio
from drivers.sim.twin import Wired
from drivers.sim.wire import Line

IMEI = "861821030000017"
FIRMWARE = "21.200.07.00.00"

_CODES = {"01": "2G", "02": "3G", "03": "4G"}
_SYSTEM = {
    "2G": (1, "GSM", 3, "EDGE"),
    "3G": (3, "WCDMA", 45, "HSPA+"),
    "4G": (6, "LTE", 101, "LTE"),
}
"""System mode, its name, submode, its name."""
_ACCESS = {"2G": 0, "3G": 2, "4G": 7}
_SET = re.compile(r'"(\d\d)+",[0-9A-Fa-f]+,[0-2],[0-4],[0-9A-Fa-f]+,,')


class E3372At(Wired):
    """The dongle; its settings outlive a restart, its data connection does not."""

    def __init__(self, radio: Radio) -> None:
        self.radio = radio
        self.orders: tuple[str, ...] = ("00", "03", "02", "01", "99")
        """What its firmware lets ^SYSCFGEX set."""
        self.sim: str | None = "READY"
        """Answer to +CPIN?, None without a SIM."""
        self.inside = b""
        """Report that comes between an answer and its result."""
        self.line_end = b"\r\n"
        self.has_hcsq = True
        self.failing: set[str] = set()
        """Commands that end in ERROR, up to their = or ?."""
        self.stuck = False
        """It says that it has set the order, and has not."""
        self.restarting = asyncio.Event()
        """Set by the command to restart; whoever has the wire then takes it away and back."""
        self.heard: list[str] = []
        self._order = "00"
        self._rest = "3FFFFFFF,1,2,7FFFFFFFFFFFFFFF"
        self._echo = True
        self._form = 0
        self._commands: Mapping[str, Callable[[str], list[str] | None]] = {
            "": lambda _: [],
            "+CMEE": lambda _: [],
            "^CURC": lambda _: [],
            "+CGMM": lambda _: ["E3372"],
            "+CGMR": lambda _: [FIRMWARE],
            "+CGSN": lambda _: [IMEI],
            "+CPIN": self._pin,
            "+COPS": self._operator,
            "+CSQ": self._csq,
            "^HCSQ": self._hcsq,
            "^SYSINFOEX": self._system,
            "^SYSCFGEX": self._configuration,
            "^NDISDUP": self._dial,
            "^NDISSTATQRY": lambda _: [f'^NDISSTATQRY: {int(self.radio.connected)},,,"IPV4"'],
            "^RESET": self._reset,
        }

    def power_up(self) -> None:
        """Start, and look for a network."""
        self._echo = True
        self.restarting.clear()
        self.radio.data = False
        self.radio.use(self._technologies())

    async def converse(self, line: Line) -> None:
        """Answer commands, each ended by CR."""
        while True:
            raw = await line.reader.readuntil(b"\r")
            command = raw.strip().decode("ascii", "replace")
            self.heard.append(command)
            if self._echo:
                line.emit(raw + b"\n")
            await line.send(self._answer(command, line.faults))

    def _answer(self, command: str, faults: Faults) -> bytes:
        lines, result = self._execute(command, faults)
        out = b"".join(text.encode() + self.line_end for text in lines)
        return self.line_end + out + self.inside + result.encode() + self.line_end

    def _execute(self, command: str, faults: Faults) -> tuple[list[str], str]:
        text = command.upper()
        if text in ("ATE0", "ATE1"):
            self._echo = text == "ATE1"
            return [], "OK"
        match = re.fullmatch(r"AT([\^+]?[A-Z]*)(.*)", command, re.IGNORECASE)
        name = match[1].upper() if match else "?"
        if match is None or name not in self._commands:
            return [], "COMMAND NOT SUPPORT"
        if faults.take_busy() or name in self.failing:
            return [], "ERROR"
        if name == "+CGMM" and faults.wrong_identity:
            return ["MF823"], "OK"
        lines = self._commands[name](match[2])
        if lines is None:
            return [], "+CME ERROR: 10" if name == "+CPIN" else "ERROR"
        return lines, "OK"

    def _pin(self, _: str) -> list[str] | None:
        return None if self.sim is None else [f"+CPIN: {self.sim}"]

    def _operator(self, rest: str) -> list[str] | None:
        if rest.startswith("=3,"):
            self._form = int(rest[3:])
            return []
        technology = self._technology()
        if technology is None:
            return ["+COPS: 0"]
        name = PLMN if self._form == 2 else OPERATOR
        return [f'+COPS: 0,{self._form},"{name}",{_ACCESS[technology]}']

    def _csq(self, _: str) -> list[str]:
        cell = self.radio.cell
        index = 99 if cell is None else min(31, max(0, round((cell.rssi + 113) / 2)))
        return [f"+CSQ: {index},99"]

    def _hcsq(self, _: str) -> list[str] | None:
        if not self.has_hcsq:
            return None
        technology, cell = self._technology(), self.radio.cell
        if technology is None or cell is None:
            return ['^HCSQ: "NOSERVICE"']
        return [f"^HCSQ: {_indices(_SYSTEM[technology][1], cell)}"]

    def _system(self, _: str) -> list[str]:
        sim = 255 if self.sim is None else 1
        technology = self._technology()
        if technology is None:
            return [f'^SYSINFOEX:0,0,0,{sim},,0,"NO SERVICE",0,"NO SERVICE"']
        mode, name, submode, subname = _SYSTEM[technology]
        return [f'^SYSINFOEX:2,3,0,{sim},,{mode},"{name}",{submode},"{subname}"']

    def _configuration(self, rest: str) -> list[str] | None:
        if rest == "?":
            return [f'^SYSCFGEX: "{self._order}",{self._rest}']
        if rest == "=?":
            orders = ",".join(f'"{order}"' for order in self.orders)
            return [f'^SYSCFGEX: ({orders}),((3fffffff,"All Bands")),(0-3),(0-4)']
        if not _SET.fullmatch(rest[1:]):
            return None
        order, _, others = rest[1:-2].partition(",")
        order = order.strip('"')
        if any(order[i : i + 2] not in self.orders for i in range(0, len(order), 2)):
            return None
        if not self.stuck:
            self._order, self._rest = order, others
            self.radio.use(self._technologies())
        return []

    def _dial(self, rest: str) -> list[str] | None:
        on = rest.startswith("=1,1")
        if not on and not self.radio.connected:
            return None
        if on and self._technology() is None:
            return None
        self.radio.dial(on)
        return []

    def _reset(self, _: str) -> list[str]:
        self.restarting.set()
        return []

    def _technology(self) -> str | None:
        return self.radio.technology if self.radio.cell is not None else None

    def _technologies(self) -> list[str]:
        order = "030201" if self._order == "00" else self._order
        return [_CODES[order[i : i + 2]] for i in range(0, len(order), 2)]


def _indices(mode: str, cell: Cell) -> str:
    """Write ^HCSQ as the firmware does: index 0 for all that is below the scale."""
    scales = [(cell.rssi, -121.0, 1.0, 96)]
    if mode == "LTE":
        scales += [
            (cell.rsrp or -141.0, -141.0, 1.0, 97),
            (cell.sinr or 0.0, -20.2, 0.2, 251),
            (cell.rsrq or -20.0, -20.0, 0.5, 34),
        ]
    numbers = [
        min(greatest, max(0, int((value - lowest) / step + 1e-9)))
        for value, lowest, step, greatest in scales
    ]
    return f'"{mode}",' + ",".join(map(str, numbers))

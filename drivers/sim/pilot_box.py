"""Twin of the bench's pilot box: relay boards and a pilot meter as its profile wires them."""

from __future__ import annotations

import struct
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from drivers.sim.connector import Connector
from drivers.sim.faults import Faults
from drivers.sim.modbus import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ModbusError,
    ModbusLine,
    Unit,
    words,
)
from drivers.sim.pilot import CABLE_CODES, R2, R3, R4, Circuit, Levels, parallel
from drivers.sim.relay_board import RelayBoard
from drivers.sim.timeline import Timeline

PROFILES = Path(__file__).parents[1] / "profiles"

_LOADS = {"r2": R2, "r3": R3, "r4": R4}
_CODES = {f"pp_{current:g}": resistance for current, resistance in CABLE_CODES.items()}


@dataclass(frozen=True, slots=True)
class Channel:
    """One reading of the pilot meter: `value = register * scale`."""

    register: int
    scale: float


class PilotMeter(Unit):
    """An ADC module whose input registers hold the pilot's levels, 16 bits with sign."""

    def __init__(
        self, address: int, channels: dict[str, Channel], measure: Callable[[], Levels]
    ) -> None:
        self.address = address
        self._channels = channels
        self._measure = measure

    def power_up(self) -> None:
        """Start; the meter keeps nothing."""

    def answer(self, request: bytes, faults: Faults) -> bytes:
        """Read input registers."""
        if request[0] != 0x04:
            raise ModbusError(ILLEGAL_FUNCTION)
        start, count = words(request)
        registers = self._registers()
        if not 1 <= count <= 125 or any(i not in registers for i in range(start, start + count)):
            raise ModbusError(ILLEGAL_ADDRESS)
        values = [registers[i] for i in range(start, start + count)]
        return struct.pack(f">BB{count}h", 0x04, 2 * count, *values)

    def _registers(self) -> dict[int, int]:
        seen = self._measure()
        return {
            channel.register: max(-32768, min(32767, round(getattr(seen, name) / channel.scale)))
            for name, channel in self._channels.items()
        }


class PilotBox(ModbusLine):
    """The box at one connector; its relays make the circuit that hangs on the socket.

    The pilot meter sits on the station's side of the pilot relay, so that it sees the open pilot
    of state A.
    """

    def __init__(
        self,
        connector: Connector,
        timeline: Timeline,
        *,
        framing: Literal["tcp", "rtu"] = "tcp",
        profile: str = "pilot-box-12",
    ) -> None:
        document = tomllib.loads((PROFILES / f"{profile}.toml").read_text("utf-8"))
        self._relays: dict[str, dict[str, int]] = document["relays"]
        self._connector = connector
        addresses = sorted({relay["unit"] for relay in self._relays.values()})
        self.boards = {
            address: RelayBoard(address, timeline, self._rewire) for address in addresses
        }
        super().__init__([*self.boards.values(), self._meter(document["pilot"])], framing)

    def is_closed(self, relay: str) -> bool:
        """Tell whether a relay's contact is closed, by its name in the profile."""
        place = self._relays[relay]
        return self.boards[place["unit"]].contacts[place["coil"]]

    def _meter(self, table: dict[str, Any]) -> PilotMeter:
        channels = {
            name: Channel(entry["register"], entry["scale"])
            for name, entry in table.items()
            if isinstance(entry, dict)
        }
        return PilotMeter(table["unit"], channels, self._connector.levels)

    def _rewire(self) -> None:
        loads = [ohm for relay, ohm in _LOADS.items() if self.is_closed(relay)]
        codes = [ohm for relay, ohm in _CODES.items() if self.is_closed(relay)]
        self._connector.wire(
            Circuit(
                connected=self.is_closed("cp"),
                load=parallel(*loads),
                diode_shorted=self.is_closed("diode_bypass"),
                pilot_shorted=self.is_closed("cp_pe_short"),
                earth_open=self.is_closed("pe_open"),
                proximity=parallel(*codes) if self.is_closed("pp") else parallel(),
            )
        )

"""Twin of a managed Ethernet switch: the interfaces of IF-MIB (RFC 2863)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.sim.faults import Faults
from drivers.sim.snmp import NOT_WRITABLE, WRONG_VALUE, Agent, SnmpError, Value
from drivers.sim.timeline import Timeline

_UP, _DOWN = 1, 2
_DESCRIPTION, _ADMIN, _OPER = (f"1.3.6.1.2.1.2.2.1.{column}" for column in (2, 7, 8))

LINK_DOWN_TIME, LINK_UP_TIME = 0.05, 0.2
"""From command to link in s; negotiation takes longer than loss."""


class ManagedSwitch(Agent):
    """A switch with `ports` ports; `plug(port, linked)` tells the world when a link changes."""

    def __init__(
        self,
        timeline: Timeline,
        plug: Callable[[int, bool], None] = lambda port, linked: None,
        *,
        ports: int = 8,
    ) -> None:
        super().__init__()
        self.up = dict.fromkeys(range(1, ports + 1), True)
        """What the management wants of each port."""
        self.linked = dict(self.up)
        self._timeline = timeline
        self._plug = plug

    def objects(self, faults: Faults) -> Mapping[str, Value]:
        """Tell every object and its value now."""
        self._timeline.now()
        name = "another-switch" if faults.wrong_identity else "lab-switch"
        values: dict[str, Value] = {
            "1.3.6.1.2.1.1.1.0": b"8-port managed switch",
            "1.3.6.1.2.1.1.5.0": name.encode(),
        }
        for port in self.up:
            prefix = "eth" if faults.wrong_identity else "gi"
            values[f"{_DESCRIPTION}.{port}"] = f"{prefix}{port}".encode()
            values[f"{_ADMIN}.{port}"] = _UP if self.up[port] else _DOWN
            values[f"{_OPER}.{port}"] = _UP if self.linked[port] else _DOWN
        return values

    def write(self, oid: str, number: int) -> None:
        """Take a port down or up."""
        column, _, port = oid.rpartition(".")
        if column != _ADMIN:
            raise SnmpError(NOT_WRITABLE)
        if number not in (_UP, _DOWN):
            raise SnmpError(WRONG_VALUE)
        self.up[int(port)] = number == _UP
        after = LINK_UP_TIME if number == _UP else LINK_DOWN_TIME
        self._timeline.after(after, lambda: self._settle(int(port)))

    def _settle(self, port: int) -> None:
        if self.linked[port] is not self.up[port]:
            self.linked[port] = self.up[port]
            self._plug(port, self.up[port])

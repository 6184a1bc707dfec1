"""Twin of a NETIO 4x power strip with its JSON interface (maker's M2M API documents)."""

from __future__ import annotations

import base64
import json
from functools import partial
from http import HTTPStatus
from typing import Any

from drivers.sim.faults import Faults
from drivers.sim.outlet import Outlet
from drivers.sim.twin import Wired
from drivers.sim.web import Request, Response, json_response, serve
from drivers.sim.wire import Line

_OFF, _ON, _SHORT_OFF, _SHORT_ON, _TOGGLE, _NOTHING, _BY_STATE = range(7)
_DELAY = 5000
"""Length of a short on or off in ms, when the request has none."""


class Netio(Wired):
    """The strip; with a `password` it asks for basic authentication, user `netio`."""

    def __init__(
        self, outlets: list[Outlet], *, password: str | None = None, read_only: bool = False
    ) -> None:
        self.outlets = outlets
        self._password = password
        self._read_only = read_only
        self._delays = [_DELAY] * len(outlets)

    def power_up(self) -> None:
        """Start the controller; the outputs stay as they are."""

    async def converse(self, line: Line) -> None:
        """Serve one HTTP connection."""
        await serve(line, partial(self._handle, line.faults))

    def _handle(self, faults: Faults, request: Request) -> Response:
        if request.path != "/netio.json":
            return Response(HTTPStatus.NOT_FOUND)
        if not self._is_allowed(request):
            challenge = {"WWW-Authenticate": 'Basic realm="NETIO"'}
            return Response(HTTPStatus.UNAUTHORIZED, headers=challenge)
        if request.method == "POST":
            if self._read_only:
                return Response(HTTPStatus.FORBIDDEN)
            try:
                self._command(json.loads(request.body))
            except (ValueError, TypeError, KeyError, AttributeError):
                return Response(HTTPStatus.BAD_REQUEST)
        elif request.method != "GET":
            return Response(HTTPStatus.METHOD_NOT_ALLOWED)
        return json_response(self._status(faults))

    def _is_allowed(self, request: Request) -> bool:
        if self._password is None:
            return True
        expected = base64.b64encode(f"netio:{self._password}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    def _command(self, document: dict[str, Any]) -> None:
        """Do what a request asks; nothing of it when a part of it is wrong."""
        wanted = []
        for entry in document["Outputs"]:
            number, action = entry["ID"], entry.get("Action", _BY_STATE)
            if number not in range(1, len(self.outlets) + 1) or action not in range(7):
                raise ValueError("no such output or action")
            if action == _BY_STATE and entry["State"] not in (0, 1):
                raise ValueError("no such state")
            delay = entry.get("Delay", self._delays[number - 1])
            if not isinstance(delay, int) or delay < 100:
                raise ValueError("no such delay")
            wanted.append((number, action, delay, entry.get("State")))
        for number, action, delay, state in wanted:
            self._delays[number - 1] = delay
            self._act(self.outlets[number - 1], action, delay / 1000, state)

    @staticmethod
    def _act(outlet: Outlet, action: int, delay: float, state: int | None) -> None:
        match action:
            case 0 | 1:
                outlet.switch(action == _ON)
            case 2 | 3:
                outlet.switch(action == _SHORT_ON, back_after=delay)
            case 4:
                outlet.switch(not outlet.on)
            case 6:
                outlet.switch(state == 1)

    def _status(self, faults: Faults) -> dict[str, Any]:
        other = faults.wrong_identity
        return {
            "Agent": {
                "Model": "NETIO 4C" if other else "NETIO 4All",
                "Version": "3.4.7",
                "JSONVer": "2.4",
                "DeviceName": "someone-else" if other else "pilotbench-netio",
                "VendorID": 0,
                "OemID": 0,
                "SerialNumber": "24:A4:2C:00:00:FF" if other else "24:A4:2C:39:10:01",
                "Uptime": 3600,
                "NumOutputs": len(self.outlets),
            },
            "GlobalMeasure": {
                "Voltage": 230.0,
                "Frequency": 50.0,
                "TotalCurrent": round(sum(outlet.power for outlet in self.outlets) / 0.230),
                "OverallPowerFactor": 1.0,
                "TotalLoad": round(sum(outlet.power for outlet in self.outlets)),
                "TotalEnergy": 0,
            },
            "Outputs": [
                {
                    "ID": number,
                    "Name": f"output_{number}",
                    "State": int(outlet.on),
                    "Action": _BY_STATE,
                    "Delay": self._delays[number - 1],
                    "Current": round(outlet.power / 0.230),
                    "PowerFactor": 1.0 if outlet.on else 0.0,
                    "Load": round(outlet.power),
                    "Energy": 0,
                }
                for number, outlet in enumerate(self.outlets, start=1)
            ],
        }

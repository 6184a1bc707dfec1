"""Twin of a GUDE Expert Power Control with its HTTP interface (maker's EPC HTTP Interface)."""

from __future__ import annotations

import base64
from functools import partial
from http import HTTPStatus
from typing import Any

from drivers.sim.faults import Faults
from drivers.sim.outlet import Outlet
from drivers.sim.twin import Wired
from drivers.sim.web import Request, Response, json_response, serve
from drivers.sim.wire import Line

_OUTPUTS = 1
_RESET_TIME = 10
"""In s, as configured."""


class Gude(Wired):
    """The power switch; with a `password` it asks for basic authentication, user `admin`.

    Of the parts of its status it knows the outputs (bit 0) and shows the rest for any other bit.
    """

    def __init__(self, outlets: list[Outlet], *, password: str | None = None) -> None:
        self.outlets = outlets
        self._password = password
        self._switched = [0] * len(outlets)

    def power_up(self) -> None:
        """Start the controller; the ports stay as they are."""

    async def converse(self, line: Line) -> None:
        """Serve one HTTP connection."""
        await serve(line, partial(self._handle, line.faults))

    def _handle(self, faults: Faults, request: Request) -> Response:
        if not self._is_allowed(request):
            challenge = {"WWW-Authenticate": 'Basic realm="."'}
            return Response(HTTPStatus.UNAUTHORIZED, headers=challenge)
        if request.path not in ("/status.json", "/ov.html"):
            return Response(HTTPStatus.NOT_FOUND)
        if request.method != "GET":
            return Response(HTTPStatus.METHOD_NOT_ALLOWED)
        query = request.query
        try:
            if "cmd" in query:
                self._command({key: int(value) for key, value in query.items()})
            components = int(query.get("components", "0"))
        except (ValueError, KeyError):
            components = 0  # The device passes over what it does not understand.
        if request.path == "/ov.html":
            return Response(HTTPStatus.OK, b"<html></html>", "text/html")
        return json_response(self._status(components, faults))

    def _is_allowed(self, request: Request) -> bool:
        if self._password is None:
            return True
        expected = base64.b64encode(f"admin:{self._password}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    def _command(self, query: dict[str, int]) -> None:
        port = query["p"]
        if port not in range(1, len(self.outlets) + 1):
            return
        outlet = self.outlets[port - 1]
        match query["cmd"]:
            case 1 if query["s"] in (0, 1):
                self._switched[port - 1] += 1
                outlet.switch(query["s"] == 1)
            case 2:
                outlet.switch(outlet.on)
            case 5 if query["a1"] + query["a2"] == 1 and 1 <= query["s"] <= 65535:
                self._switched[port - 1] += 2
                outlet.switch(query["a1"] == 1, back_after=float(query["s"]))
            case 12:
                outlet.switch(False, back_after=float(_RESET_TIME))

    def _status(self, components: int, faults: Faults) -> dict[str, Any]:
        status: dict[str, Any] = {}
        if components & _OUTPUTS:
            status["outputs"] = [
                {
                    "name": "Power Port",
                    "state": int(outlet.on),
                    "sw_cnt": count,
                    "type": 1,
                    "batch": [0, 0, 0, 0, 0, 0],
                    "wdog": [0, 3, None, 32],
                }
                for outlet, count in zip(self.outlets, self._switched, strict=True)
            ]
        if components & ~_OUTPUTS:
            other = faults.wrong_identity
            status["misc"] = {"product_name": "Expert Power Control 8031-1", "firm_v": "v1.5.0"}
            status["ethernet"] = {"mac": f"00:19:32:00:00:{'ff' if other else '7a'}"}
        return status

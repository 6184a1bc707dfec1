"""Twin of the virtual station's service port: HTTP with JSON, as its vendor would hand out.

`/lock/N` shows and takes `{"blocked": true}`, `/local-list` `{"fails": true}`; PUT to change.
"""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus

from drivers.sim.faults import Faults
from drivers.sim.twin import Wired
from drivers.sim.web import Request, Response, json_response, serve
from drivers.sim.wire import Line
from drivers.sim.world import World


class ServicePort(Wired):
    """Where the lab breaks a lock or the memory of the local list."""

    def __init__(self, world: World) -> None:
        self.stuck = False
        """It answers well and changes nothing."""
        self._world = world

    def power_up(self) -> None:
        """Start; what is broken stays so."""

    async def converse(self, line: Line) -> None:
        """Serve one HTTP connection."""
        await serve(line, partial(self._handle, line.faults))

    def _handle(self, faults: Faults, request: Request) -> Response:
        if request.method not in ("GET", "PUT"):
            return Response(HTTPStatus.METHOD_NOT_ALLOWED)
        change: bool | None = None
        name = "fails" if request.path == "/local-list" else "blocked"
        if request.method == "PUT":
            try:
                change = json.loads(request.body)[name]
            except (ValueError, KeyError, TypeError):
                change = None
            if not isinstance(change, bool):
                return Response(HTTPStatus.BAD_REQUEST, b"expected true or false")
        if self.stuck:
            change = None
        if request.path == "/local-list":
            if change is not None:
                self._world.list_storage_works = not change
            return json_response({name: not self._world.list_storage_works})
        _, _, number = request.path.rpartition("/lock/")
        connector = self._world.connectors.get(int(number) if number.isdigit() else 0)
        if connector is None:
            return Response(HTTPStatus.NOT_FOUND)
        if change is not None:
            connector.lock_blocked = change
        return json_response({name: connector.lock_blocked})

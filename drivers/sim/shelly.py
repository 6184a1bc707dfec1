"""Twin of a Shelly Gen2 switch with its RPC over HTTP (maker's API documents)."""

from __future__ import annotations

import hashlib
import json
import re
from functools import partial
from http import HTTPStatus
from typing import Any

from drivers.sim.faults import Faults
from drivers.sim.outlet import Outlet
from drivers.sim.twin import Wired
from drivers.sim.web import Request, Response, json_response, serve
from drivers.sim.wire import Line

_INVALID_ARGUMENT = -103
_NOT_FOUND = -105
_NO_HANDLER = 404
_NONCE = "656e4f31"


class RpcError(Exception):
    """A refused call."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Shelly(Wired):
    """One switch, component id 0; with a `password` it asks for digest authentication."""

    def __init__(self, outlet: Outlet, *, password: str | None = None) -> None:
        self.outlet = outlet
        self._password = password

    def power_up(self) -> None:
        """Start the controller; the output is restored as it was."""

    async def converse(self, line: Line) -> None:
        """Serve one HTTP connection."""
        await serve(line, partial(self._handle, line.faults))

    def _handle(self, faults: Faults, request: Request) -> Response:
        info = self._info(faults)
        if request.path == "/shelly":
            return json_response(info)
        if not request.path.startswith("/rpc"):
            return Response(HTTPStatus.NOT_FOUND)
        method = request.path.removeprefix("/rpc").removeprefix("/")
        if method != "Shelly.GetDeviceInfo" and not self._is_allowed(request, info["id"]):
            return _challenge(info["id"])
        try:
            call = json.loads(request.body) if request.method == "POST" else {}
            framed = not method
            params = (call.get("params", {}) if framed else call) or _parse(request.query)
            name = call["method"] if framed else method
        except (ValueError, KeyError, AttributeError):
            return Response(HTTPStatus.BAD_REQUEST)
        frame = {"id": call.get("id"), "src": info["id"]} if framed else None
        return self._respond(frame, name, params, info)

    def _respond(
        self, frame: dict[str, Any] | None, name: str, params: Any, info: dict[str, Any]
    ) -> Response:
        """Answer a call: within a frame when it came in one, else bare."""
        try:
            result = info if name == "Shelly.GetDeviceInfo" else self._call(name, params)
        except RpcError as refusal:
            problem = {"code": refusal.code, "message": str(refusal)}
            if frame is not None:
                return json_response(frame | {"error": problem})
            status = (
                HTTPStatus.NOT_FOUND
                if refusal.code == _NO_HANDLER
                else HTTPStatus.INTERNAL_SERVER_ERROR
            )
            return json_response(problem, status)
        return json_response(result if frame is None else frame | {"result": result})

    def _call(self, name: str, params: Any) -> dict[str, Any]:
        if name not in ("Switch.Set", "Switch.Toggle", "Switch.GetStatus"):
            raise RpcError(_NO_HANDLER, f"No handler for {name}")
        if not isinstance(params, dict) or "id" not in params:
            raise RpcError(_INVALID_ARGUMENT, "Missing required argument 'id'!")
        if params["id"] != 0:
            raise RpcError(_NOT_FOUND, f"Argument 'id', value {params['id']} not found!")
        if name == "Switch.GetStatus":
            return self._status()
        was_on = self.outlet.on
        wanted = not was_on if name == "Switch.Toggle" else params.get("on")
        if not isinstance(wanted, bool):
            raise RpcError(_INVALID_ARGUMENT, "Missing or bad argument 'on'!")
        toggle_after = params.get("toggle_after")
        if toggle_after is not None and not isinstance(toggle_after, int | float):
            raise RpcError(_INVALID_ARGUMENT, "Argument 'toggle_after' is not a number!")
        self.outlet.switch(wanted, back_after=toggle_after)
        return {"was_on": was_on}

    def _status(self) -> dict[str, Any]:
        power = self.outlet.power
        return {
            "id": 0,
            "source": "HTTP_in",
            "output": self.outlet.on,
            "apower": power,
            "voltage": 230.0,
            "current": round(power / 230.0, 3),
            "freq": 50.0,
            "pf": 1.0 if power else 0.0,
            "aenergy": {"total": 0.0, "by_minute": [0.0, 0.0, 0.0], "minute_ts": 0},
            "temperature": {"tC": 36.5, "tF": 97.7},
        }

    def _info(self, faults: Faults) -> dict[str, Any]:
        mac = "FFFFFFFFFFFF" if faults.wrong_identity else "A8032AB10001"
        model = "shellyplus2pm" if faults.wrong_identity else "shellyplus1pm"
        return {
            "name": None,
            "id": f"{model}-{mac.lower()}",
            "mac": mac,
            "model": "SNSW-102P16EU" if faults.wrong_identity else "SNSW-001P16EU",
            "gen": 2,
            "fw_id": "20231107-164738/1.0.8-g8192e75",
            "ver": "1.0.8",
            "app": "Plus2PM" if faults.wrong_identity else "Plus1PM",
            "auth_en": self._password is not None,
            "auth_domain": None if self._password is None else f"{model}-{mac.lower()}",
        }

    def _is_allowed(self, request: Request, realm: str) -> bool:
        """Check the digest (RFC 7616 with SHA-256, qop auth, user admin)."""
        if self._password is None:
            return True
        text = request.headers.get("authorization", "")
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', text.removeprefix("Digest ")))
        user = _sha256(f"admin:{realm}:{self._password}")
        asked = _sha256(f"{request.method}:{request.target}")
        counted = f"{given.get('nc')}:{given.get('cnonce')}:auth"
        expected = _sha256(f"{user}:{_NONCE}:{counted}:{asked}")
        return given.get("nonce") == _NONCE and given.get("response") == expected


def _challenge(realm: str) -> Response:
    text = f'Digest qop="auth", realm="{realm}", nonce="{_NONCE}", algorithm=SHA-256'
    return Response(HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": text})


def _parse(query: dict[str, str]) -> dict[str, Any]:
    """Read the values of a query as the device does: as JSON."""
    return {name: json.loads(value) for name, value in query.items()}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

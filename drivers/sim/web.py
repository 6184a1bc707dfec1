"""A small HTTP/1.1 server for twins of devices with a web interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from drivers.sim.wire import Line


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked; header names are in lower case."""

    method: str
    target: str
    """Path and query as they came."""
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """What the device answers."""

    status: HTTPStatus
    body: bytes = b""
    kind: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Write it as it goes on the wire."""
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Type: {self.kind}", f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


def json_response(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Answer with a JSON document."""
    return Response(status, json.dumps(value).encode(), "application/json")


async def serve(line: Line, handle: Callable[[Request], Response]) -> None:
    """Answer requests on a connection until the client closes it or sends no HTTP."""
    while True:
        try:
            request = await _read(line.reader)
        except (ValueError, asyncio.LimitOverrunError):
            await line.send(Response(HTTPStatus.BAD_REQUEST).encode())
            return
        if request is None:
            return
        busy = line.faults.take_busy()
        response = Response(HTTPStatus.SERVICE_UNAVAILABLE) if busy else handle(request)
        await line.send(response.encode())
        if request.headers.get("connection", "").lower() == "close":
            return


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """Read a request, None when the client has closed; raises ValueError when it is not HTTP."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise ValueError("a request that ends early") from end
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, target, _version = first.split(" ")
    headers = {}
    for text in lines:
        name, _, value = text.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)

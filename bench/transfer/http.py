"""The bench's HTTP server for files: GET, PUT and POST, for one case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from bench.transfer.shelf import Passage, Shelf

_BLOCK = 65536
_PATIENCE = 0.5
"""Seconds that a transfer in progress gets when the server closes."""


async def _handle(request: Request, *, shelf: Shelf) -> Response:
    path = shelf.inside(request.path_params["path"])
    if path is None:
        return PlainTextResponse("no such place\n", 404)
    client = request.client
    remote = f"{client.host}:{client.port}" if client else ""
    if request.method in ("GET", "HEAD"):
        if not path.is_file():
            return PlainTextResponse("no such file\n", 404)
        headers = {"content-length": str(path.stat().st_size)}
        if request.method == "HEAD":
            return Response(headers=headers)
        passage = Passage("download", "HTTP", path, remote)
        return StreamingResponse(_parts(request, shelf, passage), headers=headers)
    return await _take(request, shelf, Passage("upload", "HTTP", path, remote))


async def _parts(request: Request, shelf: Shelf, passage: Passage) -> AsyncIterator[bytes]:
    size = passage.path.stat().st_size
    try:
        with passage.path.open("rb") as file:
            while data := file.read(_BLOCK):
                yield data
                passage.count(data)
                # A DUT that hangs up when it has the last byte has all of them.
                if passage.size < size and await request.is_disconnected():
                    break
    finally:
        shelf.ended(passage, complete=passage.size == size)


async def _take(request: Request, shelf: Shelf, passage: Passage) -> Response:
    """Keep the body of a PUT or POST as it comes; one that is too long is cut off."""
    complete = False
    try:
        with passage.path.open("wb") as file:
            async for data in request.stream():
                if passage.size + len(data) > shelf.most:
                    return PlainTextResponse(f"more than {shelf.most} bytes\n", 413)
                file.write(data)
                passage.count(data)
        complete = True
    except ClientDisconnect:
        pass
    finally:
        shelf.ended(passage, complete=complete)
    return PlainTextResponse("kept\n", 201)


@asynccontextmanager
async def serving(shelf: Shelf, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve a shelf while the context lasts; the port is the value. Raises `OSError`."""
    methods = ["GET", "HEAD", "PUT", "POST"]
    routes = [Route("/{path:path}", partial(_handle, shelf=shelf), methods=methods)]
    config = uvicorn.Config(
        Starlette(routes=routes), lifespan="off", log_config=None, access_log=False
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    # uvicorn's own start-up would end the process when the port is taken.
    server = await loop.create_server(
        lambda: H11Protocol(config=config, server_state=state, app_state={}), host, port
    )
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in tuple(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(tuple(state.tasks), timeout=_PATIENCE)
        for connection in tuple(state.connections):
            connection.transport.abort()
        await server.wait_closed()

"""Serve the API inside the engine's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from bench.errors import BenchError
from bench.operator import PromptDesk
from bench.server.access import Access, Role
from bench.server.app import make_app

PATIENCE = 0.5
"""Seconds that a request in progress gets when the API closes."""


@asynccontextmanager
async def serving(
    desk: PromptDesk,
    snapshot: Callable[[], dict[str, Any]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str,
) -> AsyncIterator[str]:
    """Serve the API while the context lasts; its URL is the value. Port 0: the system chooses.

    Raises `BenchError` when the address can't be used.
    """
    app = make_app(desk, snapshot, Access({token: Role.OPERATOR}))
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    listener = _listen(host, port)
    # Not `serve()`: that would take over the signal handlers, which belong to the command line.
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield _url(listener)
    finally:
        server.should_exit = True
        closing = asyncio.create_task(server.shutdown(sockets=[listener]))
        await asyncio.wait([closing], timeout=PATIENCE)
        for connection in list(server.server_state.connections):
            connection.transport.abort()  # a request that never ends must not hold the engine
        await closing
        await ticking


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise BenchError(f"the API can't listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""Serve the API inside the engine's own event loop."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from bench.engine import Engine
from bench.errors import BenchError, ConfigError
from bench.server.access import Access
from bench.server.app import make_app
from bench.server.feed import Feed
from bench.server.place import Tls
from bench.server.presence import Presence
from bench.server.protocol import StreamProtocol
from bench.server.sample_frames import SampleFeed
from bench.server.shares import Shares
from bench.server.viewers import STALLED, Viewers

PATIENCE = 0.5
"""Seconds that a request in progress gets when the API closes."""


@asynccontextmanager
async def serving(
    engine: Engine,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str,
    shares: Shares | None = None,
    tls: Tls | None = None,
    stalled: float = STALLED,
    absent_after: float = math.inf,
) -> AsyncIterator[str]:
    """Serve the API while the context lasts; its URL is the value. Port 0: the system chooses.

    A viewer that reads nothing for `stalled` s is evicted; prompts are held while no operator was
    there for `absent_after` s. Raises `BenchError` when the address
    can't be used, `ConfigError` when the certificate can't.
    """
    # It would log addresses with the tokens in them.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    presence = Presence(engine.desk, absent_after=absent_after)
    feed, access = Feed(engine), Access(token, shares, seen=presence.seen)
    samples = _samples_of(engine)
    viewers = Viewers(engine, feed, samples, access, stalled=stalled, left=presence.left)
    config = uvicorn.Config(
        make_app(engine, feed, access, viewers, shares),
        http="h11",
        ws=StreamProtocol,
        ws_max_size=4096,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )
    try:
        config.load()
    except OSError as error:
        raise ConfigError(f"[api] certificate and key: {error.strerror or error}") from error
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    listener = _listen(host, port)
    # Not `serve()`: that would take over the signal handlers, which belong to the command line.
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    engine.on_run_over = feed.turn
    try:
        hub = engine.stream.samples
        with engine.stream.watched_by(feed.take), hub.watched_by(samples.take):
            async with presence.watching(lambda: viewers.has_operator):
                yield _url(listener, "http" if tls is None else "https")
    finally:
        server.should_exit = True
        closing = asyncio.create_task(server.shutdown(sockets=[listener]))
        await asyncio.wait([closing], timeout=PATIENCE)
        for connection in list(server.server_state.connections):
            connection.transport.abort()  # a request that never ends must not hold the engine
        await closing
        await ticking
        await engine.apart.close()


def openapi_of(engine: Engine) -> dict[str, Any]:
    """Return the OpenAPI document of an engine's API."""
    feed, access = Feed(engine), Access(secrets.token_urlsafe(32))
    viewers = Viewers(engine, feed, _samples_of(engine), access)
    return make_app(engine, feed, access, viewers, None).openapi()


def _samples_of(engine: Engine) -> SampleFeed:
    return SampleFeed(lambda: engine.run_id, lambda: engine.stream.samples.newest_declared)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise BenchError(f"the API can't listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket, scheme: str) -> str:
    host, port, *_ = listener.getsockname()
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

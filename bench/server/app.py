"""The API, version 1 (CONTRACT, "API")."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from bench import __version__
from bench.archive import NoSuchRun
from bench.engine import Engine
from bench.server.access import Access
from bench.server.feed import Feed, Position
from bench.server.page import PAGE, ViewerPage
from bench.server.routes import ROOT, make_routes
from bench.server.shares import Shares
from bench.server.viewers import TooMany, Viewers


def make_app(
    engine: Engine, feed: Feed, access: Access, viewers: Viewers, shares: Shares | None
) -> FastAPI:
    """Make the API of one engine."""
    app = FastAPI(
        title="Pilotbench",
        version=__version__,
        openapi_url=f"{ROOT}/openapi.json",
        docs_url=None,
        redoc_url=None,
        exception_handlers={RequestValidationError: _say_what_is_wrong},
    )
    app.include_router(make_routes(engine, access, viewers, shares))

    @app.websocket(f"{ROOT}/stream")
    async def stream(
        socket: WebSocket,
        run: Annotated[str | None, Query()] = None,
        from_: Annotated[str, Query(alias="from")] = "1",
        follow: Annotated[str, Query()] = "true",
    ) -> None:
        """Send a snapshot, every record from a number on, then live."""
        place = ExitStack()
        try:
            _refuse_other_pages(socket)
            holder = access.admit(socket)
            if not from_.isascii() or not from_.isdigit() or len(from_) > 15:
                raise HTTPException(422, f"query.from: {from_[:20]!r}, expected a record's number")
            if follow not in ("true", "false"):
                raise HTTPException(422, "query.follow: expected true or false")
            if run is not None:
                found = await asyncio.to_thread(engine.archive.get, run)
                if not holder.may_read(found):
                    raise NoSuchRun(f"there is no run {run!r}")
            place.enter_context(viewers.place(holder))
        except (HTTPException, NoSuchRun, TooMany) as error:
            await socket.send_denial_response(_denial(error))
            return
        with place:
            await socket.accept()
            start = Position(await feed.start(run, holder.may_read), max(1, int(from_)))
            await viewers.serve(socket, holder, start, follow=follow == "true")

    app.mount(PAGE, ViewerPage())

    return app


def _refuse_other_pages(socket: WebSocket) -> None:
    """Refuse a browser that shows a page of another place; programs name no origin."""
    origin = socket.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != socket.headers["Host"].lower():
        raise HTTPException(403, "the stream is not for pages of another place")


def _denial(error: HTTPException | NoSuchRun | TooMany) -> JSONResponse:
    match error:
        case HTTPException(status_code=code, detail=detail):
            return JSONResponse({"detail": detail}, code)
        case NoSuchRun():
            return JSONResponse({"detail": str(error)}, 404)
        case _:
            return JSONResponse({"detail": str(error)}, 429)


async def _say_what_is_wrong(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    sentences = [
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors()
    ]
    detail = "; ".join(sentences).encode("utf-8", "replace").decode()
    return JSONResponse({"detail": detail}, 422)

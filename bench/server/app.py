"""The API, version 1 (CONTRACT, "API")."""

from __future__ import annotations

from typing import Annotated

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
from bench.server.viewers import Viewers


def make_app(engine: Engine, feed: Feed, access: Access, viewers: Viewers) -> FastAPI:
    """Make the API of one engine."""
    app = FastAPI(
        title="Pilotbench",
        version=__version__,
        openapi_url=f"{ROOT}/openapi.json",
        docs_url=None,
        redoc_url=None,
        exception_handlers={RequestValidationError: _say_what_is_wrong},
    )
    app.include_router(make_routes(engine, access, viewers))

    @app.websocket(f"{ROOT}/stream")
    async def stream(
        socket: WebSocket,
        run: Annotated[str | None, Query()] = None,
        from_: Annotated[str, Query(alias="from")] = "1",
        follow: Annotated[str, Query()] = "true",
    ) -> None:
        """Send a snapshot, every record from a number on, then live."""
        try:
            holder = access.admit(socket)
            if not from_.isascii() or not from_.isdigit() or len(from_) > 15:
                raise HTTPException(422, f"query.from: {from_[:20]!r}, expected a record's number")
            if follow not in ("true", "false"):
                raise HTTPException(422, "query.follow: expected true or false")
            if run is not None and not holder.may_read(engine.archive.get(run)):
                raise NoSuchRun(f"there is no run {run!r}")
        except (HTTPException, NoSuchRun) as error:
            code, detail = (404, str(error)) if isinstance(error, NoSuchRun) else _parts(error)
            await socket.send_denial_response(JSONResponse({"detail": detail}, code))
            return
        await socket.accept()
        start = Position(await feed.start(run, holder.may_read), max(1, int(from_)))
        await viewers.serve(socket, holder, start, follow=follow == "true")

    app.mount(PAGE, ViewerPage())

    return app


def _parts(error: HTTPException) -> tuple[int, str]:
    return error.status_code, str(error.detail)


async def _say_what_is_wrong(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    sentences = [
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors()
    ]
    detail = "; ".join(sentences).encode("utf-8", "replace").decode()
    return JSONResponse({"detail": detail}, 422)

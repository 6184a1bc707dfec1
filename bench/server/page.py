"""The viewer page: static files that hold no data; what they show comes by the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Response
from starlette.staticfiles import StaticFiles

PAGE = "/view"
FILES = Path(__file__).parent / "viewer"

HEADERS = {
    # Nothing from elsewhere, nothing inline, in nobody's frame.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class ViewerPage(StaticFiles):
    """The page's files, with the headers that keep it to itself."""

    def __init__(self) -> None:
        super().__init__(directory=FILES, html=True)

    def file_response(self, *args: Any, **keywords: Any) -> Response:
        """Give a file with the headers."""
        response = super().file_response(*args, **keywords)
        response.headers.update(HEADERS)
        return response

"""How a station fetches and delivers files: FTP in passive mode, and HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from stations.messages import Payload
from stations.settings import StationSettings

T = TypeVar("T")

_MOST = 67_108_864
"""Bytes that the station has room for."""


class TransferFailed(Exception):
    """A file did not get where it should."""


async def fetch(url: str, *, within: float) -> bytes:
    """Fetch a file within so many s; raises `TransferFailed`."""
    return await _attempt(url, None, within)


async def deliver(url: str, name: str, content: bytes, *, within: float) -> None:
    """Put a file into the folder that a URL names, within so many s; raises `TransferFailed`."""
    await _attempt(f"{url.rstrip('/')}/{name}", content, within)


async def persist(
    attempt: Callable[[], Awaitable[T]], wish: Payload, settings: StationSettings
) -> T:
    """Try as often as the CSMS wants, with its pause between; raises `TransferFailed` at last."""
    left = wish.get("retries", settings.transfer_retries)
    while True:
        try:
            return await attempt()
        except TransferFailed:
            if left <= 0:
                raise
        left -= 1
        await asyncio.sleep(wish.get("retryInterval", settings.transfer_pause))


async def _attempt(url: str, content: bytes | None, within: float) -> bytes:
    # Both libraries are slow to import, and few stations ever transfer a file.
    import aioftp
    import httpx

    try:
        place = urlsplit(url)
        transfer = {"ftp": _ftp, "http": _http}.get(place.scheme)
        if transfer is None or not place.hostname:
            raise TransferFailed(f"no way to transfer files with {url!r}")
        async with asyncio.timeout(within):
            return await transfer(place, content)
    except (OSError, TimeoutError, ValueError, aioftp.AIOFTPException, httpx.HTTPError) as error:
        raise TransferFailed(f"{type(error).__name__} {error}".rstrip()) from error


async def _ftp(place: SplitResult, content: bytes | None) -> bytes:
    from stations.ftp import transfer

    return await transfer(place, content, _MOST)


async def _http(place: SplitResult, content: bytes | None) -> bytes:
    import httpx

    async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
        method = "GET" if content is None else "PUT"
        async with client.stream(method, place.geturl(), content=content) as response:
            response.raise_for_status()
            received = bytearray()
            async for block in response.aiter_bytes():
                received += block
                if len(received) > _MOST:
                    raise TransferFailed("the file is too large")
    return bytes(received)

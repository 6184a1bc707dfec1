"""The HTTP link: JSON requests with a deadline, and their errors in the bench's classes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.link.address import Address

SCHEMES = ("http",)


class HttpLink:
    """One device's web server.

    Each request has a connection of its own: small devices drop idle connections when they like.
    """

    def __init__(
        self,
        address: Address,
        name: str,
        *,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        within: float = 1.0,
    ) -> None:
        """Make the link, unopened.

        `headers` go with every request; `within` is the deadline of a request in s.
        """
        self._label = f"{name} ({address})"
        self._base = str(address)
        self._auth = auth
        self._headers = headers
        self._within = within
        self._client: httpx.AsyncClient | None = None

    def __str__(self) -> str:
        return self._label

    async def open(self) -> None:
        """Prepare; no byte travels before the first request."""
        self._client = httpx.AsyncClient(
            base_url=self._base,
            auth=self._auth,
            headers=self._headers,
            timeout=None,  # one deadline around the whole request, not one per part
            limits=httpx.Limits(max_keepalive_connections=0),
            # There is no TLS here: nobody is trusted, as loading whom the system trusts takes long.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # A proxy of the environment must not stand between bench and device.
            trust_env=False,
        )

    async def close(self) -> None:
        """Close; does nothing when not open."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """GET and return the answer's JSON."""
        return await self._ask("GET", path, params=parameters)

    async def post(self, path: str, payload: Any) -> Any:
        """POST JSON and return the answer's JSON."""
        return await self._ask("POST", path, json=payload)

    async def request(
        self, method: str, path: str, *, within: float | None = None, **request: Any
    ) -> httpx.Response:
        """Ask and return the whole answer; `within` replaces the link's deadline in s."""
        within = self._within if within is None else within
        if self._client is None:
            raise LinkError(f"{self}: not open")
        where = f"{self}: {method} {path}"
        try:
            async with asyncio.timeout(within):
                answer = await self._client.request(method, path, **request)
        except TimeoutError as error:
            raise DeviceTimeout(f"{where}: no answer within {within:g} s") from error
        except httpx.TransportError as error:
            cause = str(error) or type(error).__name__
            raise LinkError(f"{where}: {cause}") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise DeviceError(f"{where}: user or password refused (401)")
        if not answer.is_success:
            text = " ".join(answer.text.split())[:200]
            raise DeviceError(f"{where}: answered {answer.status_code} {text}".rstrip())
        return answer

    async def _ask(self, method: str, path: str, **request: Any) -> Any:
        answer = await self.request(method, path, **request)
        try:
            return answer.json()
        except ValueError as error:
            text = " ".join(answer.text.split())[:200]
            raise DeviceError(f"{self}: {method} {path}: expected JSON, got {text!r}") from error


def at_pointer(document: Any, pointer: str, where: str) -> Any:
    """Take the value at a JSON pointer (RFC 6901) out of a document.

    Raises `DeviceError` that begins with `where` when nothing is there.
    """
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(key)] if isinstance(document, list) else document[key]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DeviceError(f"{where} has nothing at {pointer!r}") from error
    return document

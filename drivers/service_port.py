"""The service port of a charging station: failures provoked by HTTP requests of `bench.toml`.

The requests are the vendor's; the lab writes down which of them provokes what, which relieves it,
and where the station tells how it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from bench.capability import Failure, Provocation
from bench.device import Device, Driver, DriverContext, Identity
from bench.errors import Unverifiable
from drivers.lifecycle import enter, leave
from drivers.link import address
from drivers.link.http import SCHEMES, HttpLink, at_pointer
from drivers.profile_ev_requests import HttpSignal, check_path
from drivers.readback import until

_WITHIN = 0.8
"""Deadline in s for the read-back after a request."""
_EVERY = 0.05
"""Pause between two read-backs in s."""
_CONNECTOR = "{connector}"
"""Stands for the connector's number in paths, pointers and JSON."""
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; it must be answered with a 2xx status."""

    path: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    json: str = ""
    """The body, written as JSON; none when left out."""

    def __post_init__(self) -> None:
        check_path(self.path)
        if self.json and self.method == "GET":
            raise ValueError("'json' is given for a GET, which has no body")
        try:
            json.loads(_filled(self.json or "0", 1))
        except ValueError as error:
            raise ValueError(f"'json' is {self.json!r}, no JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Means:
    """How one failure is provoked, relieved and seen."""

    provoke: Request
    relieve: Request
    state: HttpSignal
    """Where the station tells; what a bench can't see provoked it must not judge by."""
    provoked: bool | int | str = True
    """What `state` reads while it is provoked, and at no other time."""

    @property
    def of_the_station(self) -> bool:
        """Tell whether the requests name no connector."""
        return _CONNECTOR not in repr((self.provoke, self.relieve, self.state))


@dataclass(frozen=True, slots=True)
class ServicePortSettings:
    """Keys of a station's service port in `bench.toml`."""

    link: str
    """`http://HOST:PORT`."""
    failures: Mapping[str, Means]
    """By failure: `lock-blocked`, `local-list-failure`; tables as on the driver's page."""
    connectors: tuple[int, ...] = (1,)
    """Connectors of the station that it serves."""
    user: str = ""
    """Name for basic authentication; none when empty."""
    password: str = ""
    token: str = ""
    """Sent with every request in the header `token_header`; none when empty."""
    token_header: str = "X-API-Key"

    def __post_init__(self) -> None:
        address.parse(self.link, *SCHEMES)
        known = [failure.value for failure in Failure]
        for name in self.failures:
            if name not in known:
                raise ValueError(f"'failures' has {name!r}, expected {' or '.join(known)}")
        if not self.failures:
            raise ValueError(f"'failures' is empty, expected {' or '.join(known)}")
        if not self.connectors or min(self.connectors) < 1:
            raise ValueError(f"'connectors' is {list(self.connectors)}, expected numbers from 1")


class ServicePort(Device, Provocation):
    """A station that fails on request."""

    def __init__(self, name: str, link: HttpLink, settings: ServicePortSettings) -> None:
        self._name = name
        self._link = link
        self._settings = settings
        self._means = {Failure(key): means for key, means in settings.failures.items()}

    async def __aenter__(self) -> Self:
        """Read every state, relieve everything."""
        await enter(self, self._link)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Relieve everything."""
        await leave(self, self._link, error)

    async def identify(self) -> Identity:
        """Read every state; the port tells nothing of itself."""
        for _, means, connector in self._each():
            await self._state(means, connector)
        return Identity("", "service port")

    async def make_safe(self) -> None:
        """Relieve everything."""
        for what, _, connector in self._each():
            await self.relieve(what, connector)

    async def provoke(self, what: Failure, connector: int) -> None:
        """Send the request that provokes it and wait until it reads provoked."""
        await self._bring(what, connector, provoked=True)

    async def relieve(self, what: Failure, connector: int) -> None:
        """Send the request that relieves it and wait until it no longer reads provoked."""
        await self._bring(what, connector, provoked=False)

    def _each(self) -> Iterable[tuple[Failure, Means, int]]:
        for what, means in self._means.items():
            for connector in (0,) if means.of_the_station else self._settings.connectors:
                yield what, means, connector

    async def _bring(self, what: Failure, connector: int, *, provoked: bool) -> None:
        means = self._means.get(what)
        if means is None:
            raise Unverifiable(f"{self._name}: bench.toml has no [device.failures.{what}]")
        request = means.provoke if provoked else means.relieve
        await self._link.request(
            request.method,
            _filled(request.path, connector),
            content=_filled(request.json, connector),
            headers=_JSON if request.json else None,
        )
        await until(
            lambda: self._state(means, connector),
            lambda value: (value == means.provoked) is provoked,
            within=_WITHIN,
            every=_EVERY,
            otherwise=lambda value: (
                f"{self._name}: {what} at connector {connector} reads {value!r}, "
                f"{'provoked' if provoked else 'relieved'},"
            ),
        )

    async def _state(self, means: Means, connector: int) -> Any:
        path = _filled(means.state.path, connector)
        where = f"{self._link}: GET {path}"
        return at_pointer(
            await self._link.get(path), _filled(means.state.pointer, connector), where
        )


def _filled(text: str, connector: int) -> str:
    """Put the connector's number in place of `{connector}`."""
    return text.replace(_CONNECTOR, str(connector))


def _make(settings: ServicePortSettings, context: DriverContext) -> ServicePort:
    auth = httpx.BasicAuth(settings.user, settings.password) if settings.user else None
    place = address.parse(settings.link, *SCHEMES)
    headers = {settings.token_header: settings.token} if settings.token else None
    link = HttpLink(place, context.name, auth=auth, headers=headers)
    return ServicePort(context.name, link, settings)


DRIVER = Driver(settings=ServicePortSettings, offers=(Provocation,), make=_make)

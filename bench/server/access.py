"""Who may use the API: a token stands for a role and for what its holder may read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyQuery, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from bench.archive import dut_key
from bench.server.shares import Share, Shares
from bench.summary import Summary


class Role(StrEnum):
    """What the holder of a token may do."""

    OPERATOR = "operator"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a token: the operator, or an observer with what was shared."""

    share: Share | None = None

    @property
    def role(self) -> Role:
        """What the holder may do."""
        return Role.OPERATOR if self.share is None else Role.OBSERVER

    def may_read(self, run: Summary) -> bool:
        """Tell whether a run is the holder's to read."""
        return self.share is None or self.share.covers(run.run, dut_key(run.dut))


_BEARER = HTTPBearer(auto_error=False, description="The token as Authorization: Bearer TOKEN")
_QUERY = APIKeyQuery(name="token", auto_error=False, description="The token as ?token=TOKEN")
NEEDED = "a token is needed: Authorization: Bearer TOKEN or ?token="
INVALID = "the token is not valid here"


class Access:
    """The tokens that are good, and what each stands for."""

    def __init__(
        self,
        operator: str,
        shares: Shares | None = None,
        *,
        seen: Callable[[], None] = lambda: None,
    ) -> None:
        """Know the operator's token and the shares; `seen` is called when the operator comes."""
        self._operator = operator.encode()
        self._shares = shares
        self._seen = seen

    def holder_of(self, token: str) -> Holder | None:
        """Return who holds a token; it is compared in constant time."""
        if secrets.compare_digest(self._operator, token.encode("utf-8", "replace")):
            self._seen()
            return Holder()
        share = None if self._shares is None else self._shares.check(token)
        return None if share is None else Holder(share)

    def is_good(self, holder: Holder) -> bool:
        """Tell whether what a holder has is still good: not expired, not revoked."""
        if holder.share is None:
            return True
        return self._shares is not None and self._shares.is_good(holder.share)

    def admit(self, connection: HTTPConnection) -> Holder:
        """Return who is at the other end of a connection; raises `HTTPException` 401."""
        header = connection.headers.get("Authorization")
        scheme, _, credentials = (header or "").partition(" ")
        token = connection.query_params.get("token")
        if header is not None:
            token = credentials.strip() if scheme.lower() == "bearer" and credentials else token
        if token is None:
            raise _unauthorized(NEEDED)
        holder = self.holder_of(token)
        if holder is None:
            raise _unauthorized(INVALID)
        return holder

    def needs(self, *roles: Role) -> Callable[..., Coroutine[Any, Any, None]]:
        """Return the dependency of a route that only these roles may use."""

        async def check(
            request: Request,
            bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
            query: Annotated[str | None, Depends(_QUERY)],
        ) -> None:
            holder = self.admit(request)
            if holder.role not in roles:
                raise HTTPException(403, f"this is for the {' or '.join(roles)} only")
            request.state.holder = holder

        return check


def holder_of(request: Request) -> Holder:
    """Return who makes a request that a route has admitted."""
    holder = request.state.holder
    assert isinstance(holder, Holder)
    return holder


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})

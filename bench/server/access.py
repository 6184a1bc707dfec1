"""Who may use the API: a token stands for a role, a route asks for one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, HTTPException
from fastapi.security import APIKeyQuery, HTTPAuthorizationCredentials, HTTPBearer


class Role(StrEnum):
    """What the holder of a token may do."""

    OPERATOR = "operator"


_BEARER = HTTPBearer(auto_error=False, description="The token as Authorization: Bearer TOKEN")
_QUERY = APIKeyQuery(name="token", auto_error=False, description="The token as ?token=TOKEN")


class Access:
    """The tokens that are good, and the role that each stands for."""

    def __init__(self, roles: dict[str, Role]) -> None:
        self._roles = {token.encode(): role for token, role in roles.items()}

    def role_of(self, token: str) -> Role | None:
        """Return what a token stands for; every token is compared in constant time."""
        found = None
        for known, role in self._roles.items():
            if secrets.compare_digest(known, token.encode("utf-8", "replace")):
                found = role
        return found

    def needs(self, role: Role) -> Callable[..., Coroutine[Any, Any, None]]:
        """Return the dependency of a route that only this role may use."""

        async def check(
            bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
            query: Annotated[str | None, Depends(_QUERY)],
        ) -> None:
            token = bearer.credentials if bearer is not None else query
            if token is None:
                raise _unauthorized("a token is needed: Authorization: Bearer TOKEN or ?token=")
            if self.role_of(token) is not role:
                raise _unauthorized("the token is not valid here")

        return check


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})

"""Sessions of a HiLink dongle's web server: cookies, single-use tokens, and logging in."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

from drivers.sim.web import Request

_TOKEN = "__RequestVerificationToken"


@dataclass(slots=True)
class Session:
    """What the dongle knows of one cookie."""

    tokens: list[str] = field(default_factory=list)
    logged_in: bool = False


class Refused(Exception):
    """An error code as the answer."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Sessions:
    """The sessions by cookie; with a password most things want one that has logged in."""

    def __init__(self, password: str | None, login: str) -> None:
        """Begin with none; `login` is the way of logging in, 4 or an older one."""
        self.login = login
        self._password = password
        self._by_name: dict[str, Session] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_name.values())

    def clear(self) -> None:
        """Forget all."""
        self._by_name.clear()

    def of(self, request: Request) -> Session | None:
        """Return the session that a request's cookie names, None without one."""
        named = re.search(r"SessionID=([^;]+)", request.headers.get("cookie", ""))
        return self._by_name.get(named[1]) if named else None

    def begin(self, *, logged_in: bool = False) -> tuple[str, Session]:
        """Begin a session with one token."""
        name = f"{next(self._numbers):064x}"
        session = self._by_name[name] = Session(logged_in=logged_in)
        self.new_token(session)
        return name, session

    def new_token(self, session: Session) -> str:
        """Give a session another token."""
        session.tokens.append(f"{next(self._numbers):032x}")
        return session.tokens[-1]

    def spend(self, request: Request, session: Session, headers: dict[str, str]) -> str:
        """Take the token of a request, and put the next one into the headers of its answer."""
        token = request.headers.get(_TOKEN.lower(), "")
        if token not in session.tokens:
            raise Refused(125003)
        session.tokens.remove(token)
        headers[_TOKEN] = self.new_token(session)
        return token

    def check_right(self, session: Session) -> None:
        """Refuse what wants a login."""
        if self._password is not None and not session.logged_in:
            raise Refused(100003)

    def log_in(self, fields: Mapping[str, str], token: str, headers: dict[str, str]) -> None:
        """Log in with the password that was sent, and give the cookie to go on with."""
        secret = self._password or ""
        if self.login == "4":
            expected = _hash_text(f"admin{_hash_text(secret)}{token}")
        else:
            expected = base64.b64encode(secret.encode()).decode()
        if fields.get("Username") != "admin" or fields.get("Password") != expected:
            raise Refused(108006)
        # Who has logged in goes on with another cookie and two more tokens.
        name, session = self.begin(logged_in=True)
        del headers[_TOKEN]
        headers["Set-Cookie"] = cookie(name)
        headers[f"{_TOKEN}one"] = session.tokens[0]
        headers[f"{_TOKEN}two"] = self.new_token(session)


def cookie(name: str) -> str:
    """Write the cookie of a session."""
    return f"SessionID={name};path=/;HttpOnly;"


def _hash_text(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).hexdigest().encode()).decode()

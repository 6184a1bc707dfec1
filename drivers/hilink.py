"""The HTTP/XML interface of Huawei dongles (HiLink): sessions, tokens, logins, error codes.

Source: what the dongle's own web page sends, as published by the huawei-lte-api project.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections import deque
from collections.abc import Mapping
from hashlib import sha256
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import httpx

from bench.errors import DeviceError
from drivers.link.http import HttpLink

_TOKEN = "__RequestVerificationToken"
_TOKEN_LENGTH = 32

_PAUSES = (1.0, 2.0, 4.0)
"""Seconds to wait each time that the dongle is busy."""

UNSUPPORTED, NO_RIGHT, BUSY = 100002, 100003, 100004
_ALREADY_LOGGED_IN = 108003
_SESSION_LOST = (125001, 125002, 125003)

_ERRORS = {
    100001: "unknown error",
    UNSUPPORTED: "not supported by this firmware",
    NO_RIGHT: "login needed, set the keys user and password",
    BUSY: "busy",
    100005: "format error",
    100006: "parameter error",
    100010: "object not found",
    101001: "no SIM, or SIM invalid",
    108001: "user name wrong",
    108002: "password wrong",
    108005: "too many sessions",
    108006: "user name or password wrong",
    108007: "too many failed logins, locked for some minutes",
    108009: "logged in elsewhere",
    108010: "too frequent",
    112001: "mode can't be set while connected",
    112002: "network can't be searched while connected",
    112003: "mode or band could not be set",
    112004: "network could not be set",
    112005: "could not register",
    112007: "mode not supported",
    112008: "SIM not ready",
    125001: "token wrong",
    125002: "session ended",
    125003: "session token wrong",
}


class HilinkRefused(DeviceError):
    """The dongle answered with an error code."""

    def __init__(self, where: str, code: int) -> None:
        super().__init__(f"{where}: error {code}, {_ERRORS.get(code, 'unknown code')}")
        self.code = code


class Hilink:
    """One session with a dongle, renewed when it has ended."""

    def __init__(self, link: HttpLink, *, user: str = "", password: str = "") -> None:
        self._link = link
        self._user = user
        self._password = password
        self._cookie = ""
        self._tokens: deque[str] = deque()
        self._logged_in = False
        self._queue = asyncio.Lock()

    def __str__(self) -> str:
        return str(self._link)

    async def open(self) -> None:
        """Prepare the link; the session begins with the first request."""
        self._forget()
        await self._link.open()

    async def close(self) -> None:
        """Log out, as sessions are few, and close the link."""
        try:
            if self._logged_in:
                # The session ends by itself after 5 min; leaving must not hang on it.
                with contextlib.suppress(DeviceError):
                    await self.post("/api/user/logout", {"Logout": "1"})
        finally:
            self._forget()
            await self._link.close()

    async def get(self, path: str) -> Element:
        """Read; raises `HilinkRefused` with the dongle's error code."""
        return await self._ask("GET", path, None, None)

    async def post(
        self, path: str, fields: Mapping[str, str], *, within: float | None = None
    ) -> Element:
        """Write fields, in their order; raises `HilinkRefused` with the dongle's error code."""
        return await self._ask("POST", path, _document(fields), within)

    async def _ask(
        self, method: str, path: str, body: bytes | None, within: float | None
    ) -> Element:
        renewed = logged_in = False
        pauses = list(_PAUSES)
        async with self._queue:
            while True:
                try:
                    if not self._cookie:
                        await self._begin()
                    return await self._exchange(method, path, body, within)
                except HilinkRefused as error:
                    if error.code in _SESSION_LOST and not renewed:
                        renewed, again = True, self._logged_in
                        self._forget()
                        if again:
                            await self._log_in()
                    elif error.code == NO_RIGHT and self._password and not logged_in:
                        logged_in = True
                        await self._log_in()
                    elif error.code == BUSY and pauses:
                        await asyncio.sleep(pauses.pop(0))
                    else:
                        raise

    async def _begin(self) -> None:
        """Get a session and its first token."""
        self._forget()
        answer = await self._exchange("GET", "/api/webserver/SesTokInfo", None, None)
        session = answer.findtext("SesInfo", "").removeprefix("SessionID=")
        token = answer.findtext("TokInfo", "")
        if not session or not token:
            raise DeviceError(
                f"{self}: SesTokInfo has no session or no token: not a HiLink dongle?"
            )
        self._cookie = f"SessionID={session}"
        # Some firmware writes something else before the token.
        self._tokens.append(token[-_TOKEN_LENGTH:])

    async def _log_in(self) -> None:
        """Log in with the kind of password that the dongle asks for."""
        if not self._cookie:
            await self._begin()
        state = await self._exchange("GET", "/api/user/state-login", None, None)
        kind = state.findtext("password_type", "0")
        if not self._tokens:
            await self._begin()
        token = self._tokens[0]
        self._tokens = deque([token])  # the others die with the session that is not logged in
        password = self._secret(kind, token)
        fields = {"Username": self._user, "Password": password, "password_type": kind}
        try:
            await self._exchange("POST", "/api/user/login", _document(fields), None)
        except HilinkRefused as error:
            if error.code != _ALREADY_LOGGED_IN:
                raise
        self._logged_in = True

    def _secret(self, kind: str, token: str) -> str:
        plain = base64.b64encode(self._password.encode()).decode()
        if kind in ("0", "3"):
            return plain
        if kind == "4":
            inner = _hash_text(self._password)
            return _hash_text(f"{self._user}{inner}{token}")
        raise DeviceError(
            f"{self}: login of kind {kind} is not supported, switch the dongle's password off"
        )

    async def _exchange(
        self, method: str, path: str, body: bytes | None, within: float | None
    ) -> Element:
        headers = {"Cookie": self._cookie} if self._cookie else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
            # Without a token left the dongle refuses, and the session is renewed.
            headers[_TOKEN] = self._tokens.popleft() if self._tokens else ""
        answer = await self._link.request(
            method, path, within=within, content=body, headers=headers
        )
        self._keep(answer)
        where = f"{self}: {method} {path}"
        try:
            root = ElementTree.fromstring(answer.content)
        except ElementTree.ParseError as error:
            text = " ".join(answer.text.split())[:200]
            raise DeviceError(f"{where}: expected XML, got {text!r}") from error
        if root.tag == "error":
            code = root.findtext("code", "")
            raise HilinkRefused(where, int(code) if code.isdecimal() else 0)
        return root

    def _keep(self, answer: httpx.Response) -> None:
        """Keep the session and the tokens for the next requests."""
        match = re.search(r"SessionID=([^;]+)", answer.headers.get("set-cookie", ""))
        if match:
            self._cookie = f"SessionID={match[1]}"
        for name in (_TOKEN, f"{_TOKEN}one", f"{_TOKEN}two"):
            if token := answer.headers.get(name):
                self._tokens.append(token)

    def _forget(self) -> None:
        self._cookie, self._logged_in = "", False
        self._tokens.clear()


def _document(fields: Mapping[str, str]) -> bytes:
    root = Element("request")
    for name, value in fields.items():
        ElementTree.SubElement(root, name).text = value
    return b'<?xml version="1.0" encoding="UTF-8"?>' + ElementTree.tostring(root)


def _hash_text(text: str) -> str:
    """Hash, and write the hexadecimal digits, not the bytes, in base 64."""
    return base64.b64encode(sha256(text.encode()).hexdigest().encode()).decode()

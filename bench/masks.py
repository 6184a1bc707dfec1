"""Keep passwords and authorization keys out of what is recorded; applied by the stream alone."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from bench.events import FrameReceived, FrameSent

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

HIDDEN = "***"
SHORTEST = 6
"""Length from which a secret that was seen is hidden wherever it turns up again."""
SHORTEST_KEY = 16
"""Bytes that an AuthorizationKey has at least (OCPP 1.6 security whitepaper ed. 2, A00.FR.205)."""

_NAME = re.compile(r"authorization_?key|password|passwd|secret", re.IGNORECASE)
"""Names of members, configuration keys and variables whose values are secrets."""
_IN_URL = re.compile(r"(:(?:\\?/){2}[^\s/:@\"'\\]*:)[^\s/@\"'\\]+(?=@)")
_IN_QUERY = re.compile(
    r"([?&](?:\w*token|\w*password|\w*secret|\w*key|auth\w*|sig\w*)=)[^&\s\"'#]+", re.IGNORECASE
)
_MEMBER = re.compile(
    r'("(?:value|attributeValue|\w*(?:authorization_?key|password|passwd|secret))"\s*:\s*")'
    r'(?:[^"\\]|\\.)*',
    re.IGNORECASE,
)

_IN_TOML = re.compile(
    r"""((?:password|secret|token|authorization_?key)\s*=\s*)("[^"\n]*"|'[^'\n]*')"""
)


class Masks:
    """Hides secrets by the names they go by, in URLs, and wherever a known one turns up."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._any_known: re.Pattern[str] | None = None

    def know(self, secret: str) -> None:
        """Hide a secret from now on wherever it stands; too short a one is in too many words."""
        if len(secret) >= SHORTEST and secret != HIDDEN and secret not in self._known:
            self._known.add(secret)
            longest_first = sorted(self._known, key=len, reverse=True)
            self._any_known = re.compile("|".join(map(re.escape, longest_first)))

    def know_credentials(self, header: str) -> None:
        """Hide the password of an HTTP header for basic authentication, also as hex digits.

        Shorter ones than a station may have are left out: they could be an everyday word or number.
        """
        scheme, _, credentials = header.partition(" ")
        try:
            plain = base64.b64decode(credentials.strip(), validate=True)
        except ValueError:
            return
        password = plain.partition(b":")[2]
        if scheme.lower() != "basic" or len(password) < SHORTEST_KEY:
            return
        self.know(credentials.strip())
        self.know(password.hex())
        self.know(password.hex().upper())
        with suppress(UnicodeDecodeError):
            self.know(password.decode())

    def toml(self, text: str) -> str:
        """Hide the secrets in a file that a lab edits, and wherever they turn up from now on."""
        for _, secret in _IN_TOML.findall(text):
            self.know(secret[1:-1])
        return _IN_TOML.sub(rf'\1"{HIDDEN}"', text)

    def apply(self, event: T) -> T:
        """Return an event without secrets; the same when it has none."""
        changed: dict[str, Any] = {}
        for field in dataclasses.fields(event):
            value = getattr(event, field.name)
            masked = self._field(event, field.name, value)
            if masked is not value:
                changed[field.name] = masked
        return dataclasses.replace(event, **changed) if changed else event

    def _field(self, event: Any, name: str, value: Any) -> Any:
        if isinstance(event, FrameReceived | FrameSent):
            if name == "text" and value is not None:
                return self.frame(value)
            if name == "base64" and value is not None:
                return self._bytes(value)
        return self._value(value)

    def _bytes(self, text: str) -> str:
        frame = base64.b64decode(text).decode("utf-8", "replace")
        masked = self.frame(frame)
        return text if masked == frame else base64.b64encode(masked.encode()).decode()

    def frame(self, text: str) -> str:
        """Hide the secrets in the text of a message; nothing else in it changes."""
        if _NAME.search(text) or "\\u" in text:
            text = self._by_name(text)
        return self._text(text)

    def _by_name(self, text: str) -> str:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            # Broken frames are recorded as well; what looks like a secret in them is hidden.
            return _MEMBER.sub(rf"\g<1>{HIDDEN}", text) if _NAME.search(text) else text
        found = {secret for secret in _secrets(document) if secret != HIDDEN}
        if not found:
            return text
        for secret in found:
            if not secret.isalpha():  # a word would be hidden in too many places
                self.know(secret)
            for written in (json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
                text = text.replace(written, f'"{HIDDEN}"')
        if all(secret == HIDDEN for secret in _secrets(json.loads(text))):
            return text
        # Written with escapes that nobody needs: written anew.
        return json.dumps(_without(document), ensure_ascii=False)

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case dict():
                masked = {
                    key: HIDDEN
                    if isinstance(part, str) and part and _NAME.search(str(key))
                    else self._value(part)
                    for key, part in value.items()
                }
                return masked if masked != value else value
            case list() | tuple():
                parts = [self._value(part) for part in value]
                return value if parts == list(value) else parts
            case _:
                return value

    def _text(self, text: str) -> str:
        if "@" in text:
            text = _IN_URL.sub(rf"\g<1>{HIDDEN}", text)
        if "=" in text:
            text = _IN_QUERY.sub(rf"\g<1>{HIDDEN}", text)
        if self._any_known is not None:
            text = self._any_known.sub(HIDDEN, text)
        return text


def _named(document: dict[str, Any]) -> bool:
    """Tell whether an object gives the value of a configuration key or variable that is secret."""
    variable = document.get("variable")
    inner = variable.get("name") if isinstance(variable, dict) else None
    names = (document.get("key"), document.get("name"), inner)
    return any(isinstance(name, str) and _NAME.search(name) for name in names)


def _is_secret(document: dict[str, Any], key: str, part: Any) -> bool:
    if not isinstance(part, str) or not part:
        return False
    if key in ("value", "attributeValue") and _named(document):
        return True
    return _NAME.search(key) is not None


def _secrets(document: Any) -> Iterator[str]:
    match document:
        case dict():
            for key, part in document.items():
                if _is_secret(document, key, part):
                    yield part
                else:
                    yield from _secrets(part)
        case list():
            for part in document:
                yield from _secrets(part)


def _without(document: Any) -> Any:
    match document:
        case dict():
            return {
                key: HIDDEN if _is_secret(document, key, part) else _without(part)
                for key, part in document.items()
            }
        case list():
            return [_without(part) for part in document]
        case _:
            return document

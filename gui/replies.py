"""What the engine answers to a request: a value, or in words why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from PyQt6.QtNetwork import QNetworkReply, QNetworkRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request did not do what it should."""

    status: int
    """Of HTTP; 0 when no answer came, so that nobody knows whether it was done."""
    text: str


class Refused(Exception):
    """There is no value, but a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


def value_of(reply: QNetworkReply, *, raw: bool) -> Any:
    """Read an answer, as JSON unless it is `raw`; raises `Refused`."""
    status = reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
    data = bytes(reply.readAll().data())
    if status is None:
        text = reply.errorString()
        if reply.error() == QNetworkReply.NetworkError.ConnectionRefusedError:
            text = f"nothing answers at {reply.url().authority()}"
        elif reply.error() == QNetworkReply.NetworkError.OperationCanceledError:
            text = f"no answer from {reply.url().authority()} in time"
        raise Refused(Refusal(0, text))
    if not 200 <= int(status) < 300:
        try:
            detail = orjson.loads(data)["detail"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            detail = ""
        text = detail if isinstance(detail, str) and detail else f"HTTP {status}"
        raise Refused(Refusal(int(status), text))
    if raw:
        return data
    try:
        return orjson.loads(data) if data else None
    except orjson.JSONDecodeError:
        raise Refused(Refusal(int(status), "the answer is no JSON: is this an engine?")) from None

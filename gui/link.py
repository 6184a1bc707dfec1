"""The link to an engine: requests, and the stream with resume after a break."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from PyQt6 import sip
from PyQt6.QtCore import QByteArray, QObject, QTimer, QUrl, pyqtSignal
from PyQt6.QtNetwork import QNetworkAccessManager, QNetworkReply, QNetworkRequest
from PyQt6.QtWebSockets import QWebSocket

from gui.replies import Refusal, Refused, value_of

API = "/api/v1"
PATIENCE = 10_000
"""Milliseconds that a request may take unless it says otherwise."""
PAUSES = (250, 500, 1000, 2000)
"""Milliseconds before the next try to connect; the last one stays."""
LARGEST = 1 << 27
"""Bytes of a message of the stream."""
CALM = 150
"""Milliseconds that several wishes for the session are gathered."""


Then = Callable[[Any], None]
Failed = Callable[[Refusal], None]


class Link(QObject):
    """One connection to one engine; what came over the stream waits in `inbox`."""

    state_changed = pyqtSignal(str)
    """`connecting`, `connected`, `lost` (it is tried again) or `refused` (it is not)."""
    session_changed = pyqtSignal(dict)
    refused = pyqtSignal(object)
    """A `Refusal` that no caller took."""

    def __init__(self, url: str, token: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.url = url.rstrip("/")
        self.token = token
        self.state = "closed"
        self.why = ""
        """What is wrong while the state is `lost` or `refused`."""
        self.session: dict[str, Any] = {}
        self.inbox: deque[str | bytes] = deque()
        self.position: tuple[str, int] | None = None
        """Run and number of the last record that was taken; the stream goes on after it."""
        self.clock_ahead = 0.0
        """Seconds that the engine's clock is ahead of ours; below 2 s it counts as none."""
        self._http = QNetworkAccessManager(self)
        self._http.setTransferTimeout(PATIENCE)
        self._socket: QWebSocket | None = None
        self._tries = 0
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._connect)
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(CALM)
        self._refresh.timeout.connect(self._ask_session)

    def open(self) -> None:
        """Connect, and stay connected until closed."""
        self._tries = 0
        self._become("connecting")
        self._connect()

    def move(self, url: str, token: str) -> None:
        """Go on at another place: the engine was started anew."""
        self.close()
        self.url, self.token = url.rstrip("/"), token
        self.open()

    def close(self) -> None:
        """Connect no more."""
        self._again.stop()
        self._refresh.stop()
        self._drop()
        self._become("closed")

    def refresh(self) -> None:
        """Ask for the session soon; several wishes are one."""
        if not self._refresh.isActive():
            self._refresh.start()

    # Requests.

    def get(
        self, path: str, then: Then, failed: Failed | None = None, *, within: int = PATIENCE
    ) -> QNetworkReply:
        """GET JSON; `then` gets the value, `failed` the refusal (the window tells it if None)."""
        return self._ask("GET", path, None, then, failed, within=within)

    def fetch(
        self, path: str, then: Then, failed: Failed | None = None, *, within: int = PATIENCE
    ) -> QNetworkReply:
        """GET bytes, such as a picture or a report."""
        return self._ask("GET", path, None, then, failed, raw=True, within=within)

    def post(
        self,
        path: str,
        body: Any = None,
        then: Then | None = None,
        failed: Failed | None = None,
        *,
        within: int = PATIENCE,
    ) -> QNetworkReply:
        """POST a body as JSON, or as it is when it is bytes; within so many ms."""
        return self._ask("POST", path, body, then, failed, within=within)

    def put(
        self, path: str, body: Any, then: Then | None = None, failed: Failed | None = None
    ) -> QNetworkReply:
        """PUT a body as JSON."""
        return self._ask("PUT", path, body, then, failed)

    def delete(
        self, path: str, then: Then | None = None, failed: Failed | None = None
    ) -> QNetworkReply:
        """DELETE something."""
        return self._ask("DELETE", path, None, then, failed)

    def give_up(self, reply: QNetworkReply | None) -> None:
        """Wait no more for an answer; nobody is told. What the engine does, it goes on with."""
        if reply is not None and not sip.isdeleted(reply):
            reply.setProperty("given-up", True)
            reply.abort()

    def _request(self, path: str) -> QNetworkRequest:
        request = QNetworkRequest(QUrl(f"{self.url}{API}{path}"))
        request.setRawHeader(b"Authorization", f"Bearer {self.token}".encode())
        return request

    def _ask(
        self,
        verb: str,
        path: str,
        body: Any,
        then: Then | None,
        failed: Failed | None,
        *,
        raw: bool = False,
        within: int = PATIENCE,
    ) -> QNetworkReply:
        request = self._request(path)
        request.setTransferTimeout(within)
        if isinstance(body, bytes):
            data = body
            request.setRawHeader(b"Content-Type", b"application/octet-stream")
        else:
            data = b"" if body is None else orjson.dumps(body)
            request.setRawHeader(b"Content-Type", b"application/json")
        reply = self._http.sendCustomRequest(request, verb.encode(), QByteArray(data))
        assert reply is not None

        def finished() -> None:
            reply.deleteLater()
            if reply.property("given-up"):
                return
            self._note_clock(reply)
            try:
                value = value_of(reply, raw=raw)
            except Refused as why:
                if _is_there(failed):
                    (failed or self.refused.emit)(why.refusal)
                return
            if then is not None and _is_there(then):
                then(value)

        reply.finished.connect(finished)
        return reply

    def _note_clock(self, reply: QNetworkReply) -> None:
        try:
            there = parsedate_to_datetime(bytes(reply.rawHeader(b"Date").data()).decode())
        except (TypeError, ValueError):
            return
        ahead = (there - datetime.now(UTC)).total_seconds()
        self.clock_ahead = ahead if abs(ahead) > 2 else 0.0

    # The stream.

    def _connect(self) -> None:
        self._drop()
        # Asked first: its answer says in words what is wrong.
        self.get("/session", self._greeted, self._not_greeted)

    def _greeted(self, session: dict[str, Any]) -> None:
        if self.state in ("closed", "refused"):
            return
        self._take_session(session)
        query = {}
        if self.position is not None:
            run, n = self.position
            query = {"run": run, "from": str(n + 1)}
        self._open_stream(query)

    def _not_greeted(self, refusal: Refusal) -> None:
        if self.state == "closed":
            return
        if refusal.status in (401, 403):
            self.why = f"The engine at {self.url} does not take the token: {refusal.text}"
            self._become("refused")
            return
        self._lose(refusal.text)

    def stream(self, query: Mapping[str, str], parent: QObject) -> QWebSocket:
        """Open the stream anywhere; what comes, and its end, is told by the socket's signals."""
        socket = QWebSocket(parent=parent)
        socket.setMaxAllowedIncomingMessageSize(LARGEST)
        socket.setMaxAllowedIncomingFrameSize(LARGEST)
        request = self._request(f"/stream?{urlencode(query)}")
        request.setUrl(QUrl(request.url().toString().replace("http", "ws", 1)))
        socket.open(request)
        return socket

    def _open_stream(self, query: dict[str, str]) -> None:
        socket = self.stream(query, self)
        socket.connected.connect(self._connected)
        socket.textMessageReceived.connect(self.inbox.append)
        socket.binaryMessageReceived.connect(self._sampled)
        socket.disconnected.connect(lambda: self._disconnected(socket))
        self._socket = socket

    def _sampled(self, frame: QByteArray) -> None:
        self.inbox.append(bytes(frame.data()))

    def _connected(self) -> None:
        self._tries = 0
        self.why = ""
        self._become("connected")

    def _disconnected(self, socket: QWebSocket) -> None:
        if socket is not self._socket:
            return
        text = socket.errorString()
        if "404" in text and self.position is not None:
            # The engine knows no such run: another engine, or its folder was emptied.
            self.position = None
        self._lose(socket.closeReason() or text)

    def _lose(self, why: str) -> None:
        self._drop()
        self.why = why
        self._become("lost")
        self._again.start(PAUSES[min(self._tries, len(PAUSES) - 1)])
        self._tries += 1

    def _drop(self) -> None:
        if self._socket is not None:
            socket, self._socket = self._socket, None
            socket.abort()
            socket.deleteLater()

    def _become(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _ask_session(self) -> None:
        if self.state == "connected":
            self.get("/session", self._take_session, lambda refusal: None)

    def _take_session(self, session: dict[str, Any]) -> None:
        self.session = session
        self.session_changed.emit(session)


def _is_there(call: Callable[..., Any] | None) -> bool:
    """Tell whether who asked is still there: a window may be closed before its answer comes."""
    owner = getattr(call, "__self__", None)
    return not (isinstance(owner, QObject) and sip.isdeleted(owner))

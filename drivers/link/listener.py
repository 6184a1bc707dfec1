"""A listening TCP port that can refuse connections and still be held."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

Accept = Callable[[socket.socket], None]
"""Take a new connection, not blocking."""


class Listener(Protocol):
    """Where connections come in; held from `bind` to `release`, open from `listen` on."""

    @property
    @abstractmethod
    def place(self) -> tuple[str, int]:
        """Host and port; port 0 until the system has chosen one."""

    @property
    @abstractmethod
    def is_bound(self) -> bool:
        """Tell whether the port is held."""

    @property
    @abstractmethod
    def is_listening(self) -> bool:
        """Tell whether connections are accepted."""

    @abstractmethod
    async def bind(self) -> None:
        """Take the port without listening: connections to it are refused, nobody else gets it.

        Raises `OSError` when it can't be had.
        """

    @abstractmethod
    def listen(self, accept: Accept) -> None:
        """Hand new connections to `accept`; does nothing when not bound, or listening."""

    @abstractmethod
    def release(self) -> None:
        """Give the port back; who waits to be accepted is refused."""


class TcpListener(Listener):
    """A port of the system."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._socket: socket.socket | None = None
        self._listening = False

    @property
    def place(self) -> tuple[str, int]:
        """Host and port; the system's choice for port 0 stays."""
        return self._place

    @property
    def is_bound(self) -> bool:
        """Tell whether the port is held."""
        return self._socket is not None

    @property
    def is_listening(self) -> bool:
        """Tell whether connections are accepted."""
        return self._listening

    async def bind(self) -> None:
        """Take the port without listening."""
        host, port = self._place
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            family, _, _, _, place = found[0]
            # Named TCP, its connections get TCP_NODELAY from asyncio.
            self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(place)
        except OSError:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            raise
        self._place = (host, self._socket.getsockname()[1])

    def listen(self, accept: Accept) -> None:
        """Hand new connections to `accept`."""
        # Not by asyncio's server: one that is closed forgets a connection that it is accepting.
        if self._socket is not None and not self._listening:
            self._socket.listen()
            asyncio.get_running_loop().add_reader(self._socket, _take, self._socket, accept)
            self._listening = True

    def release(self) -> None:
        """Give the port back; what waits to be accepted is reset by the kernel."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        self._listening = False


def _take(listener: socket.socket, accept: Accept) -> None:
    with contextlib.suppress(BlockingIOError, ConnectionAbortedError):  # gone again
        connection, _ = listener.accept()
        connection.setblocking(False)
        accept(connection)

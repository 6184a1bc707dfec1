"""The network of a simulated lab in memory: ports of one event loop, joined by socket pairs.

What one end has sent the other end can read at once; so an event loop on which nothing is ready
knows that nothing is under way either, which TCP on the loopback interface can't promise.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from abc import abstractmethod
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from drivers.link.listener import Accept, Listener

_HOST = "127.0.0.1"
_FIRST_PORT = 49152


class Binding(Protocol):
    """What a listener looks like from outside, as far as servers ask."""

    family: int

    @abstractmethod
    def getsockname(self) -> tuple[str, int]:
        """Return host and port."""


class Port(Binding):
    """One port, held until it is released; connections are refused while it does not listen."""

    family = socket.AF_INET

    def __init__(self, network: Network, host: str, port: int) -> None:
        self._network = network
        self._place = (host, port)
        self.accept: Accept | None = None
        """Who takes the listening side's end of a new connection; None: it is refused."""

    def getsockname(self) -> tuple[str, int]:
        """Return host and port."""
        return self._place

    def release(self) -> None:
        """Give the port back."""
        self.accept = None
        self._network.forget(self)


class Network:
    """Who listens where; every host name means this machine."""

    def __init__(self) -> None:
        self._ports: dict[int, Port] = {}
        self._numbers = count(_FIRST_PORT)

    def bind(self, host: str, port: int) -> Port:
        """Hold a port, 0 for any; raises `OSError` when it is taken."""
        if port in self._ports:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        number = port or next(n for n in self._numbers if n not in self._ports)
        self._ports[number] = Port(self, host, number)
        return self._ports[number]

    def forget(self, port: Port) -> None:
        """Free a port; does nothing when it is free."""
        number = port.getsockname()[1]
        if self._ports.get(number) is port:
            del self._ports[number]

    def connect(self, port: int) -> socket.socket:
        """Connect; raises `ConnectionRefusedError` when nobody listens."""
        listener = self._ports.get(port)
        if listener is None or listener.accept is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        here, there = (_HOST, next(self._numbers)), (_HOST, port)
        near, far = socket.socketpair()
        listener.accept(End(far, own=there, other=here))
        return End(near, own=here, other=there)


class End(socket.socket):
    """One end of a connection, which gives the addresses that it would have on a network."""

    def __init__(
        self, pair: socket.socket, *, own: tuple[str, int], other: tuple[str, int]
    ) -> None:
        family, kind = pair.family, pair.type
        super().__init__(family, kind, fileno=pair.detach())
        self.setblocking(False)
        self._own, self._other = own, other

    def getsockname(self) -> tuple[str, int]:
        """Return host and port of this end."""
        return self._own

    def getpeername(self) -> tuple[str, int]:
        """Return host and port of the other end."""
        return self._other


class PortListener(Listener):
    """A port in memory, as a device uses it that listens and refuses by turns."""

    def __init__(self, network: Network, host: str, port: int) -> None:
        self._network = network
        self._place = (host, port)
        self._port: Port | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Host and port; the network's choice for port 0 stays."""
        return self._place

    @property
    def is_bound(self) -> bool:
        """Tell whether the port is held."""
        return self._port is not None

    @property
    def is_listening(self) -> bool:
        """Tell whether connections are accepted."""
        return self._port is not None and self._port.accept is not None

    async def bind(self) -> None:
        """Take the port without listening."""
        self._port = self._network.bind(*self._place)
        self._place = self._port.getsockname()

    def listen(self, accept: Accept) -> None:
        """Hand new connections to `accept`."""
        if self._port is not None and self._port.accept is None:
            self._port.accept = accept

    def release(self) -> None:
        """Give the port back."""
        if self._port is not None:
            self._port.release()
            self._port = None


class PortServer(asyncio.AbstractServer):
    """What `loop.create_server` gives for a port in memory."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, port: Port, protocol: Callable[[], Any], ssl: Any
    ) -> None:
        self._loop = loop
        self._port = port
        self._protocol = protocol
        self._ssl = ssl
        self._serving = False
        self._accepting: set[asyncio.Task[Any]] = set()

    @property
    def sockets(self) -> tuple[Binding, ...]:
        """The port, while it is held."""
        return (self._port,) if self._serving else ()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that serves."""
        return self._loop

    def is_serving(self) -> bool:
        """Tell whether connections are taken."""
        return self._serving

    async def start_serving(self) -> None:
        """Take connections; does nothing when it does already."""
        self._serving = True
        self._port.accept = self._accept

    def close(self) -> None:
        """Take no more connections; those that are open stay."""
        self._serving = False
        self._port.release()

    async def wait_closed(self) -> None:
        """Return at once: there is nothing to wait for."""

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        await self.start_serving()
        try:
            await asyncio.Event().wait()
        finally:
            self.close()

    def _accept(self, connection: socket.socket) -> None:
        work = self._loop.connect_accepted_socket(self._protocol, connection, ssl=self._ssl)
        task = self._loop.create_task(work)
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

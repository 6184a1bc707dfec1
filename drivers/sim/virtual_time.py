"""An event loop in virtual time: its clock stands while there is work and leaps when all wait."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.clock import VirtualClock
from drivers.sim.memory_network import Network, PortServer

_MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
_START = 9 * 3600.0
"""Where the clock starts, in s: always the same, so that a run can be repeated exactly."""

_TURN = 1e-6
"""What one turn of the loop takes, in s: what follows on something comes later than it."""

_PATIENCE = 20.0
"""Real seconds without any event after which a loop that may not leap counts as stuck."""


class VirtualTimeLoop(asyncio.SelectorEventLoop, VirtualClock):
    """Deadlines and intervals cost no time, and the same program does the same every time.

    Servers and connections (`create_server`, `create_connection` and all that is built on them)
    stay in memory, whatever the host; one that is given a socket of the system uses it. Work in
    threads holds the clock; for what else happens outside the loop see `bench.clock.holding_time`.
    """

    def __init__(self) -> None:
        self.network = Network()
        self._present = _START
        self._held: list[str] = []
        """Why the clock may not leap."""
        super().__init__(_LeapingSelector(self._pass, self._held))

    def time(self) -> float:
        """Return the virtual time in s, counted from a midnight UTC."""
        return self._present

    def utc(self) -> datetime:
        """Return the UTC moment that belongs to `time()`."""
        return _MIDNIGHT + timedelta(seconds=round(self._present, 6))

    def _pass(self, seconds: float) -> None:
        self._present += seconds

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Let no time pass while the context lasts."""
        self._held.append(what)
        try:
            yield
        finally:
            self._held.remove(what)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Work in a thread, during which no time passes."""
        what = f"{getattr(func, '__qualname__', func)} in a thread"
        future = super().run_in_executor(executor, func, *args)
        self._held.append(what)
        future.add_done_callback(lambda _: self._held.remove(what))
        return future

    async def create_server(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """Serve on a port in memory."""
        host, port = _place(args, options)
        if options.get("sock") is not None:
            return await super().create_server(protocol_factory, host, port, **options)
        bound = self.network.bind(host or "0.0.0.0", port or 0)
        server = PortServer(self, bound, protocol_factory, options.get("ssl"))
        if options.get("start_serving", True):
            await server.start_serving()
        return server

    async def create_connection(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """Connect to a port in memory; raises `ConnectionRefusedError` when nobody listens."""
        host, port = _place(args, options)
        if options.get("sock") is None:
            options = {name: options[name] for name in _KEPT if name in options}
            options["sock"] = self.network.connect(port or 0)
            if options.get("ssl") is not None:
                options.setdefault("server_hostname", host)
        return await super().create_connection(protocol_factory, **options)


_KEPT = ("ssl", "server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout")
"""What of the options to connect means something in memory."""


def _place(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[str | None, int | None]:
    host, port = (*args, None, None)[:2]
    return options.pop("host", host), options.pop("port", port)


class _LeapingSelector(selectors.DefaultSelector):
    """Looks what is ready; when nothing is, lets the time pass that there is to wait."""

    def __init__(self, let_pass: Callable[[float], None], held: list[str]) -> None:
        super().__init__()
        self._let_pass = let_pass
        self._held = held

    def select(self, timeout: float | None = None) -> Any:
        self._let_pass(_TURN)
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and not self._held:
            self._let_pass(max(0.0, timeout - _TURN))
            return ready
        ready = super().select(_PATIENCE)
        if not ready:
            why = f"is held by {', '.join(self._held)}" if self._held else "has no timer"
            raise RuntimeError(f"nothing happens any more: the virtual clock {why}")
        return ready

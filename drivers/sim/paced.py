"""A serial line that is as slow as its baud rate: bytes arrive when their last bit has passed."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time
import tty

from drivers.link.modbus_bus import BITS, silence
from drivers.sim.faults import Faults
from drivers.sim.wire import PtyWire, Talk

_LENIENT = 1e-4
"""Time in s by which a request may be early, for the clocks."""


def taken(characters: int, baudrate: int) -> float:
    """Tell how long so many characters take in s."""
    return characters * BITS / baudrate


class PacedPtyWire(PtyWire):
    """A pseudo terminal on a half-duplex line.

    What one side has sent reaches the other when its last bit would have passed; who answers waits
    for the pause that ends a frame. A request that does not is lost, as real devices take it for
    the rest of the frame before. A thread keeps the time, as the event loop's timers are coarse.
    """

    def __init__(self, scheme: str, *, baudrate: int) -> None:
        super().__init__(scheme, baudrate=baudrate)
        self.lost = 0
        """Requests that came too early after the frame before."""
        self._rate = baudrate
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    async def open(self, talk: Talk, faults: Faults) -> None:
        """Make the terminal, and the line to it."""
        await super().open(talk, faults)
        assert self._ends is not None
        _, bench = self._ends
        near, far = os.openpty()
        tty.setraw(near)
        tty.setraw(far)
        # What the twin talks to is the line's far end; the bench opens the near one.
        self._device = os.ttyname(far)
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._carry, args=(near, far, bench), name="paced line", daemon=True
        )
        self._thread.start()

    async def close(self) -> None:
        """Hang up."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        await super().close()

    def _carry(self, near: int, far: int, twin: int) -> None:
        """Carry bytes between the bench's terminal and the twin's, in their time."""
        other = {twin: near, near: twin}
        free, last, pause = 0.0, near, silence(self._rate)
        try:
            while not self._stop.is_set():
                ready, _, _ = select.select(list(other), [], [], 0.05)
                for end in ready:
                    data = os.read(end, 4096)
                    turns, last = end != last, end
                    if end == twin:
                        # The device answers at once; only its simulation needs time for that.
                        free += pause if turns else 0.0
                        free = max(time.perf_counter(), free + taken(len(data), self._rate))
                    elif turns and time.perf_counter() < free + pause - _LENIENT:
                        self.lost += 1
                        continue
                    else:
                        free = max(time.perf_counter(), free) + taken(len(data), self._rate)
                    time.sleep(max(0.0, free - time.perf_counter()))
                    os.write(other[end], data)
        finally:
            os.close(near)
            os.close(far)

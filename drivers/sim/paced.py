"""A serial line that is as slow as its baud rate: bytes arrive when their last bit has passed."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time
import tty

from drivers.sim.faults import Faults
from drivers.sim.wire import PtyWire, Talk

BITS = 10
"""Of one character: start, eight data bits, stop."""


def silence(baudrate: int) -> float:
    """Tell the pause in s between two Modbus frames: 3.5 characters, 1.75 ms above 19200 baud."""
    return 3.5 * BITS / baudrate if baudrate <= 19_200 else 0.00175


def taken(characters: int, baudrate: int) -> float:
    """Tell how long so many characters take in s."""
    return characters * BITS / baudrate


class PacedPtyWire(PtyWire):
    """A pseudo terminal on a half-duplex line.

    What one side has sent reaches the other when its last bit would have passed; who answers waits
    for the pause that ends a frame. A thread keeps the time, as the event loop's timers are coarse.
    """

    def __init__(self, scheme: str, *, baudrate: int) -> None:
        super().__init__(scheme, baudrate=baudrate)
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
        other = {near: twin, twin: near}
        free, last = 0.0, near
        try:
            while not self._stop.is_set():
                ready, _, _ = select.select(list(other), [], [], 0.05)
                for end in ready:
                    data = os.read(end, 4096)
                    pause = silence(self._rate) if end != last else 0.0
                    free, last = free + pause, end
                    if end == twin:
                        # The device answers at once; only its simulation needs time for that.
                        free = max(time.perf_counter(), free + taken(len(data), self._rate))
                    else:
                        free = max(time.perf_counter(), free) + taken(len(data), self._rate)
                    time.sleep(max(0.0, free - time.perf_counter()))
                    os.write(other[end], data)
        finally:
            os.close(near)
            os.close(far)

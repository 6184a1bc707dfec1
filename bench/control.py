"""Pause, resume and abort a run, from any front end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from bench.errors import JournalError
from bench.events import AbortRequested, RunPaused, RunResumed
from bench.stream import Stream


class Control:
    """The switch of one run: a paused run waits at the next step, an aborted one ends there."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._go = asyncio.Event()
        self._go.set()
        self.aborted_by: str | None = None
        """Who asked for the abort, once somebody has."""
        self.hurried = False
        """True when clean-ups are to be cut short; the lab is made safe all the same."""
        self._cancel: Callable[[], object] | None = None

    @property
    def is_paused(self) -> bool:
        """Tell whether the run waits at its next step."""
        return not self._go.is_set()

    def pause(self, by: str) -> None:
        """Hold the run at its next step."""
        if not self.is_paused:
            self._go.clear()
            self._stream.emit(RunPaused(by))

    def resume(self, by: str) -> None:
        """Let the run go on."""
        if self.is_paused:
            self._go.set()
            self._stream.emit(RunResumed(by))

    def abort(self, by: str) -> None:
        """End the run: the running case is cancelled, cleaned up, and the lab made safe.

        A second call cuts the clean-ups short.
        """
        self.hurried = self.aborted_by is not None
        self.aborted_by = self.aborted_by or by
        if self._cancel is not None:
            self._cancel()
        if not self.hurried:
            # Whoever aborts, a signal for one, can't do more for a journal that takes nothing.
            with suppress(JournalError):
                self._stream.emit(AbortRequested(by))

    async def gate(self) -> None:
        """Wait while the run is paused."""
        await self._go.wait()

    def cancels(self, cancel: Callable[[], object] | None) -> None:
        """Tell what an abort has to cancel right now; None: nothing."""
        self._cancel = cancel

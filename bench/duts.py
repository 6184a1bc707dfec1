"""The DUTs of an engine: each as its `dut.toml` has it, until a run holds on to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bench.dut import DutConfig, Pixit, parse_dut
from bench.errors import BenchError, ConfigError

T = TypeVar("T")


class UnderTest(BenchError):
    """A run goes on with the DUT, or its file is being written."""


class Duts(Mapping[str, DutConfig]):
    """The DUTs by identity; a file that has changed is read anew when it is asked for."""

    def __init__(self, duts: Sequence[DutConfig]) -> None:
        """Take DUTs as they were read; raises `ConfigError` when two have one identity."""
        self._duts = {dut.dut.identity: dut for dut in duts}
        if len(self._duts) < len(duts):
            raise ConfigError("--dut: two DUTs have the same identity")
        self._texts = {identity: _text(dut) for identity, dut in self._duts.items()}
        """What their files held when they were read."""
        self._written: set[str] = set()
        """Those whose files are being written."""
        self.is_under_test: Callable[[str], bool] = lambda identity: False
        """Tells whether a run with a DUT goes on or begins."""
        self.on_change: Callable[[DutConfig], None] = lambda dut: None
        """Called when a DUT is not what it was any more."""

    def __getitem__(self, identity: str) -> DutConfig:
        return self._duts[identity]

    def __iter__(self) -> Iterator[str]:
        return iter(self._duts)

    def __len__(self) -> int:
        return len(self._duts)

    def one(self, identity: str | None) -> DutConfig | None:
        """Return a DUT by identity, the only one when None; raises `ConfigError`."""
        if identity is None:
            if len(self) > 1:
                known = ", ".join(self)
                raise ConfigError(f"this engine has several DUTs, name one of {known}")
            return next(iter(self.values()), None)
        if identity not in self:
            known = ", ".join(self) or "none"
            raise ConfigError(f"no DUT {identity!r}, known are {known}")
        return self[identity]

    @property
    def pixit(self) -> Pixit:
        """What is known of the sample that acts by hand are for: the first DUT."""
        return next((dut.pixit for dut in self.values()), Pixit())

    def refreshed(self, identity: str) -> DutConfig:
        """Return a DUT as its file has it now, if no run holds on to what it had.

        Raises `ConfigError` when the file is not sound.
        """
        dut = self[identity]
        text = _text(dut)
        if text is None or text == self._texts[identity] or self.is_under_test(identity):
            return dut
        found = parse_dut(dut.path, text)
        if found.dut.identity != identity:
            where = f"{dut.path}: table [dut], key 'identity'"
            problem = f"the engine was started with {identity!r}"
            raise ConfigError(f"{where}: {found.dut.identity!r}, but {problem}")
        self._duts[identity], self._texts[identity] = found, text
        self.on_change(found)
        return found

    def hold(self, identity: str) -> None:
        """Raise `UnderTest` while a DUT's file is being written, so that no run begins with it."""
        if identity in self._written:
            raise UnderTest(f"{self[identity].path.name} is being written")

    async def write(self, identity: str, change: Callable[[Path], T]) -> T:
        """Let a function write a DUT's file, for the next run; return what it returns.

        Raises `UnderTest`, or what the function raises.
        """
        if self.is_under_test(identity):
            raise UnderTest(f"{identity} is under test")
        self.hold(identity)
        self._written.add(identity)
        try:
            return await asyncio.to_thread(change, self[identity].path)
        finally:
            self._written.discard(identity)


def _text(dut: DutConfig) -> str | None:
    try:
        return dut.path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # a run says what is wrong with it

"""How a command of `pilotbench` is declared, here and in spokes (entry points)."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: its name, its line of help, its options, and what it does."""

    name: str
    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    """Do it and return the exit code; raises `ConfigError` for exit code 3."""
    hindrance: Callable[[], str | None] = lambda: None
    """Tell in words what keeps it from running on this machine, None when nothing does."""

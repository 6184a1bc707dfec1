"""Say what went wrong, in the classes that decide a verdict."""

from __future__ import annotations


def in_one_line(error: BaseException | str) -> str:
    """Write an error for people: one line, whatever the texts it quotes."""
    return " ".join(str(error).split()) or type(error).__name__


class BenchError(Exception):
    """The root of every error that Pilotbench raises on purpose."""


class ConfigError(BenchError):
    """A file, key or command line option is wrong; the text names file, table and key."""


class CheckFailed(BenchError):
    """The DUT did something else than required: fail in the body, inconclusive in the preamble."""


class Unverifiable(BenchError):
    """The bench could not observe what it had to judge: inconclusive."""


class DeviceError(BenchError):
    """A device of the lab failed: error."""


class LinkError(DeviceError):
    """The link to a device is broken or was closed."""


class DeviceTimeout(DeviceError):
    """A device did not answer, or did not reach the commanded state, before the deadline."""


class CaseOverdue(BenchError):
    """A case did not come to an end, as every one must: error."""


class JournalError(BenchError):
    """The journal can't be written or read; a run that loses its journal stops."""


class RunAborted(BenchError):
    """The operator, a signal or the engine ended the run before its time."""

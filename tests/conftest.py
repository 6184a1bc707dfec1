"""What must stand before any test begins."""

from __future__ import annotations

import gc
import os

from hypothesis import HealthCheck, settings

from tests.wire.pcsc_daemon import SOCKET

# The PC/SC library reads it once in a process. Tests have readers of their own and never see those
# of the machine.
os.environ["PCSCLITE_CSOCK_NAME"] = str(SOCKET)

# The same examples every time, however busy the machine is.
_SLOW = [HealthCheck.too_slow]
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=_SLOW)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Let no collection of garbage walk over the tests and what they imported: they stay."""
    gc.collect()
    gc.freeze()

"""What must stand before any test begins."""

from __future__ import annotations

import gc
import os

from tests.wire.pcsc_daemon import SOCKET

# The PC/SC library reads it once in a process. Tests have readers of their own and never see those
# of the machine.
os.environ["PCSCLITE_CSOCK_NAME"] = str(SOCKET)


def pytest_collection_finish() -> None:
    """Let no collection of garbage walk over the tests and what they imported: they stay."""
    gc.collect()
    gc.freeze()

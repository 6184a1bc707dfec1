"""The HTTP API that front ends and programs talk to (CONTRACT, "API")."""

from bench.server.server import serving

__all__ = ["serving"]

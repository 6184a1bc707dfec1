"""The HTTP API that front ends and programs talk to (CONTRACT, "API")."""

from bench.server.server import openapi_of, serving

__all__ = ["openapi_of", "serving"]

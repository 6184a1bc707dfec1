"""A device as a procedure gets it: every call is guarded and recorded."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Any

from bench.clock import now
from bench.events import Acted

Guard = Callable[[str, Mapping[str, Any]], AbstractAsyncContextManager[None]]


class Recorded:
    """A device as one capability; every call passes the interlocks and emits `Acted`."""

    def __init__(
        self,
        name: str,
        capability: type,
        device: Any,
        acted: Callable[[Acted, BaseException | None], None],
        guard: Guard,
    ) -> None:
        self._name = name
        self._capability = capability
        self._device = device
        self._acted = acted
        self._guard = guard

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        if method.startswith("_") or not hasattr(self._capability, method):
            raise AttributeError(f"{self._capability.__name__} has no {method}")
        act = getattr(self._device, method)
        signature = inspect.signature(getattr(self._capability, method))

        async def recorded(*args: Any, **keywords: Any) -> Any:
            bound = signature.bind(None, *args, **keywords)
            bound.apply_defaults()
            arguments = {key: plain(value) for key, value in list(bound.arguments.items())[1:]}
            started = now()
            result, failure = None, None
            try:
                async with self._guard(method, dict(bound.arguments)):
                    result = await act(*args, **keywords)
            except BaseException as error:
                failure = error
                raise
            finally:
                event = Acted(
                    device=self._name,
                    capability=self._capability.__name__,
                    method=method,
                    arguments=arguments,
                    result=plain(result),
                    error=None if failure is None else str(failure) or type(failure).__name__,
                    duration=round(now().mono - started.mono, 6),
                )
                self._acted(event, failure)
            return result

        return recorded


def plain(value: Any) -> Any:
    """Write a capability's argument or result as JSON data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value

"""The route to the history of a channel: a bounded window of a run's file of samples."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request

from bench.history import SampleReader, thinned
from bench.sample_file import SAMPLES
from bench.server.models import SamplesModel, problems
from bench.summary import Summary

LONGEST = 3600.0
"""Seconds that a window spans at most."""
USUAL = 600.0
"""Seconds before its end that a window spans when it is not said where it begins."""
MOST = 2000
"""Points that are given at most."""


def sample_routes(readable: Callable[[Request, str], Awaitable[Summary]]) -> APIRouter:
    """Make the route; `readable` returns a run that the holder of the token may read."""
    routes = APIRouter()
    turn = asyncio.Lock()

    @routes.get("/runs/{run}/samples", responses=problems(404, 422, 500))
    async def samples(
        request: Request,
        run: str,
        channel: Annotated[int, Query(ge=1, le=65535)],
        begin: Annotated[float | None, Query(alias="from", allow_inf_nan=False)] = None,
        end: Annotated[float | None, Query(alias="to", allow_inf_nan=False)] = None,
        points: Annotated[int, Query(ge=2, le=MOST)] = 600,
    ) -> SamplesModel:
        """Give what a channel did in a window of time, as samples or as least and greatest."""
        one = await readable(request, run)
        if begin is not None and end is not None and not 0 <= end - begin <= LONGEST:
            problem = f"expected at most {LONGEST:g} s from 'from' to 'to', and not backwards"
            raise HTTPException(422, f"query.from: {problem}")
        # One after the other: to read much of a large file takes the engine's time.
        async with turn:
            try:
                return await asyncio.to_thread(_read, one.folder, channel, begin, end, points)
            except (OSError, ValueError) as error:
                raise HTTPException(500, f"the samples can't be read: {error}") from error

    return routes


def _read(
    folder: Path, channel: int, begin: float | None, end: float | None, points: int
) -> SamplesModel:
    reader = SampleReader(folder / SAMPLES)
    exists = reader.path.exists()
    if end is None:
        newest = reader.newest() if exists else None
        end = (begin or 0.0) if newest is None else newest
        if begin is not None:
            end = max(begin, min(end, begin + LONGEST))
    if begin is None:
        begin = end - USUAL
    nothing = array("d")
    times, values = reader.samples(channel, begin, end) if exists else (nothing, nothing)
    found = thinned(times, values, points)
    return SamplesModel(
        channel=channel,
        begin=begin,
        end=end,
        samples=len(times),
        time=found.time,
        min=found.least,
        max=found.greatest,
    )

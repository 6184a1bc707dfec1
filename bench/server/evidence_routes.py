"""The routes by which the operator verifies runs and holds one against another."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response

from bench.archive import NoSuchRun
from bench.computed import comparison
from bench.engine import Engine
from bench.server.models import VerificationModel, problems
from bench.server.refusals import refusals
from bench.verify import verify


def evidence_routes(engine: Engine) -> APIRouter:
    """Make the routes; what they compute is computed in a process of its own."""
    routes = APIRouter()

    async def folder(run: str) -> Path:
        try:
            return (await asyncio.to_thread(engine.archive.get, run)).folder
        except NoSuchRun as error:
            raise HTTPException(404, str(error)) from error

    @routes.post("/runs/{run}/verify", responses=problems(404, 409, 422, 500))
    async def verify_run(run: str) -> VerificationModel:
        """Check a run's hash chain and files, and derive its verdicts again from the records."""
        place = await folder(run)
        if run == engine.run_id:
            raise HTTPException(409, f"run {run} is going on")
        with refusals():
            found = await engine.apart.call(verify, place)
        return VerificationModel(
            sound=found.is_sound,
            summary=list(found.summary),
            faults=list(found.faults),
            warnings=list(found.warnings),
        )

    @routes.get("/compare", responses=problems(404, 422, 500))
    async def compare_runs(
        first: Annotated[str, Query(max_length=200)],
        second: Annotated[str, Query(max_length=200)],
        case: Annotated[str | None, Query(max_length=40)] = None,
    ) -> dict[str, Any]:
        """Hold two runs against each other, case by case; or one case, message by message."""
        places = await folder(first), await folder(second)
        with refusals():
            found = await engine.apart.call(comparison, *places, case)
        return Response(found, media_type="application/json")  # type: ignore[return-value]

    return routes

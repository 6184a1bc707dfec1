"""The HTTP routes of the API."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, HTTPException, Query, Request, Response

from bench.archive import NoSuchRun
from bench.engine import Engine, NotRunning
from bench.errors import ConfigError
from bench.operator import NoSuchPrompt, PromptClosed
from bench.pictures import Picture
from bench.plan import Selection
from bench.redaction import event_for_observer
from bench.report import rendering
from bench.server.access import Access, Role, holder_of
from bench.server.actuator_routes import actuator_routes
from bench.server.bench_routes import bench_routes
from bench.server.dut_routes import dut_routes
from bench.server.evidence_routes import evidence_routes
from bench.server.models import (
    AcceptedModel,
    AnswerModel,
    ByModel,
    PlanModel,
    ProcedureModel,
    PromptModel,
    RunModel,
    SessionModel,
    StartedModel,
    StartModel,
    problems,
    run_model,
)
from bench.server.refusals import refusals
from bench.server.sample_routes import sample_routes
from bench.server.share_routes import share_routes
from bench.server.shares import Shares
from bench.server.snapshot import prompts as open_prompts
from bench.server.snapshot import session as describe
from bench.server.viewers import Viewers
from bench.summary import Summary, voided

ROOT = "/api/v1"
_FORMS = {
    "report.html": ("html", "text/html; charset=utf-8"),
    "report.pdf": ("pdf", "application/pdf"),
    "results.csv": ("csv", "text/csv; charset=utf-8"),
    "declaration.pdf": ("declaration", "application/pdf"),
    "junit.xml": ("junit", "application/xml"),
}


def make_routes(
    engine: Engine, access: Access, viewers: Viewers, shares: Shares | None
) -> APIRouter:
    """Make the routes of one engine, each for the roles that may use it."""
    routes = APIRouter(prefix=ROOT)
    routes.include_router(_reading(engine, access, viewers))
    routes.include_router(_acting(engine, access))
    routes.include_router(_workplace(engine, access, shares))
    if engine.config.api.actuators:
        routes.include_router(actuator_routes(engine, access))
    return routes


def _reading(engine: Engine, access: Access, viewers: Viewers) -> APIRouter:
    """Make the routes that an observer may use as well, for what is shared."""
    routes = APIRouter(
        dependencies=[Depends(access.needs(Role.OPERATOR, Role.OBSERVER))],
        responses=problems(401),
    )

    async def readable(request: Request, run: str) -> Summary:
        """Return a run; for an observer those of others are not there."""
        try:
            one = await asyncio.to_thread(engine.archive.get, run)
        except NoSuchRun as error:
            raise HTTPException(404, str(error)) from error
        if not holder_of(request).may_read(one):
            raise HTTPException(404, f"there is no run {run!r}")
        return one

    async def rendered(request: Request, run: str, kind: str, view: str = "lab") -> bytes:
        one = await readable(request, run)
        share = holder_of(request).share
        view = view if share is None else "vendor"
        shown = None if view == "lab" else event_for_observer
        alone = share is not None and share.run is not None
        return await engine.apart.call(rendering, one.folder, kind, shown, view, alone=alone)

    @routes.get("/session")
    async def session(request: Request) -> SessionModel:
        """Tell bench, DUT, device states, current run and version."""
        return describe(engine, holder_of(request), viewers.observers)

    @routes.get("/procedures", responses=problems(400, 422))
    async def procedures(
        request: Request, dut: Annotated[str | None, Query(max_length=200)] = None
    ) -> list[ProcedureModel]:
        """List all procedures; for the operator, whether they would run on a DUT and why not."""
        operator = holder_of(request).role is Role.OPERATOR
        try:
            found = engine.procedures(dut) if operator else engine.catalogue()
        except ConfigError as error:
            raise HTTPException(400, str(error)) from error
        return [ProcedureModel.model_validate(one.to_json()) for one in found]

    @routes.get(
        "/pictures/{name}",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {}}}, **problems(404)},
    )
    async def picture(name: str) -> Response:
        """Give the drawing that a prompt names, as SVG."""
        try:
            drawing = Picture(name)
        except ValueError as error:
            raise HTTPException(404, f"there is no picture {name!r}") from error
        headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
        return Response(drawing.svg(), media_type="image/svg+xml", headers=headers)

    @routes.get("/runs")
    async def runs(request: Request) -> list[RunModel]:
        """List the runs, oldest first."""
        holder = holder_of(request)
        found = await asyncio.to_thread(engine.archive.runs)
        void = voided(found)
        return [run_model(engine, one, void.get(one.run)) for one in found if holder.may_read(one)]

    @routes.get("/runs/{run}", responses=problems(404, 422))
    async def get_run(request: Request, run: str) -> RunModel:
        """Tell a run in short."""
        one = await readable(request, run)
        void = voided(await asyncio.to_thread(engine.archive.runs))
        return run_model(engine, one, void.get(run))

    @routes.get("/runs/{run}/results", responses=problems(404, 422))
    async def results(request: Request, run: str) -> dict[str, Any]:
        """Give a run's results (CONTRACT, "A run's folder"), of a running one so far."""
        return Response(await rendered(request, run, "json"), media_type="application/json")  # type: ignore[return-value]

    for name, (kind, media_type) in _FORMS.items():
        routes.add_api_route(
            f"/runs/{{run}}/{name}",
            _as_file(rendered, kind, media_type),
            methods=["GET"],
            name=name,
            summary=f"Give a run's {name}, of a running one so far.",
            response_class=Response,
            responses={200: {"content": {media_type: {}}}, **problems(404, 422)},
        )

    routes.include_router(sample_routes(readable))

    @routes.get("/prompts")
    async def prompts(request: Request) -> list[PromptModel]:
        """List the prompts that wait for an answer, oldest first."""
        return open_prompts(engine, holder_of(request))

    return routes


def _as_file(rendered: Any, kind: str, media_type: str) -> Any:
    async def give(
        request: Request, run: str, view: Annotated[Literal["lab", "vendor"], Query()] = "lab"
    ) -> Response:
        return Response(await rendered(request, run, kind, view), media_type=media_type)

    return give


def _acting(engine: Engine, access: Access) -> APIRouter:
    """Make the routes that change something, for the operator alone."""
    routes = APIRouter(
        dependencies=[Depends(access.needs(Role.OPERATOR))], responses=problems(401, 403)
    )

    @routes.post("/runs", status_code=201, responses=problems(400, 409, 422, 500))
    async def start(wanted: StartModel) -> StartedModel:
        """Start a run; one at a time."""
        planned = wanted.plan or PlanModel()
        selection = Selection(
            cases=(*planned.cases, *wanted.cases), groups=(*planned.groups, *wanted.groups)
        )
        with refusals(wrong=400):
            dut, plan = engine.plan(selection, wanted.dut)
            run = await engine.start(dut, plan, wanted.reason)
        refused = [f"{one.procedure.id}: {one.outcome}, {one.reason}" for one in plan.refused]
        return StartedModel(run=run, refused=refused)

    for word, act in (
        ("abort", engine.abort),
        ("pause", engine.pause),
        ("resume", engine.resume),
    ):
        routes.add_api_route(
            f"/runs/{{run}}/{word}",
            _controlling(engine, act),
            methods=["POST"],
            name=word,
            summary=_SUMMARIES[word],
            responses=problems(400, 404, 409, 422),
        )

    @routes.post("/prompts/{prompt_id}/answer", responses=problems(400, 404, 409, 422))
    async def answer(prompt_id: str, said: AnswerModel) -> AcceptedModel:
        """Answer a prompt; the first answer wins."""
        try:
            accepted = engine.desk.answer(prompt_id, said.answer, comment=said.comment, by=said.by)
        except NoSuchPrompt as error:
            raise HTTPException(404, str(error)) from error
        except PromptClosed as error:
            raise HTTPException(409, str(error)) from error
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return AcceptedModel(
            prompt=prompt_id, answer=accepted.value, comment=accepted.comment, by=accepted.by
        )

    return routes


def _workplace(engine: Engine, access: Access, shares: Shares | None) -> APIRouter:
    """Make the routes for the operator alone: bench, DUTs, links, evidence."""
    routes = APIRouter(
        dependencies=[Depends(access.needs(Role.OPERATOR))], responses=problems(401, 403)
    )
    routes.include_router(bench_routes(engine))
    routes.include_router(dut_routes(engine))
    routes.include_router(share_routes(engine, shares))
    routes.include_router(evidence_routes(engine))
    return routes


_SUMMARIES = {
    "abort": "End the run that goes on with the lab safe; a second time cuts clean-ups short.",
    "pause": "Hold the run that goes on at its next step.",
    "resume": "Let a paused run go on.",
}


def _controlling(engine: Engine, act: Any) -> Any:
    async def control(run: str, said: Annotated[ByModel | None, Body()] = None) -> RunModel:
        by = (said.by if said is not None else "") or "the operator"
        try:
            one = await asyncio.to_thread(engine.archive.get, run)
            act(run, by)
        except NoSuchRun as error:
            raise HTTPException(404, str(error)) from error
        except NotRunning as error:
            raise HTTPException(409, str(error)) from error
        return run_model(engine, one)

    return control

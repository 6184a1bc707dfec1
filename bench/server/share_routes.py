"""The routes by which the operator makes, lists and revokes links for observers."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request

from bench.actuators import NotOffered
from bench.archive import NoSuchRun, dut_key
from bench.engine import Engine
from bench.server.models import problems
from bench.server.refusals import refusals
from bench.server.share_models import MadeShareModel, NewShareModel, ShareModel
from bench.server.shares import Listed, Shares, duration, link


def share_routes(engine: Engine, shares: Shares | None) -> APIRouter:
    """Make the routes; all answer 501 for an engine that makes a single run and shares nothing."""
    routes = APIRouter(prefix="/shares", responses=problems(501))

    def opened() -> Shares:
        with refusals():
            if shares is None:
                raise NotOffered("this engine makes a single run and shares nothing")
            return shares

    @routes.get("", responses=problems(500))
    async def listed() -> list[ShareModel]:
        """List all links, the one that lasts longest first."""
        with refusals(wrong=500):
            found = await asyncio.to_thread(opened().listed)
        return [ShareModel(**_told(one)) for one in found]

    @routes.post("", status_code=201, responses=problems(400, 404, 422))
    async def make(request: Request, wanted: NewShareModel) -> MadeShareModel:
        """Make a link by which somebody reads the runs of a DUT, or a single run."""
        made = opened()
        if (wanted.run is None) == (wanted.dut is None):
            raise HTTPException(422, "body: expected either 'run' or 'dut'")
        if not wanted.name.strip() or not wanted.name.isprintable():
            raise HTTPException(422, "body.name: expected the name of somebody")
        run = None if wanted.run is None else await _run(engine, wanted.run)
        dut = None if wanted.dut is None else _dut(engine, wanted.dut)
        with refusals():
            try:
                lasting = duration(wanted.expires)
            except ValueError as error:
                raise HTTPException(422, f"body.expires: {error}") from error
            share, token = await asyncio.to_thread(
                made.make, wanted.name, lasting, dut=dut, run=run
            )
        place = wanted.url or f"{request.url.scheme}://{request.url.netloc}"
        return MadeShareModel(**_told(Listed(share, None)), link=link(place, token))

    @routes.delete("/{share}", responses=problems(404, 422))
    async def revoke(share: str) -> ShareModel:
        """Make a link good for nothing; who watches by it is sent away."""
        with refusals(wrong=404):
            return ShareModel(**_told(await asyncio.to_thread(opened().revoke, share)))

    return routes


async def _run(engine: Engine, run: str) -> str:
    try:
        return (await asyncio.to_thread(engine.archive.get, run)).run
    except NoSuchRun as error:
        raise HTTPException(404, str(error)) from error


def _dut(engine: Engine, identity: str) -> tuple[str, str, str]:
    if identity not in engine.duts:
        raise HTTPException(404, f"there is no DUT {identity!r}")
    return dut_key(asdict(engine.duts[identity].dut))


def _told(one: Listed) -> dict[str, Any]:
    over = one.share.is_over(datetime.now(UTC))
    state = "revoked" if one.revoked else "expired" if over else "good"
    return {**asdict(one.share), "state": state, "revoked": one.revoked}

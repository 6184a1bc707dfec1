"""The routes by which another test tool uses the bench as its hands (off unless configured)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse

from bench.actuators import NotOffered
from bench.capability import Failure
from bench.engine import Engine
from bench.server.access import Access, Role
from bench.server.models import problems
from bench.server.refusals import refusals

Number = Annotated[int | None, Query(ge=1, le=100)]
Switch = Annotated[bool | None, Query()]


def actuator_routes(engine: Engine, access: Access) -> APIRouter:
    """Make the routes; each answers 200 once the act is done, and 409 while a run goes on."""
    routes = APIRouter(
        dependencies=[Depends(access.needs(Role.OPERATOR))],
        default_response_class=PlainTextResponse,
        responses=problems(401, 403, 409, 422, 500, 501),
    )
    hands = engine.workplace.actuators

    async def done(act: Coroutine[Any, Any, None]) -> str:
        with refusals():
            await engine.workplace.act(act)
        return "OK"

    @routes.post("/plugin")
    async def plugin(
        evse_id: Number = None, connector_id: Number = None, halfway: Switch = None
    ) -> str:
        """Plug the cable in."""
        with refusals():
            if halfway:
                raise NotOffered("no device of the bench leaves a plug halfway in its socket")
        return await done(hands.plug_in(evse_id or connector_id))

    @routes.post("/plugout")
    async def plugout(evse_id: Number = None, connector_id: Number = None) -> str:
        """Take the cable out."""
        return await done(hands.unplug(evse_id or connector_id))

    @routes.post("/authorize")
    async def authorize(
        id: Annotated[str, Query(min_length=1, max_length=36)],
        type: Annotated[str, Query(max_length=40)] = "",
        evse_id: Number = None,
        connector_id: Number = None,
    ) -> str:
        """Present the card with an idTag."""
        return await done(hands.authorize(id, evse_id or connector_id))

    @routes.post("/reboot")
    async def reboot() -> str:
        """Take the supply of the station away for a while."""
        return await done(hands.reboot())

    @routes.post("/state")
    async def state(
        faulted: Switch = None,
        unlock_failed: Switch = None,
        refused_local_auth_list: Switch = None,
        charging_limit: Annotated[float | None, Query(ge=0, le=1000)] = None,
        ready: Switch = None,
        evse_id: Number = None,
    ) -> str:
        """Bring about a state: of the vehicle, of the pilot, of a part that is to fail."""

        async def act() -> None:
            if faulted is not None:
                await hands.faulted(faulted, evse_id)
            if unlock_failed is not None:
                await hands.fails(Failure.LOCK_BLOCKED, unlock_failed, evse_id)
            if refused_local_auth_list is not None:
                await hands.fails(Failure.LOCAL_LIST_FAILURE, refused_local_auth_list, evse_id)
            if ready is not None or charging_limit is not None:
                await hands.ready(ready is not False, charging_limit, evse_id)

        return await done(act())

    @routes.post("/parkingbay")
    async def parking_bay(occupied: Switch = None) -> str:
        """Refuse to move a vehicle onto a parking bay, or off it: no device can."""
        with refusals():
            raise NotOffered("no device of the bench moves a vehicle onto a parking bay")

    @routes.post("/end")
    async def end() -> str:
        """Make the lab safe and let the devices go."""
        return await done(hands.release())

    return routes

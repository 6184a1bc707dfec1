"""The routes by which the operator sees, checks and moves the bench while no run goes on."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, get_args

from fastapi import APIRouter, HTTPException

from bench.acts import read_act
from bench.cards import Notation, id_tag_of
from bench.checkup import Finding
from bench.clock import iso
from bench.config import Calibration
from bench.engine import Engine
from bench.recorded import plain
from bench.server.bench_models import (
    ActedModel,
    ActModel,
    CalibrationModel,
    CardModel,
    CardWaitModel,
    CheckModel,
    FindingModel,
    SafeModel,
    ScanModel,
    TestModel,
    WiredModel,
    WiringModel,
)
from bench.server.models import problems
from bench.server.refusals import refusals


def bench_routes(engine: Engine) -> APIRouter:
    """Make the routes; those that touch a device answer 409 while a run goes on."""
    routes = APIRouter(prefix="/bench")
    workplace = engine.workplace
    hands = workplace.actuators

    @routes.get("")
    async def wiring() -> WiringModel:
        """Tell what is wired, and how each device is."""
        states = {one["name"]: one for one in engine.devices}
        return WiringModel(
            name=engine.config.bench.name,
            file=str(engine.config.path),
            devices=[
                WiredModel(
                    **states[one.name],
                    profile=_setting(one.settings, "profile"),
                    role=one.role,
                    connectors=getattr(one.settings, "connectors", None),
                    link=_setting(one.settings, "link") or _setting(one.settings, "interface"),
                    by_hand=one.driver.by_hand,
                    serial=_setting(one.settings, "serial"),
                    calibration=_calibration(one.calibration),
                    checked=_checked(workplace.checked.get(one.name)),
                )
                for one in engine.config.devices
            ],
        )

    @routes.post("/test", responses=problems(400, 409, 422, 500))
    async def test(wanted: TestModel | None = None) -> list[FindingModel]:
        """Open each device by itself, let it test itself, and leave it safe."""
        wanted = wanted or TestModel()
        with refusals():
            found = await workplace.check_up(wanted.devices, test=wanted.self_test)
        return [FindingModel(**asdict(one)) for one in found]

    @routes.post("/scan", responses=problems(400, 409, 422, 500))
    async def scan(wanted: ScanModel | None = None) -> list[FindingModel]:
        """List what is plugged in, wired or not; only reads."""
        wanted = wanted or ScanModel()
        first, last = wanted.units
        if not 1 <= first <= last <= 247:
            raise HTTPException(422, "body.units: expected the first and the last, within 1 to 247")
        with refusals():
            found = await workplace.scan(wanted.modbus, range(first, last + 1))
        return [FindingModel(**asdict(one)) for one in found]

    @routes.post("/act", responses=problems(400, 409, 422, 500, 501))
    async def act(wanted: ActModel) -> ActedModel:
        """Use one capability of a device, within the interlocks; it is recorded like a case's."""
        with refusals(unobserved=422):
            chosen = read_act(
                engine.config,
                engine.duts.pixit,
                wanted.device,
                wanted.method,
                wanted.arguments,
                wanted.capability,
            )
            return ActedModel(result=plain(await workplace.act(hands.do(chosen))))

    @routes.post("/safe", responses=problems(409, 500))
    async def safe() -> SafeModel:
        """Cut short what is done by hand, make everything safe, and let the devices go."""
        with refusals():
            return SafeModel(failures=await workplace.make_safe())

    @routes.post("/card", responses=problems(400, 409, 422, 500, 501, 504))
    async def card(wanted: CardWaitModel | None = None) -> CardModel:
        """Wait for a card at the lab's reader, and tell its number as stations write it."""
        within = (wanted or CardWaitModel()).within
        with refusals(unobserved=504):
            reading = await workplace.act(hands.read_card(within))
        uid = bytes.fromhex(reading.uid)
        tags = {one: id_tag_of(uid, one) for one in get_args(Notation)}
        notations = {"upper": tags["hex"], **tags}
        return CardModel(uid=reading.uid, type=reading.kind, notations=notations)

    return routes


def _setting(settings: Any, key: str) -> str | None:
    return str(getattr(settings, key, "")) or None


def _calibration(found: Calibration | None) -> CalibrationModel | None:
    if found is None:
        return None
    known = {key: None if value is None else str(value) for key, value in asdict(found).items()}
    return CalibrationModel.model_validate(known)


def _checked(found: tuple[datetime, Finding] | None) -> CheckModel | None:
    if found is None:
        return None
    moment, finding = found
    return CheckModel(utc=iso(moment), state=finding.state, message=finding.message)

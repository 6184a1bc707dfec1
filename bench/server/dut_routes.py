"""The routes by which the operator reads and writes what is known of a DUT."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException, Request

from bench import toml
from bench.archive import dut_key
from bench.computed import newest_keys
from bench.dut import DutConfig
from bench.dut_file import fill, put
from bench.engine import Engine
from bench.intake import Asked, asked, effects, form_answers
from bench.plan import load_suites
from bench.server.dut_models import (
    AnswerChangeModel,
    ClaimModel,
    ConfigurationModel,
    DutChangeModel,
    DutFileModel,
    EffectModel,
    KeyModel,
    QuestionModel,
)
from bench.server.models import DutModel, problems
from bench.server.refusals import refusals
from bench.server.snapshot import dut_model
from bench.stated import rows

LARGEST = 4_000_000
"""Bytes of the largest form that is read."""

_FORM = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "The form as CSV, or an XLSX file as it is",
    }
}


def dut_routes(engine: Engine) -> APIRouter:
    """Make the routes; those that write answer 409 while the DUT is under test."""
    routes = APIRouter(prefix="/duts")

    def known(identity: str) -> DutConfig:
        if identity not in engine.duts:
            raise HTTPException(404, f"there is no DUT {identity!r}")
        with refusals():
            return engine.duts.refreshed(identity)

    @routes.get("")
    async def duts() -> list[DutModel]:
        """List the DUTs that runs can be started on."""
        return [dut_model(dut) for dut in engine.duts.values()]

    @routes.get("/{identity}", responses=problems(404, 422))
    async def read(identity: str) -> DutFileModel:
        """Tell what the DUT's file holds."""
        return _described(engine, known(identity))

    @routes.put("/{identity}", responses=problems(400, 404, 409, 422))
    async def write(identity: str, wanted: DutChangeModel) -> DutFileModel:
        """Write PICS and PIXIT; comments stay, and the next run sees it."""
        known(identity)
        tables = {name: table for name, table in wanted if table is not None}
        with refusals():
            await engine.duts.write(identity, lambda path: put(path, tables))
        return _described(engine, known(identity))

    @routes.get("/{identity}/questionnaire", responses=problems(404, 422))
    async def questionnaire(identity: str) -> list[QuestionModel]:
        """List the questions of the PICS, the answers, and what hangs on each."""
        return await asyncio.to_thread(_questions, known(identity))

    @routes.post("/{identity}/import", responses=problems(404, 409, 413, 422), openapi_extra=_FORM)
    async def take_over(identity: str, request: Request) -> list[AnswerChangeModel]:
        """Take over the answers of a form that a vendor filled in, as CSV or XLSX."""
        known(identity)
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > LARGEST:
                raise HTTPException(413, f"the form has more than {LARGEST} bytes")

        def change(path: Path) -> dict[str, tuple[Any, Any]]:
            return fill(path, form_answers(Path("the form"), bytes(data)))

        with refusals():
            changed = await engine.duts.write(identity, change)
        return [
            AnswerChangeModel(id=item, before=before, after=after)
            for item, (before, after) in changed.items()
        ]

    @routes.get("/{identity}/configuration", responses=problems(404, 422, 500))
    async def configuration(identity: str) -> ConfigurationModel:
        """Tell the configuration keys of the newest run that read some, against the PICS."""
        dut = known(identity)
        key = dut_key(asdict(dut.dut))
        folders = [one.folder for one in reversed(engine.archive.runs()) if dut_key(one.dut) == key]
        with refusals():
            run, keys = await engine.apart.call(newest_keys, folders)
        return ConfigurationModel(
            run=run,
            keys=[
                KeyModel(
                    key=row.key,
                    told=row.told is not None,
                    value=None if row.told is None else row.told.value,
                    readonly=None if row.told is None else row.told.readonly,
                    frame=None if row.told is None else row.told.frame,
                    claims=[ClaimModel(**asdict(one)) for one in row.claims],
                )
                for row in rows(dut.pics, keys)
            ],
        )

    return routes


def _described(engine: Engine, dut: DutConfig) -> DutFileModel:
    with refusals():
        written = toml.load(dut.path)
    return DutFileModel(
        file=str(dut.path),
        dut=dut_model(dut),
        pics=dict(dut.pics),
        pixit=written.get("pixit", {}),
        in_force=orjson.loads(orjson.dumps(dut.pixit, default=str)),
        under_test=engine.duts.is_under_test(dut.dut.identity),
    )


def _questions(dut: DutConfig) -> list[QuestionModel]:
    procedures = [one for suite in load_suites() for one in suite.procedures]
    return [
        _question(one, effects(one.question, dut.dut.kind, dut.pics, procedures))
        for one in asked(dut.dut.kind, dut.pics, procedures)
    ]


def _question(one: Asked, found: dict[Any, tuple[list[str], list[str]]]) -> QuestionModel:
    answer = one.question.answer
    return QuestionModel(
        id=one.question.item,
        section=one.heading,
        question=one.question.text.replace("`", ""),
        kind=answer.kind,
        options=list(getattr(answer, "options", ())),
        expected=str(answer),
        answer=one.answer,
        decides_on=list(one.decides_on),
        holds_up=list(one.holds_up),
        effects=[
            EffectModel(answer=said, applicable=on, not_applicable=off)
            for said, (on, off) in found.items()
        ],
    )

"""The routes of the API, version 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from bench import __version__
from bench.operator import NoSuchPrompt, PromptClosed, PromptDesk
from bench.server.access import Access, Role

ROOT = "/api/v1"


class ActionModel(BaseModel):
    """The capability call that a prompt stands for."""

    capability: str
    method: str
    arguments: dict[str, Any]


class PromptModel(BaseModel):
    """One question to the operator."""

    id: str
    kind: str
    text: str
    picture: str | None
    options: list[str]
    deadline: str
    action: ActionModel | None


class AnswerModel(BaseModel):
    """What the operator says."""

    model_config = ConfigDict(extra="forbid")

    answer: Any
    comment: str = Field("", max_length=2000)
    by: str = Field("", max_length=200)


class AcceptedModel(BaseModel):
    """The answer that counts."""

    prompt: str
    answer: Any
    comment: str
    by: str


class Problem(BaseModel):
    """What is wrong with a request, in one sentence."""

    detail: str


def _problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": Problem} for code in codes}


def make_app(desk: PromptDesk, snapshot: Callable[[], dict[str, Any]], access: Access) -> FastAPI:
    """Make the API of one session."""
    app = FastAPI(
        title="Pilotbench",
        version=__version__,
        openapi_url=f"{ROOT}/openapi.json",
        docs_url=None,
        redoc_url=None,
        exception_handlers={RequestValidationError: _say_what_is_wrong},
    )
    routes = APIRouter(
        prefix=ROOT,
        dependencies=[Depends(access.needs(Role.OPERATOR))],
        responses=_problems(401),
    )

    @routes.get("/session")
    async def session() -> dict[str, Any]:
        """Tell bench, DUT, device states, current run and version."""
        return snapshot()

    @routes.get("/prompts")
    async def prompts() -> list[PromptModel]:
        """List the prompts that wait for an answer, oldest first."""
        return [PromptModel.model_validate(prompt.to_json()) for prompt in desk.open]

    @routes.post("/prompts/{prompt_id}/answer", responses=_problems(400, 404, 409, 422))
    async def answer(prompt_id: str, said: AnswerModel) -> AcceptedModel:
        """Answer a prompt; the first answer wins."""
        try:
            accepted = desk.answer(prompt_id, said.answer, comment=said.comment, by=said.by)
        except NoSuchPrompt as error:
            raise HTTPException(404, str(error)) from error
        except PromptClosed as error:
            raise HTTPException(409, str(error)) from error
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return AcceptedModel(
            prompt=prompt_id, answer=accepted.value, comment=accepted.comment, by=accepted.by
        )

    app.include_router(routes)
    return app


async def _say_what_is_wrong(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    sentences = [
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors()
    ]
    detail = "; ".join(sentences).encode("utf-8", "replace").decode()
    return JSONResponse({"detail": detail}, 422)

"""What the API takes and gives, as its OpenAPI document shows it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.engine import Engine
from bench.seal import SEAL
from bench.server.access import Role
from bench.summary import Summary


class Problem(BaseModel):
    """What is wrong with a request, in one sentence."""

    detail: str


_PROBLEM = {"application/json": {"schema": Problem.model_json_schema()}}
"""Written out: as a model it would be compiled anew for each answer of each route."""


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Declare the answers of a route that say what is wrong."""
    return {code: {"content": _PROBLEM} for code in codes}


class DeviceModel(BaseModel):
    """A device of the bench."""

    name: str
    driver: str
    offers: list[str]
    state: str
    message: str


class BenchModel(BaseModel):
    """The bench; an observer sees its devices while its own DUT is tested."""

    name: str
    devices: list[DeviceModel]


class DutModel(BaseModel):
    """A device under test."""

    kind: str
    identity: str = ""
    vendor: str
    model: str
    software: str = ""


class OcppModel(BaseModel):
    """Where the DUT connects, and whether it is connected."""

    listen: str | None
    connected: bool


class ViewerModel(BaseModel):
    """An observer who watches the stream."""

    viewer: int
    name: str
    share: str
    since: str


class SessionModel(BaseModel):
    """The state of the engine, as far as the holder of the token may see it."""

    version: str
    role: Role
    bench: BenchModel
    dut: DutModel | None
    duts: list[DutModel]
    """The DUTs that runs can be started on."""
    ocpp: OcppModel
    run: str | None
    """The run that goes on."""
    paused: bool
    held: bool
    """True while no operator is there, and prompts wait without a deadline."""
    viewers: list[ViewerModel]
    """Who watches; the operator alone sees it."""


class ProcedureModel(BaseModel):
    """A procedure, and whether it would run."""

    id: str
    title: str
    group: str
    dut: str
    mark: str
    condition: str
    needs: list[str]
    outcome: str
    reason: str | None


class PlanModel(BaseModel):
    """What a `plan.toml` has in its table `[plan]`."""

    model_config = ConfigDict(extra="forbid")

    cases: list[str] = Field(default=[], max_length=1000)
    groups: list[str] = Field(default=[], max_length=100)


class StartModel(PlanModel):
    """What to run; cases and groups add to those of the plan."""

    plan: PlanModel | None = None
    dut: str | None = Field(None, description="identity of the DUT, when the engine has several")
    reason: str | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="why cases are run again that have a result in the campaign",
    )


class StartedModel(BaseModel):
    """The run that was started."""

    run: str
    refused: list[str]
    """Cases that were asked for and will not run, with the reason."""


class RunModel(BaseModel):
    """A run in short."""

    run: str
    state: Literal["running", "ended", "unfinished"]
    """Unfinished: the engine that made it was killed, or it is not this one's."""
    started: str
    ended: str | None
    complete: bool | None
    reason: str | None
    """Why it is not complete."""
    bench: str
    dut: DutModel
    cases: int
    """How many were planned."""
    counts: dict[str, int] | None
    """How many cases came to which verdict, once it has ended."""
    signer: str | None
    """Fingerprint of the key that it is signed with, null when it is not."""
    void: str | None
    """Why its results do not count any more, as a later run of the DUT found."""


class VerificationModel(BaseModel):
    """What became of the verification of a run."""

    sound: bool
    summary: list[str]
    """What was verified."""
    faults: list[str]
    """What is wrong, the gravest first."""
    warnings: list[str]
    """What a reader should know, such as a time stamp that could not be had."""


class ByModel(BaseModel):
    """Who asks for it."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=200)


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
    """Name of a drawing that shows what the text says: `GET /pictures/{name}`."""
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


class SamplesModel(BaseModel):
    """What a channel did in a window of time; seconds on the clock of a record's `mono`."""

    channel: int
    begin: float = Field(serialization_alias="from")
    end: float = Field(serialization_alias="to")
    samples: int
    """How many there are in the window."""
    time: list[float]
    min: list[float]
    max: list[float]


def run_model(engine: Engine, one: Summary, void: str | None = None) -> RunModel:
    """Describe a run; `void` says why its results do not count any more."""
    running = one.run == engine.run_id
    return RunModel(
        run=one.run,
        state="running" if running else "unfinished" if one.ended is None else "ended",
        started=one.begun,
        ended=one.ended,
        complete=one.complete,
        reason=one.reason,
        bench=one.bench,
        dut=DutModel.model_validate(one.dut),
        cases=one.planned,
        counts=None if one.ended is None else dict(one.counts),
        signer=one.signer if (one.folder / SEAL).is_file() else None,
        void=void,
    )

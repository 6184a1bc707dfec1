"""What the API takes and gives of a DUT's file and questionnaire, for the operator."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from bench.server.models import DutModel


class DutFileModel(BaseModel):
    """What a `dut.toml` holds."""

    file: str
    dut: DutModel
    pics: dict[str, Any]
    pixit: dict[str, Any]
    """As the file has it."""
    in_force: dict[str, Any]
    """The PIXIT with what holds where the file says nothing."""
    under_test: bool
    """True while a run holds on to it, and it can't be written."""


class DutChangeModel(BaseModel):
    """The tables of a `dut.toml` that are written; one that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    pics: dict[str, Any] | None = None
    """All answers: an item that is not here is not answered any more."""
    pixit: dict[str, Any] | None = None
    """All keys: what is not here has its default."""


class EffectModel(BaseModel):
    """What an answer makes of the cases, against the answers given now."""

    answer: bool | str
    applicable: list[str]
    """Cases that apply then, and do not now."""
    not_applicable: list[str]
    """Cases that apply now, or may, and do not then."""


class QuestionModel(BaseModel):
    """One question of the PICS, its answer, and what hangs on it."""

    id: str
    section: str
    question: str
    kind: str
    """yes-no, one-of, some-of, whole, seconds or words."""
    options: list[str]
    """The words of one-of and some-of."""
    expected: str
    """What may be answered, in words."""
    answer: Any
    """Null when there is none."""
    decides_on: list[str]
    """Cases whose condition names it."""
    holds_up: list[str]
    """Cases that can't be decided without an answer."""
    effects: list[EffectModel]
    """For yes-no and one-of: what each answer would change."""


class AnswerChangeModel(BaseModel):
    """An answer that a form has changed."""

    id: str
    before: Any
    after: Any


class ClaimModel(BaseModel):
    """What the PICS states of a configuration key, and whether it holds."""

    item: str
    part: str
    """`key` (whether it is there), `readonly` or `value`."""
    expected: str
    holds: bool


class KeyModel(BaseModel):
    """A configuration key, as the station told it and as the PICS states it."""

    key: str
    told: bool
    value: str | None
    readonly: bool | None
    frame: int | None
    """The record of the run in which it was told first, so before the run changed it."""
    claims: list[ClaimModel]


class ConfigurationModel(BaseModel):
    """The configuration keys that the station told in its newest run with some."""

    run: str | None
    keys: list[KeyModel]

"""The state of the engine as one holder of a token may see it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bench.archive import dut_key
from bench.dut import DutConfig
from bench.engine import Engine
from bench.operator import Prompt
from bench.server.access import Holder, Role
from bench.server.models import DutModel, PromptModel, SessionModel, ViewerModel


def session(engine: Engine, holder: Holder, viewers: list[ViewerModel]) -> SessionModel:
    """Describe the engine; an observer sees it idle while another DUT is tested."""
    operator = holder.role is Role.OPERATOR
    shown = operator or concerns(engine, holder)
    state = engine.snapshot()
    if not shown:
        state["bench"]["devices"] = []
        state["ocpp"] = {"listen": None, "connected": False}
        state["run"], state["paused"], state["held"] = None, False, False
    tested = None if engine.session is None or not shown else dut_model(engine.session.dut)
    mine = [dut_model(dut) for dut in engine.duts.values() if operator or _is_theirs(holder, dut)]
    return SessionModel(
        **{**state, "dut": tested},
        role=holder.role,
        duts=mine,
        viewers=viewers if operator else [],
    )


def prompts(engine: Engine, holder: Holder) -> list[PromptModel]:
    """List the open prompts that a holder may read, oldest first."""
    if holder.role is not Role.OPERATOR and not concerns(engine, holder):
        return []
    return [prompt_model(prompt) for prompt in engine.desk.open]


def prompt_model(prompt: Prompt) -> PromptModel:
    """Write a prompt as the API gives it."""
    return PromptModel.model_validate(prompt.to_json())


def concerns(engine: Engine, holder: Holder) -> bool:
    """Tell whether the run that goes on is one that an observer may read."""
    if holder.share is None or engine.session is None or engine.run_id is None:
        return holder.share is None
    return holder.share.covers(engine.run_id, dut_key(asdict(engine.session.dut.dut)))


def _is_theirs(holder: Holder, dut: DutConfig) -> bool:
    return holder.share is not None and holder.share.dut == dut_key(asdict(dut.dut))


def dut_model(dut: DutConfig) -> DutModel:
    """Write a DUT as the API gives it."""
    known: dict[str, Any] = asdict(dut.dut)
    return DutModel(**{name: known[name] for name in DutModel.model_fields})

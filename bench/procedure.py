"""A procedure: one declared test case, whose signature is its requirement list."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, Literal

from bench.capability import CAPABILITIES
from bench.case import Case
from bench.dut import Timing
from bench.errors import Unverifiable
from bench.ocpp import action, v16
from bench.ocpp.csms import Csms
from bench.ocpp.station import Station
from bench.pics import Always, Applicability
from bench.transfer.files import Files

Mark = Literal["M", "C", "O", "-"]
"""Mandatory, conditional, optional (Certification Document 2, Appendix C); - for a utility."""

Body = Callable[..., Awaitable[None]]

Waits = Callable[[Timing], float]

ENGINE = (Case, Station, Csms, Files)
"""What the engine itself hands to a body; all other parameters are capabilities."""


@dataclass(frozen=True, slots=True)
class Role:
    """Asks for the device with this role, where a bench has several of one capability."""

    name: str


@dataclass(frozen=True, slots=True)
class Need:
    """One capability that a procedure needs."""

    parameter: str
    capability: type
    role: str | None = None

    def __str__(self) -> str:
        name = self.capability.__name__
        return f"{name} ({self.role})" if self.role else name


@dataclass(frozen=True, slots=True)
class Procedure:
    """One case: what it is called, whom it concerns, what it needs, what it does."""

    id: str
    title: str
    mark: Mark
    group: str
    """Chapter of the test plan; the name of the module that holds it."""
    refs: tuple[str, ...]
    applies: Applicability
    needs: tuple[Need, ...]
    purpose: str
    """The test purpose: the docstring of the body."""
    body: Body
    waits: Waits
    """The seconds that the case prescribes to wait, given the sample's timing."""
    updates_firmware: bool = False
    """Whether the DUT may have another software after it."""
    is_available: bool = True
    """False for a case of the test plan that this version can't run yet."""

    @property
    def dut(self) -> str:
        """Which side is under test."""
        return "csms" if self.id.endswith("_CSMS") else "charging-station"


def procedure(
    case_id: str,
    *,
    title: str,
    mark: Mark,
    refs: Sequence[str],
    applies: Applicability | None = None,
    waits: Waits = lambda timing: 0.0,
    updates_firmware: bool = False,
) -> Callable[[Body], Procedure]:
    """Declare an async function as a procedure; raises `TypeError` for a signature it can't serve.

    The group is the name of the module, so that a chapter of the test plan is one file. `waits`
    adds up the waits that the test plan prescribes, such as an interval that must pass.
    """

    def declare(body: Body) -> Procedure:
        purpose = inspect.getdoc(body)
        if not purpose:
            raise TypeError(f"{case_id}: the body has no docstring to state the test purpose")
        return Procedure(
            id=case_id,
            title=title,
            mark=mark,
            group=body.__module__.rpartition(".")[2].replace("_", "-"),
            refs=tuple(refs),
            applies=applies or Always(),
            needs=_needs(case_id, body),
            purpose=purpose,
            body=body,
            waits=waits,
            updates_firmware=updates_firmware,
        )

    return declare


def announced(
    case_id: str,
    *,
    title: str,
    mark: Mark,
    group: str,
    refs: Sequence[str],
    applies: Applicability,
    purpose: str,
) -> Procedure:
    """Declare a case of the test plan that this version can't run: listed, and never passed."""

    async def body() -> None:
        raise Unverifiable(f"{case_id} is not yet available")

    return Procedure(
        id=case_id,
        title=title,
        mark=mark,
        group=group,
        refs=tuple(refs),
        applies=applies,
        needs=(),
        purpose=purpose,
        body=body,
        waits=lambda timing: 0.0,
        is_available=False,
    )


def _needs(case_id: str, body: Body) -> tuple[Need, ...]:
    hints = typing.get_type_hints(body, include_extras=True)
    hints.pop("return", None)
    needs = []
    for name in inspect.signature(body).parameters:
        hint = hints.get(name)
        role = None
        if typing.get_origin(hint) is Annotated:
            hint, *extras = typing.get_args(hint)
            role = next((extra.name for extra in extras if isinstance(extra, Role)), None)
        if hint in ENGINE:
            continue
        if hint not in CAPABILITIES:
            raise TypeError(f"{case_id}: parameter {name} is {hint}, which is no capability")
        needs.append(Need(name, typing.cast("type", hint), role))
    return tuple(needs)


async def run_body(chosen: Procedure, engine: dict[type, Any], devices: dict[str, Any]) -> None:
    """Call the body with what its parameters ask for."""
    hints = typing.get_type_hints(chosen.body)
    arguments = {
        name: devices[name] if name in devices else engine[hints[name]]
        for name in inspect.signature(chosen.body).parameters
    }
    await chosen.body(**arguments)


@dataclass(frozen=True, slots=True)
class Suite:
    """The procedures for one kind of DUT, in the order of the test plan."""

    name: str
    dut: str
    procedures: tuple[Procedure, ...]
    reset: Procedure
    """Restores the basic state before every case (000_RESET)."""
    first: tuple[str, ...] = ()
    """Ids of cases that run before all others, as the test rules demand."""
    last: tuple[str, ...] = ()
    """Ids of cases that run after all others, as what they change can't be undone."""


def collect(*modules: ModuleType) -> tuple[Procedure, ...]:
    """Gather the procedures of modules in the order written.

    Raises `TypeError` for a duplicate id, or a message or field that no schema knows.
    """
    found: list[Procedure] = []
    for module in modules:
        slips = list(action.misspelt_fields(module, v16))
        if slips:
            raise TypeError("; ".join(slips))
        found += [value for value in vars(module).values() if isinstance(value, Procedure)]
    _refuse_duplicates(found)
    return tuple(found)


def _refuse_duplicates(found: Iterable[Procedure]) -> None:
    seen: set[str] = set()
    for one in found:
        if one.id in seen:
            raise TypeError(f"two procedures have the id {one.id}")
        seen.add(one.id)

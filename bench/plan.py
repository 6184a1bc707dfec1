"""The plan: what will run, in order, and for everything else the reason why not."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from bench import toml
from bench.config import BenchConfig
from bench.dut import DutConfig
from bench.errors import ConfigError
from bench.procedure import Procedure, Suite
from bench.wiring import missing

RUNNABLE = "runnable"


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody asked to run; a `plan.toml` has the same keys in its table `[plan]`."""

    cases: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a procedure would run: `runnable`, or why not."""

    procedure: Procedure
    outcome: str
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Write the outcome as programs get it (CONTRACT, `list --json`)."""
        one = self.procedure
        return {
            "id": one.id,
            "title": one.title,
            "group": one.group,
            "dut": one.dut,
            "mark": one.mark,
            "condition": str(one.applies),
            "needs": [str(need) for need in one.needs],
            "outcome": self.outcome,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The cases to run in order, and the outcomes of all others."""

    suite: Suite
    cases: tuple[Procedure, ...]
    not_run: tuple[Outcome, ...]
    refused: tuple[Outcome, ...] = field(default=())
    """Those of `not_run` that leave a gap: asked for by id, or selected and applicable perhaps."""

    @property
    def refusals(self) -> list[str]:
        """Say in words why those will not run."""
        return [
            f"{one.procedure.id} will not run: {one.outcome}, {one.reason}" for one in self.refused
        ]


@functools.cache
def load_suites() -> tuple[Suite, ...]:
    """Load the suites of all spokes (entry points `pilotbench.suites`)."""
    return tuple(point.load() for point in entry_points(group="pilotbench.suites"))


def load_plan(path: Path) -> Selection:
    """Read a `plan.toml`; raises `ConfigError` naming file, table and key."""
    document = toml.load(path)
    toml.check_tables(path, document, "plan")
    return toml.parse(Selection, document["plan"], f"{path}: table [plan]")


def judge(
    suite: Suite, one: Procedure, dut: DutConfig | None, bench: BenchConfig | None
) -> Outcome:
    """Say whether a suite's procedure would run on this DUT and bench, as far as they are known.

    It needs what its suite's restoration of the basic state needs, too.
    """
    if dut is not None and one.dut != dut.dut.kind:
        return Outcome(one, "not-applicable", f"the DUT is a {dut.dut.kind}")
    truth = one.applies.evaluate(dut.pics if dut else {})
    if truth is not True:
        outcome = "undetermined" if truth is None else "not-applicable"
        return Outcome(one, outcome, one.applies.why(dut.pics if dut else {}))
    if not one.is_available:
        return Outcome(one, "not-runnable", "not yet available")
    if bench is not None:
        needs = (*one.needs, *suite.reset.needs)
        reason = missing(bench, needs, dut.pixit.connector if dut else 1)
        if reason is not None:
            return Outcome(one, "not-runnable", reason)
    return Outcome(one, RUNNABLE)


def groups_of(one: Procedure) -> set[str]:
    """Return the groups that a procedure belongs to."""
    groups = {one.group}
    if one.mark != "-":
        groups.add("all")
        if one.group.startswith("core-"):
            groups.add("core")
        if one.mark == "M":
            groups.add("mandatory")
    return groups


def make_plan(
    suites: Sequence[Suite], selection: Selection, dut: DutConfig, bench: BenchConfig
) -> Plan:
    """Plan what was selected; raises `ConfigError` for an unknown case or group."""
    suite = next((suite for suite in suites if suite.dut == dut.dut.kind), None)
    if suite is None:
        raise ConfigError(f"{dut.path}: there is no suite for a DUT of kind {dut.dut.kind!r}")
    check_names(suites, selection)
    cases, not_run, refused = [], [], []
    for home, one in _all(suites, suite):
        asked = one.id in selection.cases
        if not asked and not groups_of(one) & set(selection.groups):
            if one.mark != "-":
                not_run.append(Outcome(one, "deselected", "not selected"))
            continue
        outcome = judge(home, one, dut, bench)
        if outcome.outcome == RUNNABLE:
            cases.append(one)
            continue
        not_run.append(outcome)
        if asked or outcome.outcome != "not-applicable":
            refused.append(outcome)
    cases.sort(key=lambda one: (one.id not in suite.first, one.id in suite.last))
    return Plan(suite, tuple(cases), tuple(not_run), tuple(refused))


def _all(suites: Iterable[Suite], first: Suite) -> list[tuple[Suite, Procedure]]:
    """List all procedures with their suites, those of one suite first."""
    ordered = sorted(suites, key=lambda suite: suite is not first)
    return [(suite, one) for suite in ordered for one in suite.procedures]


def check_names(suites: Iterable[Suite], selection: Selection) -> None:
    """Refuse a selection that names an unknown case or group with `ConfigError`."""
    procedures = [one for suite in suites for one in suite.procedures]
    known = {one.id for one in procedures}
    for name in selection.cases:
        if name not in known:
            raise ConfigError(f"unknown case {name!r}{toml.near(name, known)}")
    groups = {group for one in procedures for group in groups_of(one)}
    for name in selection.groups:
        if name not in groups:
            raise ConfigError(f"unknown group {name!r}{toml.near(name, groups)}")

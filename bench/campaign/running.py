"""Make runs that belong to a campaign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.archive import new_folder
from bench.campaign.acts import left, refuse_without_reason, said, settle
from bench.campaign.events import RunBegun
from bench.campaign.folder import RUNS, Campaign, changing
from bench.campaign.inputs import Inputs, load, places, take, with_waivers
from bench.campaign.view import CampaignView
from bench.config import BenchConfig
from bench.dut import DutConfig
from bench.errors import BenchError, ConfigError
from bench.plan import Plan, Selection, check_names, load_suites, make_plan


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that the campaign's record knows, and that is to be made now."""

    bench: BenchConfig
    dut: DutConfig
    plan: Plan
    folder: Path


def read_inputs(
    folder: Path, view: CampaignView, bench: Path | None, dut: Path | None, plan: Path | None
) -> Inputs:
    """Read the lab's files, each from where it was unless another place is given."""
    kept = places(folder, view)
    return load(bench or kept[0], dut or kept[1], plan or kept[2])


def begin(
    folder: Path,
    by: str,
    *,
    cases: Sequence[str] = (),
    reason: str | None = None,
    bench: Path | None = None,
    dut: Path | None = None,
    plan: Path | None = None,
    say: Callable[[str], object] = lambda text: None,
) -> BegunRun:
    """Take up what is there, and record that a run begins: of what is left, or of named cases.

    Raises `ConfigError` when there is nothing to run, or when a case has a result and nobody said
    why it is run again.
    """
    reason = None if reason is None else said(reason, "--reason")
    check_names(load_suites(), Selection(cases=tuple(cases)))
    with changing(folder) as campaign:
        for run in settle(campaign, by):
            say(f"run {run} is part of the campaign now")
        inputs = read_inputs(folder, campaign.view, bench, dut, plan)
        before = len(campaign.view.changes)
        for what in take(campaign, inputs, by):
            say(f"changed: {what}")
        if len(campaign.view.changes) > before:
            say("that makes it another DUT to the test rules: all cases start over")
        tested = with_waivers(inputs.dut, campaign.view)
        chosen = _chosen(campaign.view, cases, reason, say)
        made = make_plan(load_suites(), Selection(cases=chosen), tested, inputs.bench)
        if not made.cases:
            raise ConfigError("; ".join(made.refusals))
        for text in made.refusals:
            say(text)
        place = _reserve(campaign, tested.dut.model)
        campaign.add(RunBegun(place.name, by, [one.id for one in made.cases], reason))
    return BegunRun(inputs.bench, tested, made, place)


def _chosen(
    view: CampaignView, cases: Sequence[str], reason: str | None, say: Callable[[str], object]
) -> tuple[str, ...]:
    if cases:
        if reason is None:
            refuse_without_reason(view, cases)
        return tuple(cases)
    found = left(view, undecided=reason is not None)
    more = set(left(view, undecided=True)) - set(found)
    if more:
        names = ", ".join(sorted(more))
        text = f"decided nothing and would be run again with --reason TEXT: {names}"
        if not found:
            raise ConfigError(f"no case is left but those that {text}")
        say(text)
    if not found:
        raise ConfigError("no case is left to be run; name those that are to be run again")
    return tuple(found)


def _reserve(campaign: Campaign, model: str) -> Path:
    """Make the folder of the next run, which no other program can take then."""
    folder = new_folder(campaign.folder / RUNS, model)
    try:
        folder.mkdir()
    except OSError as error:
        raise BenchError(f"{folder}: {error.strerror}") from error
    return folder


@dataclass(frozen=True, slots=True)
class CampaignKeeper:
    """Keeps a campaign's record of the runs that an engine makes in its folder."""

    folder: Path
    by: str

    def begins(self, run: Path, dut: DutConfig, plan: Plan, reason: str | None) -> DutConfig:
        """Record that a run begins, and return the DUT with the campaign's waivers.

        Raises `ConfigError` when it runs cases again and nobody said why.
        """
        cases = [one.id for one in plan.cases]
        with changing(self.folder) as campaign:
            settle(campaign, self.by)
            take(campaign, read_inputs(self.folder, campaign.view, None, None, None), self.by)
            if reason is None:
                refuse_without_reason(campaign.view, cases)
            campaign.add(RunBegun(run.name, self.by, cases, reason))
            return with_waivers(dut, campaign.view)

    def is_over(self) -> None:
        """Take up the run that is over."""
        with changing(self.folder) as campaign:
            settle(campaign, self.by)

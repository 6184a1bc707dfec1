"""The lab's files in force: read anew before each run, and compared with those before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.campaign.events import DutChanged, InputsTaken
from bench.campaign.folder import INPUTS, Campaign
from bench.campaign.view import CampaignView
from bench.config import BenchConfig, load_bench
from bench.dut import DutConfig, load_dut
from bench.earlier import changed_claims
from bench.errors import BenchError, ConfigError
from bench.ocpp.monitors import NAMES as MONITORS
from bench.plan import RUNNABLE, Selection, check_names, groups_of, judge, load_plan, load_suites

EVERYTHING = Selection(groups=("all",))
"""What is to run when the lab has no plan."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files in force, as they were read."""

    bench: BenchConfig
    dut: DutConfig
    selection: Selection
    plan: Path | None


def with_waivers(dut: DutConfig, view: CampaignView) -> DutConfig:
    """Return a DUT with the campaign's waivers of monitors beside its own."""
    monitors = {what: why for what, why in view.waived.items() if what in MONITORS}
    waivers = {**dut.pixit.waivers, **monitors}
    return replace(dut, pixit=replace(dut.pixit, waivers=waivers))


def load(bench: Path, dut: Path, plan: Path | None) -> Inputs:
    """Read the lab's files; raises `ConfigError`."""
    inputs = Inputs(load_bench(bench), load_dut(dut), load_plan(plan) if plan else EVERYTHING, plan)
    check_names(load_suites(), inputs.selection)
    return inputs


def places(folder: Path, view: CampaignView) -> tuple[Path, Path, Path | None]:
    """Tell where the lab keeps the files in force: bench, dut, plan."""
    if view.inputs is None:
        raise ConfigError(f"{folder}: its record has no InputsTaken, begin the campaign anew")
    found = {
        key: Path(os.path.normpath(folder / path)) for key, path in view.inputs.sources.items()
    }
    return found["bench"], found["dut"], found.get("plan")


def take(campaign: Campaign, inputs: Inputs, by: str) -> list[str]:
    """Record the lab's files when they are not as before; return what changed.

    What makes the DUT another one is recorded as a change of its own, after which no earlier result
    counts. Raises `ConfigError` when it is another DUT altogether.
    """
    before = campaign.view.inputs
    texts = _texts(campaign, inputs)
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    if before is not None:
        same = {Path(name).name: digest for name, digest in before.files.items()}
        sources = _sources(campaign.folder, inputs)
        if same == digests and before.sources == sources:
            return []
        _refuse_another(before, inputs)
    changed = [] if before is None else list(_changes(before, inputs))
    for kind, what in [] if before is None else _resets(before, inputs):
        campaign.add(DutChanged(by, kind, what, resets=True))
    place = f"{INPUTS}/{campaign.next}"
    for name, text in texts.items():
        _write(campaign.folder / place / name, text)
    campaign.add(
        InputsTaken(
            by=by,
            sources=_sources(campaign.folder, inputs),
            files={f"{place}/{name}": digest for name, digest in digests.items()},
            dut=_identity(inputs.dut),
            bench={"name": inputs.bench.bench.name},
            pics=dict(inputs.dut.pics),
            pixit=asdict(inputs.dut.pixit),
            cases=list(_cases(inputs)),
            changed=changed,
        )
    )
    return changed


def _texts(campaign: Campaign, inputs: Inputs) -> dict[str, str]:
    paths = {"bench.toml": inputs.bench.path, "dut.toml": inputs.dut.path}
    if inputs.plan is not None:
        paths["plan.toml"] = inputs.plan
    return {name: campaign.masks.toml(path.read_text("utf-8")) for name, path in paths.items()}


def _sources(folder: Path, inputs: Inputs) -> dict[str, str]:
    """Write where the files are, seen from the folder, so that both can be moved together."""
    paths = {"bench": inputs.bench.path, "dut": inputs.dut.path, "plan": inputs.plan}
    return {
        key: os.path.relpath(path.resolve(), folder.resolve())
        for key, path in paths.items()
        if path is not None
    }


def _identity(dut: DutConfig) -> dict[str, str]:
    return {key: str(value) for key, value in asdict(dut.dut).items()}


def _refuse_another(before: InputsTaken, inputs: Inputs) -> None:
    now = _identity(inputs.dut)
    for key in ("kind", "vendor", "model", "identity"):
        if before.dut[key] != now[key]:
            was = f"{before.dut[key]!r} in this campaign"
            raise ConfigError(
                f"{inputs.dut.path}: table [dut], key {key!r}: {now[key]!r}, but {was}; "
                "another DUT has a campaign of its own"
            )


def _resets(before: InputsTaken, inputs: Inputs) -> Iterator[tuple[str, str]]:
    was, now = before.dut["software"], inputs.dut.dut.software
    if was != now:
        yield "software", f"the stated software was {was!r}, now {now!r}"
    for what in changed_claims(before.pics, inputs.dut.pics):
        yield "claims", what


def _changes(before: InputsTaken, inputs: Inputs) -> Iterator[str]:
    yield from (what for _, what in _resets(before, inputs))
    for item in sorted(set(inputs.dut.pics) - set(before.pics)):
        yield f"PICS {item} is answered"
    was, now = _flat(before.pixit), _flat(asdict(inputs.dut.pixit))
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            yield f"PIXIT {key} was {was.get(key, 'not given')}, now {now.get(key, 'not given')}"
    old = {Path(name).name: digest for name, digest in before.files.items()}
    if ("plan.toml" in old) != (inputs.plan is not None):
        yield "there is a plan now" if inputs.plan else "there is no plan any more"
    before_cases = {one["id"]: one["outcome"] for one in before.cases}
    for one in _cases(inputs):
        if before_cases.get(one["id"]) not in (None, one["outcome"]):
            yield f"{one['id']} was {before_cases[one['id']]}, now {one['outcome']}"
    if before.bench["name"] != inputs.bench.bench.name:
        yield f"the bench was {before.bench['name']!r}, now {inputs.bench.bench.name!r}"


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif value is not None:
            found[f"{prefix}{key}"] = str(value)
    return found


def _cases(inputs: Inputs) -> Iterator[dict[str, Any]]:
    """Judge every case for this kind of DUT: to run, or why not."""
    selection = inputs.selection
    for suite in load_suites():
        for one in suite.procedures:
            if one.dut != inputs.dut.dut.kind or one is suite.reset:
                continue
            judged = judge(suite, one, inputs.dut, inputs.bench)
            outcome, reason = judged.outcome, judged.reason
            selected = one.id in selection.cases or groups_of(one) & set(selection.groups)
            if outcome == RUNNABLE and not selected:
                outcome, reason = "deselected", "not in the plan"
            yield {
                "id": one.id,
                "title": one.title,
                "mark": one.mark,
                "group": one.group,
                "outcome": outcome,
                "reason": reason,
            }


def _write(path: Path, text: str) -> None:
    """Write a file and leave it on the disk; raises `BenchError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}") from error

"""What runs, in which order, and the reason for everything that does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.config import load_bench
from bench.dut import load_dut
from bench.errors import ConfigError
from bench.plan import Plan, Selection, load_plan, load_suites, make_plan

EVERY_HAND = ("coupler", "vehicle", "cards", "power", "network")


def plan(tmp_path: Path, *cases: str, groups: tuple[str, ...] = (), **options: Any) -> Plan:
    hands = options.get("hands", EVERY_HAND)
    pics = options.get("pics", {"C-07": "true", "C-08": "true", "AQ-2": "false"})
    bench, dut = tmp_path / "bench.toml", tmp_path / "dut.toml"
    tables = "".join(f'[[device]]\nname = "{h}"\ndriver = "manual-{h}"\n' for h in hands)
    bench.write_text(f'[bench]\nname = "b"\n{tables}{options.get("more", "")}')
    answers = "\n".join(f'"{item}" = {answer}' for item, answer in pics.items())
    dut.write_text(
        '[dut]\nkind = "charging-station"\nidentity = "CP"\nvendor = "v"\nmodel = "m"\n'
        f"[pics]\n{answers}\n"
    )
    selection = Selection(cases=cases, groups=groups)
    return make_plan(load_suites(), selection, load_dut(dut), load_bench(bench))


def reasons(made: Plan) -> dict[str, tuple[str, str | None]]:
    return {o.procedure.id: (o.outcome, o.reason) for o in made.not_run}


def test_retrieving_the_configuration_comes_first(tmp_path: Path) -> None:
    others = dict.fromkeys(("FP.RES", "FP.LAL", "FP.FW", "FP.SC", "FP.RT"), "false")
    others |= dict.fromkeys(("SEC.P1", "SEC.P2", "SEC.P3", "SEC.cert"), "false")
    made = plan(tmp_path, groups=("mandatory",), pics=others)
    assert made.cases[0].id == "TC_019_CS"
    assert [one.id for one in made.cases[1:3]] == ["TC_001_CS", "TC_002_CS"]
    assert reasons(made)["TC_003_CS"] == ("deselected", "not selected")
    assert made.refused == ()


def test_a_case_that_does_not_concern_the_dut_leaves_no_gap(tmp_path: Path) -> None:
    pics = {"C-07": "true", "C-08": "true", "AQ-2": "true"}
    made = plan(tmp_path, groups=("core-start-session",), pics=pics)
    assert [one.id for one in made.cases] == ["TC_004_1_CS", "TC_004_2_CS"]
    assert reasons(made)["TC_003_CS"] == ("not-applicable", "needs not AQ-2")
    assert made.refused == ()


def test_a_case_that_may_concern_the_dut_leaves_a_gap(tmp_path: Path) -> None:
    made = plan(tmp_path, groups=("core-start-session",), pics={"C-07": "true"})
    assert [one.id for one in made.cases] == ["TC_004_2_CS"]
    assert [outcome.procedure.id for outcome in made.refused] == ["TC_003_CS", "TC_004_1_CS"]
    why = "needs C-08 and not AQ-2, which are not answered"
    assert reasons(made)["TC_003_CS"] == ("undetermined", why)


def test_a_case_that_the_bench_can_not_serve_leaves_a_gap(tmp_path: Path) -> None:
    made = plan(tmp_path, groups=("core-cold-boot",), hands=("coupler",))
    assert made.cases == ()
    why = "the bench has no PowerSwitch for connector 1"
    assert reasons(made)["TC_001_CS"] == ("not-runnable", why)
    assert len(made.refused) == 2


def test_a_case_needs_what_restoring_the_basic_state_needs(tmp_path: Path) -> None:
    made = plan(tmp_path, "TC_031_CS", hands=("power",))
    why = "the bench has no VehicleCoupler for connector 1"
    assert reasons(made)["TC_031_CS"] == ("not-runnable", why)


SECOND = '[[device]]\nname = "other"\ndriver = "manual-power"\n'


def test_two_devices_that_fit_are_told(tmp_path: Path) -> None:
    made = plan(tmp_path, "TC_001_CS", more=SECOND)
    why = "power and other offer PowerSwitch for connector 1: "
    why += "give all but one of them a role in bench.toml"
    assert reasons(made)["TC_001_CS"] == ("not-runnable", why)


def test_the_device_without_a_role_serves_who_asks_for_none(tmp_path: Path) -> None:
    made = plan(tmp_path, "TC_001_CS", more=f'{SECOND}role = "spare"\n')
    assert [one.id for one in made.cases] == ["TC_001_CS"]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(cases=("TC_019",)), "unknown case 'TC_019', did you mean 'TC_019_CS'?"),
        (Selection(groups=("core-reste",)), "unknown group 'core-reste', did you mean 'core-re"),
    ],
)
def test_unknown_names_are_told(tmp_path: Path, selection: Selection, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        plan(tmp_path, *selection.cases, groups=selection.groups)
    assert message in str(error.value)


def test_a_plan_file_has_cases_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('[plan]\ncases = ["TC_001_CS"]\ngroups = ["core-reset"]\n')
    assert load_plan(path) == Selection(cases=("TC_001_CS",), groups=("core-reset",))
    path.write_text('[plan]\ncases = "TC_001_CS"\n')
    with pytest.raises(ConfigError, match="key 'cases': \"TC_001_CS\", expected a list"):
        load_plan(path)

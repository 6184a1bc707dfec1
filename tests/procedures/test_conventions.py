"""The suite says of each case what Appendix C says, and every procedure is complete."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import procedures
from bench.cli import main
from bench.dut import Timing, load_dut
from bench.ocpp import v16
from bench.ocpp.action import misspelt_fields
from bench.plan import judge
from bench.procedure import Procedure
from drivers.sim.variants import VARIANTS
from procedures.ocpp16.station import SUITE

APPENDIX_C: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "appendix_c.toml").read_text("utf-8")
)["case"]
CASES = [one for one in SUITE.procedures if one is not SUITE.reset]


def test_the_cases_are_those_of_appendix_c_in_its_order() -> None:
    assert [one.id for one in CASES] == [f"{row['id']}_CS" for row in APPENDIX_C]
    # Two numbers stand in another chapter than their neighbours.
    strays = ("TC_043_1", "TC_042_1")
    numbers = [
        row["number"] if "number" in row else row["after"]
        for row in APPENDIX_C
        if row["id"] not in strays
    ]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("row", APPENDIX_C, ids=lambda row: row["id"])
def test_a_case_says_what_appendix_c_says(row: dict[str, Any]) -> None:
    (one,) = (one for one in CASES if one.id == f"{row['id']}_CS")
    condition = re.sub(r" in \{(\w+),(\w+)\}", r" = \1 or \2", row["condition"])
    assert one.title == row["title"]
    assert one.mark == row["mark"]
    assert one.group == row["group"]
    assert str(one.applies) == condition
    place = f"no. {row['number']}" if "number" in row else f"after no. {row['after']}"
    assert f"Certification Document 2, App. C {place}" in one.refs


def test_no_module_misspells_a_message_or_a_field() -> None:
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(procedures.__path__, "procedures.")
    ]
    assert modules
    assert [slip for module in modules for slip in misspelt_fields(module, v16)] == []


@pytest.mark.parametrize("one", SUITE.procedures, ids=lambda one: one.id)
def test_a_procedure_states_its_purpose_its_references_and_its_waits(one: Procedure) -> None:
    assert re.fullmatch(r"[A-Z].*\.", one.purpose.splitlines()[0])
    assert all(re.search(r"clauses? \d|no\. \d+", reference) for reference in one.refs)
    if one.is_available:
        assert re.fullmatch(r"[a-z]+(_[a-z]+){3,}", one.body.__name__)
    assert 0 <= one.waits(Timing()) < 300


def test_the_configuration_is_retrieved_first_and_the_reset_is_no_case() -> None:
    assert SUITE.first == ("TC_019_CS",)
    assert (SUITE.reset.id, SUITE.reset.mark) == ("000_RESET", "-")
    assert SUITE.reset in SUITE.procedures
    assert [str(need) for need in SUITE.reset.needs] == ["VehicleCoupler"]


# Selection by PICS


def says(condition: str, answers: dict[str, Any]) -> bool:
    """Judge a condition as Appendix C's table has it, by means of its own."""
    if condition == "always":
        return True
    text = re.sub(r"([\w.-]+) in \{(\w+),(\w+)\}", r"\1 = \2 or \3", condition)
    text = re.sub(r"([A-Z]+[\w.-]*) = (\w+) or (\w+)", r"(@\1@ in ('\2', '\3'))", text)
    text = re.sub(r"([A-Z]+[\w.-]*) = (\w+)", r"(@\1@ == '\2')", text)
    text = re.sub(r"(?<![@\w'.-])((?:[A-Z]+|AQ)[-.][\w.]+)(?![@\w])", r"@\1@", text)
    return bool(eval(re.sub(r"@([^@]+)@", r"answers['\1']", text), {"answers": answers}))


FULL = dict(VARIANTS["default"].pics)
FLIPS = [
    *({item: False} for item in ("FP.FW", "FP.SC", "FP.RES", "FP.LAL", "FP.RT")),
    *({item: False} for item in ("C-04", "C-07", "C-08", "R-1", "AQ-7.2", "BENCH.block_lock")),
    *({item: True} for item in ("GEN.mode12", "GEN.fixed_cable", "AQ-2", "AQ-7.1")),
    *({"C-06": answer} for answer in ("Yes", "No")),
    {"C-02": False, "C-04": False, "FP.LAL": False},
    {"CFG.SendLocalListMaxLength": 4},
    {"CFG.MaxChargingProfilesInstalled": 2},
    {"CFG.ChargingScheduleMaxPeriods": 4},
    {"CFG.ChargeProfileMaxStackLevel": 0},
    {"CFG.StopTransactionOnEVSideDisconnect.rw": False},
    {"SEC.P1": True, "SEC.P3": True},
    {"SEC.cert": True},
]


@pytest.mark.parametrize("flip", [{}, *FLIPS], ids=str)
def test_an_answer_removes_exactly_the_cases_that_appendix_c_says(flip: dict[str, Any]) -> None:
    answers = FULL | flip
    applicable = {one.id for one in CASES if one.applies.evaluate(answers)}
    said = {f"{row['id']}_CS" for row in APPENDIX_C if says(row["condition"], answers)}
    assert applicable == said
    if flip:
        unflipped = {one.id for one in CASES if one.applies.evaluate(FULL)}
        assert applicable != unflipped, "an answer that decides nothing tests nothing"


def test_all_97_station_cases_of_appendix_c_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    cases = [row for row in rows if row["dut"] == "charging-station" and row["mark"] != "-"]
    assert len({row["id"] for row in cases}) == len(cases) == 97
    security = [row for row in cases if row["group"] == "security"]
    assert len(security) == 15


def test_a_security_case_that_applies_is_not_yet_available(tmp_path: Path) -> None:
    (one,) = (one for one in CASES if one.id == "TC_073_CS")
    path = tmp_path / "dut.toml"
    path.write_text(
        '[dut]\nkind = "charging-station"\nidentity = "A"\nvendor = "v"\nmodel = "m"\n'
        '[pics]\n"SEC.P1" = true\n'
    )
    outcome = judge(SUITE, one, load_dut(path), None)
    assert (outcome.outcome, outcome.reason) == ("not-runnable", "not yet available")

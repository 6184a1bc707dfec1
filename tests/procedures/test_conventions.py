"""The suite says of each case what Appendix C says, and every procedure is complete."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import procedures
from bench.dut import Timing
from bench.ocpp import v16
from bench.ocpp.action import misspelt_fields
from bench.procedure import Procedure
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

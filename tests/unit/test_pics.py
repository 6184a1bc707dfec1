"""Conditions over PICS are three-valued and say why."""

from __future__ import annotations

import itertools

import pytest

from bench.pics import Truth, pics

VALUES: tuple[Truth, ...] = (True, False, None)


def answers(**values: Truth) -> dict[str, Truth]:
    return {key: value for key, value in values.items() if value is not None}


@pytest.mark.parametrize(("a", "b"), list(itertools.product(VALUES, VALUES)))
def test_kleene_logic(a: Truth, b: Truth) -> None:
    given = answers(A=a, B=b)
    conjunction = (pics("A") & pics("B")).evaluate(given)
    disjunction = (pics("A") | pics("B")).evaluate(given)
    assert conjunction == (False if False in (a, b) else None if None in (a, b) else True)
    assert disjunction == (True if True in (a, b) else None if None in (a, b) else False)
    assert (~pics("A")).evaluate(given) == (None if a is None else not a)


def test_reasons_name_what_is_missing() -> None:
    condition = pics("C-07") & pics("C-08") & ~pics("AQ-2")
    assert condition.why({"C-07": False, "C-08": True, "AQ-2": False}) == "needs C-07"
    assert condition.why({"C-07": True, "C-08": True, "AQ-2": True}) == "needs not AQ-2"
    assert condition.why({"C-07": True, "C-08": True}) == "needs not AQ-2, which is not answered"
    assert str(condition) == "C-07 and C-08 and not AQ-2"


def test_choices() -> None:
    condition = pics("C-06").is_any_of("Yes", "Both")
    assert condition.evaluate({"C-06": "Both"}) is True
    assert condition.evaluate({"C-06": "No"}) is False
    assert condition.evaluate({}) is None
    assert str(condition) == "C-06 = Yes or Both"


def test_either_says_what_is_not_answered() -> None:
    condition = pics("FP.LAL") | pics("C-02") | pics("C-04")
    assert condition.why({"FP.LAL": False}) == (
        "needs FP.LAL or C-02 or C-04, of which C-02, C-04 is not answered"
    )
    nested = pics("C-07") & condition
    assert str(nested) == "C-07 and (FP.LAL or C-02 or C-04)"


def test_limits() -> None:
    condition = pics("FP.LAL") & pics("CFG.SendLocalListMaxLength").at_least(5)
    assert str(condition) == "FP.LAL and CFG.SendLocalListMaxLength >= 5"
    assert condition.evaluate({"FP.LAL": True, "CFG.SendLocalListMaxLength": 5}) is True
    small = {"FP.LAL": True, "CFG.SendLocalListMaxLength": 4}
    assert condition.evaluate(small) is False
    assert condition.why(small) == "needs CFG.SendLocalListMaxLength >= 5, which is 4"
    assert condition.evaluate({"FP.LAL": True}) is None
    limit = pics("CFG.SendLocalListMaxLength").at_least(5)
    assert limit.why({}) == "needs CFG.SendLocalListMaxLength >= 5, which is not answered"
    assert str(limit | pics("A")) == "CFG.SendLocalListMaxLength >= 5 or A"

"""Patterns match by subset, explain a miss, and survive being written down."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.ocpp import v16
from bench.ocpp.frame import Call, CallError, CallResult
from bench.ocpp.match import CallPattern, distance, error, pattern_from_json, result
from bench.ocpp.predicate import (
    ABSENT,
    absent,
    any_of,
    between,
    compare,
    containing,
    from_json,
    matching,
    only,
    present,
    to_json,
)

STOP = Call("1", "StopTransaction", {"transactionId": 7, "reason": "Local", "meterStop": 10})


def test_payload_matches_by_subset() -> None:
    assert v16.StopTransaction(transactionId=7).misses(STOP) == []
    (miss,) = v16.StopTransaction(reason="Remote").misses(STOP)
    assert str(miss) == 'reason expected "Remote", came "Local"'


def test_letter_case_of_an_id_tag_does_not_matter() -> None:
    pattern = v16.Authorize(idTag="04A2b3")
    assert pattern.misses(Call("1", "Authorize", {"idTag": "04a2B3"})) == []
    assert pattern.misses(Call("1", "Authorize", {"idTag": "04a2B4"}))
    wrong = v16.DataTransfer(vendorId="Acme")
    assert wrong.misses(Call("1", "DataTransfer", {"vendorId": "acme"}))


def test_missing_field_is_told_from_wrong_value() -> None:
    (miss,) = v16.StopTransaction(idTag="X").misses(STOP)
    assert str(miss) == 'idTag expected "X", came nothing'


def test_wrong_action_is_farther_away_than_wrong_fields() -> None:
    wrong_field = v16.StopTransaction(reason="Remote", idTag="X", transactionId=8).misses(STOP)
    wrong_action = v16.StartTransaction().misses(STOP)
    assert 0 < distance(wrong_field) < distance(wrong_action)


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        (any_of(1, 2), [1, 2], [3, "1", ABSENT]),
        (any_of(absent, "Local"), [ABSENT, "Local"], ["Remote"]),
        (between(1, 2), [1, 1.5, 2], [0.99, 2.01, "1", True, ABSENT]),
        (between(None, 2), [-5, 2], [3]),
        (absent, [ABSENT], [None, 0]),
        (present, [None, 0, "x"], [ABSENT]),
        (matching("a+"), ["a", "AA"], ["b", "ab", 1, ABSENT]),
        (containing({"key": "A"}), [[{"key": "A", "value": "1"}]], [[], [{"key": "B"}], "A"]),
        ([1, present], [[1, 2]], [[1], [1, 2, 3], [2, 2]]),
        (True, [True], [1, "true", False]),
        (1, [1, 1.0], [True, "1"]),
        ({"a": {"b": 1}}, [{"a": {"b": 1, "c": 2}, "d": 3}], [{"a": {}}, {"a": 1}, {}]),
    ],
)
def test_values_and_predicates(expected: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert compare(expected, value, "x") == [], value
    for value in bad:
        assert compare(expected, value, "x") != [], value


def test_answers_match_results_and_errors() -> None:
    pattern = result(status="Rejected") | error("PropertyConstraintViolation")
    assert pattern.misses(CallResult("1", {"status": "Rejected"})) == []
    assert pattern.misses(CallError("1", "PropertyConstraintViolation")) == []
    assert pattern.misses(CallResult("1", {"status": "Accepted"})) != []
    assert pattern.misses(CallError("1", "GenericError")) != []
    assert pattern.misses(STOP) != []


def test_patterns_join() -> None:
    pattern = v16.Authorize() | v16.StopTransaction(reason="Local")
    assert pattern.misses(STOP) == []
    assert str(pattern) == 'Authorize() or StopTransaction(reason="Local")'


def test_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="StopTransaction has no field id_tag"):
        v16.StopTransaction(id_tag="X")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
PREDICATES = st.one_of(
    st.lists(VALUES, min_size=1, max_size=3).map(lambda options: any_of(*options)),
    st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(lambda pair: between(*pair)),
    st.sampled_from([absent, present, matching("[ab]+")]),
    st.lists(VALUES, max_size=2).map(lambda items: containing(*items)),
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES | PREDICATES), VALUES)
def test_pattern_survives_being_written_down(fields: dict[str, Any], payload: Any) -> None:
    pattern = CallPattern("Authorize", fields)
    again = pattern_from_json(pattern.to_json())
    frame = Call("1", "Authorize", payload if isinstance(payload, dict) else {"a": payload})
    assert to_json(again.fields) == to_json(fields)  # type: ignore[union-attr]
    assert bool(again.misses(frame)) == bool(pattern.misses(frame))


def test_unknown_predicate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\$nothing"):
        from_json({"$nothing": 1})


def test_a_list_of_one_kind_only() -> None:
    pattern = only(any_of(between(5.95, 6.05), 8))
    for good in ([6], [6.04, 8, 6]):
        assert not compare(pattern, good, "")
    for bad in ([], [6, 7], 6, "6", ABSENT):
        assert compare(pattern, bad, "")
    (miss,) = compare({"limits": pattern}, {"limits": [6, 7]}, "")
    assert str(miss) == "limits expected only 5.95 to 6.05 or 8, came [6,7]"
    assert from_json(to_json(pattern)) == pattern


def test_identifiers_are_compared_whatever_their_letter_case() -> None:
    assert compare({"idTag": "04Ab"}, {"idTag": "04aB"}, "") == []
    assert (
        compare(
            {"idTagInfo": {"parentIdTag": "Group"}}, {"idTagInfo": {"parentIdTag": "GROUP"}}, ""
        )
        == []
    )
    assert compare({"idTag": "04AB"}, {"idTag": "04AC"}, "") != []
    assert compare({"idTag": "04AB"}, {"idTag": 4}, "") != []
    assert compare({"status": "Accepted"}, {"status": "accepted"}, "") != []

"""Expected beside received, field by field, with the mark of each."""

from __future__ import annotations

from typing import Any

import pytest

from bench.events import Checked
from bench.ocpp.frame import Frame, parse
from bench.ocpp.match import CallPattern, Pattern, error, result
from bench.ocpp.predicate import absent, any_of, between, containing
from gui.messages.diff import Line, Mark, differences


def _diff(pattern: Pattern, text: str | None, kind: str = "expect") -> list[tuple[str, ...]]:
    rule = {"rule": kind, "pattern": pattern.to_json()}
    return _lines(rule, None if text is None else parse(text))


def _lines(
    rule: dict[str, Any], frame: Frame | None, verdict: str = "fail"
) -> list[tuple[str, ...]]:
    check = Checked("It holds", verdict, "this", "that", 1, rule)
    return [
        (line.mark, line.path, line.expected, line.received) for line in differences(check, frame)
    ]


START = (
    '[2,"1","StartTransaction",{"connectorId":1,"idTag":"BAD","meterStart":5,"reservationId":7}]'
)


def test_each_field_has_its_mark() -> None:
    pattern = CallPattern(
        "StartTransaction",
        {
            "connectorId": 1,
            "idTag": "GOOD",
            "meterStart": between(0, 3),
            "timestamp": "now",
            "reservationId": absent,
        },
    )
    assert _diff(pattern, START) == [
        ("=", "message", "CALL StartTransaction", "CALL StartTransaction"),
        ("=", "connectorId", "1", "1"),
        ("~", "idTag", '"GOOD"', '"BAD"'),
        ("~", "meterStart", "0 to 3", "5"),
        ("−", "timestamp", '"now"', "nothing"),
        ("+", "reservationId", "no such field", "7"),
    ]


def test_what_is_equal_or_not_judged_may_be_hidden() -> None:
    lines = _diff(CallPattern("StartTransaction", {"connectorId": 1}), START)
    assert [line[0] for line in lines] == ["=", "=", "·", "·", "·"]
    assert lines[2] == ("·", "idTag", "", '"BAD"')
    assert [Line(mark, "", "", "").is_equal for mark in Mark] == [True, False, False, False, True]


def test_objects_and_lists_are_compared_part_by_part() -> None:
    pattern = result(idTagInfo={"status": any_of("Accepted", "Blocked"), "parentIdTag": "P"})
    text = '[3,"1",{"idTagInfo":{"status":"Invalid","expiryDate":"x"},"transactionId":3}]'
    assert _diff(pattern, text, "answer") == [
        ("=", "message", "CALLRESULT", "CALLRESULT"),
        ("~", "idTagInfo.status", '"Accepted" or "Blocked"', '"Invalid"'),
        ("−", "idTagInfo.parentIdTag", '"P"', "nothing"),
        ("·", "idTagInfo.expiryDate", "", '"x"'),
        ("·", "transactionId", "", "3"),
    ]
    lists = CallPattern("X", {"key": [1, {"a": 2}, 3]})
    assert _diff(lists, '[2,"1","X",{"key":[1,{"a":9}]}]')[1:] == [
        ("=", "key[0]", "1", "1"),
        ("~", "key[1].a", "2", "9"),
        ("−", "key[2]", "3", "nothing"),
    ]
    assert _diff(CallPattern("X", {"key": []}), '[2,"1","X",{"key":[4]}]')[1:] == [
        ("+", "key[0]", "no such element", "4")
    ]
    inside = CallPattern("X", {"key": containing({"a": 1})})
    assert _diff(inside, '[2,"1","X",{"key":[{"a":2}]}]')[1][0] == "~"


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ('[2,"1","Heartbeat",{}]', "CALL Heartbeat"),
        ('[4,"1","NotImplemented","no",{}]', "CALLERROR NotImplemented no"),
        ("[2,7]", "a broken frame: a CALL of 2 elements, expected 4"),
    ],
)
def test_another_message_differs_as_a_whole(text: str, received: str) -> None:
    lines = _diff(CallPattern("Authorize", {"idTag": "A"}), text)
    assert lines == [("~", "message", "CALL Authorize", received)]


def test_of_several_options_the_nearest_is_shown() -> None:
    pattern = CallPattern("Authorize", {"idTag": "A"}) | CallPattern("Heartbeat", {})
    lines = _diff(pattern, '[2,"1","Authorize",{"idTag":"B"}]')
    assert lines[0] == ("=", "message", 'Authorize(idTag="A") or Heartbeat()', "CALL Authorize")
    assert lines[1] == ("~", "idTag", '"A"', '"B"')
    refused = _diff(error("NotSupported"), '[4,"1","GenericError","",{}]', "answer")
    assert refused == [("~", "message", "CALLERROR NotSupported", "CALLERROR GenericError")]


def test_what_did_not_come_is_missing_with_all_its_fields() -> None:
    assert _diff(CallPattern("Authorize", {"idTag": "A"}), None) == [
        ("−", "message", 'Authorize(idTag="A")', "nothing"),
        ("−", "idTag", '"A"', "nothing"),
    ]


@pytest.mark.parametrize("kind", ["none", "forbid"])
def test_what_should_not_have_come_is_unwanted(kind: str) -> None:
    lines = _diff(CallPattern("StartTransaction", {"connectorId": 1}), START, kind)
    assert lines[0] == (
        *("+", "message", "no StartTransaction(connectorId=1)"),
        "CALL StartTransaction",
    )
    assert lines[1] == ("=", "connectorId", "1", "1")


def test_a_value_of_a_frame_is_shown_at_its_path() -> None:
    rule = {
        "rule": "value",
        "expected": {"$between": [0, 3]},
        "of": {"kind": "field", "frame": 1, "path": "meterStart"},
    }
    lines = _lines(rule, parse(START))
    assert lines[0] == ("~", "meterStart", "0 to 3", "5")
    assert {line[0] for line in lines[1:]} == {"·"}
    key = {**rule, "expected": "60", "of": {"kind": "field", "path": "keys[key=A].value"}}
    answer = parse('[3,"1",{"keys":[{"key":"A","value":"70"}]}]')
    assert _lines(key, answer) == [("~", "keys[key=A].value", '"60"', '"70"')]


def test_other_rules_are_told_in_the_words_of_the_check() -> None:
    assert _lines({"rule": "monitor"}, parse(START)) == [("~", "It holds", "this", "that")]
    assert _lines({"rule": "operator"}, None, "pass") == [("=", "It holds", "this", "that")]
    given = {"rule": "value", "expected": 1, "of": {"kind": "given", "value": 2}}
    assert _lines(given, None) == [("~", "It holds", "this", "that")]

"""The filter bar: what its words let through, and what it says to words that it does not know."""

from __future__ import annotations

import pytest

from bench.events import CaseEnded, CaseStarted, FrameLost, StepEnded, StepStarted
from gui.messages.filter import read
from tests.gui.talk import Talk, came, checked, sent


@pytest.fixture
def talk() -> Talk:
    talk = Talk()
    talk.add(
        CaseStarted("TC_003_CS", "Regular", "C", "core", "", []),  # 1
        StepStarted(1, "body", "Present a card"),
        came('[2,"a1","Authorize",{"idTag":"BAD"}]'),  # 3
        sent('[3,"a1",{"idTagInfo":{"status":"Invalid"}}]'),
        checked(3, "pass", {"rule": "operator"}),
        StepEnded(1, "pass", None),
        StepStarted(2, "body", "No transaction starts"),
        came('[2,"b2","StartTransaction",{"connectorId":1,"idTag":"BAD","meterStart":10}]'),  # 8
        checked(8, "fail", {"rule": "operator"}),
        sent('[4,"b2","InternalError","so what",{}]'),  # 10
        came("what?"),  # 11
        came('[2,"c3","Heartbeat",{}]'),  # 12
        sent('[2,"d4","Reset",{"type":"Soft"}]'),  # 13
        FrameLost(13, "gone"),
        CaseEnded("TC_003_CS", "fail", "completed", None, None, "body", 1.0, [12]),
    )
    return talk


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", [3, 4, 8, 10, 11, 12, 13]),
        ("  ", [3, 4, 8, 10, 11, 12, 13]),
        ("bad", [3, 8]),
        ('"so what"', [10]),
        ("action:start", [8, 10]),
        ("action:START from:station", [8]),
        ("from:csms", [4, 10, 13]),
        ("kind:call", [3, 8, 12, 13]),
        ("kind:result", [4]),
        ("kind:error | kind:broken", [10, 11]),
        ("kind:br", [11]),
        ("verdict:fail", [8]),
        ("verdict:!pass", [8]),
        ("is:unanswered", [12, 13]),
        ("is:unexpected", [12]),
        ("is:lost", [13]),
        ("is:checked", [3, 8]),
        ("id:b2", [8, 10]),
        ("case:tc_003", [3, 4, 8, 10, 11, 12, 13]),
        ("step:1", [3, 4]),
        ("step:transaction", [8, 10, 11, 12, 13]),
        ("idTag=BAD", [3, 8]),
        ("idtag=bad connectorId=1", [8]),
        ("meterStart=1", []),
        ("meterStart=10", [8]),
        ("status=", [4]),
        ("idTagInfo.status=Invalid", [4]),
        ("other.status=Invalid", []),
        ("-bad -from:csms", [11, 12]),
        ("!kind:call", [4, 10, 11]),
        ("bad action:start | type=Soft", [8, 13]),
    ],
)
def test_words_let_through(talk: Talk, words: str, found: list[int]) -> None:
    assert [message.n for message in read(words).of(talk.timeline.messages)] == found


def test_a_field_is_found_at_any_depth_and_by_value_as_json() -> None:
    talk = Talk()
    talk.add(
        came('[2,"1","MeterValues",{"meterValue":[{"sampledValue":[{"value":"7","unit":"Wh"}]}]}]'),
        came('[2,"2","DataTransfer",{"data":"\\"unit\\":\\"Wh\\"","vendorId":"é ü"}]'),
        came('[2,"3","DataTransfer",{"data":{"a":[1,2]}}]'),
    )

    def found(words: str) -> list[int]:
        return [message.n for message in read(words).of(talk.timeline.messages)]

    assert found("unit=Wh") == [1]
    assert found("sampledValue.value=7") == [1]
    assert found('"vendorId=É Ü"') == [2]
    assert found("data.a=[1,2]") == [3]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("verdict:maybe", "verdict:maybe expected none, pass, inconclusive, fail, error"),
        ("kind:", "kind: expected call, result, error, broken"),
        ("from:c | from:x", "from:x expected station, csms"),
        ('"half', 'a quotation mark " is missing'),
    ],
)
def test_a_word_that_means_nothing_is_named(words: str, says: str) -> None:
    with pytest.raises(ValueError) as error:
        read(words)
    assert str(error.value) == says

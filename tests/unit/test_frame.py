"""Frames are read as OCPP-J 1.6 clause 4 writes them; all else is broken, with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.ocpp.frame import Broken, Call, CallError, CallResult, encode, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
IDS = st.text(max_size=36)
PAYLOADS = st.dictionaries(st.text(), JSON, max_size=4)


@given(
    st.builds(Call, IDS, st.text(), PAYLOADS)
    | st.builds(CallResult, IDS, PAYLOADS)
    | st.builds(CallError, IDS, st.text(), st.text(), PAYLOADS)
)
def test_frames_survive_the_wire(frame: Call | CallResult | CallError) -> None:
    try:
        text = encode(frame)
    except UnicodeEncodeError:
        return  # a lone surrogate can't be sent as UTF-8
    read = parse(text)
    assert type(read) is type(frame)
    assert getattr(read, "message_id", None) == frame.message_id


@given(st.text() | st.binary())
def test_anything_can_be_read(raw: str | bytes) -> None:
    assert isinstance(parse(raw), Broken | Call | CallResult | CallError)


@pytest.mark.parametrize("text", ["[2" * 2000, "[" * 100_000, '[2,"a","X",{"n":1e400}]'])
def test_hostile_json_does_no_harm(text: str) -> None:
    assert isinstance(parse(text), Broken | Call)


def test_lenient_numbers_are_still_shown() -> None:
    frame = parse('[2,"a","X",{"n":NaN,"big":123456789012345678901234567890}]')
    assert isinstance(frame, Call)
    assert frame.payload["big"] == 123456789012345678901234567890
    assert "123456789012345678901234567890" in encode(Call("b", "X", {"big": frame.payload["big"]}))

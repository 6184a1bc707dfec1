"""Every kind of event survives the journal."""

from __future__ import annotations

import dataclasses
import typing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.campaign.events import KINDS as CAMPAIGN_KINDS
from bench.events import KINDS, Event, Noted, from_data, one_of, to_data
from bench.journal import FIRST, Record, decode, encode, seal, to_json, unseal

TEXTS = st.text(st.characters(codec="utf-8"))
"""All texts that have an encoding; what has none is tested with the journal."""
NUMBERS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | FLOATS | TEXTS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Make values for a field's annotation, as JSON knows them."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(TEXTS, values(arguments[1]), max_size=3)
    if arguments:
        return st.one_of(*(values(argument) for argument in arguments))
    known = {str: TEXTS, int: NUMBERS, float: FLOATS, bool: st.booleans(), Any: JSON}
    return known[hint] if hint in known else st.none()


def events(kind: type[Event]) -> st.SearchStrategy[Event]:
    hints = typing.get_type_hints(kind)
    fields = {f.name: values(hints[f.name]) for f in dataclasses.fields(kind)}
    return st.builds(kind, **fields)


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_event_survives_the_journal(kind: type[Event]) -> None:
    # The first draw of texts is slow on a busy machine; that says nothing about the journal.
    @settings(max_examples=50)
    @given(events(kind), st.integers(1, 2**53), MOMENTS, st.floats(0, 1e9))
    def survives(event: Event, n: int, utc: datetime, mono: float) -> None:
        record = Record(n, utc, round(mono, 6), event)
        line, digest = encode(record, FIRST)
        assert decode(line, FIRST) == (record, digest)
        assert line.count(b"\n") == 1

    survives()


@pytest.mark.parametrize("kind", CAMPAIGN_KINDS.values(), ids=CAMPAIGN_KINDS.keys())
def test_every_kind_of_event_survives_the_record_of_a_campaign(kind: type[Any]) -> None:
    @settings(max_examples=20)
    @given(events(kind))
    def survives(event: Any) -> None:
        document = {"event": kind.__name__, "data": to_data(event)}
        parts, _ = unseal(seal(to_json(document), FIRST)[0], FIRST)
        assert one_of(CAMPAIGN_KINDS, parts["event"], parts["data"]) == event

    survives()


def test_the_data_of_an_event_are_its_fields() -> None:
    assert to_data(Noted("a", by="b")) == {"text": "a", "by": "b"}
    assert from_data("Noted", {"text": "a"}) == Noted("a")


def test_events_are_frozen() -> None:
    for kind in (*KINDS.values(), *CAMPAIGN_KINDS.values()):
        assert dataclasses.is_dataclass(kind)
        assert kind.__dataclass_params__.frozen  # type: ignore[union-attr]
        assert "__slots__" in vars(kind)


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("Nothing", {}, "unknown kind of event 'Nothing'"),
        ("Noted", {}, "event Noted"),
        ("Noted", {"text": "a", "colour": "red"}, "colour"),
    ],
)
def test_an_event_that_is_not_known_is_refused_by_name(
    kind: str, data: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        from_data(kind, data)

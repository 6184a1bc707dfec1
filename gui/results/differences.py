"""A comparison of two runs, as `GET /compare` gives it, in words and cells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bench.clock import spoken
from gui.palette import mark_of
from gui.parts import counted
from gui.tables import Cell

NOTHING = "–"
SIDES = ("first", "second")

Case = Mapping[str, Any]


def summary(found: Mapping[str, Any]) -> str:
    """Say in a sentence how the two runs relate."""
    cases = found["cases"]
    others = sum(not case["same_outcome"] for case in cases)
    idle = sum(map(is_idle, cases))
    made = len(found["conditions"])
    what = counted(made, "difference")
    with_what = "made alike" if not made else f"{what} in what they were made with"
    same = counted(len(cases) - others - idle, "case")
    return f"{same} came to the same, {others} to something else; {with_what}."


def is_idle(case: Case) -> bool:
    """Tell whether a case ran in neither."""
    begun = any(case[side]["duration"] is not None for side in SIDES)
    return bool(case["same_outcome"]) and not begun


def differs(case: Case) -> bool:
    """Tell whether a case came to something else, measured or said something else."""
    values = any(one["first"] != one["second"] for one in case["measured"])
    return not case["same_outcome"] or values or case["first_other_message"] is not None


def case_row(case: Case) -> list[Cell]:
    """Write a case: id, title, both outcomes, both durations."""
    outcomes = [case[side]["outcome"] for side in SIDES]
    times = [case[side]["duration"] for side in SIDES]
    words = [NOTHING if one is None else spoken(one) for one in times]
    return [
        Cell(case["case"]),
        Cell(case["title"]),
        *(Cell(mark_of(one).word, one if one in _VERDICTS else "quiet", one) for one in outcomes),
        Cell(" → ".join(words)),
    ]


_VERDICTS = ("pass", "fail", "inconclusive", "error")


def reasons(case: Case) -> str:
    """Say why a case came to what it came to in each run."""
    told = ((side.capitalize(), case[side]["reason"]) for side in SIDES)
    return "\n".join(f"{name}: {reason}" for name, reason in told if reason)


def condition_row(one: Mapping[str, Any]) -> list[Cell]:
    """Write what the runs were not made with alike."""
    return [Cell(one["path"]), *(Cell(_said(one, side)) for side in SIDES)]


def message_row(row: Mapping[str, Any]) -> list[Cell]:
    """Write a row of messages: both sides, and the fields in which they differ."""
    shade = "" if row["same"] else "odd"
    fields = "; ".join(
        f"{one['path'] or 'payload'}: {_said(one, 'first')} → {_said(one, 'second')}"
        for one in row["fields"]
    )
    alone = "" if row["same"] or fields else "has no counterpart"
    return [
        Cell("" if row["same"] else "≠", shade),
        *(Cell(_message(row[side]), shade) for side in SIDES),
        Cell(fields or alone, shade),
    ]


def value_rows(case: Case) -> Iterator[list[Cell]]:
    """Write what was measured in both runs, then how long the DUT took to answer."""
    for one in case["measured"]:
        sides = [NOTHING if one[s] is None else f"{one[s]:g} {one['unit']}" for s in SIDES]
        shade = "" if one["first"] == one["second"] else "odd"
        yield [Cell(one["name"], shade), *(Cell(side, shade) for side in sides)]
    for one in case["responses"]:
        yield [Cell(f"answers to {one['action']}"), *(Cell(_spread(one[s])) for s in SIDES)]


def _spread(spread: Mapping[str, Any] | None) -> str:
    if spread is None:
        return NOTHING
    median, most = spoken(spread["median"]), spoken(spread["greatest"])
    return f"{spread['count']} ×, median {median}, at most {most}"


def _said(one: Mapping[str, Any], side: str) -> str:
    if side not in one:
        return NOTHING
    value = one[side]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _message(message: Mapping[str, Any] | None) -> str:
    if message is None:
        return NOTHING
    arrow = "→" if message["from_station"] else "←"
    kind = "" if message["kind"] == "CALL" else f" {message['kind']}"
    return f"{message['at']:.3f} s  {arrow} {message['action']}{kind}"

"""Defects of composite schedules that the cases on smart charging catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from stations.conduct import Defect, Retort
from stations.defects.edits import adjust, has
from stations.messages import Answer, Payload

_COMPOSITE = "GetCompositeSchedule"


def _composite(change: Callable[[Payload], Payload]) -> Retort:
    """Change the answers that carry a composite schedule."""

    def spoil(request: Payload, answer: Answer) -> Answer:
        if "chargingSchedule" not in answer.payload:
            return answer
        return replace(answer, payload=change(answer.payload))

    return spoil


def _schedule(change: Callable[[Payload], Payload]) -> Retort:
    """Change the schedule in an answer."""
    return _composite(
        lambda payload: payload | {"chargingSchedule": change(payload["chargingSchedule"])}
    )


def _periods(change: Callable[[list[Payload]], list[Payload]]) -> Retort:
    """Change the periods of a composite schedule."""
    name = "chargingSchedulePeriod"
    return _schedule(lambda schedule: schedule | {name: change(schedule[name])})


def _without_start(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if name != "scheduleStart"}


def _an_hour_on(payload: Payload) -> Payload:
    start = datetime.fromisoformat(payload["scheduleStart"]) + timedelta(hours=1)
    return payload | {"scheduleStart": start.replace(tzinfo=None).isoformat() + "Z"}


def _later(periods: list[Payload]) -> list[Payload]:
    first, *others = periods
    return [first, *(p | {"startPeriod": p["startPeriod"] + 10} for p in others)]


DEFECTS = (
    Defect(
        "composite-in-another-unit",
        "Writes W as the unit of a composite schedule in A.",
        "TC_056_CS",
        (_COMPOSITE, "chargingRateUnit", '"W"'),
        answers={_COMPOSITE: _schedule(lambda schedule: schedule | {"chargingRateUnit": "W"})},
    ),
    Defect(
        "composite-without-start",
        "Leaves scheduleStart out of a composite schedule.",
        "TC_056_CS",
        (_COMPOSITE, "scheduleStart", "came nothing"),
        answers={_COMPOSITE: _composite(_without_start)},
    ),
    Defect(
        "composite-starts-in-an-hour",
        "Gives a composite schedule that begins an hour later.",
        "TC_056_CS",
        (_COMPOSITE, "scheduleStart", "came -3"),
        answers={_COMPOSITE: _composite(_an_hour_on)},
    ),
    Defect(
        "composite-does-not-begin",
        "Lets the first period of a composite schedule begin after a second.",
        "TC_056_CS",
        (_COMPOSITE, "limit in A", "came nothing"),
        answers={
            _COMPOSITE: _periods(
                lambda periods: [p | {"startPeriod": p["startPeriod"] + 1} for p in periods]
            )
        },
    ),
    Defect(
        "composite-sent-twice",
        "Sends every composite schedule twice.",
        "TC_056_CS",
        ("CALLRESULT",),
        answers={_COMPOSITE: adjust(has(), copies=2)},
    ),
    Defect(
        "composite-limit-as-text",
        "Writes the limits of a composite schedule as strings.",
        "TC_056_CS",
        (_COMPOSITE, "limit"),
        answers={
            _COMPOSITE: _periods(lambda periods: [p | {"limit": str(p["limit"])} for p in periods])
        },
    ),
    Defect(
        "composite-of-another-connector",
        "Names connector 0 in every composite schedule.",
        "TC_057_CS",
        (_COMPOSITE, "connectorId", "came 0"),
        answers={_COMPOSITE: _composite(lambda payload: payload | {"connectorId": 0})},
    ),
    Defect(
        "composite-halved",
        "Reports a composite schedule of half the length that was asked for.",
        "TC_057_CS",
        (_COMPOSITE, "duration", "150"),
        answers={
            _COMPOSITE: _schedule(
                lambda schedule: schedule | {"duration": schedule["duration"] // 2}
            )
        },
    ),
    Defect(
        "composite-late",
        "Puts every change of a composite schedule ten seconds late.",
        "TC_066_CS",
        ("limit in A", "9.95 to 10.05", "8.0"),
        answers={_COMPOSITE: _periods(_later)},
    ),
    Defect(
        "composite-cut-short",
        "Reports the first three periods of a composite schedule only.",
        "TC_066_CS",
        ("limit in A", "9.95 to 10.05", "came [6.0]"),
        answers={_COMPOSITE: _periods(lambda periods: periods[:3])},
    ),
)

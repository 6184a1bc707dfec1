"""Defects that the cases on smart charging catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from stations.conduct import CLEARED_BY, TX_PROFILE_NEEDS, Defect, Retort
from stations.defects.edits import When, adjust, has, idle, retort
from stations.messages import Answer, Payload

_SET, _CLEAR, _COMPOSITE = "SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"
_REMOTE = "RemoteStartTransaction"


def _sets(purpose: str) -> When:
    """Mean the SetChargingProfile requests with a profile of this purpose."""
    return lambda request: request["csChargingProfiles"]["chargingProfilePurpose"] == purpose


def _brings(purpose: str) -> When:
    """Mean the remote starts with a profile of this purpose."""
    return lambda request: (
        request.get("chargingProfile", {}).get("chargingProfilePurpose") == purpose
    )


def _instead(before: str, answer: Answer) -> Retort:
    """Give another answer in place of one with this status."""
    return lambda request, good: answer if good.payload.get("status") == before else good


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


def _refused(code: str) -> Answer:
    return Answer(error=code, description="not now")


DEFECTS = (
    Defect(
        "profiles-not-to-be-cleared",
        "Answers with an error when it is to clear all charging profiles.",
        "000_RESET",
        (_CLEAR, "InternalError"),
        answers={_CLEAR: lambda request, answer: answer if request else _refused("InternalError")},
    ),
    Defect(
        "default-profile-refused",
        "Refuses every default profile.",
        "TC_056_CS",
        (_SET, "status", "Rejected"),
        answers={_SET: retort(_sets("TxDefaultProfile"), status="Rejected")},
    ),
    Defect(
        "default-profile-without-effect",
        "Accepts a default profile and does nothing.",
        "TC_056_CS",
        ("limit in A from 0 s", "5.95 to 6.05", "came [32.0]"),
        answers={_SET: idle(_sets("TxDefaultProfile"))},
    ),
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
        "tx-profile-refused",
        "Refuses every profile for a transaction.",
        "TC_057_CS",
        (_SET, "status", "Rejected"),
        answers={_SET: retort(_sets("TxProfile"), status="Rejected")},
    ),
    Defect(
        "tx-profile-without-effect",
        "Accepts a profile for a transaction and does nothing.",
        "TC_057_CS",
        ("limit in A from 0 s", "5.95 to 6.05", "came [32.0]"),
        answers={_SET: idle(_sets("TxProfile"))},
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
        "tx-profile-in-advance",
        "Takes a profile for a transaction that does not run yet.",
        "TC_058_1_CS",
        (_SET, "Rejected", "Accepted"),
        behaviour={"tx_profile_needs": TX_PROFILE_NEEDS - {"transaction"}},
    ),
    Defect(
        "refusal-as-not-supported",
        "Answers NotSupported where it refuses a charging profile.",
        "TC_058_1_CS",
        (_SET, "Rejected", "NotSupported"),
        answers={_SET: _instead("Rejected", Answer({"status": "NotSupported"}))},
    ),
    Defect(
        "refusal-as-internal-error",
        "Answers with an internal error where it refuses a charging profile.",
        "TC_058_1_CS",
        (_SET, "PropertyConstraintViolation", "came InternalError"),
        answers={_SET: _instead("Rejected", _refused("InternalError"))},
    ),
    Defect(
        "tx-profile-of-any-transaction",
        "Takes a profile for another transaction than the running one.",
        "TC_058_2_CS",
        (_SET, "Rejected", "Accepted"),
        behaviour={"tx_profile_needs": TX_PROFILE_NEEDS - {"transactionId"}},
    ),
    Defect(
        "refusal-as-violation",
        "Answers with a constraint violation where it refuses a charging profile.",
        "TC_058_2_CS",
        (_SET, "Rejected", "PropertyConstraintViolation"),
        answers={_SET: _instead("Rejected", _refused("PropertyConstraintViolation"))},
    ),
    Defect(
        "refusal-late",
        "Takes two minutes to refuse a charging profile.",
        "TC_058_2_CS",
        (_SET, "not answered"),
        answers={_SET: _instead("Rejected", Answer({"status": "Rejected"}, delay=120.0))},
    ),
    Defect(
        "default-profile-for-later-transactions",
        "Uses a default profile only for transactions that begin after it came.",
        "TC_082_CS",
        ("limit in A from 0 s", "5.95 to 6.05", "came [32.0]"),
        behaviour={"default_reaches_running": False},
    ),
    Defect(
        "default-profile-stops-transaction",
        "Stops the running transaction when a default profile comes.",
        "TC_082_CS",
        ("StopTransaction",),
        behaviour={"default_stops_running": True},
    ),
    Defect(
        "default-profile-refused-late",
        "Takes two minutes to answer a default profile.",
        "TC_082_CS",
        (_SET, "not answered"),
        answers={_SET: adjust(_sets("TxDefaultProfile"), delay=120.0)},
    ),
    Defect(
        "station-maximum-ignored",
        "Does not count with the limit of the whole station.",
        "TC_066_CS",
        ("limit in A", "9.95 to 10.05", "11.0]"),
        behaviour={"heeds_station_maximum": False},
    ),
    Defect(
        "default-limits-tx-profile",
        "Lets the default profile limit a transaction that has a profile of its own.",
        "TC_066_CS",
        ("limit in A from 0 s", "7.95 to 8.05", "6.0"),
        behaviour={"tx_profile_overrules": False},
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
    Defect(
        "clear-says-unknown",
        "Clears a charging profile and answers Unknown.",
        "TC_067_CS",
        (_CLEAR, "Accepted", "Unknown"),
        answers={_CLEAR: adjust(has(), payload={"status": "Unknown"})},
    ),
    Defect(
        "clear-without-effect",
        "Answers that it has cleared a charging profile, and keeps it.",
        "TC_067_CS",
        ("limit in A", "6.95 to 7.05", "came [6.0"),
        answers={_CLEAR: idle(has())},
    ),
    Defect(
        "clear-by-id-clears-all",
        "Clears all charging profiles when it is to clear one by its id.",
        "TC_067_CS",
        ("limit in A", "6.95 to 7.05", "came [32.0]"),
        behaviour={"clears_by": CLEARED_BY - {"id"}},
    ),
    Defect(
        "clear-regardless-of-purpose",
        "Clears profiles of the level that is named whatever they are for.",
        "TC_067_CS",
        ("limit in A", "10.95 to 11.05", "came [32.0]"),
        behaviour={"clears_by": CLEARED_BY - {"chargingProfilePurpose"}},
    ),
    Defect(
        "clear-all-keeps-station-maximum",
        "Keeps the limit of the whole station when it is to clear all profiles.",
        "TC_067_CS",
        (_CLEAR, "Accepted", "Unknown"),
        behaviour={"clears_station_maximum": False},
    ),
    Defect(
        "stack-upside-down",
        "Lets the lowest level prevail.",
        "TC_072_CS",
        ("limit in A from 0 s", "6.95 to 7.05", "came [6.0]"),
        behaviour={"highest_level_prevails": False},
    ),
    Defect(
        "stack-of-one",
        "Keeps one profile per purpose, whatever its level.",
        "TC_072_CS",
        ("limit in A", "7.95 to 8.05", "32.0]"),
        behaviour={"stacks_profiles": False},
    ),
    Defect(
        "schedule-does-not-end",
        "Goes on with the last period of a schedule that has ended.",
        "TC_072_CS",
        ("limit in A", "7.95 to 8.05", "came [9.0]"),
        behaviour={"schedules_end": False},
    ),
    Defect(
        "remote-start-profile-ignored",
        "Ignores the profile that a remote start brings.",
        "TC_059_CS",
        ("limit in A from 0 s", "5.95 to 6.05", "came [32.0]"),
        behaviour={"remote_profile_factor": None},
    ),
    Defect(
        "remote-start-profile-doubled",
        "Doubles the limits of the profile that a remote start brings.",
        "TC_059_CS",
        ("limit in A from 0 s", "5.95 to 6.05", "came [12.0]"),
        behaviour={"remote_profile_factor": 2.0},
    ),
    Defect(
        "remote-start-with-profile-refused",
        "Refuses a remote start that brings a profile.",
        "TC_059_CS",
        (_REMOTE, "Accepted", "Rejected"),
        answers={_REMOTE: retort(_brings("TxProfile"), status="Rejected")},
    ),
    Defect(
        "remote-start-with-any-profile",
        "Starts remotely whatever the profile of the remote start is for.",
        "TC_060_CS",
        (_REMOTE, "Rejected", "Accepted"),
        behaviour={"checks_remote_profile": False},
    ),
    Defect(
        "remote-start-refused-and-done",
        "Refuses a remote start for its profile, and starts.",
        "TC_060_CS",
        ("no StartTransaction", "came"),
        behaviour={"checks_remote_profile": False},
        answers={_REMOTE: adjust(_brings("TxDefaultProfile"), payload={"status": "Rejected"})},
    ),
    Defect(
        "remote-start-profile-breaks-format",
        "Calls a remote start with a profile that it refuses badly formed.",
        "TC_060_CS",
        (_REMOTE, "PropertyConstraintViolation", "came FormationViolation"),
        answers={
            _REMOTE: lambda request, answer: (
                _refused("FormationViolation")
                if "chargingProfile" in request and answer.payload.get("status") == "Rejected"
                else answer
            )
        },
    ),
)

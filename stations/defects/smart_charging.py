"""Defects that the cases on smart charging catch, but for those of composite schedules."""

from __future__ import annotations

from stations.conduct import CLEARED_BY, TX_PROFILE_NEEDS, Defect
from stations.defects.edits import (
    When,
    adjust,
    adjust_status,
    fail,
    has,
    idle,
    retort,
    retort_status,
)
from stations.messages import Answer

_SET, _CLEAR, _REMOTE = "SetChargingProfile", "ClearChargingProfile", "RemoteStartTransaction"


def _sets(purpose: str) -> When:
    """Mean the SetChargingProfile requests with a profile of this purpose."""
    return lambda request: request["csChargingProfiles"]["chargingProfilePurpose"] == purpose


def _brings(purpose: str) -> When:
    """Mean the remote starts with a profile of this purpose."""
    return lambda request: (
        request.get("chargingProfile", {}).get("chargingProfilePurpose") == purpose
    )


DEFECTS = (
    Defect(
        "profiles-not-to-be-cleared",
        "Answers with an error when it is to clear all charging profiles.",
        "000_RESET",
        (_CLEAR, "InternalError"),
        answers={_CLEAR: fail(lambda request: not request, "InternalError")},
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
        answers={_SET: retort_status("Rejected", "NotSupported")},
    ),
    Defect(
        "refusal-as-internal-error",
        "Answers with an internal error where it refuses a charging profile.",
        "TC_058_1_CS",
        (_SET, "PropertyConstraintViolation", "came InternalError"),
        answers={_SET: adjust_status("Rejected", error="InternalError")},
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
        answers={_SET: adjust_status("Rejected", error="PropertyConstraintViolation")},
    ),
    Defect(
        "refusal-late",
        "Takes two minutes to refuse a charging profile.",
        "TC_058_2_CS",
        (_SET, "not answered"),
        answers={_SET: adjust_status("Rejected", delay=120.0)},
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
                Answer(error="FormationViolation")
                if "chargingProfile" in request and answer.payload.get("status") == "Rejected"
                else answer
            )
        },
    ),
)

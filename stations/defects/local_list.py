"""Defects that the cases on the local authorization list catch, with and without the profile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stations.conduct import Defect, Retort
from stations.defects.edits import adjust, edit, has, idle, retort, retort_status
from stations.messages import Payload

_DIFFERENTIAL = has(updateType="Differential")
_WITHOUT = "core-only"
"""A product that does not have the profile."""


def _has_list(request: Payload) -> bool:
    return bool(request.get("localAuthorizationList"))


def _has_no_list(request: Payload) -> bool:
    return "localAuthorizationList" not in request


def _is_long(request: Payload) -> bool:
    return len(request.get("localAuthorizationList", ())) > 4


def _version(value: object) -> Retort:
    return adjust(has(), payload={"listVersion": value})


def _when_failed(**changes: Any) -> Retort:
    """Change how an update is answered that has failed (fields of `Answer`)."""
    return lambda request, answer: (
        replace(answer, **changes) if answer.payload.get("status") == "Failed" else answer
    )


DEFECTS = (
    Defect(
        "list-accepted-without-profile",
        "Accepts a local list although it has none.",
        "TC_043_1_CS",
        ("SendLocalList", "Accepted"),
        answers={"SendLocalList": adjust(has(), payload={"status": "Accepted"}, error="")},
        variant=_WITHOUT,
    ),
    Defect(
        "list-failed-without-profile",
        "Calls it a failure that it has no local list.",
        "TC_043_1_CS",
        ("SendLocalList", "Failed"),
        answers={"SendLocalList": adjust(has(), payload={"status": "Failed"}, error="")},
        variant=_WITHOUT,
    ),
    Defect(
        "list-not-implemented",
        "Does not know the action SendLocalList.",
        "TC_043_1_CS",
        ("SendLocalList", "NotImplemented"),
        answers={"SendLocalList": adjust(has(), error="NotImplemented")},
        variant=_WITHOUT,
    ),
    Defect(
        "list-not-answered",
        "Does not answer SendLocalList.",
        "TC_043_1_CS",
        ("SendLocalList", "not answered"),
        answers={"SendLocalList": adjust(has(), copies=0)},
        variant=_WITHOUT,
    ),
    Defect(
        "list-version-zero-without-profile",
        "Says of the local list that it does not have that it is empty.",
        "TC_042_1_CS",
        ("GetLocalListVersion", "listVersion"),
        answers={"GetLocalListVersion": adjust(has(), payload={"listVersion": 0}, error="")},
        variant=_WITHOUT,
    ),
    Defect(
        "list-version-not-implemented",
        "Does not know the action GetLocalListVersion.",
        "TC_042_1_CS",
        ("GetLocalListVersion", "NotImplemented"),
        answers={"GetLocalListVersion": adjust(has(), error="NotImplemented")},
        variant=_WITHOUT,
    ),
    Defect(
        "list-version-answered-late",
        "Answers GetLocalListVersion after two minutes.",
        "TC_042_1_CS",
        ("GetLocalListVersion", "not answered"),
        answers={"GetLocalListVersion": adjust(has(), delay=120.0)},
        variant=_WITHOUT,
    ),
    Defect(
        "empty-list-has-version",
        "Gives the version that came with an empty list, not 0.",
        "TC_042_2_CS",
        ("GetLocalListVersion", "listVersion"),
        behaviour={"empty_list_has_version": True},
    ),
    Defect(
        "empty-list-not-supported",
        "Says of an empty list that it has none.",
        "TC_042_2_CS",
        ("GetLocalListVersion", "listVersion"),
        answers={"GetLocalListVersion": _version(-1)},
    ),
    Defect(
        "empty-list-refused",
        "Refuses a full update that has no list.",
        "TC_042_2_CS",
        ("SendLocalList", "Failed"),
        answers={"SendLocalList": retort(_has_no_list, status="Failed")},
    ),
    Defect(
        "list-version-as-text",
        "Writes the version of the list as a string.",
        "TC_042_2_CS",
        ("GetLocalListVersion", "listVersion"),
        answers={"GetLocalListVersion": _version("0")},
    ),
    Defect(
        "list-version-misnamed",
        "Answers GetLocalListVersion with the field of another version of OCPP.",
        "TC_042_2_CS",
        ("GetLocalListVersion", "versionNumber"),
        answers={"GetLocalListVersion": adjust(has(), payload={"versionNumber": 0})},
    ),
    Defect(
        "list-too-short",
        "Takes four entries at once, though it claims to take more.",
        "TC_043_CS",
        ("SendLocalList", "Failed"),
        answers={"SendLocalList": retort(_is_long, status="Failed")},
    ),
    Defect(
        "differential-not-supported",
        "Does not support differential updates.",
        "TC_043_CS",
        ("SendLocalList", "NotSupported"),
        answers={"SendLocalList": retort(_DIFFERENTIAL, status="NotSupported")},
    ),
    Defect(
        "list-answered-twice",
        "Answers an update of the list twice.",
        "TC_043_CS",
        ("CALLRESULT",),
        answers={"SendLocalList": adjust(_is_long, copies=2)},
    ),
    Defect(
        "list-answered-late",
        "Answers an update of the list after two minutes.",
        "TC_043_CS",
        ("SendLocalList", "not answered"),
        answers={"SendLocalList": adjust(_is_long, delay=120.0)},
    ),
    Defect(
        "old-list-accepted",
        "Accepts a differential update that is older than its list.",
        "TC_043_2_CS",
        ("SendLocalList", "Accepted"),
        behaviour={"checks_list_version": False},
    ),
    Defect(
        "old-list-failed",
        "Calls it a failure that a differential update is older than its list.",
        "TC_043_2_CS",
        ("SendLocalList", "Failed"),
        answers={"SendLocalList": retort_status("VersionMismatch", "Failed")},
    ),
    Defect(
        "differential-keeps-version",
        "Keeps the version of its list over a differential update.",
        "TC_043_2_CS",
        ("GetLocalListVersion", "listVersion"),
        behaviour={"differential_sets_version": False},
    ),
    Defect(
        "old-list-sets-version",
        "Takes over the version of an update that it refuses.",
        "TC_043_2_CS",
        ("GetLocalListVersion", "listVersion"),
        behaviour={"mismatch_sets_version": True},
    ),
    Defect(
        "unstored-list-accepted",
        "Accepts a list that it can't store.",
        "TC_043_3_CS",
        ("SendLocalList", "Accepted"),
        behaviour={"notices_list_failure": False},
    ),
    Defect(
        "unstored-list-as-mismatch",
        "Blames the version when it can't store a list.",
        "TC_043_3_CS",
        ("SendLocalList", "VersionMismatch"),
        answers={"SendLocalList": retort_status("Failed", "VersionMismatch")},
    ),
    Defect(
        "unstored-list-as-error",
        "Answers with a CALLERROR when it can't store a list.",
        "TC_043_3_CS",
        ("SendLocalList", "InternalError"),
        answers={"SendLocalList": _when_failed(error="InternalError")},
    ),
    Defect(
        "unstored-list-not-answered",
        "Does not answer when it can't store a list.",
        "TC_043_3_CS",
        ("SendLocalList", "not answered"),
        answers={"SendLocalList": _when_failed(copies=0)},
    ),
    Defect(
        "list-ignored",
        "Asks about cards that are in its list although it need not.",
        "TC_008_CS",
        ("Authorize",),
        behaviour={"heeds_list": False},
    ),
    Defect(
        "list-not-stored",
        "Accepts a list and forgets it.",
        "TC_008_CS",
        ("Authorize",),
        answers={"SendLocalList": idle(_has_list)},
    ),
    Defect(
        "list-full-not-supported",
        "Supports no full update that has entries.",
        "TC_008_CS",
        ("SendLocalList", "NotSupported"),
        answers={"SendLocalList": retort(_has_list, status="NotSupported")},
    ),
    Defect(
        "list-start-with-other-tag",
        "Writes the idTag of a listed card in lower-case letters with a prefix.",
        "TC_008_CS",
        ("StartTransaction", "idTag"),
        calls={"StartTransaction": edit("idTag", lambda tag: f"id-{tag.lower()}")},
    ),
)

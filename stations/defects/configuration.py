"""Defects that the cases on configuration keys catch."""

from __future__ import annotations

from stations.conduct import Defect
from stations.defects.edits import adjust, has, idle, keys, retort, retort_status
from stations.messages import Payload

INTERVAL = "MeterValueSampleInterval"


def sets_interval(request: Payload) -> bool:
    """Mean the ChangeConfiguration requests that switch the sampled meter values on."""
    return bool(request["key"] == INTERVAL and request["value"] != "0")


def _is_negative(request: Payload) -> bool:
    return str(request["value"]).startswith("-")


DEFECTS = (
    Defect(
        "key-missing",
        "Does not know the required key ResetRetries.",
        "TC_019_CS",
        ("ResetRetries",),
        answers={"GetConfiguration": keys("ResetRetries", lambda key: None)},
    ),
    Defect(
        "key-wrongly-readonly",
        "Reports ClockAlignedDataInterval as read-only.",
        "TC_019_CS",
        ("ClockAlignedDataInterval",),
        answers={
            "GetConfiguration": keys(
                "ClockAlignedDataInterval", lambda key: key | {"readonly": True}
            )
        },
    ),
    Defect(
        "key-wrongly-writable",
        "Reports NumberOfConnectors as writable.",
        "TC_019_CS",
        ("NumberOfConnectors",),
        answers={
            "GetConfiguration": keys("NumberOfConnectors", lambda key: key | {"readonly": False})
        },
    ),
    Defect(
        "key-unknown-when-asked",
        "Lists LocalPreAuthorize, but does not know it when it is asked for by name.",
        "TC_019_CS",
        ("LocalPreAuthorize",),
        answers={"GetConfiguration": keys("LocalPreAuthorize", lambda key: None, when_asked=True)},
    ),
    Defect(
        "cache-without-key",
        "Has a cache by its PICS, but no key AuthorizationCacheEnabled.",
        "TC_019_CS",
        ("AuthorizationCacheEnabled", "C-04"),
        answers={"GetConfiguration": keys("AuthorizationCacheEnabled", lambda key: None)},
    ),
    Defect(
        "limit-not-as-stated",
        "Takes fewer keys in one request than its PICS states.",
        "TC_019_CS",
        ("GetConfigurationMaxKeys", "CFG.GetConfigurationMaxKeys", "50"),
        answers={
            "GetConfiguration": keys("GetConfigurationMaxKeys", lambda key: key | {"value": "20"})
        },
    ),
    Defect(
        "stop-on-disconnect-read-only",
        "Does not let StopTransactionOnEVSideDisconnect be written, which its PICS states.",
        "TC_019_CS",
        ("StopTransactionOnEVSideDisconnect", "C-06"),
        answers={
            "GetConfiguration": keys(
                "StopTransactionOnEVSideDisconnect", lambda key: key | {"readonly": True}
            )
        },
    ),
    Defect(
        "configuration-not-stored",
        "Accepts a new sample interval and keeps the old one.",
        "TC_021_CS",
        (INTERVAL,),
        answers={"ChangeConfiguration": idle(has(key=INTERVAL))},
    ),
    Defect(
        "configuration-needs-reboot",
        "Wants a reboot for a new sample interval other than 0.",
        "TC_021_CS",
        ("ChangeConfiguration", "RebootRequired"),
        answers={
            "ChangeConfiguration": adjust(sets_interval, payload={"status": "RebootRequired"})
        },
    ),
    Defect(
        "unknown-key-rejected",
        "Answers Rejected for a configuration key that it does not know.",
        "TC_040_1_CS",
        ("ChangeConfiguration", "Rejected"),
        answers={"ChangeConfiguration": retort_status("NotSupported", "Rejected")},
    ),
    Defect(
        "unknown-key-accepted",
        "Accepts a configuration key that it does not know.",
        "TC_040_1_CS",
        ("ChangeConfiguration", "Accepted"),
        answers={"ChangeConfiguration": retort_status("NotSupported", "Accepted")},
    ),
    Defect(
        "negative-value-accepted",
        "Accepts a negative interval.",
        "TC_040_2_CS",
        ("ChangeConfiguration", "Accepted"),
        answers={"ChangeConfiguration": retort(_is_negative, status="Accepted")},
    ),
    Defect(
        "negative-value-not-supported",
        "Answers NotSupported for a bad value of a key that it has.",
        "TC_040_2_CS",
        ("ChangeConfiguration", "NotSupported"),
        answers={"ChangeConfiguration": retort(_is_negative, status="NotSupported")},
    ),
)

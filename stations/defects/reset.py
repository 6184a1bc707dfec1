"""Defects that 000_RESET and the cases of the chapter on resets catch."""

from __future__ import annotations

from stations.conduct import BOOTS, Defect
from stations.defects.edits import drop, has, idle, put, retort

_NOT_HARD = BOOTS - {"Hard"}
_NOT_SOFT = BOOTS - {"Soft"}

DEFECTS = (
    Defect(
        "mute",
        "Connects, but sends nothing and answers nothing.",
        "000_RESET",
        ("not answered",),
        behaviour={"speaks": False},
    ),
    Defect(
        "operative-refused",
        "Refuses to be put back into service.",
        "000_RESET",
        ("ChangeAvailability", "Rejected"),
        answers={"ChangeAvailability": retort(has(type="Operative"), status="Rejected")},
    ),
    Defect(
        "cache-not-cleared",
        "Has a cache, but refuses to clear it.",
        "000_RESET",
        ("ClearCache", "Rejected"),
        answers={"ClearCache": retort(has(), status="Rejected")},
    ),
    Defect(
        "zero-interval-refused",
        "Refuses to switch the sampled meter values off.",
        "000_RESET",
        ("ChangeConfiguration", "Rejected"),
        answers={
            "ChangeConfiguration": retort(
                has(key="MeterValueSampleInterval", value="0"), status="Rejected"
            )
        },
    ),
    Defect(
        "hard-reset-forgets-availability",
        "Is back in service after a hard reset.",
        "TC_013_CS",
        ("StatusNotification", "Unavailable"),
        behaviour={"keeps_availability_over": _NOT_HARD},
    ),
    Defect(
        "hard-reset-without-boot",
        "Reconnects after a hard reset without BootNotification.",
        "TC_013_CS",
        ("BootNotification",),
        behaviour={"boots_after": _NOT_HARD},
    ),
    Defect(
        "hard-reset-without-effect",
        "Accepts a hard reset and does nothing.",
        "TC_013_CS",
        ("BootNotification",),
        answers={"Reset": idle(has(type="Hard"))},
    ),
    Defect(
        "soft-reset-forgets-availability",
        "Is back in service after a soft reset.",
        "TC_014_CS",
        ("StatusNotification", "Unavailable"),
        behaviour={"keeps_availability_over": _NOT_SOFT},
    ),
    Defect(
        "soft-reset-not-reported",
        "Reports no status after the boot of a soft reset.",
        "TC_014_CS",
        ("StatusNotification",),
        behaviour={"reports_after": _NOT_SOFT},
    ),
    Defect(
        "soft-reset-refused",
        "Refuses a soft reset.",
        "TC_014_CS",
        ("Reset", "Rejected"),
        answers={"Reset": retort(has(type="Soft"), status="Rejected")},
    ),
    Defect(
        "hard-reset-reason-reboot",
        "Gives Reboot as the reason of a hard reset.",
        "TC_015_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="HardReset"), reason="Reboot")},
    ),
    Defect(
        "hard-reset-loses-stop",
        "Loses the StopTransaction over a hard reset.",
        "TC_015_CS",
        ("StopTransaction",),
        behaviour={"keeps_messages_over": _NOT_HARD},
    ),
    Defect(
        "hard-reset-overlooks-cable",
        "Does not notice after a hard reset that a cable is plugged in.",
        "TC_015_CS",
        ("StatusNotification",),
        behaviour={"senses_cable_after": _NOT_HARD},
    ),
    Defect(
        "soft-reset-reason-other",
        "Gives Other as the reason of a soft reset.",
        "TC_016_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="SoftReset"), reason="Other")},
    ),
    Defect(
        "soft-reset-abrupt",
        "Restarts at once with a soft reset, and delivers the StopTransaction afterwards.",
        "TC_016_CS",
        ("BootNotification", "seconds after StopTransaction"),
        behaviour={"delivers_before_soft_reset": False},
    ),
    Defect(
        "soft-reset-loses-stop",
        "Does not send the StopTransaction of a soft reset.",
        "TC_016_CS",
        ("StopTransaction",),
        calls={"StopTransaction": drop(has(reason="SoftReset"))},
    ),
    Defect(
        "soft-reset-without-effect",
        "Accepts a soft reset and lets the transaction run.",
        "TC_016_CS",
        ("StopTransaction",),
        answers={"Reset": idle(has(type="Soft"))},
    ),
    Defect(
        "soft-reset-overlooks-cable",
        "Does not notice after a soft reset that a cable is plugged in.",
        "TC_016_CS",
        ("StatusNotification",),
        behaviour={"senses_cable_after": _NOT_SOFT},
    ),
)

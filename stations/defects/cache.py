"""Defects that the cases on the authorization cache catch."""

from __future__ import annotations

import math

from stations.conduct import Defect
from stations.defects.edits import has, idle

DEFECTS = (
    Defect(
        "cache-not-used",
        "Asks about an idTag that is in its cache, although the cache may answer.",
        "TC_007_CS",
        ("Authorize",),
        behaviour={"uses_cache": False},
    ),
    Defect(
        "cached-counts-as-expired",
        "Lets an idTag that its cache accepts start nothing.",
        "TC_007_CS",
        ("StartTransaction",),
        behaviour={"cached_as": "Expired"},
    ),
    Defect(
        "remote-start-of-cached-refused",
        "Refuses a remote start for an idTag that is in its cache.",
        "TC_007_CS",
        ("RemoteStartTransaction", "Rejected"),
        behaviour={"remote_start_of_cached": False},
    ),
    Defect(
        "clear-cache-without-effect",
        "Accepts to clear the cache and keeps it.",
        "TC_061_CS",
        ("Authorize",),
        answers={"ClearCache": idle(has())},
    ),
    Defect(
        "filled-cache-not-cleared",
        "Refuses to clear a cache in which there is anything.",
        "TC_061_CS",
        ("ClearCache", "Rejected"),
        behaviour={"clears_filled_cache": False},
    ),
    Defect(
        "authorization-never-ends",
        "Keeps a connector ready for a card for ever, also when the card is presented again.",
        "TC_061_CS",
        ("StatusNotification", "Available"),
        behaviour={"takes_back_with_card": False, "card_patience": math.inf},
    ),
    Defect(
        "authorization-taken-back-as-finishing",
        "Reports Finishing when the card that made a connector ready is presented again.",
        "TC_061_CS",
        ("StatusNotification", "Available"),
        behaviour={"taken_back_as": "Finishing"},
    ),
)

"""Defects that the cases of the chapter on cold boots catch."""

from __future__ import annotations

from stations.conduct import Defect

DEFECTS = (
    Defect(
        "boot-retried-early",
        "Repeats BootNotification after half of the interval it was told.",
        "TC_001_CS",
        ("BootNotification",),
        behaviour={"boot_patience": 0.5},
    ),
    Defect(
        "heartbeat-while-rejected",
        "Sends a Heartbeat although it was rejected.",
        "TC_001_CS",
        ("Heartbeat",),
        behaviour={"chats_while": frozenset({"Rejected"})},
    ),
    Defect(
        "connector-zero-not-reported",
        "Does not report the status of connector 0 after the boot.",
        "TC_001_CS",
        ("StatusNotification",),
        behaviour={"first_reported": 1},
    ),
    Defect(
        "heartbeat-slow",
        "Sends only every second Heartbeat.",
        "TC_001_CS",
        ("Heartbeat",),
        behaviour={"heartbeat_factor": 2.0},
    ),
    Defect(
        "heartbeat-at-first-interval",
        "Keeps the interval of the refusal for its heartbeats.",
        "TC_001_CS",
        ("Heartbeat",),
        behaviour={"first_interval_counts": True},
    ),
    Defect(
        "deaf-while-pending",
        "Does not answer as long as its registration is pending.",
        "TC_002_CS",
        ("GetConfiguration",),
        behaviour={"answers_while_pending": False},
    ),
    Defect(
        "heartbeat-while-pending",
        "Sends a Heartbeat although its registration is pending.",
        "TC_002_CS",
        ("Heartbeat",),
        behaviour={"chats_while": frozenset({"Pending"})},
    ),
    Defect(
        "pending-change-lost",
        "Forgets what was configured while its registration was pending.",
        "TC_002_CS",
        ("MeterValueSampleInterval",),
        behaviour={"stores_while_pending": False},
    ),
)

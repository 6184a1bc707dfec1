"""Defects that the cases on remote starts, remote stops and unlocking catch."""

from __future__ import annotations

import math

from stations.conduct import Defect
from stations.defects.edits import (
    adjust,
    adjust_status,
    edit,
    has,
    idle,
    keys,
    put,
    retort,
    retort_status,
)

DEFECTS = (
    Defect(
        "remote-start-refused",
        "Refuses every remote start.",
        "TC_010_CS",
        ("RemoteStartTransaction", "Rejected"),
        answers={"RemoteStartTransaction": retort(has(), status="Rejected")},
    ),
    Defect(
        "remote-start-without-authorize",
        "Does not ask before a remote start although it is configured to.",
        "TC_010_CS",
        ("Authorize",),
        behaviour={"asks_before_remote_start": False},
    ),
    Defect(
        "remote-start-authorized-late",
        "Starts remotely at once, and asks about the idTag when the transaction runs.",
        "TC_010_CS",
        ("StartTransaction",),
        behaviour={"asks_before_remote_start": False, "asks_after_remote_start": 0.3},
    ),
    Defect(
        "remote-start-without-effect",
        "Accepts a remote start and does nothing.",
        "TC_010_CS",
        ("Authorize",),
        answers={"RemoteStartTransaction": idle(has())},
    ),
    Defect(
        "remote-start-needs-plug",
        "Refuses a remote start while no cable is plugged in.",
        "TC_011_1_CS",
        ("RemoteStartTransaction", "Rejected"),
        behaviour={"needs_plug_for_remote_start": True},
    ),
    Defect(
        "remote-start-authorized-on-plug",
        "Is set not to ask about remote starts, and asks when the cable is plugged in.",
        "TC_011_1_CS",
        ("no Authorize",),
        behaviour={"asks_before_remote_start": False, "asks_on_plug": True},
        answers={
            "GetConfiguration": keys(
                "AuthorizeRemoteTxRequests", lambda key: key | {"value": "false"}
            )
        },
    ),
    Defect(
        "remote-start-forgotten-on-plug",
        "Forgets the remote start when the cable is plugged in after it.",
        "TC_011_1_CS",
        ("StartTransaction",),
        behaviour={"starts_on_plug_after": frozenset({"card"})},
    ),
    Defect(
        "remote-start-timeout-missing",
        "Waits for the cable for ever after a remote start.",
        "TC_011_2_CS",
        ("StatusNotification", "Available"),
        behaviour={"remote_patience": math.inf},
    ),
    Defect(
        "remote-start-timeout-halved",
        "Gives up waiting for the cable of a remote start after half of ConnectionTimeOut.",
        "TC_011_2_CS",
        ("StatusNotification", "Available"),
        behaviour={"remote_patience": 0.5},
    ),
    Defect(
        "remote-stop-reason-local",
        "Calls a remote stop a local one.",
        "TC_012_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="Remote"), reason="Local")},
    ),
    Defect(
        "remote-stop-without-effect",
        "Accepts a remote stop and does nothing.",
        "TC_012_CS",
        ("StopTransaction",),
        answers={"RemoteStopTransaction": idle(has())},
    ),
    Defect(
        "remote-stop-answered-late",
        "Answers a remote stop after two minutes.",
        "TC_012_CS",
        ("RemoteStopTransaction",),
        answers={"RemoteStopTransaction": adjust(has(), delay=120.0)},
    ),
    Defect(
        "remote-stop-of-another-transaction",
        "Names another transaction in StopTransaction.",
        "TC_012_CS",
        ("StopTransaction", "transactionId"),
        calls={"StopTransaction": edit("transactionId", lambda number: number + 1)},
    ),
    Defect(
        "finishing-reported-as-available",
        "Reports Available instead of Finishing.",
        "TC_012_CS",
        ("StatusNotification", "Finishing"),
        calls={"StatusNotification": put(has(status="Finishing"), status="Available")},
    ),
    Defect(
        "busy-remote-start-accepted",
        "Accepts a remote start where a transaction runs, and does nothing.",
        "TC_026_CS",
        ("RemoteStartTransaction", "Accepted"),
        answers={"RemoteStartTransaction": retort_status("Rejected", "Accepted")},
    ),
    Defect(
        "busy-remote-start-refused",
        "Answers a remote start where a transaction runs with a CALLERROR.",
        "TC_026_CS",
        ("RemoteStartTransaction", "GenericError"),
        answers={"RemoteStartTransaction": adjust_status("Rejected", error="GenericError")},
    ),
    Defect(
        "busy-remote-start-stops",
        "Rejects a remote start where a transaction runs, and ends that transaction.",
        "TC_026_CS",
        ("StopTransaction",),
        behaviour={"stops_when_busy": True},
    ),
    Defect(
        "busy-remote-start-answered-late",
        "Takes two minutes to reject a remote start.",
        "TC_026_CS",
        ("RemoteStartTransaction",),
        answers={"RemoteStartTransaction": adjust_status("Rejected", delay=120.0)},
    ),
    Defect(
        "unknown-remote-stop-accepted",
        "Accepts to stop a transaction that it does not have.",
        "TC_028_CS",
        ("RemoteStopTransaction", "Accepted"),
        answers={"RemoteStopTransaction": retort_status("Rejected", "Accepted")},
    ),
    Defect(
        "unknown-remote-stop-refused",
        "Answers with a CALLERROR when it is to stop a transaction that it does not have.",
        "TC_028_CS",
        ("RemoteStopTransaction", "PropertyConstraintViolation"),
        answers={
            "RemoteStopTransaction": adjust_status("Rejected", error="PropertyConstraintViolation")
        },
    ),
    Defect(
        "unknown-remote-stop-stops",
        "Rejects to stop a transaction that it does not have, and stops the one that runs.",
        "TC_028_CS",
        ("StopTransaction",),
        behaviour={"minds_transaction_id": False},
    ),
    Defect(
        "unknown-connector-unlocked",
        "Claims to have unlocked a connector that it does not have.",
        "TC_031_CS",
        ("UnlockConnector", "Unlocked"),
        answers={"UnlockConnector": retort_status("NotSupported", "Unlocked")},
    ),
    Defect(
        "unknown-connector-unlock-failed",
        "Calls it a failure of the lock when it does not have the connector.",
        "TC_031_CS",
        ("UnlockConnector", "UnlockFailed"),
        answers={"UnlockConnector": retort_status("NotSupported", "UnlockFailed")},
    ),
)

"""Defects that the cases on unlocking, and on locks that fail, catch."""

from __future__ import annotations

from stations.conduct import Defect
from stations.defects.edits import adjust, adjust_status, has, put, retort_status

_FIXED = "fixed-cable"

DEFECTS = (
    Defect(
        "unlock-not-supported",
        "Says that it can't unlock, although it has a lock.",
        "TC_017_1_CS",
        ("UnlockConnector", "NotSupported"),
        answers={"UnlockConnector": retort_status("Unlocked", "NotSupported")},
    ),
    Defect(
        "unlock-fails",
        "Says that unlocking has failed, although the plug is free.",
        "TC_017_1_CS",
        ("UnlockConnector", "UnlockFailed"),
        answers={"UnlockConnector": retort_status("Unlocked", "UnlockFailed")},
    ),
    Defect(
        "unlock-refused",
        "Answers a request to unlock with a CALLERROR.",
        "TC_017_1_CS",
        ("UnlockConnector", "InternalError"),
        answers={"UnlockConnector": adjust(has(), error="InternalError")},
    ),
    Defect(
        "unlock-answered-late",
        "Answers a request to unlock after two minutes.",
        "TC_017_1_CS",
        ("UnlockConnector",),
        answers={"UnlockConnector": adjust(has(), delay=120.0)},
    ),
    Defect(
        "fixed-cable-unlocked",
        "Claims to have unlocked a cable that is fixed.",
        "TC_017_2_CS",
        ("UnlockConnector", "Unlocked"),
        variant=_FIXED,
        answers={"UnlockConnector": retort_status("NotSupported", "Unlocked")},
    ),
    Defect(
        "fixed-cable-unlock-failed",
        "Calls it a failure of the lock that its cable is fixed.",
        "TC_017_2_CS",
        ("UnlockConnector", "UnlockFailed"),
        variant=_FIXED,
        answers={"UnlockConnector": retort_status("NotSupported", "UnlockFailed")},
    ),
    Defect(
        "fixed-cable-unlock-refused",
        "Answers a request to unlock a fixed cable with a CALLERROR.",
        "TC_017_2_CS",
        ("UnlockConnector", "NotImplemented"),
        variant=_FIXED,
        answers={"UnlockConnector": adjust(has(), error="NotImplemented")},
    ),
    Defect(
        "unlock-keeps-transaction",
        "Unlocks during a transaction and lets it run.",
        "TC_018_1_CS",
        ("StopTransaction",),
        behaviour={"unlock_ends_transaction": False},
    ),
    Defect(
        "unlock-reason-remote",
        "Calls it a remote stop when unlocking ended the transaction.",
        "TC_018_1_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="UnlockCommand"), reason="Remote")},
    ),
    Defect(
        "unlock-fails-in-session",
        "Says that unlocking has failed while a transaction runs.",
        "TC_018_1_CS",
        ("UnlockConnector", "UnlockFailed"),
        behaviour={"unlocking_in_session": "UnlockFailed"},
    ),
    Defect(
        "unplug-not-noticed",
        "Does not notice that the cable is taken out after a transaction.",
        "TC_018_1_CS",
        ("StatusNotification", "Available"),
        behaviour={"session_ends_with_unplug": False},
    ),
    Defect(
        "fixed-cable-unlocked-in-session",
        "Claims to have unlocked a fixed cable while a transaction runs.",
        "TC_018_2_CS",
        ("UnlockConnector", "Unlocked"),
        variant=_FIXED,
        behaviour={"unlocking_in_session": "Unlocked"},
    ),
    Defect(
        "fixed-cable-unlock-failed-in-session",
        "Calls it a failure of the lock that its cable is fixed while a transaction runs.",
        "TC_018_2_CS",
        ("UnlockConnector", "UnlockFailed"),
        variant=_FIXED,
        behaviour={"unlocking_in_session": "UnlockFailed"},
    ),
    Defect(
        "fixed-cable-unlock-rejected-in-session",
        "Answers a request to unlock with a status that it does not have, while it charges.",
        "TC_018_2_CS",
        ("UnlockConnector", "Rejected"),
        variant=_FIXED,
        behaviour={"unlocking_in_session": "Rejected"},
    ),
    Defect(
        "lock-failure-not-reported",
        "Does not report that it can't lock the plug.",
        "TC_024_CS",
        ("StatusNotification", "Faulted"),
        behaviour={"reports_lock_failure": False},
    ),
    Defect(
        "lock-failure-overlooked",
        "Starts a transaction although it can't lock the plug.",
        "TC_024_CS",
        ("StartTransaction",),
        behaviour={"minds_lock": False},
    ),
    Defect(
        "lock-failure-as-other-error",
        "Gives OtherError as the error code of a lock failure.",
        "TC_024_CS",
        ("StatusNotification", "errorCode"),
        calls={
            "StatusNotification": put(has(errorCode="ConnectorLockFailure"), errorCode="OtherError")
        },
    ),
    Defect(
        "lock-failure-as-preparing",
        "Reports a lock failure with the status Preparing.",
        "TC_024_CS",
        ("StatusNotification", "Faulted"),
        calls={
            "StatusNotification": put(has(errorCode="ConnectorLockFailure"), status="Preparing")
        },
    ),
    Defect(
        "blocked-lock-unlocked",
        "Claims to have unlocked a lock that is blocked.",
        "TC_030_CS",
        ("UnlockConnector", "Unlocked"),
        answers={"UnlockConnector": retort_status("UnlockFailed", "Unlocked")},
    ),
    Defect(
        "blocked-lock-not-supported",
        "Says that it has no lock when the lock is blocked.",
        "TC_030_CS",
        ("UnlockConnector", "NotSupported"),
        answers={"UnlockConnector": retort_status("UnlockFailed", "NotSupported")},
    ),
    Defect(
        "blocked-lock-refused",
        "Answers with a CALLERROR when the lock is blocked.",
        "TC_030_CS",
        ("UnlockConnector", "InternalError"),
        answers={"UnlockConnector": adjust_status("UnlockFailed", error="InternalError")},
    ),
    Defect(
        "blocked-lock-answered-late",
        "Tries for two minutes to move a lock that is blocked.",
        "TC_030_CS",
        ("UnlockConnector",),
        answers={"UnlockConnector": adjust_status("UnlockFailed", delay=120.0)},
    ),
)

"""Defects that no case asks for and the monitors see, in the body of the case that is named."""

from __future__ import annotations

from datetime import datetime, timedelta

from stations.conduct import Defect
from stations.defects.configuration import sets_interval
from stations.defects.edits import adjust, edit, has, keys, precede, put


def _ahead(timestamp: str) -> str:
    moment = datetime.fromisoformat(timestamp) + timedelta(seconds=90)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


DEFECTS = (
    Defect(
        "hangs-after-data-transfer",
        "Answers a DataTransfer well, and says nothing ever after.",
        "TC_062_CS",
        ("GetConfiguration", "not answered"),
        behaviour={"hangs_after": frozenset({"DataTransfer"})},
    ),
    Defect(
        "data-transfer-refused",
        "Answers data of a vendor that it does not know with a CALLERROR.",
        "TC_062_CS",
        ("DataTransfer", "NotSupported"),
        answers={"DataTransfer": adjust(has(), error="NotSupported")},
    ),
    Defect(
        "data-transfer-answered-late",
        "Takes two minutes to answer data of a vendor that it does not know.",
        "TC_062_CS",
        ("DataTransfer",),
        answers={"DataTransfer": adjust(has(), delay=120.0)},
    ),
    Defect(
        "data-transfer-unknown-status",
        "Answers data of a vendor that it does not know with a status that there is not.",
        "TC_062_CS",
        ("DataTransfer", "Unknown"),
        answers={"DataTransfer": adjust(has(), payload={"status": "Unknown"})},
    ),
    Defect(
        "data-transfer-without-status",
        "Answers data of a vendor that it does not know without a status.",
        "TC_062_CS",
        ("DataTransfer", "status"),
        answers={"DataTransfer": adjust(has(), payload={})},
    ),
    Defect(
        "unknown-field",
        "Adds a field of its own to StopTransaction.",
        "TC_012_CS",
        ("StopTransaction", "energy"),
        calls={"StopTransaction": put(has(), energy=1)},
    ),
    Defect(
        "wrong-type",
        "Sends meterStart as a string.",
        "TC_003_CS",
        ("StartTransaction", "meterStart"),
        calls={"StartTransaction": edit("meterStart", str)},
    ),
    Defect(
        "too-long",
        "Adds a text to the status Charging that is longer than 50 characters.",
        "TC_003_CS",
        ("StatusNotification", "info"),
        calls={"StatusNotification": put(has(status="Charging"), info="charging " * 6)},
    ),
    Defect(
        "readonly-as-text",
        "Writes the access right of ResetRetries as a string.",
        "TC_019_CS",
        ("GetConfiguration", "readonly"),
        answers={"GetConfiguration": keys("ResetRetries", lambda key: key | {"readonly": "false"})},
    ),
    Defect(
        "message-id-reused",
        "Sends StartTransaction with the message id of the CALL before.",
        "TC_003_CS",
        ("message id",),
        behaviour={"reuses_message_id_for": frozenset({"StartTransaction"})},
    ),
    Defect(
        "calls-overlap",
        "Sends the next CALL without waiting for the answer to StartTransaction.",
        "TC_003_CS",
        ("open",),
        behaviour={"leaves_open": frozenset({"StartTransaction"})},
    ),
    Defect(
        "answer-sent-twice",
        "Answers a new sample interval twice.",
        "TC_021_CS",
        ("CALLRESULT",),
        answers={"ChangeConfiguration": adjust(sets_interval, copies=2)},
    ),
    Defect(
        "illegal-transition",
        "Reports Preparing between Charging and Finishing.",
        "TC_012_CS",
        ("StatusNotification", "Preparing"),
        calls={"StatusNotification": precede(has(status="Finishing"), status="Preparing")},
    ),
    Defect(
        "clock-ahead",
        "Stamps the start of a transaction 90 s ahead.",
        "TC_003_CS",
        ("ahead",),
        calls={"StartTransaction": edit("timestamp", _ahead)},
    ),
    Defect(
        "timestamp-without-zone",
        "Leaves the time zone out of the start of a transaction.",
        "TC_003_CS",
        ("timestamp",),
        calls={"StartTransaction": edit("timestamp", lambda text: text.rstrip("Z"))},
    ),
)

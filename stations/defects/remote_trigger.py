"""Defects that the cases on triggered messages catch."""

from __future__ import annotations

from typing import Any

from stations.conduct import Defect
from stations.defects.edits import early, edit, fail, has, idle, put, retort, retort_status
from stations.messages import Payload

_DIAGNOSTICS = has(requestedMessage="DiagnosticsStatusNotification")


def _periodic(values: list[Payload]) -> list[Payload]:
    def sample(value: Payload) -> Payload:
        return value | {"context": "Sample.Periodic"}

    return [
        value | {"sampledValue": [sample(s) for s in value["sampledValue"]]} for value in values
    ]


def _next(connector: Any) -> Any:
    return connector + 1


DEFECTS = (
    Defect(
        "trigger-without-effect",
        "Accepts to send meter values and does not send them.",
        "TC_054_CS",
        ("MeterValues",),
        answers={"TriggerMessage": idle(has(requestedMessage="MeterValues"))},
    ),
    Defect(
        "triggered-before-answer",
        "Sends the status that it is asked for before it answers the request.",
        "TC_054_CS",
        ("StatusNotification",),
        answers={"TriggerMessage": early(has(requestedMessage="StatusNotification"))},
    ),
    Defect(
        "triggered-values-called-periodic",
        "Says of meter values that were asked for that they were sampled at the interval.",
        "TC_054_CS",
        ("MeterValues", "Trigger"),
        calls={"MeterValues": edit("meterValue", _periodic)},
    ),
    Defect(
        "triggered-values-of-another-connector",
        "Sends the meter values of the next connector.",
        "TC_054_CS",
        ("MeterValues", "connectorId"),
        calls={"MeterValues": edit("connectorId", _next)},
    ),
    Defect(
        "idle-diagnostics-called-uploaded",
        "Says that diagnostics were uploaded when nobody has asked for any.",
        "TC_054_CS",
        ("DiagnosticsStatusNotification", "Uploaded"),
        calls={"DiagnosticsStatusNotification": put(has(status="Idle"), status="Uploaded")},
    ),
    Defect(
        "diagnostics-trigger-not-implemented",
        "Does not know DiagnosticsStatusNotification when it is asked for it.",
        "TC_054_CS",
        ("TriggerMessage", "NotImplemented"),
        answers={"TriggerMessage": retort(_DIAGNOSTICS, status="NotImplemented")},
    ),
    Defect(
        "heartbeat-trigger-fails",
        "Answers with an internal error when it is asked for a Heartbeat.",
        "TC_054_CS",
        ("TriggerMessage", "InternalError"),
        answers={"TriggerMessage": fail(has(requestedMessage="Heartbeat"), "InternalError")},
    ),
    Defect(
        "heartbeat-trigger-without-effect",
        "Accepts to send a Heartbeat and sends only those that are due anyhow.",
        "TC_054_CS",
        ("Heartbeat",),
        answers={"TriggerMessage": idle(has(requestedMessage="Heartbeat"))},
    ),
    Defect(
        "unknown-connector-triggered",
        "Accepts to send the meter values of a connector that it does not have.",
        "TC_055_CS",
        ("TriggerMessage", "Accepted"),
        answers={"TriggerMessage": retort_status("Rejected", "Accepted")},
    ),
    Defect(
        "unknown-connector-not-implemented",
        "Says that it does not implement meter values when it does not have the connector.",
        "TC_055_CS",
        ("TriggerMessage", "NotImplemented"),
        answers={"TriggerMessage": retort_status("Rejected", "NotImplemented")},
    ),
    Defect(
        "rejected-trigger-obeyed",
        "Rejects to send meter values, but sends those of the connectors that it has.",
        "TC_055_CS",
        ("MeterValues",),
        behaviour={"obeys_rejected_triggers": True},
    ),
)

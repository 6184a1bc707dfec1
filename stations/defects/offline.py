"""Defects that the case on losing the connection during a transaction catches."""

from __future__ import annotations

from stations.conduct import Defect
from stations.defects.edits import edit, has, precede
from stations.messages import Payload

_REGISTER = "Energy.Active.Import.Register"


def _counting_down(values: list[Payload]) -> list[Payload]:
    def fall(sample: Payload) -> Payload:
        if sample["measurand"] != _REGISTER:
            return sample
        return sample | {"value": str(1_000_000 - 100 * int(sample["value"]))}

    return [value | {"sampledValue": [fall(s) for s in value["sampledValue"]]} for value in values]


DEFECTS = (
    Defect(
        "offline-samples-lost",
        "Does not keep the meter values of the time without connection.",
        "TC_036_CS",
        ("MeterValues",),
        behaviour={"keeps_samples_offline": False},
    ),
    Defect(
        "offline-samples-newest-first",
        "Delivers the meter values of the time without connection in the wrong order.",
        "TC_036_CS",
        ("MeterValues",),
        behaviour={"oldest_first": False},
    ),
    Defect(
        "offline-samples-restamped",
        "Stamps meter values when they are sent, not when they were taken.",
        "TC_036_CS",
        ("MeterValues",),
        behaviour={"stamps_when_taken": False},
    ),
    Defect(
        "samples-sent-twice",
        "Sends all meter values twice.",
        "TC_036_CS",
        ("MeterValues",),
        calls={"MeterValues": precede(has())},
    ),
    Defect(
        "samples-of-another-transaction",
        "Names another transaction in MeterValues.",
        "TC_036_CS",
        ("MeterValues", "transactionId"),
        calls={"MeterValues": edit("transactionId", lambda number: number + 1)},
    ),
    Defect(
        "register-falls",
        "Reports an energy register that counts down.",
        "TC_036_CS",
        ("register",),
        calls={"MeterValues": edit("meterValue", _counting_down)},
    ),
)

"""Defects that the cases of the chapter on offline behaviour catch."""

from __future__ import annotations

from stations.conduct import Defect
from stations.defects.edits import edit, has, precede, put
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
        behaviour={"loses_offline": frozenset({"MeterValues"})},
    ),
    Defect(
        "offline-samples-newest-first",
        "Delivers the meter values of the time without connection in the wrong order.",
        "TC_036_CS",
        ("MeterValues",),
        behaviour={"newest_first": frozenset({"MeterValues"})},
    ),
    Defect(
        "offline-samples-restamped",
        "Stamps meter values when they are sent, not when they were taken.",
        "TC_036_CS",
        ("MeterValues",),
        behaviour={"stamps_when_sent": frozenset({"MeterValues"})},
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
    Defect(
        "offline-start-refused",
        "Starts nothing without connection, whatever it knows of the card.",
        "TC_037_1_CS",
        ("StartTransaction",),
        behaviour={"starts_offline": False},
    ),
    Defect(
        "offline-start-lost",
        "Does not keep a StartTransaction that is due without connection.",
        "TC_037_1_CS",
        ("StartTransaction",),
        behaviour={"loses_offline": frozenset({"StartTransaction"})},
    ),
    Defect(
        "offline-start-asked-about",
        "Asks about a card that it started for without connection when it is back.",
        "TC_037_1_CS",
        ("Authorize",),
        behaviour={"asks_after_offline": True},
    ),
    Defect(
        "offline-start-restamped",
        "Stamps the start of a transaction when it is sent, not when it was.",
        "TC_037_1_CS",
        ("StartTransaction", "timestamp"),
        behaviour={"stamps_when_sent": frozenset({"StartTransaction"})},
    ),
    Defect(
        "offline-charging-not-told",
        "Does not report what status changed without connection.",
        "TC_037_1_CS",
        ("StatusNotification", "Charging"),
        behaviour={"tells_offline_changes": False},
    ),
    Defect(
        "invalid-offline-start-goes-on",
        "Takes no notice that the CSMS refuses the card of an offline start.",
        "TC_037_2_CS",
        ("StatusNotification", "SuspendedEVSE"),
        behaviour={"heeds_invalid_id": False},
    ),
    Defect(
        "invalid-offline-start-stopped",
        "Stops the transaction of a refused card although StopTransactionOnInvalidId is false.",
        "TC_037_2_CS",
        ("StopTransaction", "DeAuthorized"),
        behaviour={"invalid_id_stops": True},
    ),
    Defect(
        "invalid-offline-start-as-vehicle",
        "Blames the vehicle for the energy that it withholds.",
        "TC_037_2_CS",
        ("StatusNotification", "SuspendedEVSE"),
        calls={"StatusNotification": put(has(status="SuspendedEVSE"), status="SuspendedEV")},
    ),
    Defect(
        "invalid-offline-start-stopped-late",
        "Withholds the energy from a refused card, and stops its transaction as well.",
        "TC_037_2_CS",
        ("StopTransaction",),
        behaviour={"stops_after_withholding": 0.5},
    ),
    Defect(
        "invalid-offline-start-not-stopped",
        "Only withholds the energy although StopTransactionOnInvalidId is true.",
        "TC_037_3_CS",
        ("StopTransaction",),
        behaviour={"invalid_id_stops": False},
    ),
    Defect(
        "invalid-offline-start-stopped-in-vain",
        "Takes two minutes to stop the transaction of a refused card.",
        "TC_037_3_CS",
        ("StopTransaction",),
        behaviour={"invalid_id_patience": 120.0},
    ),
    Defect(
        "deauthorized-as-local",
        "Calls it a local stop when the CSMS refuses the card.",
        "TC_037_3_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="DeAuthorized"), reason="Local")},
    ),
    Defect(
        "deauthorized-twice",
        "Sends the StopTransaction of a refused card twice.",
        "TC_037_3_CS",
        ("StopTransaction",),
        calls={"StopTransaction": precede(has(reason="DeAuthorized"))},
    ),
    Defect(
        "offline-stop-lost",
        "Does not keep a StopTransaction that is due without connection.",
        "TC_038_CS",
        ("StopTransaction",),
        behaviour={"loses_offline": frozenset({"StopTransaction"})},
    ),
    Defect(
        "offline-stop-as-remote",
        "Calls it a remote stop when a card ends the transaction.",
        "TC_038_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="Local"), reason="Remote")},
    ),
    Defect(
        "offline-stop-restamped",
        "Stamps the end of a transaction when it is sent, not when it was.",
        "TC_038_CS",
        ("StopTransaction", "timestamp"),
        behaviour={"stamps_when_sent": frozenset({"StopTransaction"})},
    ),
    Defect(
        "offline-stop-twice",
        "Sends the StopTransaction of a card twice.",
        "TC_038_CS",
        ("StopTransaction",),
        calls={"StopTransaction": precede(has(reason="Local"))},
    ),
    Defect(
        "offline-stop-without-status",
        "Reports no status after the end of a transaction without connection.",
        "TC_038_CS",
        ("StatusNotification", "Finishing"),
        behaviour={"tells_offline_changes": False},
    ),
    Defect(
        "offline-stop-before-start",
        "Delivers the end of a transaction before its start.",
        "TC_039_CS",
        ("StopTransaction",),
        behaviour={"newest_first": frozenset({"StopTransaction"})},
    ),
    Defect(
        "offline-transaction-without-id",
        "Does not take the transactionId that it is given after the end of the transaction.",
        "TC_039_CS",
        ("StopTransaction", "transactionId"),
        behaviour={"loses_late_id": True},
    ),
    Defect(
        "offline-meter-from-zero",
        "Counts meterStop from the start of the transaction.",
        "TC_039_CS",
        ("meterStop",),
        calls={"StopTransaction": edit("meterStop", lambda register: 0)},
    ),
)

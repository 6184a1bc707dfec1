"""Defects that the cases of the chapter on power failures catch."""

from __future__ import annotations

from stations.conduct import BOOTS, Defect
from stations.defects.edits import drop, edit, has, precede, put, retort

_NOT_POWER = BOOTS - {"power"}
_BUFFERED = "buffered"

DEFECTS = (
    Defect(
        "power-loss-told-after-boot",
        "Reports the end of its transactions only after the boot, though its supply is buffered.",
        "TC_032_1_CS",
        ("StopTransaction",),
        behaviour={"stops_at_power_loss": False},
        variant=_BUFFERED,
    ),
    Defect(
        "power-loss-as-other",
        "Gives Other as the reason of a stop before it goes down.",
        "TC_032_1_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="PowerLoss"), reason="Other")},
        variant=_BUFFERED,
    ),
    Defect(
        "power-loss-without-status",
        "Does not report Finishing before it goes down.",
        "TC_032_1_CS",
        ("StatusNotification", "Finishing"),
        calls={"StatusNotification": drop(has(status="Finishing"))},
        variant=_BUFFERED,
    ),
    Defect(
        "power-loss-stop-twice",
        "Sends the StopTransaction of a power failure twice.",
        "TC_032_1_CS",
        ("StopTransaction",),
        calls={"StopTransaction": precede(has(reason="PowerLoss"))},
        variant=_BUFFERED,
    ),
    Defect(
        "power-loss-forgets-transaction",
        "Forgets the running transaction when its supply fails.",
        "TC_032_2_CS",
        ("StopTransaction",),
        behaviour={"keeps_messages_over": _NOT_POWER},
    ),
    Defect(
        "power-loss-as-reboot",
        "Gives Reboot as the reason of a stop by power failure.",
        "TC_032_2_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="PowerLoss"), reason="Reboot")},
    ),
    Defect(
        "power-loss-of-another-transaction",
        "Names another transaction in the StopTransaction of a power failure.",
        "TC_032_2_CS",
        ("StopTransaction", "transactionId"),
        calls={"StopTransaction": edit("transactionId", lambda number: number + 1)},
    ),
    Defect(
        "power-loss-overlooks-cable",
        "Does not notice after a power failure that a cable is plugged in.",
        "TC_032_2_CS",
        ("StatusNotification", "Preparing"),
        behaviour={"senses_cable_after": _NOT_POWER},
    ),
    Defect(
        "power-loss-told-twice",
        "Repeats the StopTransaction of a power failure although it was answered.",
        "TC_032_2_CS",
        ("StopTransaction",),
        calls={"StopTransaction": precede(has(reason="PowerLoss"))},
    ),
    Defect(
        "power-loss-forgets-availability",
        "Is back in service after a power failure.",
        "TC_034_CS",
        ("StatusNotification", "Unavailable"),
        behaviour={"keeps_availability_over": _NOT_POWER},
    ),
    Defect(
        "power-loss-without-boot",
        "Reconnects after a power failure without BootNotification.",
        "TC_034_CS",
        ("BootNotification",),
        behaviour={"boots_after": _NOT_POWER},
    ),
    Defect(
        "power-loss-without-report",
        "Reports no status after the boot of a power failure.",
        "TC_034_CS",
        ("StatusNotification",),
        behaviour={"reports_after": _NOT_POWER},
    ),
    Defect(
        "station-unavailability-refused",
        "Refuses requests for connector 0, the station as a whole.",
        "TC_034_CS",
        ("ChangeAvailability", "Rejected"),
        answers={
            "ChangeAvailability": retort(has(connectorId=0, type="Inoperative"), status="Rejected")
        },
    ),
)

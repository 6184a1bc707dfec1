"""Defects that the cases on starting and stopping a session at the station catch."""

from __future__ import annotations

import math

from stations.conduct import Defect
from stations.defects.edits import drop, edit, follow, has, leave_out, put

_DISCONNECTED = "EV side disconnected"


def _reversed_bytes(id_tag: str) -> str:
    return "".join(reversed([id_tag[i : i + 2] for i in range(0, len(id_tag), 2)]))


DEFECTS = (
    Defect(
        "start-without-authorize",
        "Starts a transaction for any card without asking.",
        "TC_003_CS",
        ("Authorize",),
        behaviour={"asks_before_start": False},
    ),
    Defect(
        "start-with-reversed-tag",
        "Names the card in StartTransaction with its bytes reversed.",
        "TC_003_CS",
        ("StartTransaction", "idTag"),
        calls={"StartTransaction": edit("idTag", _reversed_bytes)},
    ),
    Defect(
        "preparing-not-reported",
        "Does not report Preparing when the cable is plugged in.",
        "TC_003_CS",
        ("StatusNotification", "Preparing"),
        calls={"StatusNotification": drop(has(status="Preparing"))},
    ),
    Defect(
        "available-while-plugged-in",
        "Reports Available again after Preparing, as only a product for Modes 1 and 2 may.",
        "TC_003_CS",
        ("no StatusNotification", "Available"),
        calls={"StatusNotification": follow(has(status="Preparing"), status="Available")},
    ),
    Defect(
        "available-again-until-it-charges",
        "Does not report Preparing when the card comes after the short power flow.",
        "TC_003_CS",
        ("StatusNotification", "Preparing"),
        behaviour={"prepares_after_flow": False},
        variant="mode-1-2",
    ),
    Defect(
        "charging-reported-as-suspended",
        "Reports SuspendedEVSE while it charges.",
        "TC_003_CS",
        ("StatusNotification", "Charging"),
        calls={"StatusNotification": put(has(status="Charging"), status="SuspendedEVSE")},
    ),
    Defect(
        "card-forgotten-on-plug",
        "Forgets the accepted card when the cable is plugged in after it.",
        "TC_004_1_CS",
        ("StartTransaction",),
        behaviour={"starts_on_plug_after": frozenset({"remote"})},
    ),
    Defect(
        "start-before-plug",
        "Starts the transaction with the card, before a vehicle is connected.",
        "TC_004_1_CS",
        ("StartTransaction",),
        behaviour={"starts_without_vehicle": True},
    ),
    Defect(
        "card-before-plug-not-asked-about",
        "Asks about a card only where a vehicle is plugged in already.",
        "TC_004_1_CS",
        ("Authorize",),
        behaviour={"asks_about_early_card": False},
    ),
    Defect(
        "early-card-not-reported",
        "Does not report Preparing when a card comes before the cable.",
        "TC_004_2_CS",
        ("StatusNotification", "Preparing"),
        calls={"StatusNotification": drop(has(status="Preparing"))},
    ),
    Defect(
        "connection-timeout-missing",
        "Waits for the cable for ever after a card.",
        "TC_004_2_CS",
        ("StatusNotification", "Available"),
        behaviour={"card_patience": math.inf},
    ),
    Defect(
        "connection-timeout-halved",
        "Gives up waiting for the cable after half of ConnectionTimeOut.",
        "TC_004_2_CS",
        ("StatusNotification", "Available"),
        behaviour={"card_patience": 0.5},
    ),
    Defect(
        "start-on-connection-timeout",
        "Starts a transaction when it has waited for the cable in vain.",
        "TC_004_2_CS",
        ("StartTransaction",),
        behaviour={"starts_on_timeout": True},
    ),
    Defect(
        "any-card-stops",
        "Lets every card stop the transaction.",
        "TC_068_CS",
        ("StopTransaction",),
        behaviour={"any_card_stops": True},
    ),
    Defect(
        "foreign-card-asked-about",
        "Asks about a foreign card although the transaction belongs to no group.",
        "TC_068_CS",
        ("Authorize",),
        behaviour={"asks_about_foreign_card": True},
    ),
    Defect(
        "stop-with-last-card",
        "Names the foreign card of before in StopTransaction.",
        "TC_068_CS",
        ("StopTransaction", "idTag"),
        behaviour={"stops_with_last_card": True},
    ),
    Defect(
        "own-card-does-not-stop",
        "Ignores the card that started the transaction.",
        "TC_068_CS",
        ("StopTransaction",),
        behaviour={"own_card_stops": False},
    ),
    Defect(
        "disconnect-reason-local",
        "Calls the vehicle's disconnection a local stop.",
        "TC_005_1_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="EVDisconnected"), reason="Local")},
    ),
    Defect(
        "disconnect-ignored",
        "Lets the transaction run when the vehicle's side is unplugged.",
        "TC_005_1_CS",
        ("StopTransaction",),
        behaviour={"stops_on_disconnect": False},
    ),
    Defect(
        "disconnect-reported-available",
        "Reports Available while the plug is still in the socket.",
        "TC_005_1_CS",
        ("StatusNotification", "Finishing"),
        behaviour={"rests_as": "Available"},
    ),
    Defect(
        "group-card-ignored",
        "Ignores another card of the group that started the transaction.",
        "TC_069_CS",
        ("Authorize",),
        behaviour={"notices_group": False},
    ),
    Defect(
        "group-card-does-not-stop",
        "Asks about another card of the group, and lets the transaction run.",
        "TC_069_CS",
        ("StopTransaction",),
        behaviour={"stops_by_group": False},
    ),
    Defect(
        "group-stop-names-owner",
        "Names the card that started when another one of its group stopped.",
        "TC_069_CS",
        ("StopTransaction", "idTag"),
        behaviour={"names_owner_for_group": True},
    ),
    Defect(
        "local-stop-without-tag",
        "Leaves the card out of the StopTransaction of a local stop.",
        "TC_069_CS",
        ("StopTransaction", "idTag"),
        calls={"StopTransaction": leave_out(has(reason="Local"), "idTag")},
    ),
    Defect(
        "disconnect-reason-other",
        "Gives Other as the reason of the vehicle's disconnection.",
        "TC_005_2_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="EVDisconnected"), reason="Other")},
    ),
    Defect(
        "left-cable-reported-suspended",
        "Reports SuspendedEV when the vehicle's disconnection has ended the transaction.",
        "TC_005_2_CS",
        ("StatusNotification", "Finishing"),
        behaviour={"rests_as": "SuspendedEV"},
    ),
    Defect(
        "left-cable-not-unlocked",
        "Does not unlock a cable that was left in the socket.",
        "TC_005_2_CS",
        ("UnlockConnector", "UnlockFailed"),
        behaviour={"unlocks_left_cable": False},
    ),
    Defect(
        "disconnect-stop-lost",
        "Does not send the StopTransaction of a disconnection.",
        "TC_005_2_CS",
        ("StopTransaction",),
        calls={"StopTransaction": drop(has(reason="EVDisconnected"))},
    ),
    Defect(
        "disconnect-always-stops",
        "Ends the transaction when the vehicle is disconnected, whatever is configured.",
        "TC_005_3_CS",
        ("StopTransaction",),
        behaviour={"heeds_stop_on_disconnect": False},
    ),
    Defect(
        "disconnect-stops-late",
        "Ends a transaction a second after the vehicle was disconnected, where it is to go on.",
        "TC_005_3_CS",
        ("StopTransaction",),
        behaviour={"gives_up_disconnected_after": 1.0},
    ),
    Defect(
        "disconnect-not-reported",
        "Does not report that a disconnection suspends the transaction.",
        "TC_005_3_CS",
        ("StatusNotification",),
        calls={"StatusNotification": drop(has(status="SuspendedEV", info=_DISCONNECTED))},
    ),
    Defect(
        "disconnect-not-explained",
        "Does not say that a disconnection is why the transaction is suspended.",
        "TC_005_3_CS",
        ("StatusNotification", "info"),
        calls={"StatusNotification": leave_out(has(info=_DISCONNECTED), "info")},
    ),
    Defect(
        "disconnect-explained-otherwise",
        "Gives another reason than a disconnection why the transaction is suspended.",
        "TC_005_3_CS",
        ("StatusNotification", "info"),
        calls={"StatusNotification": put(has(info=_DISCONNECTED), info="no current")},
    ),
    Defect(
        "remote-stop-of-suspended-as-disconnect",
        "Gives the disconnection as the reason of the remote stop that comes after it.",
        "TC_005_3_CS",
        ("StopTransaction", "reason"),
        calls={"StopTransaction": put(has(reason="Remote"), reason="EVDisconnected")},
    ),
    Defect(
        "invalid-card-starts",
        "Starts a transaction for a card that the CSMS refuses.",
        "TC_023_CS",
        ("StartTransaction",),
        behaviour={"starts_refused_card_after": 0.0},
    ),
    Defect(
        "invalid-card-charges",
        "Charges for a card that the CSMS refuses, and says nothing of the transaction.",
        "TC_023_CS",
        ("no StatusNotification", "SuspendedEV"),
        behaviour={"starts_refused_card_after": 0.0},
        calls={"StartTransaction": drop(has())},
    ),
    Defect(
        "invalid-card-starts-late",
        "Starts a transaction for a refused card after a second.",
        "TC_023_CS",
        ("StartTransaction",),
        behaviour={"starts_refused_card_after": 1.0},
    ),
)

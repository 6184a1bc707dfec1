"""Defects that the cases of the chapter on reservations catch."""

from __future__ import annotations

import math

from stations.conduct import Defect, Retort
from stations.defects.edits import (
    adjust,
    adjust_status,
    drop,
    edit,
    fail,
    has,
    idle,
    put,
    retort,
    retort_status,
    without,
)

ANY = has(connectorId=0)


def _instead(before: str, status: str, *, of_any: bool = False) -> Retort:
    """Answer one status in place of another, for connector 0 or for a connector."""
    spoil = retort_status(before, status)
    return lambda request, good: spoil(request, good) if ANY(request) == of_any else good


DEFECTS = (
    Defect(
        "reservation-ignored",
        "Lets every card start at a reserved connector.",
        "TC_046_1_CS",
        ("StatusNotification", "Preparing"),
        behaviour={"heeds_reservations": False},
    ),
    Defect(
        "reservation-id-missing",
        "Leaves the reservationId out of StartTransaction.",
        "TC_046_1_CS",
        ("StartTransaction", "reservationId"),
        calls={"StartTransaction": without("reservationId")},
    ),
    Defect(
        "reserved-not-reported",
        "Does not report the status Reserved.",
        "TC_046_1_CS",
        ("StatusNotification", "Reserved"),
        calls={"StatusNotification": drop(has(status="Reserved"))},
    ),
    Defect(
        "reserved-reported-as-unavailable",
        "Reports Unavailable while a connector is reserved.",
        "TC_046_1_CS",
        ("StatusNotification", "Reserved", "Unavailable"),
        calls={"StatusNotification": put(has(status="Reserved"), status="Unavailable")},
    ),
    Defect(
        "reservation-refused",
        "Says that a free connector is occupied when it is to be reserved.",
        "TC_046_2_CS",
        ("ReserveNow", "Occupied"),
        answers={"ReserveNow": _instead("Accepted", "Occupied")},
    ),
    Defect(
        "reserved-connector-not-started-remotely",
        "Refuses a remote start at a reserved connector, whoever it is for.",
        "TC_046_2_CS",
        ("RemoteStartTransaction", "Rejected"),
        behaviour={"starts_remotely_when_reserved": False},
    ),
    Defect(
        "reservation-id-of-another",
        "Names another reservation in StartTransaction.",
        "TC_046_2_CS",
        ("StartTransaction", "reservationId"),
        calls={"StartTransaction": edit("reservationId", lambda number: number + 1)},
    ),
    Defect(
        "reservation-id-as-text",
        "Writes the reservationId as a string.",
        "TC_046_2_CS",
        ("StartTransaction", "reservationId"),
        calls={"StartTransaction": edit("reservationId", str)},
    ),
    Defect(
        "reservation-never-expires",
        "Keeps a reservation for ever.",
        "TC_047_CS",
        ("StatusNotification", "Available"),
        behaviour={"reservation_patience": math.inf},
    ),
    Defect(
        "reservation-expires-early",
        "Gives a reservation up after half of its time.",
        "TC_047_CS",
        ("StatusNotification Available", "ReserveNow"),
        behaviour={"reservation_patience": 0.5},
    ),
    Defect(
        "expired-reservation-keeps-others-away",
        "Reports the connector free when a reservation ends, but serves nobody else.",
        "TC_047_CS",
        ("RemoteStartTransaction", "Rejected"),
        behaviour={"refuses_after_reservation": True},
    ),
    Defect(
        "occupied-connector-reserved",
        "Accepts a reservation of a connector that is occupied.",
        "TC_048_2_CS",
        ("ReserveNow", "Accepted"),
        answers={"ReserveNow": _instead("Occupied", "Accepted")},
    ),
    Defect(
        "occupied-connector-rejected",
        "Rejects a reservation of an occupied connector as if reservations were off.",
        "TC_048_2_CS",
        ("ReserveNow", "Rejected"),
        answers={"ReserveNow": _instead("Occupied", "Rejected")},
    ),
    Defect(
        "reservation-answered-late",
        "Answers a reservation after a minute.",
        "TC_048_2_CS",
        ("ReserveNow", "not answered"),
        answers={"ReserveNow": adjust(has(), delay=60.0)},
    ),
    Defect(
        "unavailable-connector-reserved",
        "Accepts a reservation of a connector that is out of service.",
        "TC_048_3_CS",
        ("ReserveNow", "Accepted"),
        answers={"ReserveNow": _instead("Unavailable", "Accepted")},
    ),
    Defect(
        "unavailable-connector-called-occupied",
        "Says that a connector out of service is occupied.",
        "TC_048_3_CS",
        ("ReserveNow", "Occupied"),
        answers={"ReserveNow": _instead("Unavailable", "Occupied")},
    ),
    Defect(
        "unavailable-connector-called-faulted",
        "Says that a connector out of service is faulted.",
        "TC_048_3_CS",
        ("ReserveNow", "Faulted"),
        answers={"ReserveNow": _instead("Unavailable", "Faulted")},
    ),
    Defect(
        "reserved-although-switched-off",
        "Accepts reservations although it is configured not to.",
        "TC_048_4_CS",
        ("ReserveNow", "Accepted"),
        answers={"ReserveNow": _instead("Rejected", "Accepted")},
    ),
    Defect(
        "switched-off-called-unavailable",
        "Says that the connector is out of service when reservations are switched off.",
        "TC_048_4_CS",
        ("ReserveNow", "Unavailable"),
        answers={"ReserveNow": _instead("Rejected", "Unavailable")},
    ),
    Defect(
        "reservation-not-supported",
        "Answers every reservation with the error NotSupported.",
        "TC_048_4_CS",
        ("ReserveNow", "NotSupported"),
        answers={"ReserveNow": fail(has(), "NotSupported")},
    ),
    Defect(
        "whole-station-not-reserved",
        "Rejects reservations of the whole station although it claims to support them.",
        "TC_049_CS",
        ("ReserveNow", "Rejected"),
        answers={"ReserveNow": retort(ANY, status="Rejected")},
    ),
    Defect(
        "reserved-reported-for-connector-zero",
        "Reports the status Reserved for connector 0.",
        "TC_049_CS",
        ("StatusNotification", "connectorId"),
        calls={"StatusNotification": put(has(status="Reserved"), connectorId=0)},
    ),
    Defect(
        "reservation-of-any-not-named",
        "Leaves the reservationId out when any connector was reserved.",
        "TC_049_CS",
        ("StartTransaction", "reservationId"),
        behaviour={"names_reservation_of_any": False},
    ),
    Defect(
        "occupied-station-reserved",
        "Accepts a reservation of the whole station while all connectors are occupied.",
        "TC_050_2_CS",
        ("ReserveNow", "Accepted"),
        answers={"ReserveNow": _instead("Occupied", "Accepted", of_any=True)},
    ),
    Defect(
        "occupied-station-called-unavailable",
        "Says that the station is out of service when all connectors are occupied.",
        "TC_050_2_CS",
        ("ReserveNow", "Unavailable"),
        answers={"ReserveNow": _instead("Occupied", "Unavailable", of_any=True)},
    ),
    Defect(
        "reservation-of-any-fails",
        "Answers a reservation of the whole station with an internal error.",
        "TC_050_2_CS",
        ("ReserveNow", "InternalError"),
        answers={"ReserveNow": fail(ANY, "InternalError")},
    ),
    Defect(
        "unavailable-station-reserved",
        "Accepts a reservation of the whole station while it is out of service.",
        "TC_050_3_CS",
        ("ReserveNow", "Accepted"),
        answers={"ReserveNow": _instead("Unavailable", "Accepted", of_any=True)},
    ),
    Defect(
        "unavailable-station-called-occupied",
        "Says that a station out of service is occupied.",
        "TC_050_3_CS",
        ("ReserveNow", "Occupied"),
        answers={"ReserveNow": _instead("Unavailable", "Occupied", of_any=True)},
    ),
    Defect(
        "unavailable-station-rejected",
        "Rejects a reservation of a station out of service as if it could not be reserved.",
        "TC_050_3_CS",
        ("ReserveNow", "Rejected"),
        answers={"ReserveNow": _instead("Unavailable", "Rejected", of_any=True)},
    ),
    Defect(
        "cancel-without-effect",
        "Accepts the cancellation of a reservation and keeps the reservation.",
        "TC_051_CS",
        ("StatusNotification", "Available"),
        answers={"CancelReservation": idle(has())},
    ),
    Defect(
        "cancel-refused",
        "Refuses to cancel a reservation.",
        "TC_051_CS",
        ("CancelReservation", "Rejected"),
        answers={"CancelReservation": retort(has(), status="Rejected")},
    ),
    Defect(
        "ended-reservation-named",
        "Names a reservation in StartTransaction that is over.",
        "TC_051_CS",
        ("StartTransaction", "reservationId"),
        behaviour={"names_ended_reservation": True},
    ),
    Defect(
        "unknown-cancel-accepted",
        "Claims to have cancelled a reservation that it does not have.",
        "TC_052_CS",
        ("CancelReservation", "Accepted"),
        answers={"CancelReservation": retort_status("Rejected", "Accepted")},
    ),
    Defect(
        "unknown-cancel-cancels-all",
        "Rejects the cancellation of an unknown reservation, but drops the one it has.",
        "TC_052_CS",
        ("StatusNotification", "Available"),
        behaviour={"cancels_any_reservation": True},
    ),
    Defect(
        "unknown-cancel-fails",
        "Answers the cancellation of an unknown reservation with an internal error.",
        "TC_052_CS",
        ("CancelReservation", "InternalError"),
        answers={"CancelReservation": adjust_status("Rejected", error="InternalError")},
    ),
    Defect(
        "group-of-reservation-ignored",
        "Refuses the other cards of the group that a connector is reserved for.",
        "TC_053_CS",
        ("StatusNotification", "Preparing"),
        behaviour={"knows_groups_of_reservations": False},
    ),
    Defect(
        "start-as-owner-of-reservation",
        "Names the card that reserved in StartTransaction, not the one of its group that came.",
        "TC_053_CS",
        ("StartTransaction", "idTag"),
        behaviour={"starts_as_owner": True},
    ),
    Defect(
        "reservation-of-group-not-named",
        "Leaves the reservationId out when another card of the group uses the reservation.",
        "TC_053_CS",
        ("StartTransaction", "reservationId"),
        behaviour={"names_reservation_of_group": False},
    ),
)

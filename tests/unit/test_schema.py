"""Payloads are checked against the published schemas, formats included."""

from __future__ import annotations

from typing import Any

import pytest

from bench.ocpp import schema, v16
from bench.ocpp.action import Action


def profile(limit: float) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": limit}
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
        },
    }


@pytest.mark.parametrize("limit", [8.1, 21.4, 4.1, 6, 0.1])
def test_limits_with_one_decimal_conform(limit: float) -> None:
    assert schema.problems("SetChargingProfile", profile(limit)) == []


@pytest.mark.parametrize("limit", [10.05, 0.01])
def test_limits_with_two_decimals_do_not(limit: float) -> None:
    (problem,) = schema.problems("SetChargingProfile", profile(limit))
    assert str(problem).endswith(
        f"chargingSchedulePeriod[0].limit: {limit}, expected a multiple of 0.1"
    )


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"connectorId": "1"}, 'connectorId: "1", expected a JSON integer'),
        ({"status": "Ready"}, 'status: "Ready", expected one of Available'),
        ({"x": 1}, "unknown field x"),
        ({"info": "i" * 51}, "info: 51 characters, expected at most 50"),
        ({"timestamp": "2020-01-01 00:00"}, "timestamp: "),
    ],
)
def test_problems_name_field_actual_and_expected(payload: dict[str, Any], text: str) -> None:
    good = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    assert schema.problems("StatusNotification", good) == []
    (problem,) = schema.problems("StatusNotification", good | payload)
    assert text in str(problem)


def test_missing_field_is_named() -> None:
    problems = schema.problems("StatusNotification", {"connectorId": 1, "status": "Available"})
    assert [str(problem) for problem in problems] == ["field errorCode is missing"]


def test_responses_have_their_own_schema() -> None:
    assert schema.problems("Reset", {"status": "Accepted"}, "response") == []
    assert schema.problems("Reset", {"status": "Maybe"}, "response") != []


def test_the_vocabulary_is_the_schemas() -> None:
    words = {name for name, value in vars(v16).items() if isinstance(value, Action)}
    assert words == schema.actions()

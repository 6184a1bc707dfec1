"""The rules that hold in every case, each seen to be kept and to be broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.clock import Stamp
from bench.ocpp.frame import Call, CallError, CallResult, Frame
from bench.ocpp.message import Received
from bench.ocpp.monitors import Monitors
from bench.ocpp.rules.finding import Finding
from bench.ocpp.rules.status import TRANSITIONS

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


class Wire:
    """Feeds a monitor with frames, as a station and a CSMS would exchange them."""

    def __init__(self) -> None:
        self.monitors = Monitors(connectors=2, deviation=4.0)
        self.findings: list[Finding] = []
        self.n = 0

    def receive(self, frame: Frame) -> None:
        self.n += 1
        message = Received(self.n, Stamp(float(self.n), NOW), 1, frame)
        self.findings += self.monitors.received(message)

    def call(self, action: str, answer: dict[str, Any] | None = None, **payload: Any) -> None:
        message_id = f"m{self.n}"
        self.receive(Call(message_id, action, payload))
        self.monitors.sent(CallResult(message_id, answer or {}), self.n + 0.5)

    def boot(self, status: str = "Accepted") -> None:
        answer = {"status": status, "currentTime": at(0), "interval": 5}
        self.call("BootNotification", answer, chargePointVendor="v", chargePointModel="m")

    def status(self, connector: int, status: str, **more: Any) -> None:
        payload: dict[str, Any] = {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
        } | more
        self.call("StatusNotification", **payload)

    def start(self, number: int, meter: int = 100) -> None:
        answer = {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
        self.call(
            "StartTransaction", answer, connectorId=1, idTag="A", meterStart=meter, timestamp=at(0)
        )

    def meter(self, seconds: float, value: str, number: int | None = 7, **sample: str) -> None:
        payload: dict[str, Any] = {
            "connectorId": 1,
            "meterValue": [{"timestamp": at(seconds), "sampledValue": [{"value": value} | sample]}],
        }
        if number is not None:
            payload["transactionId"] = number
        self.call("MeterValues", **payload)

    @property
    def found(self) -> list[str]:
        return [finding.monitor for finding in self.findings]


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_good_session_finds_nothing() -> None:
    wire = Wire()
    wire.boot()
    for connector in (0, 1, 2):
        wire.status(connector, "Available")
    wire.status(1, "Preparing")
    wire.start(7)
    wire.status(1, "Charging")
    wire.meter(1, "150")
    wire.call(
        "StopTransaction", {}, transactionId=7, meterStop=160, timestamp=at(2), reason="Local"
    )
    wire.status(1, "Finishing")
    wire.status(1, "Available")
    assert wire.findings == []


@pytest.mark.parametrize("before", sorted(TRANSITIONS))
def test_status_changes_follow_the_matrix(before: str) -> None:
    every = {*TRANSITIONS, "Faulted"}
    for after in sorted(every):
        wire = Wire()
        wire.status(1, before)
        wire.status(1, after)
        legal = after == before or after in TRANSITIONS[before]
        assert (wire.found == []) == legal, (before, after)


def test_faulted_may_be_left_for_any_status_and_a_boot_forgets() -> None:
    wire = Wire()
    wire.status(1, "Charging")
    wire.status(1, "Faulted")
    wire.status(1, "Preparing")
    wire.status(1, "Finishing")
    wire.boot()
    wire.status(1, "Charging")
    assert wire.found == []


def test_connector_zero_has_three_statuses() -> None:
    wire = Wire()
    wire.status(0, "Preparing")
    assert wire.found == ["status"]


def test_connector_must_exist() -> None:
    wire = Wire()
    wire.status(3, "Available")
    assert wire.found == ["connector"]
    assert "connectorId 0 to 2" in wire.findings[0].expected


def test_schema_violation_names_the_field() -> None:
    wire = Wire()
    wire.status(1, "Ready")
    assert wire.found == ["schema"]
    assert 'StatusNotification status: "Ready"' in wire.findings[0].actual


def test_schema_of_answers_is_checked() -> None:
    wire = Wire()
    wire.monitors.sent(Call("r", "Reset", {"type": "Hard"}), 0.5)
    wire.receive(CallResult("r", {"status": "Perhaps"}))
    assert wire.found == ["schema"]
    assert "Reset answer status" in wire.findings[0].actual


def test_error_code_must_be_a_specified_one() -> None:
    wire = Wire()
    wire.monitors.sent(Call("r", "Reset", {"type": "Hard"}), 0.5)
    wire.receive(CallError("r", "OccurrenceConstraintViolation", ""))
    assert wire.found == ["error-code"]


def test_message_ids_start_anew_with_a_connection() -> None:
    wire = Wire()
    for _ in range(2):
        wire.receive(Call("a", "Heartbeat", {}))
        wire.monitors.sent(CallResult("a", {}), wire.n + 0.5)
    assert wire.found == ["message-id"]
    wire.monitors.connected()
    wire.receive(Call("a", "Heartbeat", {}))
    assert wire.found == ["message-id"]


@pytest.mark.parametrize("text", ["2026-01-01 12:00:00Z", "2026-01-01T12:00:00", "now"])
def test_timestamp_format(text: str) -> None:
    wire = Wire()
    wire.status(1, "Available", timestamp=text)
    assert wire.found == ["timestamp-format"]


@pytest.mark.parametrize("text", ["2026-01-01T12:00:00Z", "2026-01-01T13:00:00.5+01:00"])
def test_timestamps_with_fraction_and_offset_are_legal(text: str) -> None:
    wire = Wire()
    wire.boot()
    wire.status(1, "Available", timestamp=text)
    assert wire.found == []


def test_clock_ahead_is_found_once_it_was_set() -> None:
    wire = Wire()
    wire.status(1, "Available", timestamp=at(60))
    assert wire.found == []
    wire.boot()
    wire.status(1, "Available", timestamp=at(3.9))
    assert wire.found == []
    wire.status(1, "Available", timestamp=at(4.1))
    assert wire.found == ["timestamp-drift"]
    assert "4.1 s ahead" in wire.findings[0].actual


def test_old_timestamps_of_queued_messages_are_legal() -> None:
    wire = Wire()
    wire.boot()
    wire.start(7)
    wire.meter(-600, "100")
    assert wire.found == []


def test_a_transaction_from_before_the_run_is_a_warning() -> None:
    wire = Wire()
    wire.boot()
    wire.call("StopTransaction", {}, transactionId=9, meterStop=160, timestamp=at(2))
    wire.start(7)
    wire.call("StopTransaction", {}, transactionId=8, meterStop=160, timestamp=at(2))
    found = [(finding.monitor, finding.warning) for finding in wire.findings]
    assert found == [("transaction", True), ("transaction", False)]


def test_unknown_transaction_is_found() -> None:
    wire = Wire()
    wire.start(7)
    wire.meter(1, "100", number=8)
    wire.call("StopTransaction", {}, transactionId=9, meterStop=160, timestamp=at(2))
    assert wire.found == ["transaction", "transaction"]
    assert "7" in wire.findings[0].expected


def test_falling_register_is_found() -> None:
    wire = Wire()
    wire.start(7)
    wire.meter(1, "150")
    wire.meter(2, "140")
    assert wire.found == ["register"]
    wire.meter(3, "0.141", unit="kWh")
    wire.meter(4, "5", measurand="Power.Active.Import")
    wire.meter(5, "5", phase="L1")
    assert wire.found == ["register"]
    wire.call("StopTransaction", {}, transactionId=7, meterStop=100, timestamp=at(6))
    assert wire.found == ["register", "register"]
    assert wire.findings[-1].actual == "meterStop 100 Wh"


def test_pending_station_may_send_what_was_triggered() -> None:
    wire = Wire()
    wire.boot("Pending")
    for connector in (None, 1):
        wanted = {"requestedMessage": "StatusNotification", "connectorId": connector}
        if connector is None:
            del wanted["connectorId"]
        wire.monitors.sent(Call("t", "TriggerMessage", wanted), 0.5)
        wire.receive(CallResult("t", {"status": "Accepted"}))
        for one in (0, 1, 2) if connector is None else (connector,):
            wire.status(one, "Available")
    assert wire.found == []
    wire.call("Heartbeat")
    assert wire.found == ["before-acceptance"]


def test_what_was_triggered_earlier_is_no_licence_while_pending() -> None:
    wire = Wire()
    trigger = Call("t", "TriggerMessage", {"requestedMessage": "StatusNotification"})
    wire.monitors.sent(trigger, 0.5)
    wire.receive(CallResult("t", {"status": "Accepted"}))
    wire.boot("Pending")
    wire.call("Heartbeat")
    assert wire.found == ["before-acceptance"]


def test_a_call_read_before_the_answer_to_the_one_before_was_sent_overlaps() -> None:
    wire = Wire()
    wire.receive(Call("a", "Heartbeat", {}))
    wire.monitors.sent(CallResult("a", {}), 2.5)
    wire.receive(Call("b", "Heartbeat", {}))
    assert wire.found == ["one-call"]
    wire.monitors.sent(CallResult("b", {}), 2.6)
    wire.receive(Call("c", "Heartbeat", {}))
    assert wire.found == ["one-call"]
